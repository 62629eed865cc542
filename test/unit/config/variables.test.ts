import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { type Resolved, resolveVariables, type VariableFailure } from '../../../src/config/variables.ts'
import { definitionFolder } from '../../support/definition-text.ts'

const folder = definitionFolder()
afterAll(() => folder[Symbol.dispose]())

const resolve = (text: string, env: Record<string, string> = {}) =>
  resolveVariables(text, { env, baseDir: folder.path })
const failures = (text: string, env: Record<string, string> = {}) =>
  (resolve(text, env) as readonly VariableFailure[]).map(f => f.message)

test('replaces variables once, keeps what stands around them', () => {
  expect(resolve('Bearer ${A}-${B:-x}', { A: 'secret' })).toEqual({
    text: 'Bearer secret-x',
    outside: ['secret'],
    names: ['A', 'B'],
    nested: false,
  })
})

test.each([
  ['$${A}', '${A}'],
  ['a$$${A}', 'a$${A}'],
  ['${A}$${A}', 'v${A}'],
  ['$A {A} $', '$A {A} $'],
  ['${B:-}', ''],
  ['${B:-a:-b}', 'a:-b'],
  ['${EMPTY:-x}', 'x'],
  ['${A:-x}', 'v'],
])('%s becomes %s', (text, expected) => {
  expect((resolve(text, { A: 'v', EMPTY: '' }) as Resolved).text).toBe(expected)
})

test('a value is never resolved again', () => {
  expect(resolve('${A}', { A: '${B}', B: 'x' })).toMatchObject({ text: '${B}', nested: true })
})

test.each([
  ['${', 'A variable is not closed.'],
  ['${}', 'This is no variable.'],
  ['${1A}', 'This is no variable.'],
  ['${a b}', 'This is no variable.'],
  ['${A-x}', 'This is no variable.'],
  ['${NONE}', 'The variable NONE is not set.'],
  ['${EMPTY}', 'The variable EMPTY is empty.'],
  ['${LINES}', 'The variable LINES holds a line break or NUL.'],
  ['${__proto__}', 'The variable __proto__ is not set.'],
  ['${toString}', 'The variable toString is not set.'],
  ['${file:}', 'A file name is missing in ${file:}.'],
  ['${file:a/../b}', 'The file of ${file:a/../b} leads upwards (..).'],
])('%s: %s', (text, message) => {
  expect(failures(text, { EMPTY: '', LINES: 'a\nb' })).toEqual([message])
})

test('every variable that is wrong is named, with the nearest that is there', () => {
  const result = resolve('${OXYLABS_PASWORD}${ALSO_NOT}', { OXYLABS_PASSWORD: 'x' }) as readonly VariableFailure[]
  expect(result.map(f => f.hint)).toEqual([
    'Did you mean OXYLABS_PASSWORD?',
    'Set it in the environment, or write ${ALSO_NOT:-default}.',
  ])
})

test('a file gives its text without the trailing line break, from the folder of the definition or absolute', () => {
  const file = folder.write('token', 'from-file\r\n')
  expect(resolve('${file:token}')).toMatchObject({ text: 'from-file', outside: ['from-file'] })
  expect(resolve(`x\${file:${file}}`)).toMatchObject({ text: 'xfrom-file' })
})

test('a secret mounted as a symlink within its folder is read, one that leads out is not', () => {
  mkdirSync(join(folder.path, 'mount'))
  mkdirSync(join(folder.path, 'mount', '..data'))
  folder.write('mount/..data/token', 'mounted')
  symlinkSync('..data/token', join(folder.path, 'mount', 'token'))
  folder.write('elsewhere', 'outside')
  symlinkSync('../elsewhere', join(folder.path, 'mount', 'out'))
  expect(resolve('${file:mount/token}')).toMatchObject({ text: 'mounted' })
  expect(failures('${file:mount/out}')).toEqual(['The file of ${file:mount/out} is a symlink out of its folder.'])
})

test.each([
  ['empty', '\n', 'is empty'],
  ['several lines', 'a\nb\n', 'line break'],
  ['too large', 'x'.repeat(65537), '65537 bytes'],
  ['not text', Buffer.from([0x61, 0xff]), 'not UTF-8'],
])('a file that is %s is refused', (name, content, message) => {
  folder.write('odd', content)
  expect(failures('${file:odd}').join(), name).toContain(message)
})

test('devices are refused', () => {
  expect(failures('${file:/dev/zero}').join()).toContain('not a regular file')
})
