// Secrets are a type, not a string (I9). A Secret prints as *** by every road, and its value is known to `redact`,
// through which every log line, error, dead letter message and page goes.
import { inspect } from 'node:util'

const known = new Map<string, string[]>()
/** Shorter values would redact ordinary words. */
const minRedactedLength = 4

/** A value resolved from the environment or a file. Only `reveal` gives it out. */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
    remember(value)
  }

  reveal(): string {
    return this.#value
  }

  toString(): string {
    return '***'
  }

  toJSON(): string {
    return '***'
  }

  [Symbol.toPrimitive](): string {
    return '***'
  }

  [inspect.custom](): string {
    return '***'
  }
}

/** The text behind a string or a Secret: call it at the last moment, where the value leaves for its destination. */
export function reveal(value: string | Secret): string {
  return value instanceof Secret ? value.reveal() : value
}

/** Makes `redact` hide this value, as it stands and as URL-, form-, Base64- and JSON-encoded. */
export function remember(value: string): void {
  if (value.length < minRedactedLength || known.has(value)) return
  const json = JSON.stringify(value).slice(1, -1)
  const forms = new Set([value, json, JSON.stringify(json).slice(1, -1)])
  for (const encoded of encodedForUrl(value))
    forms.add(encoded).add(encoded.replace(/%[0-9A-F]{2}/g, hex => hex.toLowerCase()))
  // The three alignments of Base64: the value may stand anywhere in what was encoded, as in `user:password`.
  for (const lead of ['', ' ', '  ']) {
    const encoded = Buffer.from(lead + value)
      .toString('base64')
      .replace(/=+$/, '')
    const stable = encoded.slice(lead.length === 0 ? 0 : lead.length + 1, encoded.length - 1)
    if (stable.length >= 6) forms.add(stable)
  }
  known.set(
    value,
    [...forms].filter(form => form.length >= minRedactedLength).sort((a, b) => b.length - a.length),
  )
}

/** Takes back `remember`: for what has expired and is no secret any more. */
export function forget(value: string): void {
  known.delete(value)
}

/** As a part of a URL, as a form's field, and as URLs themselves encode a query and a path. */
function encodedForUrl(value: string): readonly string[] {
  const url = new URL('https://host/')
  url.search = value
  url.pathname = value
  return [
    encodeURIComponent(value),
    new URLSearchParams([['', value]]).toString().slice(1),
    url.search.slice(1),
    url.pathname.slice(1),
  ]
}

/** The text with every known secret replaced by ***. */
export function redact(text: string): string {
  let result = text
  for (const forms of known.values())
    for (const form of forms) if (result.includes(form)) result = result.replaceAll(form, '***')
  return result
}
