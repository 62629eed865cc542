// One file from where its cursor stands to its end, as batches: the cursor of a batch covers all before it (I13). At the end of a file that is
// followed it waits; otherwise what is left counts as the last item.
import type { Clock } from '../../core/clock.ts'
import { WeirError } from '../../core/errors.ts'
import { looksLikeUtf16 } from '../../core/json-text.ts'
import type { Item, SourceBatch } from '../../core/record.ts'
import type { Expression } from '../../mapping/expression.ts'
import { type Head, headLimit, headOf, writeBookmark } from './bookmark.ts'
import type { Cutter } from './cutter.ts'
import { cutElements } from './elements.ts'
import { type ByteInput, gzipInput, plainInput } from './input.ts'
import { cutLines, isBlank } from './lines.ts'
import { type Cut, type Origin, originOf, Piece } from './piece.ts'
import type { OpenFile } from './place.ts'
import { takeApart } from './records.ts'
import { cutRows, type Layout, layoutOf } from './rows.ts'
import { type FileConfig, type Format, rowShapeOf } from './settings.ts'
import { fromStart, type Start, truncated } from './start.ts'
import type { Tail } from './tail.ts'
import { defaultChunkBytes, Window } from './window.ts'

/** Small batches, so that their items die young; the runtime stores several of them in one transaction. */
const defaultLimits = { items: 128, bytes: 256 * 1024 }

export interface ReadOptions {
  readonly config: FileConfig
  readonly name: string
  readonly format: Format
  readonly gzip: boolean
  readonly records: Expression | undefined
  readonly clock: Clock
  readonly chunkBytes?: number
  readonly limits?: { readonly items: number; readonly bytes: number }
}

/** Why reading ended; `moved` and `truncated` only with a tail. */
export type End = 'end' | 'aborted' | 'moved' | 'truncated'

/** Reads a file from `start` on. With a tail it waits at the end. @throws file.*, source.* */
export async function* readFile(
  file: OpenFile,
  start: Start,
  options: ReadOptions,
  tail: Tail | undefined,
  signal: AbortSignal,
): AsyncGenerator<SourceBatch, End> {
  const { size } = await file.handle.stat()
  if (!tail && start.doneAt === size) return 'end'
  await using reading = await beginReading(file, start, options)
  const { window, input } = reading
  for (;;) {
    while (reading.collect(false)) {
      yield { ...(await reading.batch(null)), more: tail === undefined }
      if (signal.aborted) return 'aborted'
    }
    const read = await window.fill(input).catch((error: unknown) => toFailure(error))
    if (signal.aborted) return 'aborted'
    if (typeof read !== 'number') {
      if (reading.hasNews) yield await reading.batch(null)
      throw read.error
    }
    if (read > 0) continue
    const readTo = window.offsetOf(window.bytes.length)
    let end: End = 'end'
    if (tail) {
      if (reading.hasNews) yield await reading.batch(null)
      const change = await tail.change(file, readTo, reading.head, signal)
      if (change === 'more') continue
      if (change === 'aborted') return change
      end = change
    } else if (!options.gzip) {
      const now = await file.handle.stat()
      if (now.size < readTo) throw truncated(options.name, readTo, now.size)
    }
    const doneAt = options.gzip ? size : readTo
    while (reading.collect(true)) {
      yield { ...(await reading.batch(reading.isExhausted ? doneAt : null)), more: tail === undefined }
      if (signal.aborted) return 'aborted'
    }
    if (reading.hasNews || reading.storedDoneAt !== doneAt) yield await reading.batch(doneAt)
    return end
  }
}

const toFailure = (error: unknown) => ({ error })

/** The items of one piece that holds several, and how many of them are taken. */
interface Parts {
  readonly piece: Piece
  readonly items: readonly Item[]
  taken: number
}

/** A file in the middle of being read: window, cutter and the batch that is being collected. */
class Reading implements AsyncDisposable {
  readonly input: ByteInput
  readonly window: Window
  head: Head
  readonly #file: OpenFile
  readonly #cutter: Cutter
  readonly #options: ReadOptions
  readonly #generation: number
  #items: Item[] = []
  #bytes = 0
  /** Items of a piece that holds several, and how many of them are in this or an earlier batch. */
  #parts: Parts | undefined
  #skip: number
  /** What the last cursor says. */
  #storedOffset: number
  storedDoneAt: number | null

  constructor(
    file: OpenFile,
    start: Start,
    head: Head,
    input: ByteInput,
    window: Window,
    cutter: Cutter,
    options: ReadOptions,
  ) {
    this.#file = file
    this.head = head
    this.input = input
    this.window = window
    this.#cutter = cutter
    this.#options = options
    this.#generation = start.generation
    this.#skip = start.skip
    this.#storedOffset = start.offset
    this.storedDoneAt = start.doneAt
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.input[Symbol.asyncDispose]()
  }

  /** True when a batch would say something: items, or a place further on. */
  get hasNews(): boolean {
    return this.#items.length > 0 || this.#readTo().offset !== this.#storedOffset
  }

  /** True when the end of the file was reached and nothing is left to be given. */
  get isExhausted(): boolean {
    return !this.#parts && (this.#cutter.ended ?? this.window.length === 0)
  }

