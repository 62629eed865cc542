// HTML bodies: `body.page` and `body.items` are what the definition takes out of the page. An item is kept as the HTML of its element, in
// UTF-8, with the values of the page beside it, so that a mended definition can look into it again.
import { WeirError } from '../../core/errors.ts'
import { jsonOf } from '../../core/json-text.ts'
import type { HttpResponse } from '../../fetch/guard.ts'
import { htmlText } from '../html/charset.ts'
import { contextOfPage, cutError, itemsOfPage, layoutError, type PageItem } from '../html/items.ts'
import type { HtmlReader } from '../html/reader.ts'
import { type BadPart, type Decoded, emptyAnswer } from './decode.ts'

/** @throws source.html_refused, source.shape */
export async function decodeHtmlBody(
  reader: HtmlReader,
  response: HttpResponse,
  at: string,
  isMetaHonoured: boolean,
): Promise<Decoded> {
  const { body: bytes, headers, status } = response
  if (bytes.every(isBlank)) throw emptyAnswer(status, at)
  const contentType = headers['content-type']
  const found = await placed(reader.read(bytes, contentType), at)
  // The text is needed only for dead letters.
  let text: string | undefined
  const context = contextOfPage(found)
  const places = new Map<unknown, PageItem>()
  const items: unknown[] = []
  const bad: BadPart[] = []
  for (const item of itemsOfPage(found, () => (text ??= htmlText(bytes, contentType))))
    if (item.value === undefined)
      bad.push({ raw: item.raw(), error: cutError(at, 'The next poll reads it again'), context })
    else {
      places.set(item.value, item)
      items.push(item.value)
    }
  return {
    body: { page: found.page, items },
    bad,
    rawOf: (list, index) => places.get(list[index])?.raw() ?? Buffer.from(jsonOf(list[index])),
    contextOf: (list, index) => (places.has(list[index]) ? context : undefined),
    ...problemOf(),
  }

  function problemOf(): { problem?: WeirError } {
    const asked = isMetaHonoured ? refusal(found.robots, headers['x-robots-tag']) : undefined
    if (asked !== undefined) return { problem: robotsError(asked, at) }
    return found.isExpected ? {} : { problem: layoutError(found, `status ${status}`, at) }
  }
}

const isBlank = (byte: number) => byte <= 32

/** Which of its words asks not to take the page. */
function refusal(...said: readonly (string | undefined)[]): string | undefined {
  return /\b(?:noindex|noarchive|none)\b/i.exec(said.join(','))?.[0].toLowerCase()
}

function robotsError(word: string, at: string): WeirError {
  return new WeirError('fetch.robots_refused', `The page asks robots not to take it: ${word}`, {
    at,
    hint: 'Leave the page alone, or agree with the site and set `robots: { meta: false }`.',
  })
}

async function placed<T>(work: Promise<T>, at: string): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (!(error instanceof WeirError)) throw error
    const { code, message, hint, cause } = error
    throw new WeirError(code, message, { at, ...(hint === undefined ? {} : { hint }), cause })
  }
}
