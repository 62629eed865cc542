import { expect, test } from 'vitest'
import { closest, suggestion } from '../../../src/core/suggest.ts'

const words = ['source', 'sink', 'consume', 'dead_letter', 'every']

test.each([
  ['sorce', 'source'],
  ['consum', 'consume'],
  ['dead-letter', 'dead_letter'],
  ['deadletter', 'dead_letter'],
  ['Every', 'every'],
  ['evrey', 'every'],
  ['snik', 'sink'],
])('%s: did you mean %s?', (word, expected) => {
  expect(closest(word, words)).toBe(expected)
})

test.each(['xyz', 'concurrency', '', 'x'.repeat(5000)])('nothing is near %s', word => {
  expect(closest(word, words)).toBeUndefined()
})

test('where nothing is near, what is known is listed, not endlessly', () => {
  expect(suggestion('xyz', words)).toBe('Known here: source, sink, consume, dead_letter, every.')
  expect(
    suggestion(
      'xyz',
      Array.from({ length: 500 }, (_, i) => `word${i}`),
    ).length,
  ).toBeLessThan(250)
})
