// The versions of items that a cursor remembers, small: it is stored with every page. A version is known by 66 bits of its hash.
import { hash as digest } from 'node:crypto'
import type { OrderKey } from './order-key.ts'

/** In the order they were met: name of a version to its order key (ordered), or name of an id to its version (membership). */
export type Known = Map<string, OrderKey>

/** The ids met last, smaller still: they only tell an edit from what is new. 36 bits of the hash each. */
export type Ids = ReadonlySet<string>

const nameLength = 11
const tagLength = 6

/** The short name of an id or version. */
export function nameOf(text: string): string {
  return digest('sha256', text, 'base64url').slice(0, nameLength)
}

/** The short name of an id among `Ids`. */
export function tagOf(id: string): string {
  return digest('sha256', id, 'base64url').slice(0, tagLength)
}

export function encodeIds(ids: Ids): string {
  return [...ids].join('')
}

/** undefined when the text is damaged. */
export function decodeIds(text: string): Ids | undefined {
  if (text.length % tagLength !== 0) return undefined
  return new Set(text.match(/.{6}/g) ?? [])
}

/** `<name><kind><order key>`, one after the other: i whole number in base 36, f other number, n bigint, s text. */
export function encodeKnown(known: Known): string {
  let text = ''
  for (const [name, key] of known) text += `${text === '' ? '' : ' '}${name}${encodeKey(key)}`
  return text
}

/** undefined when the text is damaged. */
export function decodeKnown(text: string): Known | undefined {
  const known: Known = new Map()
  if (text === '') return known
  for (const entry of text.split(' ')) {
    const key = decodeKey(entry.slice(nameLength))
    if (key === undefined) return undefined
    known.set(entry.slice(0, nameLength), key)
  }
  return known
}

export function encodeKey(key: OrderKey): string {
  if (typeof key === 'string') return `s${encodeURIComponent(key.toWellFormed())}`
  if (typeof key === 'bigint') return `n${key}`
  return Number.isSafeInteger(key) ? `i${key.toString(36)}` : `f${key}`
}

export function decodeKey(text: string): OrderKey | undefined {
  const rest = text.slice(1)
  switch (text[0]) {
    case 's':
      return decodeText(rest)
    case 'n':
      return /^-?\d+$/.test(rest) ? BigInt(rest) : undefined
    case 'i':
      return /^-?[0-9a-z]+$/.test(rest) ? Number.parseInt(rest, 36) : undefined
    case 'f':
      return rest !== '' && Number.isFinite(Number(rest)) ? Number(rest) : undefined
    default:
      return undefined
  }
}

function decodeText(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
