// Items from files: NDJSON, JSON, CSV, TSV, saved pages, each also gzipped. Nothing in a file is passed over silently: what cannot be read becomes an item
// with its error, its bytes and its place (I2). One split per file; the cursor is the file's identity and how far it was read (I13).
import { resolve } from 'node:path'
import { WeirError } from '../core/errors.ts'
import type { Claim } from '../core/guarantee.ts'
import { decodeUtf8, isObject, parseJson } from '../core/json-text.ts'
import { compileExpression, type Expression } from '../mapping/expression.ts'
import type { Source, SourceBatch, Split } from '../pipeline/ports.ts'
import { type Bookmark, readBookmark } from './file/bookmark.ts'
import { looksGzipped } from './file/input.ts'
import { readPage, reparsedPage } from './file/pages.ts'
import { shapeError } from './file/piece.ts'
import { type FoundFile, fileError, findFiles, type OpenFile, openFile, type Place } from './file/place.ts'
import { type End, type ReadOptions, readFile } from './file/reader.ts'
import { recordsOf } from './file/records.ts'
import { parseRow, type RowContext } from './file/rows.ts'
import { type FileConfig, fileSpec, formatOf, lintFile } from './file/settings.ts'
import { fromStart, planStart, type Start } from './file/start.ts'
import { Tail } from './file/tail.ts'
import { type HtmlReader, openHtmlReader } from './html/reader.ts'
import type { HtmlConfig } from './html/spec.ts'
import { defineSource, type SourceDeps } from './source.ts'

export const file = defineSource({
  name: 'file',
  summary:
    'Reads items from files: NDJSON, JSON, CSV, TSV or saved HTML pages, also gzipped; can follow files that grow.',
  config: fileSpec,
  examples: [
    { title: 'Compressed NDJSON', config: { paths: ['data/*.jsonl.gz'], format: 'ndjson' } },
    {
      title: 'A log that grows',
      config: { paths: ['/var/log/app/reviews.ndjson'], root: '/var/log/app', follow: true },
    },
    { title: 'Products with their reviews', config: { paths: ['products.jsonl'], records: 'this.reviews' } },
    { title: 'TSV without any quoting', config: { paths: ['data/*.tsv'], quote: 'none' } },
    {
      title: 'Saved pages',
      config: {
        paths: ['pages/*.html'],
        html: { require: '#reviews', item: '.review', fields: { id: { attr: 'id' }, text: 'p' } },
      },
    },
    { title: 'CSV without a header', config: { paths: ['votes.csv'], columns: ['id', 'stars', 'text'] } },
  ],
  replayable: true,
  claim: claimOf,
  lint: lintFile,
  open: (config, deps) => new FileSource(config, deps),
})

function claimOf({ follow }: FileConfig): Claim {
  const why = 'The cursor names the file and how far it was read, so that reading goes on just there.'
  if (!follow)
    return {
      guarantee: 'exactly_once',
      why,
      while: 'a file that was read is not rewritten in place',
      proof: {
        file: 'test/property/file-reading.property.test.ts',
        test: 'I13: for any file and any cursor on the way, going on from the cursor gives exactly the rest',
      },
    }
  return {
    guarantee: 'exactly_once',
    why: `${why} A file that is moved away is read to its end before its successor.`,
    while: 'a file is not cut short before it was read to its end, which is told',
    proof: {
      file: 'test/fault/file-source.test.ts',
      test: 'that is moved away is read to its end, with what came late, and then its successor',
    },
  }
}

/** What the items of this source may carry as context: of a row, of a record in a piece, of an item too large to keep. */
type AnyContext = Partial<
  RowContext & { record: true; pick: number; kept: number; of: number; page: object; whole: true }
>

class FileSource implements Source {
  readonly endless: boolean
  readonly #config: FileConfig
  readonly #deps: SourceDeps
  readonly #place: Place
  readonly #records: Expression | undefined
  #found = new Map<string, FoundFile>()
  #pages: HtmlReader | undefined

  constructor(config: FileConfig, deps: SourceDeps) {
    this.#config = config
    this.#deps = deps
    this.endless = config.follow
    this.#place = { baseDir: deps.baseDir, root: resolve(deps.baseDir, config.root ?? '.') }
    this.#records = config.records === undefined ? undefined : compileExpression(config.records, ['this'])
  }

