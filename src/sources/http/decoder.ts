// The decoder of a definition: chosen once, by `decode`.
import type { Clock } from '../../core/clock.ts'
import { decodeUtf8, parseJson } from '../../core/json-text.ts'
import type { HttpResponse } from '../../fetch/guard.ts'
import { createItemReader } from '../html/items.ts'
import { openHtmlReader } from '../html/reader.ts'
import { type Decoded, decodeJsonBody, decodeLinesBody } from './decode.ts'
import { decodeHtmlBody } from './decode-html.ts'
import { createRowDecoder } from './decode-rows.ts'
import type { HttpConfig } from './spec.ts'

/** The decoded body, for whoever asks; what is wrong with it is thrown then. @throws source.* */
export type LazyBody = () => Decoded

export interface Decoder extends AsyncDisposable {
  /** A page is read at once, in its thread; all else when it is asked for, so that an error rule over the status costs nothing. */
  open(response: HttpResponse, at: string): LazyBody | Promise<LazyBody>
  /** The item in the bytes of a dead letter. @throws source.* */
  reparse(raw: Uint8Array, context: string | undefined): unknown
}

/** For the calls besides those of pages. */
export const jsonDecoder: Decoder = decoderOf(decodeJsonBody)

/** @throws config.invalid */
export function createDecoder(config: HttpConfig, clock: Clock): Decoder {
  switch (config.decode) {
    case 'html':
      return htmlDecoder(config, clock)
    case 'csv':
    case 'tsv': {
      const rows = createRowDecoder(config)
      return decoderOf(rows.decode, rows.reparse)
    }
    case 'ndjson':
      return decoderOf(decodeLinesBody)
    case 'json':
      return decoderOf(decodeJsonBody)
  }
}

function parseItem(raw: Uint8Array): unknown {
  return parseJson(decodeUtf8(raw))
}

function decoderOf(
  decode: (response: HttpResponse, at: string) => Decoded,
  reparse: (raw: Uint8Array, context: string) => unknown = parseItem,
): Decoder {
  return {
    open: (response, at) => once(() => decode(response, at)),
    // An item without context was made by an expression, and kept as JSON.
    reparse: (raw, context) => (context === undefined ? parseItem(raw) : reparse(raw, context)),
    async [Symbol.asyncDispose]() {},
  }
}

function htmlDecoder(config: HttpConfig, clock: Clock): Decoder {
  const html = config.html!
  const agent = config.robots?.agent
  const reader = openHtmlReader({ config: html, clock, ...(agent === undefined ? {} : { robot: agent }) })
  const readItem = createItemReader(html)
  const isMetaHonoured = config.robots?.meta === true
  return {
    async open(response, at) {
      try {
        const decoded = await decodeHtmlBody(reader, response, at, isMetaHonoured)
        return () => decoded
      } catch (error) {
        return () => {
          throw error
        }
      }
    },
    reparse: (raw, context) => (context === undefined ? parseItem(raw) : readItem(raw, context)),
    [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
  }
}

function once(decode: () => Decoded): LazyBody {
  let known: Decoded | undefined
  return () => (known ??= decode())
}
