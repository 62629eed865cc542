import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { readBody } from '../../../src/fetch/body.ts'

const mb = 1024 * 1024
async function* chunksOf(bytes: Uint8Array, size = 1000) {
  for (let i = 0; i < bytes.byteLength; i += size) yield bytes.subarray(i, i + size)
}
const read = (bytes: Uint8Array, encoding?: string, max = 16 * mb) =>
  readBody(chunksOf(bytes), encoding === undefined ? {} : { 'content-encoding': encoding }, max)
const text = Buffer.from('{"reviews": []} '.repeat(50))

test.each([
  ['none', undefined, text],
  ['identity', 'identity', text],
  ['gzip', 'gzip', gzipSync(text)],
  ['x-gzip, upper case', 'X-GZIP', gzipSync(text)],
  ['two gzip members', 'gzip', Buffer.concat([gzipSync(text.subarray(0, 99)), gzipSync(text.subarray(99))])],
  ['deflate with a zlib header', 'deflate', deflateSync(text)],
  ['deflate without', 'deflate', deflateRawSync(text)],
  ['brotli', 'br', brotliCompressSync(text)],
  ['a gzip file as payload', undefined, gzipSync(text)],
  ['a gzip file as payload, compressed on its way', 'br', brotliCompressSync(gzipSync(text))],
  ['two encodings, undone in reverse', 'br, gzip', gzipSync(brotliCompressSync(text))],
])('reads %s', async (_, encoding, bytes) => expect(Buffer.from(await read(bytes, encoding))).toEqual(text))

test('an empty body stays empty whatever the header says', async () =>
  expect((await read(new Uint8Array(), 'gzip')).byteLength).toBe(0))

const bomb = gzipSync(Buffer.alloc(64 * mb))
test.each([
  ['a body over the cap', Buffer.alloc(1001), undefined, 1000, 'fetch.body_too_large'],
  ['a body over the cap after decompression', gzipSync(Buffer.alloc(2 * mb)), 'gzip', mb, 'fetch.body_too_large'],
  ['a gzip bomb under the cap by ratio', bomb, 'gzip', 512 * mb, 'fetch.body_too_large'],
  ['a gzip file that is a bomb', bomb, undefined, 512 * mb, 'fetch.body_too_large'],
  ['a gzip file that is cut', gzipSync(text).subarray(0, -4), undefined, mb, 'fetch.body_invalid'],
  ['a double gzip bomb', gzipSync(bomb), 'gzip, gzip', 512 * mb, 'fetch.body_too_large'],
  ['a brotli bomb', brotliCompressSync(Buffer.alloc(64 * mb)), 'br', 512 * mb, 'fetch.body_too_large'],
  ['three encodings', gzipSync(gzipSync(gzipSync(text))), 'gzip, gzip, gzip', mb, 'fetch.body_invalid'],
  ['200 encodings', text, Array(200).fill('gzip').join(', '), mb, 'fetch.body_invalid'],
  ['an unknown encoding', text, 'zstd', mb, 'fetch.body_invalid'],
  ['an encoding named like a property', text, 'constructor', mb, 'fetch.body_invalid'],
  ['a truncated gzip', gzipSync(text).subarray(0, -4), 'gzip', mb, 'fetch.body_invalid'],
  ['a gzip with a wrong crc', damaged(gzipSync(text), -6), 'gzip', mb, 'fetch.body_invalid'],
  ['a truncated brotli', brotliCompressSync(text).subarray(0, -3), 'br', mb, 'fetch.body_invalid'],
  ['plain text that claims gzip', text, 'gzip', mb, 'fetch.body_invalid'],
])('refuses %s', async (_, bytes, encoding, max, code) => {
  await expect(read(bytes, encoding, max)).rejects.toMatchObject({ code })
})

test('repeated text may grow beyond the ratio while it is small', async () => {
  expect((await read(gzipSync(Buffer.alloc(900_000)), 'gzip')).byteLength).toBe(900_000)
})

test('a declared length over the cap is refused before a byte is read', async () => {
  const never = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) }
  await expect(readBody(never, { 'content-length': '99999999' }, mb)).rejects.toMatchObject({
    code: 'fetch.body_too_large',
  })
})

function damaged(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[copy.length + at]! ^= 0xff
  return copy
}
