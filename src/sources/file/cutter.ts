// The contract of the three cutters (lines, rows, elements) and what they share: passing over an item too large to hold.
import type { Cut, Origin } from './piece.ts'
import { keptOfTooLarge, TooLarge } from './piece.ts'
import type { Window } from './window.ts'

/** Cuts what is in a window into items. Keeps what it knows of an unfinished item between calls; the window keeps the bytes. */
export interface Cutter {
  /**
   * The next item, consumed from the window; undefined when more bytes are needed, or at `final` when nothing is left.
   * `final` says that no more bytes will come. Blank lines and what stands between items is consumed too.
   */
  next(window: Window, final: boolean): Cut | undefined
  /** Where reading goes on later, where that is not the start of the window. */
  readTo?(window: Window): ReadTo
}

export interface ReadTo {
  readonly offset: number
  readonly line: number
}

/** An item whose bytes are counted instead of kept. */
export class Oversized {
  readonly #head: Buffer
  readonly #offset: number
  readonly #line: number
  #bytes = 0

  constructor(window: Window) {
    this.#head = Buffer.from(window.bytes.subarray(window.start, window.start + keptOfTooLarge))
    this.#offset = window.offset
    this.#line = window.line
  }

  /** Consumes the window up to `end`. */
  pass(window: Window, end: number): void {
    this.#bytes += end - window.start
    window.start = end
  }

  /** Counts bytes that the caller consumes. */
  count(bytes: number): void {
    this.#bytes += bytes
  }

  item(origin: Origin, maxItem: number): TooLarge {
    return new TooLarge(origin, this.#head, this.#offset, this.#line, this.#bytes, maxItem)
  }
}
