// Items as pieces of a file: they point into the window and cut out their bytes, position and place only when asked, which for
// most records is never.
import { toWeirError, WeirError } from '../../core/errors.ts'
import { decodeUtf8, isObject, parseJson } from '../../core/json-text.ts'
import type { Item } from '../../core/record.ts'
import type { Window } from './window.ts'

/** What is kept of an item that is too large. */
export const keptOfTooLarge = 64 * 1024

/** What all pieces of one file share. */
export interface Origin {
  /** What errors call the file. */
  readonly name: string
  /** Begins each position: tells apart the files that stood under one path one after another. */
  readonly prefix: string
}

export function originOf(name: string, generation: number): Origin {
  return { name, prefix: generation === 0 ? '' : `${generation}:` }
}

/** Where a piece stands: in the file, and in memory. */
interface Stretch {
  readonly origin: Origin
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
  readonly offset: number
  readonly line: number
}

export class Piece implements Item {
  readonly value: unknown
  readonly error?: WeirError
  readonly context?: string
  readonly #stretch: Stretch

  constructor(stretch: Stretch, value: unknown, error?: WeirError, context?: string) {
    this.value = value
    if (error !== undefined) this.error = error
    if (context !== undefined) this.context = context
    this.#stretch = stretch
  }

  get raw(): Uint8Array {
    const { bytes, start, end } = this.#stretch
    return bytes.subarray(start, end)
  }

  /** Length of `raw`, without cutting it out. */
  get size(): number {
    return this.#stretch.end - this.#stretch.start
  }

  get offset(): number {
    return this.#stretch.offset
  }

  get line(): number {
    return this.#stretch.line
  }

  get position(): string {
    return `${this.#stretch.origin.prefix}${this.#stretch.offset}`
  }

  get place(): string {
    return `line ${this.#stretch.line}`
  }

  /** The same piece, that cannot be used after all. */
  failed(error: WeirError): Piece {
    return new Piece(this.#stretch, undefined, error, this.context)
  }
}

/** The stretch of a window from `start` to `end`; its line is that of the window. */
export function stretchOf(origin: Origin, window: Window, start: number, end: number): Stretch {
  return { origin, bytes: window.bytes, start, end, offset: window.offsetOf(start), line: window.line }
}

/** What stands where an item too large to hold was: its first bytes, and how many there were. */
export class TooLarge implements Item {
  readonly value = undefined
  readonly raw: Uint8Array
  readonly position: string
  readonly place: string
  readonly error: WeirError
  readonly context: string
  readonly size: number

  constructor(origin: Origin, head: Uint8Array, offset: number, line: number, bytes: number, maxItem: number) {
    this.raw = head
    this.size = head.length
    this.position = `${origin.prefix}${offset}`
    this.place = `line ${line}`
    this.error = new WeirError('source.item_too_large', `An item of ${bytes} bytes; at most ${maxItem} are read`, {
      at: `${origin.name}:${line} (byte ${offset})`,
      hint: 'Raise max_item if this is an item; look for a missing line break or quote if it is not.',
    })
    this.context = JSON.stringify({ kept: head.length, of: bytes })
  }
}

/** What an item cutter gives, with its cost in bytes. */
export type Cut = Piece | TooLarge

export interface JsonPieceOptions {
  /** Values other than objects are given on too. */
  readonly anyShape: boolean
  /** The text is a line: places in it are told by column, else by byte. */
  readonly isLine: boolean
}

/** The value of the JSON text in the window, or what is wrong with it. */
export function jsonPiece(
  origin: Origin,
  window: Window,
  start: number,
  end: number,
  options: JsonPieceOptions,
): Piece {
  let error: WeirError
  try {
    if (!window.isValid(start, end)) throw invalidText(origin, window, start, end)
    const value = parseJson(window.bytes.toString('utf8', start, end))
    if (options.anyShape || isObject(value)) return new Piece(stretchOf(origin, window, start, end), value)
    error = shapeError(value, placeOf(origin, window, start, options))
  } catch (thrown) {
    error = located(thrown, origin, window, start, end, options)
  }
  return new Piece(stretchOf(origin, window, start, end), undefined, error)
}

function placeOf(origin: Origin, window: Window, start: number, { isLine }: JsonPieceOptions): string {
  return isLine ? `${origin.name}:${window.line}` : `${origin.name}:${window.line} (byte ${window.offsetOf(start)})`
}

/** Parses again to get the place in the file; failures only. */
function located(
  thrown: unknown,
  origin: Origin,
  window: Window,
  start: number,
  end: number,
  { isLine }: JsonPieceOptions,
): WeirError {
  const error = toWeirError(thrown)
  if (error.code !== 'source.invalid_json') return error
  try {
    const place = { name: origin.name, line: window.line }
    const text = window.bytes.toString('utf8', start, end)
    parseJson(text, isLine ? place : { ...place, byte: window.offsetOf(start) })
  } catch (again) {
    return toWeirError(again)
  }
  return error
}

export function invalidText(origin: Origin, window: Window, start: number, end: number): WeirError {
  try {
    decodeUtf8(window.bytes.subarray(start, end), `${origin.name}:${window.line} (byte ${window.offsetOf(start)})`)
  } catch (thrown) {
    return toWeirError(thrown)
  }
  return new WeirError('source.invalid_text', 'Not valid UTF-8', { at: `${origin.name}:${window.line}` })
}

export function shapeError(value: unknown, at: string): WeirError {
  const kind = value === null ? 'null' : Array.isArray(value) ? 'a list' : `a ${typeof value}`
  return new WeirError('source.item_shape', `An item must be an object, this is ${kind}`, {
    at,
    hint: Array.isArray(value) ? 'Set `records: this` to read its elements.' : 'Check what the source sends here.',
  })
}
