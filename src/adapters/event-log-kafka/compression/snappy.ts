// Snappy, raw or in the framing of snappy-java (as Java producers write it). Layout, from google/snappy format_description.txt:
//   raw:    varint length of the output · elements: tag byte, low two bits 0 literal, 1..3 copy with an offset of 11, 16 or 32 bits
//   framed: 82 'SNAPPY' 00 · i32 version · i32 compatible version · blocks: i32 length, big-endian · raw
import { CompressionDamage, Inflated, tooLarge } from './inflated.ts'

const magic = Uint8Array.of(0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00)
const frameHeaderBytes = 16
/** A copy of 64 bytes takes 3: no element gives more for its bytes. */
const mostRatio = 22

/** @throws CompressionDamage; more than `maxBytes` are not allocated, nor are more than the input can give */
export function inflateSnappy(input: Uint8Array, maxBytes: number): Uint8Array {
  const blocks = hasMagic(input, 0) ? framedBlocks(input) : [rawBlock(input, 0, input.length)]
  let total = 0
  for (const { length } of blocks) total += length
  if (total > maxBytes) throw tooLarge(maxBytes)
  const out = new Inflated(total, total)
  for (const block of blocks) inflateBlock(input, block, out)
  return out.bytes
}

interface Block {
  /** Elements, from and up to. */
  readonly from: number
  readonly to: number
  /** Bytes of output that its head promises. */
  readonly length: number
}

function hasMagic(input: Uint8Array, from: number): boolean {
  return input.length >= from + frameHeaderBytes && magic.every((byte, i) => input[from + i] === byte)
}

function framedBlocks(input: Uint8Array): Block[] {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength)
  const blocks: Block[] = []
  for (let at = 0; at < input.length; ) {
    // Streams that were written one after the other repeat the header.
    if (hasMagic(input, at)) {
      at += frameHeaderBytes
      continue
    }
    if (at + 4 > input.length) throw new CompressionDamage('the length of a block is cut short')
    const end = at + 4 + view.getUint32(at)
    if (end > input.length) throw new CompressionDamage('a block is cut short')
    blocks.push(rawBlock(input, at + 4, end))
    at = end
  }
  return blocks
}

function rawBlock(input: Uint8Array, from: number, to: number): Block {
  let length = 0
  let at = from
  for (let scale = 1; ; scale *= 128) {
    if (at === to || at === from + 5) throw new CompressionDamage('the length of the output is damaged')
    const byte = input[at++]!
    length += (byte & 127) * scale
    if (byte < 128) break
  }
  if (length > (to - at) * mostRatio) throw new CompressionDamage('it promises more bytes than it can hold')
  return { from: at, to, length }
}

function inflateBlock(input: Uint8Array, { from, to, length }: Block, out: Inflated): void {
  const start = out.length
  const end = start + length
  for (let at = from; at < to; ) {
    const tag = input[at++]!
    const kind = tag & 3
    if (kind === 0) {
      let size = tag >>> 2
      if (size >= 60) {
        const wide = size - 59
        size = littleEndian(input, at, to, wide)
        at += wide
      }
      size++
      if (size > end - out.length) throw new CompressionDamage('it holds more bytes than it promises')
      out.literal(input, at, to, size)
      at += size
      continue
    }
    const size = kind === 1 ? 4 + ((tag >>> 2) & 7) : 1 + (tag >>> 2)
    const wide = kind === 3 ? 4 : kind
    let distance = littleEndian(input, at, to, wide)
    if (kind === 1) distance += (tag >>> 5) << 8
    at += wide
    if (size > end - out.length) throw new CompressionDamage('it holds more bytes than it promises')
    out.copy(distance, size, start)
  }
  if (out.length !== end) throw new CompressionDamage('it holds fewer bytes than it promises')
}

function littleEndian(input: Uint8Array, at: number, to: number, wide: number): number {
  if (at + wide > to) throw new CompressionDamage('an element is cut short')
  let value = input[at]!
  if (wide > 1) value |= input[at + 1]! << 8
  if (wide > 2) value |= input[at + 2]! << 16
  if (wide > 3) value |= input[at + 3]! << 24
  return value >>> 0
}
