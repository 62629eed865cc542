// A piece of a file that holds several items, such as a product with its reviews: `records` says where they are.
import { toWeirError, WeirError } from '../../core/errors.ts'
import { isObject, jsonOf, spanOf } from '../../core/json-text.ts'
import type { Item } from '../../core/record.ts'
import type { Expression } from '../../mapping/expression.ts'
import { type Piece, shapeError } from './piece.ts'

/** The items in the value of a piece. @throws source.item_shape when `records` gives no list */
export function recordsOf(records: Expression, value: unknown, at: string): readonly unknown[] {
  const hint =
    'Check `records`; for a list that may be missing write a default, as in `has(this.reviews) ? this.reviews : []`.'
  let list: unknown
  try {
    list = records.evaluate({ this: value })
  } catch (thrown) {
    throw new WeirError('source.item_shape', `\`records\` failed: ${toWeirError(thrown).message}`, {
      at,
      hint,
      cause: thrown,
    })
  }
  if (Array.isArray(list)) return list
  const kind = list === null ? 'null' : `a ${typeof list}`
  throw new WeirError('source.item_shape', `\`records\` gives ${kind}, not a list`, { at, hint })
}

/** The items of a piece; a piece that cannot be taken apart is one item with its error. */
export function takeApart(records: Expression, piece: Piece, name: string): readonly Item[] {
  if (piece.error) return [piece]
  const at = `${name}:${piece.line}`
  try {
    return recordsOf(records, piece.value, at).map((value, index) => new Part(piece, index, value, at))
  } catch (thrown) {
    return [piece.failed(toWeirError(thrown))]
  }
}

/** The bytes of an item, and what they are for `reparse`. */
interface Cutting {
  readonly raw: Uint8Array
  readonly context: RecordContext | null
}

/** What an expression made anew has the bytes of its whole piece when they are no more than this, else those of its own JSON. */
const largestWhole = 64 * 1024

/** One item of a piece. Its bytes are cut out of the text of the piece when they are asked for. */
class Part implements Item {
  readonly value: unknown
  readonly error?: WeirError
  readonly #piece: Piece
  readonly #index: number
  readonly #given: unknown
  #cutting: Cutting | undefined

  constructor(piece: Piece, index: number, value: unknown, at: string) {
    this.#piece = piece
    this.#index = index
    this.#given = value
    this.value = value
    if (isObject(value)) return
    this.value = undefined
    this.error = shapeError(value, `${at}, item ${index + 1}`)
  }

  get raw(): Uint8Array {
    return this.#cut().raw
  }

  get context(): string {
    return JSON.stringify(this.#cut().context)
  }

  get position(): string {
    return `${this.#piece.position}#${this.#index}`
  }

  get place(): string {
    return `${this.#piece.place}, item ${this.#index + 1}`
  }

  #cut(): Cutting {
    this.#cutting ??= this.#find() ?? this.#made()
    return this.#cutting
  }

  #made(): Cutting {
    if (this.#piece.size <= largestWhole) return { raw: this.#piece.raw, context: { pick: this.#index } }
    return { raw: Buffer.from(jsonOf(this.#given)), context: { record: true } }
  }

  #find(): Cutting | undefined {
    const text = textOf(this.#piece)
    const span = spanOf(text, this.#piece.value, this.#given)
    return span && { raw: Buffer.from(text.slice(span.start, span.end)), context: { record: true } }
  }
}

/** What `reparse` needs beside the bytes: they are the item itself, or the whole piece of which one item is meant. */
export type RecordContext = { readonly record: true } | { readonly pick: number }

/** The text of the piece looked at last: the failing items of a page follow one another. */
let lastText: { readonly piece: WeakRef<Piece>; readonly text: string } | undefined

function textOf(piece: Piece): string {
  if (lastText?.piece.deref() === piece) return lastText.text
  const text = Buffer.from(piece.raw).toString('utf8')
  lastText = { piece: new WeakRef(piece), text }
  return text
}