  /** Collects what the window holds; true when the batch is full, and then there may be more. */
  collect(final: boolean): boolean {
    const { items, bytes } = this.#options.limits ?? defaultLimits
    for (;;) {
      if (this.#items.length >= items || this.#bytes >= bytes) return true
      if (this.#parts) {
        this.#takePart(this.#parts)
        continue
      }
      const cut = this.#cutter.next(this.window, final)
      if (cut === undefined) return false
      this.#take(cut)
    }
  }

  #take(cut: Cut): void {
    const { records, name } = this.#options
    if (records && cut instanceof Piece) {
      this.#parts = { piece: cut, items: takeApart(records, cut, name), taken: this.#skip }
      this.#skip = 0
      return
    }
    this.#items.push(cut)
    this.#bytes += cut.size
  }

  #takePart(parts: Parts): void {
    const item = parts.items[parts.taken]
    if (item === undefined) this.#parts = undefined
    else {
      parts.taken++
      this.#items.push(item)
      this.#bytes += parts.piece.size / parts.items.length
      if (parts.taken >= parts.items.length) this.#parts = undefined
    }
  }

  #readTo() {
    if (this.#parts) return this.#parts.piece
    return this.#cutter.readTo?.(this.window) ?? this.window
  }

  /** What was collected, with the cursor that covers it. */
  async batch(doneAt: number | null): Promise<SourceBatch> {
    const { offset, line } = this.#readTo()
    const skip = this.#parts?.taken ?? 0
    const wanted = headBytesAt(offset, skip, this.#options.gzip)
    if (this.head.headBytes !== wanted) this.head = await headOf(this.#file.handle, wanted)
    const cursor = writeBookmark({
      dev: `${this.#file.dev}`,
      ino: `${this.#file.ino}`,
      ...this.head,
      offset,
      line,
      skip,
      generation: this.#generation,
      doneAt,
    })
    const items = this.#items
    this.#items = []
    this.#bytes = 0
    this.#storedOffset = offset
    this.storedDoneAt = doneAt
    return { items, cursor }
  }
}

async function beginReading(file: OpenFile, wanted: Start, options: ReadOptions): Promise<Reading> {
  const { config, name, format, records } = options
  const head = await headOf(file.handle, headBytesAt(wanted.offset, wanted.skip, options.gzip))
  const opening = await openingOf(file, options)
  let start = wanted
  let cutter: Cutter
  const origin = (): Origin => originOf(name, start.generation)
  if (format === 'ndjson') cutter = cutLines(origin(), config.max_item, records !== undefined)
  else if (format === 'json') {
    const whole = records !== undefined || !opening.isList
    // A document that is not what it was is read again: it has no places that stay.
    if (whole && start.offset > 0 && start.skip === 0) start = fromStart(start.generation + 1)
    const limits = { maxItem: config.max_item, maxDocument: config.max_document }
    cutter = cutElements(origin(), limits, { whole: records !== undefined, resumed: !whole && start.offset > 0 })
  } else {
    const { columns, offset, line } = opening.layout!
    cutter = cutRows(origin(), rowShapeOf(config, format), columns, config.max_item)
    if (start.offset < offset) start = { ...start, offset, line }
  }
  const input = await openInput(file, start.offset, options)
  const window = new Window(start.offset, start.line, options.chunkBytes ?? defaultChunkBytes)
  return new Reading(file, start, head, input, window, cutter, options)
}

/** How much of the start of a file identifies it: what was read, for what follows may still change. Compressed bytes stand for themselves. */
function headBytesAt(offset: number, skip: number, gzip: boolean): number {
  return gzip || skip > 0 ? headLimit : Math.min(offset, headLimit)
}

async function openInput(file: OpenFile, offset: number, { name, gzip }: ReadOptions): Promise<ByteInput> {
  return gzip ? gzipInput(file.handle, name, offset) : plainInput(file.handle, name, offset)
}

interface Opening {
  /** json: the first character is the bracket of a list. */
  readonly isList: boolean
  /** csv, tsv: what the first row says. */
  readonly layout: Layout | undefined
}

/** What the first bytes of a file say about the rest, needed at its start and when it is resumed. @throws source.invalid_text, source.invalid_csv */
async function openingOf(file: OpenFile, options: ReadOptions): Promise<Opening> {
  const { config, name, format } = options
  await using input = await openInput(file, 0, options)
  const window = new Window(0, 1, Math.min(64 * 1024, options.chunkBytes ?? defaultChunkBytes))
  const isRows = format === 'csv' || format === 'tsv'
  for (;;) {
    // Damage that begins further on is found again, in its place, when the file is read.
    const read = await window.fill(input).catch(() => 0)
    if (looksLikeUtf16(window.bytes.subarray(0, 2)))
      throw new WeirError('source.invalid_text', 'The file is UTF-16, not UTF-8', {
        at: name,
        hint: 'Save it as UTF-8.',
      })
    const final = read === 0
    if (isRows) {
      const shape = rowShapeOf(config, format)
      const header = config.header ?? config.columns === undefined
      const layout = layoutOf(window, final, shape, { name, columns: config.columns, header })
      if (layout) return { isList: false, layout }
      if (final)
        return { isList: false, layout: { columns: config.columns ?? [], offset: window.offset, line: window.line } }
      if (window.length > config.max_item)
        throw new WeirError('source.invalid_csv', `The first row is longer than ${config.max_item} bytes`, {
          at: `${name}:1`,
          hint: 'Check the quotes in the header, or raise max_item.',
        })
      continue
    }
    const mark = window.bytes[0] === 0xef ? 3 : 0
    const first = window.bytes.subarray(mark).find(byte => !isBlank(byte))
    if (format !== 'json' || first !== undefined || final) return { isList: first === 0x5b, layout: undefined }
    if (window.length > config.max_item) return { isList: false, layout: undefined }
  }
}
