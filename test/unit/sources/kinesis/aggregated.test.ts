// Records packed into one: what is one of these, and what only looks like it.
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { unpack } from '../../../../src/sources/kinesis/aggregated.ts'
import { packed } from '../../../support/aws/packed.ts'

const sealed = (message: Uint8Array) =>
  Buffer.concat([Buffer.from([0xf3, 0x89, 0x9a, 0xc2]), message, createHash('md5').update(message).digest()])

test('gives the records with their keys, long ones too', () => {
  const long = 'x'.repeat(70_000)
  expect(
    unpack(
      packed([
        ['a', '1'],
        ['b', long],
        ['a', ''],
      ]),
    )?.map(({ key, data }) => [key, Buffer.from(data).toString()]),
  ).toEqual([
    ['a', '1'],
    ['b', long],
    ['a', ''],
  ])
})

test.each([
  ['nothing', new Uint8Array(0)],
  ['plain data', Buffer.from('{"n":1}')],
  ['the mark alone', Buffer.from([0xf3, 0x89, 0x9a, 0xc2])],
  ['another MD5', Buffer.concat([packed([['a', '1']]).subarray(0, -1), Buffer.from([0])])],
  ['a message cut short', sealed(packed([['a', '1']]).subarray(4, -20))],
  ['no records', sealed(Buffer.alloc(0))],
  ['a key that is not in the table', sealed(Buffer.from([0x1a, 5, 0x08, 9, 0x1a, 1, 0x31]))],
  ['a record without data', sealed(Buffer.from([0x0a, 1, 0x61, 0x1a, 2, 0x08, 0]))],
  ['another kind of field', sealed(Buffer.from([0x0d, 1, 2, 3, 4]))],
  ['a length beyond the end', sealed(Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]))],
  ['a length without an end', sealed(Buffer.alloc(40, 0xff))],
  ['a field it does not know', sealed(Buffer.from([0x22, 1, 0x61]))],
])('is not taken for one: %s', (_, bytes) => {
  expect(unpack(bytes)).toBeNull()
})
