// The output of the decoders that are written here (snappy, lz4): grows as it fills, never beyond its limit (I10), and checks every copy.

/** What is wrong with compressed bytes; the caller knows the place. */
export class CompressionDamage extends Error {}

/** Below this a loop is faster than the call. */
const loopBytes = 32

export class Inflated {
  /** Bytes written so far. */
  length = 0
  readonly #maxBytes: number
  #bytes: Uint8Array

  /** `expected` bytes are allocated at once; the caller has checked them against what it holds. */
  constructor(expected: number, maxBytes: number) {
    this.#maxBytes = maxBytes
    this.#bytes = room(Math.min(expected, maxBytes))
  }

  /** Everything written, a view. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.length)
  }

  /** Appends `length` bytes of the input. @throws CompressionDamage when the input or the limit ends before */
  literal(input: Uint8Array, from: number, to: number, length: number): void {
    if (length > to - from) throw new CompressionDamage('a literal is cut short')
    const at = this.#advance(length)
    const bytes = this.#bytes
    if (length < loopBytes) for (let i = 0; i < length; i++) bytes[at + i] = input[from + i]!
    else bytes.set(input.subarray(from, from + length), at)
  }

  /** Appends `length` bytes again from `distance` back, where what is appended may repeat. `floor`: it may not reach below. @throws CompressionDamage */
  copy(distance: number, length: number, floor: number): void {
    if (distance === 0 || distance > this.length - floor) throw new CompressionDamage('a copy points before its start')
    let at = this.#advance(length)
    const bytes = this.#bytes
    const from = at - distance
    if (length < loopBytes) {
      for (let i = 0; i < length; i++) bytes[at + i] = bytes[from + i]!
      return
    }
    // Each turn may copy all that is there since `from`: short patterns double.
    for (let left = length; left > 0; ) {
      const step = Math.min(left, at - from)
      bytes.copyWithin(at, from, from + step)
      at += step
      left -= step
    }
  }

  /** Where the next bytes go; they count as written. */
  #advance(more: number): number {
    const at = this.length
    const end = at + more
    if (end > this.#bytes.length) this.#grow(end)
    this.length = end
    return at
  }

  #grow(needed: number): void {
    if (needed > this.#maxBytes) throw tooLarge(this.#maxBytes)
    const larger = room(Math.min(Math.max(needed, this.#bytes.length * 2), this.#maxBytes))
    larger.set(this.#bytes.subarray(0, this.length))
    this.#bytes = larger
  }
}

export function tooLarge(maxBytes: number): CompressionDamage {
  return new CompressionDamage(`it inflates to more than ${maxBytes} bytes`)
}

function room(bytes: number): Uint8Array {
  return new Uint8Array(Buffer.allocUnsafeSlow(bytes).buffer)
}
