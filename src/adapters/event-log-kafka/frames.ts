// I10: the lengths a broker announces are checked on the way in, before a client library waits for that many bytes or reads on.

/** An answer larger than this is refused: a fetch asks for far less, and one batch that passes its limits stays below. */
const maxAnswerBytes = 128 * 1024 * 1024

/** Follows the frames (length, then that many bytes) through the chunks of one connection. */
export class FrameCheck {
  #length = 0
  #lengthBytes = 0
  #left = 0

  /** Takes the next chunk. Says what is wrong with the stream, or null; after a fault it is of no use any more. */
  fault(chunk: Buffer): string | null {
    for (let at = 0; at < chunk.length; ) {
      if (this.#left > 0) {
        const taken = Math.min(this.#left, chunk.length - at)
        this.#left -= taken
        at += taken
        continue
      }
      this.#length = (this.#length << 8) | chunk[at++]!
      if (++this.#lengthBytes < 4) continue
      if (this.#length >>> 16 === 0x1503) return 'the broker answers in TLS, and this connection is plain'
      if (this.#length < 4 || this.#length > maxAnswerBytes) return `an answer of ${this.#length} bytes is announced`
      this.#left = this.#length
      this.#length = 0
      this.#lengthBytes = 0
    }
    return null
  }
}
