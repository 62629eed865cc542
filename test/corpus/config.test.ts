// Set A: bad definitions. Each gets its code at its line and column, what was expected, a hint; at once, without a stack trace, without a secret.
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { lintFormats } from '../../src/config/format.ts'
import { runLint } from '../../src/config/lint-files.ts'
import { codes } from '../../src/core/errors.ts'
import { corpusCatalogue } from '../support/corpus-catalogue.ts'
import { canaries, corpusEnv, makeFiles } from './config-files.ts'
import { cpuMs } from '../support/cpu-time.ts'

interface Expected {
  readonly case: string
  readonly file: string
  /** null: the file is fine. */
  readonly code: keyof typeof codes | null
  readonly severity?: 'warning'
  readonly line?: number
  readonly column?: number
  readonly message?: string
  readonly hint?: string
}

const corpus = join(import.meta.dirname, 'config')
const expected: readonly Expected[] = JSON.parse(readFileSync(join(corpus, 'expect.json'), 'utf8'))
let root: string
let folder: string

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'weir-corpus-'))
  folder = join(root, 'config')
  cpSync(corpus, folder, { recursive: true })
  makeFiles(folder, new Map(expected.map(each => [each.case, each.file])))
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const lint = (file: string, format: (typeof lintFormats)[number] = 'pretty') =>
  runLint([file], { catalogue: corpusCatalogue, env: corpusEnv, cwd: folder, format })

describe('bad definitions', () => {
  test('the corpus has its 79 cases, each once', () => {
    expect(new Set(expected.map(each => each.case)).size).toBe(79)
    expect(new Set(expected.map(each => each.file)).size).toBe(79)
  })

  test.each(expected.map(each => [each.case, each] as const))('%s', (_, want) => {
    const rssBefore = process.memoryUsage().rss
    const startedMs = cpuMs()
    const { problems, text } = lint(want.file)
    expect(cpuMs() - startedMs).toBeLessThan(1000)
    expect(process.memoryUsage().rss - rssBefore).toBeLessThan(64 * 1024 * 1024)
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
    expect(codes[want.code].exit).toBe(2)
    expect(problems[0]!.hint).toContain(want.hint ?? '')
    expect(problems[0]!.hint!.length).toBeGreaterThan(5)
    expect(text).toContain(`${want.line}:${want.column}`)
  })

  test('I9: no output of any case shows a secret, a stack trace or a control character', () => {
    for (const { file } of expected)
      for (const format of lintFormats) {
        const { text } = lint(file, format)
        for (const canary of canaries) expect(text).not.toContain(canary)
        expect(text).not.toMatch(/^\s+at .*[:(]/m)
        expect(text).not.toMatch(/node:internal|node_modules|\/src\//)
        expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f\u202a-\u202e]/)
      }
  })

  test('all bad definitions in one call: every file is named', () => {
    const { problems, files } = runLint(
      expected.filter(each => each.code !== null).map(each => each.file),
      { catalogue: corpusCatalogue, env: corpusEnv, cwd: folder },
    )
    expect(files.length).toBe(expected.filter(each => each.code !== null).length + 1)
    const complained = new Set(problems.map(problem => problem.file))
    expect(files.filter(file => !complained.has(file) && !file.includes('two-pipelines'))).toEqual([])
  })
})
