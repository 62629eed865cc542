// The text of a page from its bytes. Pages say their charset in up to three places and are often wrong, so what the bytes are comes first:
// bytes that are UTF-8 are read as UTF-8 whatever is said. The same bytes give the same text every time: places in it are kept.
import { isUtf8 } from 'node:buffer'

/** Browsers look this far for a `<meta charset>`. */
const metaReach = 4096

/** @param contentType the header, when there is one */
export function htmlText(bytes: Uint8Array, contentType: string | undefined): string {
  const marked = byteOrderMark(bytes)
  if (marked !== undefined) return new TextDecoder(marked).decode(bytes)
  const declared = charsetIn(contentType ?? '')
  // UTF-16 of plain text is UTF-8 with zeros in it, by its bytes.
  if (declared?.encoding.startsWith('utf-16') && bytes.subarray(0, metaReach).includes(0)) return declared.decode(bytes)
  if (isUtf8(bytes)) return new TextDecoder().decode(bytes)
  const named = declared ?? charsetIn(metaOf(bytes))
  // A page that calls itself UTF-16 in ASCII is not; one that says nothing is what browsers take it for.
  const decoder = named?.encoding.startsWith('utf-16') ? undefined : named
  return (decoder ?? new TextDecoder(named ? 'utf-8' : 'windows-1252')).decode(bytes)
}

function byteOrderMark(bytes: Uint8Array): string | undefined {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return 'utf-8'
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le'
  return bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : undefined
}

function metaOf(bytes: Uint8Array): string {
  const head = Buffer.from(bytes.subarray(0, metaReach)).toString('latin1')
  return /<meta\b[^>]*\bcharset\b[^>]*>/i.exec(head)?.[0] ?? ''
}

function charsetIn(text: string): TextDecoder | undefined {
  const name = /charset\s*=\s*["']?\s*([\w.:-]+)/i.exec(text)?.[1]
  try {
    return name === undefined ? undefined : new TextDecoder(name)
  } catch {
    return undefined
  }
}
