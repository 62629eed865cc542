import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Edit, edited, patchOf } from '../../../src/governance/edit.ts'
import { jsonPlaces, linesOf } from '../../../src/governance/json-places.ts'

test('every value of a text has its place', () => {
  const text = '{\n  "a": [1, {"b/c~d": "x"}],\n  "a b": {}\n}'
  const places = jsonPlaces(text)
  const at = (pointer: string) => {
    const { start, end } = places.get(pointer)!
    return text.slice(start, end)
  }
  expect([...places.keys()].sort()).toEqual(['', '/a', '/a b', '/a/0', '/a/1', '/a/1/b~1c~0d'])
  expect([at(''), at('/a/0'), at('/a/1/b~1c~0d'), at('/a b')]).toEqual([text, '1', '"x"', '{}'])
  const line = linesOf(text)
  expect([line(0), line(places.get('/a/1')!.start), line(places.get('/a b')!.start)]).toEqual([
    { line: 1, column: 1 },
    { line: 2, column: 12 },
    { line: 3, column: 10 },
  ])
})

test.each<[name: string, text: string, edit: Edit, result: string | null]>([
  ['a key on the same line', '{"a": 1}', { kind: 'set', pointer: '', key: 'b', value: 'null' }, '{"a": 1, "b": null}'],
  [
    'a key on a line of its own',
    '{\n  "a": 1,\n  "c": 2\n}',
    { kind: 'set', pointer: '', key: 'b', value: 'null' },
    '{\n  "a": 1,\n  "c": 2,\n  "b": null\n}',
  ],
  ['the first key', '{}', { kind: 'set', pointer: '', key: 'b', value: '1' }, '{"b": 1}'],
  ['a key that is there', '{"a" : 1 , "b":2}', { kind: 'set', pointer: '', key: 'a', value: '3' }, '{"a" : 3 , "b":2}'],
  ['a value', '{"a": [1,  2]}', { kind: 'replace', pointer: '/a/1', value: '"x"' }, '{"a": [1,  "x"]}'],
  ['the end of a list', '["a","b"]', { kind: 'insert', pointer: '', index: null, value: '"c"' }, '["a","b", "c"]'],
  [
    'the start of a list',
    '[\n\t"a",\n\t"b"\n]',
    { kind: 'insert', pointer: '', index: 0, value: '"c"' },
    '[\n\t"c",\n\t"a",\n\t"b"\n]',
  ],
  ['an empty list', '{"a": [ ]}', { kind: 'insert', pointer: '/a', index: null, value: '1' }, '{"a": [1]}'],
  [
    'CRLF',
    '{\r\n  "a": 1,\r\n  "b": 2\r\n}',
    { kind: 'set', pointer: '', key: 'c', value: '3' },
    '{\r\n  "a": 1,\r\n  "b": 2,\r\n  "c": 3\r\n}',
  ],
  ['a place that is not there', '{}', { kind: 'replace', pointer: '/a', value: '1' }, null],
  ['a key of a list', '[]', { kind: 'set', pointer: '', key: 'a', value: '1' }, null],
])('an edit of %s leaves the rest as it is', (_name, text, edit, result) => {
  expect(edited(text, edit)).toBe(result)
  if (result !== null) expect(() => JSON.parse(result)).not.toThrow()
})

test('a patch has the changed lines with three around them', () => {
  const before = ['1', '2', '3', '4', '5', '6', '7', '8', ''].join('\n')
  expect(patchOf('a.avsc', before, before)).toBe('')
  expect(patchOf('a.avsc', before, before.replace('5\n', 'five\n'))).toBe(
    '--- a/a.avsc\n+++ b/a.avsc\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n',
  )
})

test.each([
  ['at the end', '1\n2\n3\n', '1\n2\n3\n4\n'],
  ['two lines before the end', '1\n2\n3\n4\n5\n', '1\n2\n3\nx\n4\n5\n'],
  ['at the start', '1\n2\n', 'x\n1\n2\n'],
  ['where no line break ends the file', '1\n2\n3', '1\nx\n3'],
  ['that adds the last line break', '1\n2', '1\n2\n'],
  ['that takes it away', '1\n2\n', '1\n2'],
])('git applies a patch %s', (_name, before, after) => {
  const dir = mkdtempSync(join(tmpdir(), 'weir-patch-'))
  try {
    writeFileSync(join(dir, 'a.avsc'), before)
    execFileSync('git', ['apply'], { cwd: dir, input: patchOf('a.avsc', before, after), stdio: 'pipe' })
    expect(readFileSync(join(dir, 'a.avsc'), 'utf8')).toBe(after)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
})
