// A saved page as items: read whole, taken apart in the thread of the HTML reader, given as one batch. What cannot be used of it is an item with
// its error and its bytes (I2): an element that is cut off, or the whole page where it is none of the right kind.
import { toWeirError, WeirError } from '../../core/errors.ts'
import type { Item, SourceBatch } from '../../core/record.ts'
import { formatBytes } from '../../core/units.ts'
import { htmlText } from '../html/charset.ts'
import { maxHtmlBytes } from '../html/document.ts'
import { createExtractor } from '../html/extract.ts'
import { contextOfPage, createItemReader, cutError, itemsOfPage, layoutError, type PageItem } from '../html/items.ts'
import type { HtmlReader } from '../html/reader.ts'
import type { HtmlConfig } from '../html/spec.ts'
import { headLimit, headOf, writeBookmark } from './bookmark.ts'
import { gzipInput, plainInput } from './input.ts'
import { keptOfTooLarge, originOf } from './piece.ts'
import type { OpenFile } from './place.ts'
import { fromStart, type Start } from './start.ts'

export interface PageOptions {
  readonly name: string
  readonly gzip: boolean
  readonly maxItem: number
  readonly reader: HtmlReader
}

/** The page from its start, unless it was read and is as long as it was. @throws file.* */
export async function* readPage(
  file: OpenFile,
  wanted: Start,
  { name, gzip, maxItem, reader }: PageOptions,
): AsyncGenerator<SourceBatch, 'end'> {
  const { size } = await file.handle.stat()
  if (wanted.doneAt === size) return 'end'
  // A page that has become another one has no places that stay.
  const start = wanted.offset > 0 ? fromStart(wanted.generation + 1) : wanted
  const bytes = await wholeFile(file, name, gzip)
  const { prefix } = originOf(name, start.generation)
  const items = await itemsIn(bytes, name, maxItem, reader)
  const head = await headOf(file.handle, gzip ? headLimit : Math.min(bytes.byteLength, headLimit))
  const cursor = writeBookmark({
    dev: `${file.dev}`,
    ino: `${file.ino}`,
    ...head,
    offset: bytes.byteLength,
    line: 1,
    skip: 0,
    generation: start.generation,
    doneAt: size,
  })
  yield { items: items.map((item, n) => ({ ...item, position: `${prefix}${n}` })), cursor }
  return 'end'
}

/** All of it, or one byte more than a page may have. */
async function wholeFile({ handle }: OpenFile, name: string, gzip: boolean): Promise<Buffer> {
  await using input = gzip ? await gzipInput(handle, name, 0) : plainInput(handle, name, 0)
  const chunks: Buffer[] = []
  for (let length = 0; length <= maxHtmlBytes; ) {
    const chunk = Buffer.allocUnsafe(Math.min(256 * 1024, maxHtmlBytes + 1 - length))
    const read = await input.read(chunk, 0)
    if (read === 0) break
    chunks.push(chunk.subarray(0, read))
    length += read
  }
  return Buffer.concat(chunks)
}

type PlacelessItem = Omit<Item, 'position'>

async function itemsIn(bytes: Buffer, name: string, maxItem: number, reader: HtmlReader): Promise<PlacelessItem[]> {
  const whole = (error: WeirError): PlacelessItem[] => {
    const kept =
      bytes.byteLength > maxHtmlBytes ? firstOf(bytes) : { raw: bytes, context: JSON.stringify({ whole: true }) }
    return [{ value: undefined, error, place: 'the page', ...kept }]
  }
  try {
    const found = await reader.read(bytes, undefined)
    if (!found.isExpected) return whole(layoutError(found, '', name))
    let text: string | undefined
    const context = contextOfPage(found)
    return itemsOfPage(found, () => (text ??= htmlText(bytes, undefined))).map((item, n) =>
      placeless(item, n, name, maxItem, context),
    )
  } catch (thrown) {
    const { code, message, hint, cause } = toWeirError(thrown)
    if (!code.startsWith('source.')) throw thrown
    return whole(new WeirError(code, message, { at: name, cause, ...(hint === undefined ? {} : { hint }) }))
  }
}

function placeless(
  { value, raw, size }: PageItem,
  n: number,
  name: string,
  maxItem: number,
  context: string,
): PlacelessItem {
  const place = `item ${n + 1}`
  const at = `${name}, ${place}`
  if (size > maxItem) {
    const message = `An item of ${formatBytes(size)}; at most ${formatBytes(maxItem)} are read`
    const error = new WeirError('source.item_too_large', message, { at, hint: 'Raise max_item if this is an item.' })
    return { value: undefined, error, place, ...firstOf(raw()) }
  }
  if (value === undefined)
    return { value, raw: raw(), error: cutError(at, 'A whole copy of the file is read again'), place, context }
  return { value, raw, place, context }
}

/** The first bytes of what is too large to keep, and what a dead letter says of the rest. */
function firstOf(bytes: Buffer): Pick<PlacelessItem, 'raw' | 'context'> {
  const raw = bytes.subarray(0, keptOfTooLarge)
  return { raw, context: JSON.stringify({ kept: raw.byteLength, of: bytes.byteLength }) }
}

/** The items in the bytes of a dead letter. @throws source.* */
export function reparsedPage(config: HtmlConfig, raw: Uint8Array, context: string): readonly unknown[] {
  if ((JSON.parse(context) as { readonly whole?: true }).whole !== true) return [createItemReader(config)(raw, context)]
  const found = createExtractor(config).page(htmlText(raw, undefined))
  if (!found.isExpected) throw layoutError(found, '', 'the dead letter')
  return itemsOfPage(found, () => '').flatMap(({ value }) => (value === undefined ? [] : [value]))
}
