// JSON files. A list is cut into its elements as it streams by, each with its own bytes; anything else, and every file under `records`,
// is one document that is held whole. Where the list is broken, what is broken becomes an item with its error, and the rest goes on.
//
//   open -> document -> ended        open -> first -> element <-> after -> closed -> (rest ->) ended        a resumed list begins in `after`
import { WeirError } from '../../core/errors.ts'
import { hasByteOrderMark } from '../../core/json-text.ts'
import { NextByte } from '../next-byte.ts'
import { type Cutter, Oversized, type ReadTo } from './cutter.ts'
import { isBlank } from './lines.ts'
import { type Cut, jsonPiece, type Origin, Piece, stretchOf } from './piece.ts'
import type { Window } from './window.ts'

const quote = 34
const backslash = 92
const comma = 44
const openList = 91
const closeList = 93
const openObject = 123
const closeObject = 125
const lineFeed = 10

export interface ElementLimits {
  readonly maxItem: number
  readonly maxDocument: number
}

type State = 'open' | 'document' | 'first' | 'element' | 'after' | 'closed' | 'rest' | 'ended'
/** An item; `go`: the state has changed; `wait`: more bytes are needed, or nothing is left. */
type Step = Cut | 'go' | 'wait'

/** `whole`: the file is one document whatever it begins with, and may be anything but an object. `resumed`: the window begins inside a list. */
export function cutElements(
  origin: Origin,
  limits: ElementLimits,
  { whole, resumed }: { readonly whole: boolean; readonly resumed: boolean },
): Cutter {
  return new ElementCutter(origin, limits, whole, resumed ? 'after' : 'open')
}

class ElementCutter implements Cutter {
  readonly #origin: Origin
  readonly #limits: ElementLimits
  readonly #whole: boolean
  #state: State
  /** How far the unfinished element was looked at, from the start of the window, and what it is inside of there. */
  #seen = 0
  #depth = 0
  #inText = false
  /** The element begins with a brace. */
  #isObject = false
  #oversized: Oversized | undefined
  /** Where the last element ends; once the list is closed, a list that grew is read on from there. */
  #lastEnd: ReadTo | undefined
  /** Two, because counting lines lags behind looking for the end of an element. */
  #wasClosed = false
  readonly #lineFeeds = new NextByte(lineFeed)
  readonly #lineFeedsInText = new NextByte(lineFeed)

  constructor(origin: Origin, limits: ElementLimits, whole: boolean, state: State) {
    this.#origin = origin
    this.#limits = limits
    this.#whole = whole
    this.#state = state
  }

  next(window: Window, final: boolean): Cut | undefined {
    for (;;) {
      const step = this.#step(window, final)
      if (step === 'wait') return undefined
      if (step !== 'go') return step
    }
  }

  get ended(): boolean {
    return this.#state === 'ended'
  }

  readTo(window: Window): ReadTo {
    const isClosed = this.#state === 'closed' || (this.#state === 'ended' && this.#wasClosed)
    return (isClosed && this.#lastEnd) || { offset: window.offset, line: window.line }
  }

  #step(window: Window, final: boolean): Step {
    switch (this.#state) {
      case 'open':
        return this.#open(window, final)
      case 'document':
        return this.#document(window, final)
      case 'first':
        return this.#first(window, final)
      case 'element':
        return this.#element(window, final)
      case 'after':
        return this.#after(window, final)
      case 'closed':
        return this.#closed(window, final)
      case 'rest':
        return this.#rest(window, final)
      case 'ended':
        return 'wait'
    }
  }

