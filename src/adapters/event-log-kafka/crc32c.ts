// CRC-32C (Castagnoli, RFC 3720), the checksum of record batches. Sixteen bytes a step over sixteen tables: about 2 GB/s, as much as
// WebAssembly gives, without a native part.

const reversedPolynomial = 0x82f63b78
const t0 = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ reversedPolynomial : crc >>> 1
  return crc
})
/** What one more zero byte makes of each entry. */
const next = (table: Int32Array) => table.map(entry => (entry >>> 8) ^ t0[entry & 255]!)
const t1 = next(t0)
const t2 = next(t1)
const t3 = next(t2)
const t4 = next(t3)
const t5 = next(t4)
const t6 = next(t5)
const t7 = next(t6)
const t8 = next(t7)
const t9 = next(t8)
const t10 = next(t9)
const t11 = next(t10)
const t12 = next(t11)
const t13 = next(t12)
const t14 = next(t13)
const t15 = next(t14)

/** The checksum of the bytes from `from` up to `to`, as an unsigned number. */
export function crc32c(bytes: Uint8Array, from = 0, to = bytes.length): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let crc = -1
  let at = from
  for (const last = to - 16; at <= last; at += 16) {
    const a = crc ^ view.getInt32(at, true)
    const b = view.getInt32(at + 4, true)
    const c = view.getInt32(at + 8, true)
    const d = view.getInt32(at + 12, true)
    crc =
      t15[a & 255]! ^
      t14[(a >>> 8) & 255]! ^
      t13[(a >>> 16) & 255]! ^
      t12[a >>> 24]! ^
      t11[b & 255]! ^
      t10[(b >>> 8) & 255]! ^
      t9[(b >>> 16) & 255]! ^
      t8[b >>> 24]! ^
      t7[c & 255]! ^
      t6[(c >>> 8) & 255]! ^
      t5[(c >>> 16) & 255]! ^
      t4[c >>> 24]! ^
      t3[d & 255]! ^
      t2[(d >>> 8) & 255]! ^
      t1[(d >>> 16) & 255]! ^
      t0[d >>> 24]!
  }
  for (; at < to; at++) crc = (crc >>> 8) ^ t0[(crc ^ bytes[at]!) & 255]!
  return (crc ^ -1) >>> 0
}
