// gzip (RFC 1952), member by member. The deflate part goes to zlib; header and trailer are read here, because zlib's own gunzip drops
// the last bytes before a wrong checksum and ignores what follows the last member. Memory is bounded whatever the ratio (I10).
//
//   member = 1f 8b, method 08, flags, mtime(4), xfl, os, [extra] [name] [comment] [crc16], deflate data, crc32(4), size mod 2^32 (4)
import type { FileHandle } from 'node:fs/promises'
import { crc32, createInflateRaw } from 'node:zlib'
import { WeirError } from '../../core/errors.ts'
import type { ByteInput } from './input.ts'
import { fileError } from './place.ts'

const readBytes = 256 * 1024
/** Compressed bytes given to zlib at once: at its best ratio of about 1030 to 1 that gives 8 MB. */
const sliceBytes = 8 * 1024
const flagCrc = 2
const flagExtra = 4
const flagName = 8
const flagComment = 16

/** Compressed bytes, a window at a time. */
class Compressed {
  readonly #handle: FileHandle
  readonly #name: string
  #position = 0
  #window = Buffer.alloc(0)

  constructor(handle: FileHandle, name: string) {
    this.#handle = handle
    this.#name = name
  }

  /** What is at hand, reading more when nothing is; empty at the end. */
  async peek(): Promise<Buffer> {
    if (this.#window.length === 0) {
      const buffer = Buffer.allocUnsafe(readBytes)
      try {
        const { bytesRead } = await this.#handle.read(buffer, 0, readBytes, this.#position)
        this.#position += bytesRead
        this.#window = buffer.subarray(0, bytesRead)
      } catch (error) {
        throw fileError(error, this.#name)
      }
    }
    return this.#window
  }

  take(count: number): void {
    this.#window = this.#window.subarray(count)
  }

  /** The next byte, or undefined at the end. */
  async byte(): Promise<number | undefined> {
    const [first] = await this.peek()
    if (first !== undefined) this.take(1)
    return first
  }

  corrupt(what: string): WeirError {
    return new WeirError('file.corrupt', `The gzip data is damaged: ${what}`, {
      at: `${this.#name} (near compressed byte ${this.#position - this.#window.length})`,
      hint: 'Fetch the file again. The whole items before the damage were read.',
    })
  }
}

export function openGunzip(handle: FileHandle, name: string): ByteInput {
  const parts = membersOf(new Compressed(handle, name))
  let rest: Buffer = Buffer.alloc(0)
  return {
    async read(target, at) {
      while (rest.length === 0) {
        const { value, done } = await parts.next()
        if (done) return 0
        rest = value
      }
      const count = rest.copy(target, at)
      rest = rest.subarray(count)
      return count
    },
    async [Symbol.asyncDispose]() {
      await parts.return()
    },
  }
}

async function* membersOf(input: Compressed): AsyncGenerator<Buffer, void> {
  for (let first = true; await readHeader(input, first); first = false) yield* inflate(input)
}

/** False at the end of the file, or where only zeros follow, which tapes and block devices leave. @throws file.corrupt */
async function readHeader(input: Compressed, first: boolean): Promise<boolean> {
  const next = async () => {
    const byte = await input.byte()
    if (byte === undefined) throw input.corrupt('it ends inside a header')
    return byte
  }
  const skipText = async () => {
    while ((await next()) !== 0);
  }
  const magic = await input.byte()
  if (magic === undefined) {
    if (first) throw input.corrupt('the file is empty')
    return false
  }
  if (magic === 0 && !first) return !(await onlyZeros(input))
  if (magic !== 0x1f || (await next()) !== 0x8b)
    throw input.corrupt(first ? 'it does not begin like gzip' : 'something else follows its end')
  if ((await next()) !== 8) throw input.corrupt('unknown compression method')
  const flags = await next()
  if (flags > 31) throw input.corrupt('unknown flags')
  for (let i = 0; i < 6; i++) await next()
  if (flags & flagExtra) {
    const length = (await next()) + 256 * (await next())
    for (let i = 0; i < length; i++) await next()
  }
  if (flags & flagName) await skipText()
  if (flags & flagComment) await skipText()
  if (flags & flagCrc) for (let i = 0; i < 2; i++) await next()
  return true
}

async function onlyZeros(input: Compressed): Promise<boolean> {
  for (let byte = await input.byte(); byte !== undefined; byte = await input.byte())
    if (byte !== 0) throw input.corrupt('something else follows its end')
  return true
}

async function* inflate(input: Compressed): AsyncGenerator<Buffer, void> {
  const zlib = createInflateRaw({ chunkSize: 64 * 1024 })
  const produced: Buffer[] = []
  let failed = false
  let ended = false
  let wake = () => {}
  zlib.on('data', chunk => produced.push(chunk))
  zlib.on('error', () => (failed = true))
  zlib.on('end', () => (ended = true))
  zlib.on('close', () => wake())
  /** Gives a slice to zlib and waits until it has taken what it can; the number of bytes taken. */
  const consume = async (slice: Buffer) => {
    const before = zlib.bytesWritten
    await new Promise<void>(resolve => {
      wake = resolve
      zlib.write(slice, () => resolve())
    })
    return zlib.bytesWritten - before
  }
  let checksum = 0
  let size = 0
  try {
    while (!ended) {
      const window = await input.peek()
      if (window.length === 0) throw input.corrupt('it is cut off')
      const slice = window.subarray(0, sliceBytes)
      const used = await consume(slice)
      for (const chunk of produced.splice(0)) {
        checksum = crc32(chunk, checksum)
        size = (size + chunk.length) >>> 0
        yield chunk
      }
      if (failed) throw input.corrupt('its contents do not decompress')
      input.take(used)
      // zlib takes less than it is given only when the member has ended.
      if (used < slice.length) ended = true
    }
  } finally {
    zlib.destroy()
  }
  const trailer = Buffer.alloc(8)
  for (let i = 0; i < 8; i++) {
    const byte = await input.byte()
    if (byte === undefined) throw input.corrupt('it is cut off')
    trailer[i] = byte
  }
  if (trailer.readUInt32LE(0) !== checksum) throw input.corrupt('the checksum is wrong')
  if (trailer.readUInt32LE(4) !== size) throw input.corrupt('the length is wrong')
}
