// Items of a page: their values with those of the page, and the HTML of their elements, in UTF-8, so that a mended definition can look into
// them again.
import { WeirError } from '../../core/errors.ts'
import { decodeUtf8 } from '../../core/json-text.ts'
import { createExtractor, type HtmlPage, type HtmlRecord } from './extract.ts'
import type { HtmlConfig } from './spec.ts'

export interface PageItem {
  /** The fields of the item and, as `page`, those of the page; undefined where the page ends in the middle of it. */
  readonly value: HtmlRecord | undefined
  /** The HTML of its element. Cut out of the page when it is asked for. */
  raw(): Buffer
  /** Characters of that. */
  readonly size: number
}

/** @param text the page; asked for only where the HTML of an item is */
export function itemsOfPage({ page, items }: HtmlPage, text: () => string): readonly PageItem[] {
  return items.map(({ fields, start, end, isCut }) => ({
    value: isCut ? undefined : { ...fields, page },
    raw: () => Buffer.from(text().slice(start, end)),
    size: end - start,
  }))
}

/** What `createItemReader` needs beside the HTML of an item. */
export function contextOfPage({ page }: HtmlPage): string {
  return JSON.stringify({ page })
}

/** Gives the item of a dead letter back: `raw` is the HTML of its element. */
export function createItemReader(config: HtmlConfig): (raw: Uint8Array, context: string) => HtmlRecord {
  const extractor = createExtractor(config)
  return (raw, context) => ({
    ...extractor.item(decodeUtf8(raw)),
    page: (JSON.parse(context) as { readonly page: HtmlRecord }).page,
  })
}

/** @param again what reads the page another time */
export function cutError(at: string, again: string): WeirError {
  return new WeirError('source.item_cut', 'The page ends in the middle of this item', {
    at,
    hint: `${again}; replay this letter only when it never comes whole.`,
  })
}

/** @param where what else there is to say of the page, such as its status */
export function layoutError({ items }: HtmlPage, where: string, at: string): WeirError {
  const found = [where, items.length > 0 ? `though ${items.length} items` : ''].filter(Boolean).join(', ')
  return new WeirError(
    'source.layout_changed',
    `The page has none of the elements in \`html: { require }\`${found === '' ? '' : ` (${found})`}`,
    {
      at,
      hint: 'Look at the page: if its layout changed, mend the selectors; if it is a wall, write an error rule with `do: blocked`.',
    },
  )
}
