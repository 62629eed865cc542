import { expect, test } from 'vitest'
import { failureText } from '../../../src/cli/failure.ts'
import { plain } from '../../../src/cli/terminal.ts'
import { DefinitionError, Problems } from '../../../src/config/problem.ts'
import { WeirError } from '../../../src/core/errors.ts'

const style = { json: false, paint: plain, debug: false, cwd: '/work' }
const text = 'pipeline: x\nsource:\n  fiel: {}\n'

function definitionError(): DefinitionError {
  const problems = new Problems('/work/pipelines/x.yaml', text, false)
  const start = text.indexOf('fiel')
  problems.add({
    code: 'config.unknown_field',
    message: 'there is no connector fiel',
    pointer: '/source/fiel',
    hint: 'Did you mean file?',
    span: { start, end: start + 4 },
  })
  problems.add({ code: 'config.missing_field', message: 'topic is missing', pointer: '', span: { start: 0, end: 1 } })
  return new DefinitionError(problems.list())
}

test('all mistakes of a definition are shown, each with its line and a mark', () => {
  expect(failureText(definitionError(), style)).toBe(`error[config.missing_field]: topic is missing
 --> pipelines/x.yaml:1:1
1 | pipeline: x
  | ^

error[config.unknown_field]: there is no connector fiel
 --> pipelines/x.yaml:3:3
3 |   fiel: {}
  |   ^^^^
  = Did you mean file?
`)
})

test('a program gets all mistakes of a definition in one object', () => {
  const { error } = JSON.parse(failureText(definitionError(), { ...style, json: true }))
  expect(error).toMatchObject({ code: 'config.missing_field', at: '/work/pipelines/x.yaml:1:1' })
  expect(error.problems).toHaveLength(2)
  expect(error.problems[1]).toMatchObject({ code: 'config.unknown_field', line: 3, column: 3 })
})

test('whatever is thrown becomes an error with a code', () => {
  expect(failureText('just text', style)).toMatch(/^error\[internal\] just text\n/)
  expect(failureText(undefined, style)).toMatch(/^error\[internal\] undefined\n/)
  expect(failureText(new Error('outer', { cause: new WeirError('log.busy', 'locked') }), style)).toMatch(
    /^error\[log\.busy\] locked\n/,
  )
})

test('a message of many lines stays readable and cannot move the cursor', () => {
  const error = new WeirError('usage.invalid', 'first\nsecond\u001b[2J', { hint: 'one\ntwo' })
  expect(failureText(error, style)).toBe('error[usage.invalid] first\nsecond\\u001b[2J\n  hint: one\n        two\n')
})

test('stacks are shown only for debugging, with their causes', () => {
  const error = new TypeError('x is undefined', { cause: new Error('inner') })
  expect(failureText(error, style)).not.toContain('failure.test.ts')
  expect(failureText(error, { ...style, debug: true })).toMatch(/failure\.test\.ts[\s\S]*caused by: Error: inner/)
})
