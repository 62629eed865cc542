// LZ4 frames, from lz4_Frame_format.md and lz4_Block_format.md, little-endian:
//   frame: u32 magic · FLG · BD · [u64 content size] · header checksum · blocks · u32 0 · [u32 content checksum]
//   block: u32 size, its top bit set where it is stored as it is · bytes · [u32 checksum]
//   bytes: sequences: token (literals, match - 4), each 15 goes on in bytes of 255 · literals · u16 distance · ...; the last has literals only
// Checksums are not looked at: the batch around has its own.
import { CompressionDamage, Inflated, tooLarge } from './inflated.ts'

const magic = 0x184d2204
/** The most output that one byte of input can stand for. */
const mostRatio = 255

/** @throws CompressionDamage; more than `maxBytes` are never allocated */
export function inflateLz4(input: Uint8Array, maxBytes: number): Uint8Array {
  const out = new Inflated(Math.min(maxBytes, input.length * 4), maxBytes)
  let at = 0
  do at = inflateFrame(input, at, out, maxBytes)
  while (at < input.length)
  return out.bytes
}

function inflateFrame(input: Uint8Array, from: number, out: Inflated, maxBytes: number): number {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength)
  if (from + 7 > input.length) throw new CompressionDamage('the head of a frame is cut short')
  const flags = input[from + 4]!
  if (view.getUint32(from, true) !== magic || flags >>> 6 !== 1) throw new CompressionDamage('it is no LZ4 frame')
  if (flags & 0x01) throw new CompressionDamage('it needs a dictionary')
  const independent = (flags & 0x20) !== 0
  const blockChecksum = flags & 0x10 ? 4 : 0
  const sized = (flags & 0x08) !== 0
  const contentChecksum = flags & 0x04 ? 4 : 0
  const maxBlock = maxBlockBytes(input[from + 5]!)
  const start = out.length

  let at = from + 6 + (sized ? 8 : 0) + 1
  if (at > input.length) throw new CompressionDamage('the head of a frame is cut short')
  const promised = sized ? Number(view.getBigUint64(from + 6, true)) : undefined
  if (promised !== undefined && promised > maxBytes - start) throw tooLarge(maxBytes)
  if (promised !== undefined && promised > (input.length - at) * mostRatio)
    throw new CompressionDamage('it promises more bytes than it can hold')

  for (;;) {
    if (at + 4 > input.length) throw new CompressionDamage('the size of a block is cut short')
    const head = view.getUint32(at, true)
    at += 4
    if (head === 0) break
    const size = head & 0x7fffffff
    if (size > maxBlock) throw new CompressionDamage('a block is larger than its frame allows')
    if (size + blockChecksum > input.length - at) throw new CompressionDamage('a block is cut short')
    const floor = independent ? out.length : start
    if (head >>> 31 === 1) out.literal(input, at, at + size, size)
    else inflateBlock(input, at, at + size, out, floor, out.length + maxBlock)
    at += size + blockChecksum
  }
  at += contentChecksum
  if (at > input.length) throw new CompressionDamage('the end of a frame is cut short')
  if (promised !== undefined && out.length - start !== promised)
    throw new CompressionDamage('it does not hold the bytes that it promises')
  return at
}

function maxBlockBytes(descriptor: number): number {
  const size = (descriptor >>> 4) & 7
  if (size < 4) throw new CompressionDamage('it names no size of blocks')
  return 2 ** (8 + size * 2)
}

function inflateBlock(input: Uint8Array, from: number, to: number, out: Inflated, floor: number, most: number): void {
  for (let at = from; ; ) {
    if (at >= to) throw new CompressionDamage('a sequence is cut short')
    const token = input[at++]!
    let literals = token >>> 4
    if (literals === 15)
      for (let more = 255; more === 255; literals += more) {
        if (at >= to) throw new CompressionDamage('a length is cut short')
        more = input[at++]!
      }
    if (literals > most - out.length) throw new CompressionDamage('a block inflates to more than its frame allows')
    out.literal(input, at, to, literals)
    at += literals
    if (at === to) return

    if (at + 2 > to) throw new CompressionDamage('a distance is cut short')
    const distance = input[at]! | (input[at + 1]! << 8)
    at += 2
    let length = (token & 15) + 4
    if (length === 19)
      for (let more = 255; more === 255; length += more) {
        if (at >= to) throw new CompressionDamage('a length is cut short')
        more = input[at++]!
      }
    if (length > most - out.length) throw new CompressionDamage('a block inflates to more than its frame allows')
    out.copy(distance, length, floor)
  }
}
