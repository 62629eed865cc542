// Packs records into one as the Kinesis Producer Library does; written apart from what takes them out.
import { createHash } from 'node:crypto'

const varint = (value: number): number[] =>
  value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))]
const bytesField = (number: number, bytes: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from([number * 8 + 2, ...varint(bytes.length)]), bytes])
const numberField = (number: number, value: number): Buffer => Buffer.from([number * 8, ...varint(value)])

export function packed(records: readonly (readonly [key: string, data: string])[]): Buffer {
  const keys = [...new Set(records.map(([key]) => key))]
  const message = Buffer.concat([
    ...keys.map(key => bytesField(1, Buffer.from(key))),
    // A hash key of its own, and a tag: fields that may be there and say nothing to a reader.
    bytesField(2, Buffer.from('123')),
    ...records.map(([key, data]) =>
      bytesField(
        3,
        Buffer.concat([
          numberField(1, keys.indexOf(key)),
          numberField(2, 0),
          bytesField(3, Buffer.from(data)),
          bytesField(4, bytesField(1, Buffer.from('tag'))),
        ]),
      ),
    ),
  ])
  const digest = createHash('md5').update(message).digest()
  return Buffer.concat([Buffer.from([0xf3, 0x89, 0x9a, 0xc2]), message, digest])
}