  #to(state: State): 'go' {
    this.#state = state
    return 'go'
  }

  #open(window: Window, final: boolean): Step {
    if (window.length < 3 && !final) return 'wait'
    if (window.offset === 0 && hasByteOrderMark(window.bytes.subarray(window.start))) window.start += 3
    if (this.#whole) return this.#to('document')
    if (!this.#skipBlank(window) && !final) return 'wait'
    if (window.bytes[window.start] !== openList) return this.#to('document')
    window.start++
    this.#markEnd(window)
    return this.#to('first')
  }

  #document(window: Window, final: boolean): Step {
    const { maxDocument } = this.#limits
    if (window.length > maxDocument)
      throw new WeirError('source.item_too_large', `The file is one JSON document of more than ${maxDocument} bytes`, {
        at: this.#origin.name,
        hint: 'Raise max_document, or turn the file into a list or into NDJSON, which are streamed.',
      })
    if (!final) return 'wait'
    this.#state = 'ended'
    this.#skipBlank(window)
    return this.#piece(window, window.bytes.length)
  }

  #piece(window: Window, after: number): Cut {
    const { bytes, start } = window
    let end = after
    while (end > start && isBlank(bytes[end - 1]!)) end--
    const cut = jsonPiece(this.#origin, window, start, end, { anyShape: this.#whole, isLine: false })
    this.#consume(window, end)
    this.#markEnd(window)
    this.#consume(window, after)
    return cut
  }

  #markEnd({ offset, line }: Window): void {
    this.#lastEnd = { offset, line }
  }

  #first(window: Window, final: boolean): Step {
    if (!this.#skipBlank(window)) return final ? this.#cutOff(window) : 'wait'
    return this.#to(window.bytes[window.start] === closeList ? 'after' : 'element')
  }

  #element(window: Window, final: boolean): Step {
    if (!this.#oversized && this.#seen === 0) {
      if (!this.#skipBlank(window)) return final ? this.#cutOff(window) : 'wait'
      this.#isObject = window.bytes[window.start] === openObject
    }
    const { maxItem } = this.#limits
    const end = this.#findEnd(window)
    const size = (end < 0 ? window.bytes.length : end) - window.start
    const tooLarge = this.#oversized !== undefined || size > maxItem
    if (end < 0 && !final) {
      if (tooLarge) this.#passOver(window, window.start + this.#seen)
      return 'wait'
    }
    const to = end < 0 ? window.bytes.length : end
    this.#seen = 0
    this.#depth = 0
    this.#inText = false
    const cut = tooLarge ? this.#tooLarge(window, to) : this.#piece(window, to)
    // At the end of the file a whole element still leaves the list without its bracket; a torn one says so itself.
    this.#state = end < 0 && cut.error ? 'ended' : 'after'
    return cut
  }

  #tooLarge(window: Window, end: number): Cut {
    this.#passOver(window, end)
    this.#markEnd(window)
    const item = this.#oversized!.item(this.#origin, this.#limits.maxItem)
    this.#oversized = undefined
    return item
  }

  #passOver(window: Window, end: number): void {
    this.#oversized ??= new Oversized(window)
    this.#oversized.count(window, end)
    this.#consume(window, end)
    this.#seen = 0
  }

  /**
   * Index of the comma or bracket that ends the element, or -1. Brackets inside a text do not count, and any closing bracket closes any other.
   * A line break ends a text, which no valid text holds; among the members of the element itself it ends the element too: what follows are
   * members without their object, which cannot be taken for items, and then the next element. Deeper inside, that could not be told.
   */
  #findEnd(window: Window): number {
    const { bytes } = window
    for (let i = window.start + this.#seen; i < bytes.length; i++) {
      if (this.#inText) {
        const end = this.#endOfText(bytes, i)
        if (end < 0) {
          this.#seen = unfinishedText(bytes, i) - window.start
          return -1
        }
        this.#inText = false
        i = end
        if (bytes[end] === lineFeed && this.#depth === 1 && this.#isObject) return end
        continue
      }
      const c = bytes[i]!
      if (c === quote) this.#inText = true
      else if (c === openObject || c === openList) this.#depth++
      else if (c === comma && this.#depth === 0) return i
      else if (c === closeObject || c === closeList) {
        if (this.#depth > 0) this.#depth--
        else if (c === closeList) return i
      }
    }
    this.#seen = bytes.length - window.start
    return -1
  }

  /** Index of the quote or line break that ends the text which goes on at `from`, or -1. */
  #endOfText(bytes: Buffer, from: number): number {
    const lineEnd = this.#lineFeedsInText.from(bytes, from)
    for (let i = bytes.indexOf(quote, from); i >= 0; i = bytes.indexOf(quote, i + 1)) {
      if (lineEnd >= 0 && lineEnd < i) return lineEnd
      if (backslashesBefore(bytes, i, from) % 2 === 0) return i
    }
    return lineEnd
  }

  #after(window: Window, final: boolean): Step {
    if (this.#lastEnd === undefined) this.#markEnd(window)
    if (!this.#skipBlank(window)) return final ? this.#cutOff(window) : 'wait'
    const c = window.bytes[window.start]
    if (c === closeList) {
      window.start++
      return this.#to('closed')
    }
    // Anything but a comma stands here only after damage, or where reading goes on at the end of a file that was torn.
    if (c === comma) window.start++
    return this.#to('element')
  }

  #closed(window: Window, final: boolean): Step {
    if (this.#skipBlank(window)) return this.#to('rest')
    if (!final) return 'wait'
    this.#wasClosed = true
    return this.#to('ended')
  }

  /** What follows the end of the list, all of it as one item. */
  #rest(window: Window, final: boolean): Step {
    const tooLarge = this.#oversized !== undefined || window.length > this.#limits.maxItem
    if (!final) {
      if (tooLarge) this.#passOver(window, window.bytes.length)
      return 'wait'
    }
    this.#state = 'ended'
    if (tooLarge) return this.#tooLarge(window, window.bytes.length)
    return this.#broken(
      window,
      'more text after the end of the list',
      'Several values one after another are NDJSON: use format ndjson.',
    )
  }

  #cutOff(window: Window): Cut {
    this.#state = 'ended'
    return this.#broken(
      window,
      'the list is never closed',
      'The file seems cut off: check that the whole of it arrived.',
    )
  }

  #broken(window: Window, what: string, hint: string): Cut {
    const at = `${this.#origin.name}:${window.line}`
    const error = new WeirError('source.invalid_json', `Not valid JSON: ${what}`, { at, hint })
    const cut = new Piece(stretchOf(this.#origin, window, window.start, window.bytes.length), undefined, error)
    this.#consume(window, window.bytes.length)
    return cut
  }

  /** Consumes white space; false when nothing else is at hand. */
  #skipBlank(window: Window): boolean {
    const { bytes } = window
    let end = window.start
    while (end < bytes.length && isBlank(bytes[end]!)) end++
    this.#consume(window, end)
    return end < bytes.length
  }

  #consume(window: Window, end: number): void {
    const { bytes } = window
    for (let i = this.#lineFeeds.from(bytes, window.start); i >= 0 && i < end; i = this.#lineFeeds.from(bytes, i + 1))
      window.line++
    window.start = end
  }
}

function backslashesBefore(bytes: Buffer, index: number, from: number): number {
  let count = 0
  while (index - 1 - count >= from && bytes[index - 1 - count] === backslash) count++
  return count
}

/** Where to go on in a text whose end is not at hand: before a last backslash that escapes what comes next. */
function unfinishedText(bytes: Buffer, from: number): number {
  return bytes.length - (backslashesBefore(bytes, bytes.length, from) % 2)
}
