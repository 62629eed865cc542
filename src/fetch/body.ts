// Reads a body whole, within its caps: on the wire, after decompression, and in the ratio of the two. A body that is cut short or
// damaged gives nothing at all, so no part of a page is ever taken for the page.
import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate, inflateRaw } from 'node:zlib'
import { WeirError } from '../core/errors.ts'
import { formatBytes } from '../core/units.ts'

/** A body may grow this much by decompression whatever its ratio: small pages of repeated text do. */
const ratioFloorBytes = 1024 * 1024
const maxRatio = 100
const maxEncodings = 2

type Decode = (bytes: Uint8Array, options: { maxOutputLength: number }) => Promise<Uint8Array>

const decodeInflate = promisify(inflate) as Decode
const decodeInflateRaw = promisify(inflateRaw) as Decode

const decoders: Readonly<Record<string, Decode>> = {
  gzip: promisify(gunzip) as Decode,
  'x-gzip': promisify(gunzip) as Decode,
  br: promisify(brotliDecompress) as Decode,
  // RFC 9110 says zlib; some servers send the raw stream. A zlib header has 8 in the low bits of its first byte.
  deflate: (bytes, options) => ((bytes[0] ?? 0) % 16 === 8 ? decodeInflate : decodeInflateRaw)(bytes, options),
}

/** What the guard accepts, for the accept-encoding header. */
export const acceptedEncodings = 'gzip, deflate, br'

/**
 * The whole body, decompressed, also where the payload itself is a gzip file.
 * @param chunks the body as it comes; left early, it is destroyed
 * @throws fetch.body_too_large, fetch.body_invalid, and what `chunks` throws
 */
export async function readBody(
  chunks: AsyncIterable<Uint8Array>,
  headers: Readonly<Record<string, string>>,
  maxBytes: number,
): Promise<Uint8Array> {
  const encodings = encodingsOf(headers['content-encoding'])
  const declared = Number(headers['content-length'] ?? 0)
  if (declared > maxBytes) throw tooLarge(`The body is ${formatBytes(declared)}`, maxBytes)
  const wire = await collect(chunks, maxBytes)
  const limit = Math.min(maxBytes, Math.max(ratioFloorBytes, wire.byteLength * maxRatio))
  let body = wire
  for (const encoding of encodings.reverse()) {
    // A server that compresses nothing into nothing: an empty body with the header.
    if (body.byteLength === 0) return body
    body = await decode(body, encoding, limit, maxBytes)
  }
  // A gzip file as payload, without a word about it in content-encoding: no text begins like this.
  return isGzip(body) && encodings.length < maxEncodings ? decode(body, 'gzip', limit, maxBytes) : body
}

const isGzip = (bytes: Uint8Array) => bytes[0] === 0x1f && bytes[1] === 0x8b

function encodingsOf(header: string | undefined): string[] {
  const encodings = (header ?? '')
    .toLowerCase()
    .split(',')
    .map(name => name.trim())
    .filter(name => name !== '' && name !== 'identity')
  if (encodings.length > maxEncodings)
    throw new WeirError(
      'fetch.body_invalid',
      `The body has ${encodings.length} content encodings, at most ${maxEncodings} are read`,
    )
  for (const name of encodings)
    if (!Object.hasOwn(decoders, name))
      throw new WeirError('fetch.body_invalid', 'The body has a content encoding that is not known', {
        hint: `Known are ${acceptedEncodings}.`,
      })
  return encodings
}

async function collect(chunks: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let total = 0
  for await (const chunk of chunks) {
    total += chunk.byteLength
    if (total > maxBytes) throw tooLarge('The body is too large', maxBytes)
    parts.push(chunk)
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts, total)
}

async function decode(bytes: Uint8Array, encoding: string, limit: number, maxBytes: number): Promise<Uint8Array> {
  try {
    return await decoders[encoding]!(bytes, { maxOutputLength: limit })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      if (limit < maxBytes)
        throw new WeirError(
          'fetch.body_too_large',
          `The body grows more than ${maxRatio} times when it is decompressed`,
          { hint: 'This is how a decompression bomb looks.' },
        )
      throw tooLarge('The body is too large after decompression', maxBytes)
    }
    throw new WeirError('fetch.body_invalid', `The ${encoding} body is damaged or cut short`, { cause: error })
  }
}

function tooLarge(what: string, maxBytes: number): WeirError {
  return new WeirError('fetch.body_too_large', `${what}; at most ${formatBytes(maxBytes)} is read`, {
    hint: 'Ask for smaller pages, or raise `fetch: { max_body }`.',
  })
}
