import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Marks, OffsetSet } from '../../../src/pipeline/marks.ts'

describe('the marks of dead letters', () => {
  test('hold exactly the offsets that were added, in any order, and survive being stored', () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt({ min: 0n, max: 60n })), offsets => {
        const set = new OffsetSet()
        for (const offset of offsets) set.add(offset)
        const back = OffsetSet.parse(String(set))
        for (let offset = 0n; offset <= 61n; offset++) {
          expect(set.has(offset)).toBe(offsets.includes(offset))
          expect(back.has(offset)).toBe(offsets.includes(offset))
        }
        expect(back.size).toBe(BigInt(new Set(offsets).size))
      }),
    )
  })

  test('of a whole topic replayed are one range', () => {
    const set = new OffsetSet()
    for (const offset of [3n, 1n, 0n, 2n, 4n]) set.add(offset)
    expect(String(set)).toBe('0-4')
  })

  test('forget failed tries once a letter is replayed', () => {
    const marks = new Marks()
    marks.tries.set(7n, 2)
    marks.close(7n, 'replayed')
    const back = Marks.parse(marks.serialize())
    expect(back.stateOf(7n)).toBe('replayed')
    expect(back.tries.size).toBe(0)
    expect(back.stateOf(8n)).toBe('open')
  })

  test.each([
    '',
    '{}',
    '{"v":2,"replayed":"","discarded":"","tries":{}}',
    '{"v":1,"replayed":"x-y","discarded":"","tries":{}}',
  ])('refuse to guess from %j', text => {
    expect(() => Marks.parse(text)).toThrow(expect.objectContaining({ code: 'cursor.invalid' }))
  })
})