  async splits(signal: AbortSignal): Promise<readonly Split[]> {
    const files = await findFiles(this.#config.paths, this.#place, this.endless, signal)
    this.#found = new Map(files.map(each => [each.id, each]))
    return files.map(({ id }) => ({ id, vars: { file: id } }))
  }

  async *read(split: Split, cursor: string | null, signal: AbortSignal): AsyncGenerator<SourceBatch, void> {
    try {
      yield* this.#read(split, cursor, signal)
    } catch (error) {
      throw typeof (error as NodeJS.ErrnoException)?.errno === 'number' ? fileError(error, split.id) : error
    }
  }

  async *#read(split: Split, cursor: string | null, signal: AbortSignal): AsyncGenerator<SourceBatch, void> {
    const mark = cursor === null ? null : readBookmark(cursor)
    const { path } = await this.#find(split, signal)
    using tail = this.endless ? new Tail(path, this.#deps.clock, this.#config.check_every) : undefined
    let anew: Start | undefined
    for (;;) {
      await using opened = await this.#open(path, split.id, tail, signal)
      if (!opened) return
      const options = await this.#optionsFor(opened, path, split.id)
      const start = anew ?? (yield* this.#start(opened, mark, options, split, signal))
      if (!start) return
      const end = yield* this.#readOn(opened, start, options, tail, signal)
      if (end === 'end' || end === 'aborted') return
      this.#notice(
        split,
        'info',
        end === 'moved'
          ? 'The file was moved away: its successor is read from its start'
          : 'The file was truncated: it is read from its start',
      )
      anew = fromStart(start.generation + 1)
    }
  }

  /** Reads what is left of a file that was moved away, then says where the one in its place begins; undefined when the signal aborted. */
  async *#start(
    opened: OpenFile,
    mark: Bookmark | null,
    options: ReadOptions,
    split: Split,
    signal: AbortSignal,
  ): AsyncGenerator<SourceBatch, Start | undefined> {
    const plan = await planStart(opened, mark, {
      name: split.id,
      root: this.#place.root,
      follow: this.endless,
      gzip: options.gzip,
      notice: (code, message) => this.#notice(split, code, message),
    })
    if (!plan.old || !plan.oldStart) return plan.start
    await using old = plan.old
    const ofOld = { ...options, gzip: await this.#isGzip(old) }
    const end = yield* this.#readOn(old, plan.oldStart, ofOld, undefined, signal)
    return end === 'aborted' ? undefined : plan.start
  }

  #readOn(
    opened: OpenFile,
    start: Start,
    options: ReadOptions,
    tail: Tail | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<SourceBatch, End> {
    if (options.format !== 'html') return readFile(opened, start, options, tail, signal)
    this.#pages ??= openHtmlReader({ config: this.#html(options.name), clock: this.#deps.clock })
    const { name, gzip } = options
    return readPage(opened, start, { name, gzip, maxItem: this.#config.max_item, reader: this.#pages })
  }

  #html(at: string): HtmlConfig {
    const { html } = this.#config
    if (html) return html
    throw new WeirError('config.missing_field', 'Pages need `html`, what to take out of them', {
      at,
      hint: 'Write html: { require: …, item: …, fields: {…} }.',
    })
  }

  async #find(split: Split, signal: AbortSignal): Promise<FoundFile> {
    if (!this.#found.has(split.id)) await this.splits(signal)
    const found = this.#found.get(split.id)
    if (!found)
      throw new WeirError('file.not_found', 'The file does not exist', {
        at: split.id,
        hint: 'It was there before: was it removed?',
      })
    return found
  }

  /** With a tail, waits until the file is there; undefined when the signal aborted. */
  async #open(path: string, name: string, tail: Tail | undefined, signal: AbortSignal): Promise<OpenFile | undefined> {
    for (;;) {
      if (signal.aborted) return undefined
      try {
        return await openFile(path, name, this.#place.root)
      } catch (error) {
        if (!tail || !(error instanceof WeirError) || error.code !== 'file.not_found') throw error
        await tail.pause(signal)
      }
    }
  }

  async #optionsFor(opened: OpenFile, path: string, name: string): Promise<ReadOptions> {
    const config = this.#config
    const format = formatOf(config, path)
    const gzip = await this.#isGzip(opened)
    if (this.endless && (gzip || format === 'json' || format === 'html'))
      throw new WeirError('config.conflict', `A ${gzip ? 'gzip' : format} file cannot be followed`, {
        at: name,
        hint: 'Follow plain ndjson, csv or tsv; read this one without follow.',
      })
    return { config, name, format, gzip, records: this.#records, clock: this.#deps.clock }
  }

  async #isGzip({ handle }: OpenFile): Promise<boolean> {
    const { compression } = this.#config
    return compression === 'auto' ? await looksGzipped(handle) : compression === 'gzip'
  }

  #notice(split: Split, code: WeirError['code'] | 'info', message: string): void {
    this.#deps.emit({ type: 'source_notice', pipeline: this.#deps.pipeline, split: split.id, code, message })
  }

  reparse(raw: Uint8Array, context: string | undefined): readonly unknown[] {
    const known: AnyContext = context === undefined ? {} : JSON.parse(context)
    if (known.kept !== undefined)
      throw new WeirError('source.item_too_large', `Only the first ${known.kept} of ${known.of} bytes were kept`, {
        hint: 'Raise max_item and read the file again: `weir cursor reset`.',
      })
    if (known.page || known.whole) return reparsedPage(this.#html('the dead letter'), raw, context!)
    if (known.columns) return [parseRow(raw, known as RowContext)]
    const value = parseJson(decodeUtf8(raw))
    const at = 'the dead letter'
    const items = this.#records === undefined || known.record ? [value] : recordsOf(this.#records, value, at)
    const meant = known.pick === undefined ? items : items.slice(known.pick, known.pick + 1)
    for (const item of meant) if (!isObject(item)) throw shapeError(item, at)
    return meant
  }

  describeCursor(cursor: string): string {
    const { offset, line, skip, doneAt, generation } = readBookmark(cursor)
    const part = skip > 0 ? `, ${skip} of its items done` : ''
    const again = generation > 0 ? `, begun anew ${generation} times` : ''
    return `byte ${offset} (line ${line}${part})${doneAt === null ? '' : ', at its end'}${again}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pages?.[Symbol.asyncDispose]()
  }
}
