// Lines of the file sink: what was added is there, whatever the buffer had to grow for.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Lines } from '../../../src/sinks/file-lines.ts'

test('lines are the texts with a line feed after each, set after set', () => {
  const large = fc.integer({ min: 0, max: 3_000_000 }).map(count => '\u20ac'.repeat(count))
  const line = fc.oneof({ weight: 20, arbitrary: fc.string({ unit: 'binary' }) }, { weight: 1, arbitrary: large })
  fc.assert(
    fc.property(fc.array(fc.array(line), { maxLength: 4 }), sets => {
      const lines = new Lines()
      for (const set of sets) {
        lines.clear()
        for (const each of set) lines.add(each)
        expect(lines.bytes.equals(Buffer.from(set.map(each => `${each}\n`).join('')))).toBe(true)
      }
    }),
    { numRuns: 50 },
  )
})

test('lines that fill the buffer to its last byte are whole', () => {
  for (const length of [65_535, 65_536, 65_534]) {
    const lines = new Lines()
    lines.add('x'.repeat(length))
    lines.add('y')
    expect(lines.bytes.toString()).toBe(`${'x'.repeat(length)}\ny\n`)
  }
})
