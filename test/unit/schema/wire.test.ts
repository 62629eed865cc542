import { expect, test } from 'vitest'
import { valueSubject } from '../../../src/schema/subject.ts'
import { frame, readSchemaId } from '../../../src/schema/wire.ts'

test('the id survives framing over its whole range', () => {
  for (const id of [0, 1, 255, 65_536, 2_147_483_647]) expect(readSchemaId(frame(id, new Uint8Array([9])))).toBe(id)
})

test('the header is 0x00 and a big-endian id, the body follows', () => {
  expect([...frame(0x01020304, new Uint8Array([9, 8]))]).toEqual([0, 1, 2, 3, 4, 9, 8])
})

test.each([[[]], [[0, 0, 0, 1]], [[1, 0, 0, 0, 1]], [[0, 0x80, 0, 0, 0]]])('refuses %j', bytes => {
  expect(() => readSchemaId(Uint8Array.from(bytes))).toThrow(
    expect.objectContaining({ code: 'decode.not_framed', at: expect.stringMatching(/^byte [01]$/) }),
  )
})

test('a topic names its value subject', () => {
  expect(valueSubject('reviews')).toBe('reviews-value')
})
