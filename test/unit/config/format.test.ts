import { expect, test } from 'vitest'
import { maskLine } from '../../../src/config/excerpt.ts'
import { formatProblems } from '../../../src/config/format.ts'
import { Problems } from '../../../src/config/problem.ts'
import { remember } from '../../../src/core/secret.ts'

const text = 'pipeline: p\nsorce: {}\n'
const problems = new Problems('/w/p.yaml', text, false)
problems.add({
  code: 'config.unknown_field',
  message: '`sorce` is not a field: 100%, no',
  pointer: '/sorce',
  hint: 'Did you mean source?',
  span: { start: 12, end: 17 },
})
const list = problems.list()
const options = { cwd: '/w', files: 1, colour: false }

test('for people: code, place, the line with a caret, what to do', () => {
  expect(formatProblems(list, { ...options, format: 'pretty' })).toBe(
    [
      'error[config.unknown_field]: `sorce` is not a field: 100%, no',
      ' --> p.yaml:2:1',
      '2 | sorce: {}',
      '  | ^^^^^',
      '  = Did you mean source?',
      '',
      '1 file checked: 1 error.',
      '',
    ].join('\n'),
  )
})

test('colour only when asked for', () => {
  expect(formatProblems(list, { ...options, format: 'pretty' })).not.toContain('\u001b')
  expect(formatProblems(list, { ...options, format: 'pretty', colour: true })).toContain('\u001b[31m')
})

test('for programs: JSON that parses', () => {
  expect(JSON.parse(formatProblems(list, { ...options, format: 'json' }))).toEqual({
    files: 1,
    errors: 1,
    warnings: 0,
    problems: [
      {
        severity: 'error',
        code: 'config.unknown_field',
        message: '`sorce` is not a field: 100%, no',
        hint: 'Did you mean source?',
        file: 'p.yaml',
        line: 2,
        column: 1,
        pointer: '/sorce',
      },
    ],
  })
})

test('for GitHub: one annotation a line, escaped', () => {
  expect(formatProblems(list, { ...options, format: 'github' })).toBe(
    '::error file=p.yaml,line=2,col=1,title=config.unknown_field::`sorce` is not a field: 100%25, no Did you mean source?\n',
  )
  expect(formatProblems([{ ...list[0]!, file: '/w/a,b:c.yaml' }], { ...options, format: 'github' })).toContain(
    'file=a%2Cb%3Ac.yaml,',
  )
})

test('I9: what looks like a secret is masked in a shown line, and the caret moves with it', () => {
  expect(maskLine('  auth: { password: hunter22, user: bob }', 30, 4)).toEqual({
    excerpt: '  auth: { password: ***, user: bob }',
    caret: 25,
    length: 4,
  })
  expect(maskLine('url: https://bob:pw@host/x', 5, 21).excerpt).toBe('url: https://***@host/x')
  for (const line of [
    'api_key: "a b c"',
    "X-Auth-Token: 'x'",
    'client_secret: abc # why',
    '{ bearer: abc }',
    'db_passwd: abc',
    'Authorization: Bearer abc',
  ])
    expect(maskLine(line, 0, 1).excerpt, line).toMatch(/: \*\*\*/)
})

test('variables and empty values are no secrets', () => {
  for (const line of [
    'password: ${PASSWORD}',
    'token: "${file:/run/x}"',
    'password: ""',
    'tokens: 5x5'.replace('tokens', 'topic'),
  ])
    expect(maskLine(line, 0, 1).excerpt).toBe(line)
})

test('known secrets are masked wherever they stand', () => {
  remember('s3cr3t-value')
  expect(maskLine('note: it is s3cr3t-value here', 25, 4)).toEqual({
    excerpt: 'note: it is *** here',
    caret: 16,
    length: 4,
  })
})

test('control characters and text that reorders itself are made visible, endless lines are cut around the caret', () => {
  expect(maskLine('a: \u001b[31mred\u202e', 0, 1).excerpt).toBe('a: \ufffd[31mred\ufffd')
  const { excerpt, caret } = maskLine(`${'x'.repeat(5000)}!${'y'.repeat(5000)}`, 5000, 1)
  expect(excerpt.length).toBeLessThan(170)
  expect(excerpt[caret]).toBe('!')
})
