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
  /** True when no item will come any more, where that is not so just when the window is empty. */
  readonly ended?: boolean
}

export interface ReadTo {
  readonly offset: number
  readonly line: number
}

/** An item whose bytes are counted, and only the first of them kept. */
export class Oversized {
  readonly #offset: number
  readonly #line: number
  readonly #head: Buffer[] = []
  #kept = 0
  #bytes = 0

  constructor(window: Window) {
    this.#offset = window.offset
    this.#line = window.line
  }

  /** Counts the bytes of the window up to `end`; consuming them is the caller's. */
  count(window: Window, end: number): void {
    const room = keptOfTooLarge - this.#kept
    if (room > 0) {
      const part = Buffer.from(window.bytes.subarray(window.start, Math.min(end, window.start + room)))
      this.#head.push(part)
      this.#kept += part.length
    }
    this.#bytes += end - window.start
  }

  /** Counts the bytes of the window up to `end` and consumes them. */
  pass(window: Window, end: number): void {
    this.count(window, end)
    window.start = end
  }

  item(origin: Origin, maxItem: number): TooLarge {
    return new TooLarge(origin, Buffer.concat(this.#head), this.#offset, this.#line, this.#bytes, maxItem)
  }
}
