import { expect, test } from 'vitest'
import { linesOf } from '../../../src/governance/json-lines.ts'

const text = `
{
  "a": 1, "b": [
    [10],
    { "x/y": {
        "~": "\\"}\\n" } }
  ],
  "a":
    2
}`

test.each([
  ['', 2],
  ['/a', 8],
  ['/b', 3],
  ['/b/0', 4],
  ['/b/1/x~1y', 5],
  ['/b/1/x~1y/~0', 6],
  ['/b/1/x~1y/~0/deeper', 6],
  ['/b/7', 3],
  ['/nowhere/at/all', 2],
])('%s stands on line %i', (pointer, line) => {
  expect(linesOf(text, [pointer, '/b']).get(pointer)).toBe(line)
})

test('all of them in one pass', () => {
  expect([...linesOf('[1,\n2,\n3]', ['/2', '/0', '/1'])]).toEqual([
    ['/0', 1],
    ['/1', 2],
    ['/2', 3],
  ])
})
