// How the records of a batch are compressed and inflated, by the codec's number in the batch's attributes. Inflating ends at a limit (I10).
import { promisify } from 'node:util'
import { constants, gunzip, gzip, zstdCompress, zstdDecompress } from 'node:zlib'
import type { Compression } from '../options.ts'
import { CompressionDamage, tooLarge } from './inflated.ts'
import { inflateLz4 } from './lz4.ts'
import { inflateSnappy } from './snappy.ts'

export const codecIds = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const

const asyncGzip = promisify(gzip)
const asyncGunzip = promisify(gunzip)
const asyncZstd = promisify(zstdCompress)
const asyncUnzstd = promisify(zstdDecompress)

const leastChunk = 16 * 1024

/** The bytes compressed, at a fast level: zstd 1, gzip 1. */
export async function compress(bytes: Uint8Array, compression: Exclude<Compression, 'none'>): Promise<Uint8Array> {
  // Room for the worst case, so that one trip to the thread pool is enough.
  const chunkSize = bytes.length + (bytes.length >>> 7) + 1024
  if (compression === 'gzip') return asyncGzip(bytes, { level: 1, chunkSize })
  return asyncZstd(bytes, { chunkSize, params: { [constants.ZSTD_c_compressionLevel]: 1 } })
}

/** The bytes inflated. @throws CompressionDamage: damaged, more than `maxBytes`, or a codec that Kafka does not have */
export async function inflate(codec: number, bytes: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  switch (codec) {
    case codecIds.gzip:
      return native(asyncGunzip, bytes, maxBytes)
    case codecIds.snappy:
      return inflateSnappy(bytes, maxBytes)
    case codecIds.lz4:
      return inflateLz4(bytes, maxBytes)
    case codecIds.zstd:
      return native(asyncUnzstd, bytes, maxBytes)
    default:
      throw new CompressionDamage(`codec ${codec} is unknown`)
  }
}

async function native(
  inflateOf: (bytes: Uint8Array, options: { maxOutputLength: number; chunkSize: number }) => Promise<Buffer>,
  bytes: Uint8Array,
  maxBytes: number,
): Promise<Uint8Array> {
  try {
    const chunkSize = Math.max(leastChunk, Math.min(bytes.length * 4, maxBytes))
    return await inflateOf(bytes, { maxOutputLength: maxBytes, chunkSize })
  } catch (cause) {
    const { code = '' } = cause as NodeJS.ErrnoException
    if (code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxBytes)
    throw code.startsWith('Z') ? new CompressionDamage(`it is damaged (${code})`) : cause
  }
}
