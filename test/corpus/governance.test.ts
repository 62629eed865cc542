// Bad policies: each mistake of a governance.yaml gets its code at its line and column, what was expected, and a hint.
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runLint } from '../../src/config/lint-files.ts'
import { codes } from '../../src/core/errors.ts'
import { corpusCatalogue } from '../support/corpus-catalogue.ts'
import { cpuMs } from '../support/cpu-time.ts'

interface Expected {
  readonly file: string
  /** null: the file is fine. */
  readonly code: keyof typeof codes | null
  readonly severity?: 'warning'
  readonly line?: number
  readonly column?: number
  readonly message?: string
  readonly hint?: string
}

const corpus = join(import.meta.dirname, 'governance')
const expected: readonly Expected[] = JSON.parse(readFileSync(join(corpus, 'expect.json'), 'utf8'))
const today = '2026-11-29'
let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-governance-corpus-'))
  cpSync(corpus, folder, { recursive: true })
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const lint = (file: string) =>
  runLint([file, 'pipelines'], { catalogue: corpusCatalogue, env: {}, cwd: folder, today })

describe('bad policies', () => {
  test('each file of the corpus is expected, once', () => {
    const there = readdirSync(corpus).filter(name => name.endsWith('.yaml'))
    expect(expected.map(({ file }) => file).sort()).toEqual(there.sort())
  })

  test.each(expected.map(each => [each.file, each] as const))('%s', (_, want) => {
    const startedMs = cpuMs()
    const { problems, text } = lint(want.file)
    expect(cpuMs() - startedMs).toBeLessThan(1000)
    const found = problems.map(({ code, severity, line, column, message }) => ({ code, severity, line, column, message }))
    if (want.code === null) return expect(found).toEqual([])
    expect(found).toEqual([
      {
        code: want.code,
        severity: want.severity ?? 'error',
        line: want.line,
        column: want.column,
        message: expect.stringContaining(want.message!),
      },
    ])
    expect(problems[0]!.hint).toContain(want.hint ?? '')
    expect(problems[0]!.hint!.length).toBeGreaterThan(5)
    expect(text).toContain(`${want.file}:${want.line}:${want.column}`)
  })

  test('one file, linted alone, knows of no other pipelines: no subject is called unknown', () => {
    expect(runLint(['unknown-subject.yaml'], { catalogue: corpusCatalogue, env: {}, cwd: folder, today }).problems).toEqual([])
  })
})
