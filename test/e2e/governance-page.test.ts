// docs/governance.md, step by step: its files are written, its patches applied, its commands run, and what it shows is printed.

import { execFileSync } from 'node:child_process'
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { runWeir } from '../support/cli.ts'
import { type PageStep, pageSteps } from '../support/page-steps.ts'

const project = resolve(import.meta.dirname, '../..')
const steps = pageSteps(readFileSync(join(project, 'docs/governance.md'), 'utf8'))
const cwd = mkdtempSync(join(tmpdir(), 'weir-governance-page-'))
afterAll(() => rmSync(cwd, { recursive: true, force: true }))

const git = (args: readonly string[], input = '') =>
  execFileSync('git', ['-c', 'user.name=test', '-c', 'user.email=test@example.com', ...args], {
    cwd,
    input,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' },
  })

/** Words of a command line, quoted ones as one. */
const words = (command: string) => [...command.matchAll(/"([^"]*)"|\S+/g)].map(([word, quoted]) => quoted ?? word)

test('the page shows a good change, a breaking one, a silent one and a waiver', () => {
  expect(steps.filter(({ what }) => what === 'patch')).toHaveLength(4)
  expect(steps.filter(({ what }) => what === 'prints').length).toBeGreaterThan(7)
})

test('the page works as it stands, step by step', { timeout: 180_000 }, async () => {
  mkdirSync(join(cwd, 'schemas'))
  cpSync(join(project, 'schemas/raw-review.avsc'), join(cwd, 'schemas/raw-review.avsc'))
  writeFileSync(join(cwd, '.gitignore'), '.weir\nout\nplan.json\n')
  git(['init', '-q', '-b', 'main'])
  // What was printed since the last block that shows some of it.
  let printed = ''
  for (const step of steps) {
    if (step.what === 'prints') {
      expectLines(printed, step)
      printed = ''
    } else printed += await act(step)
  }
})

async function act({ what, text }: PageStep): Promise<string> {
  const [, kind, rest] = /^(\w+)(?:: (.+))?$/.exec(what)!
  if (kind === 'file') {
    mkdirSync(dirname(join(cwd, rest!)), { recursive: true })
    writeFileSync(join(cwd, rest!), text)
  } else if (kind === 'append') appendFileSync(join(cwd, rest!), text)
  else if (kind === 'patch') git(['apply', '--unidiff-zero', '-'], text)
  else {
    expect(kind).toBe('run')
    let all = ''
    for (const command of text.trim().split('\n')) {
      const [program, ...args] = words(command)
      if (program === 'git') {
        git(args)
        continue
      }
      const { code, out, err } = await runWeir(args, { cwd, deadlineMs: 60_000 })
      expect({ command, code, err: code === 0 ? '' : err }).toEqual({
        command,
        code: Number(/\d/.exec(rest ?? '')?.[0] ?? 0),
        err: expect.any(String),
      })
      all += out + err
    }
    return all
  }
  return ''
}

/** Each line of the block is printed, in this order; a line may end before the printed one does. */
function expectLines(printed: string, { text }: PageStep): void {
  const there = printed.split('\n')
  let at = 0
  for (const line of text.trimEnd().split('\n')) {
    const found = there.findIndex((each, i) => i >= at && each.startsWith(line))
    expect(found === -1 ? { missing: line, in: printed } : { missing: null }).toEqual({ missing: null })
    at = found + 1
  }
}
