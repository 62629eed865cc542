// What is taken out of recorded exchanges before they are stored: secrets, credentials that the source issued, and who the reviewers are.
// A person's name, id, picture or address becomes a stand-in made of a hash with a key that is thrown away: the same within one recording,
// and nobody's afterwards.
import { createHmac, randomBytes } from 'node:crypto'
import { scrubbedMark } from '../../config/cassette/spec.ts'
import { isObject } from '../../core/json-text.ts'
import { redact } from '../../core/secret.ts'

export interface Scrubber {
  /** Remembers who and what a body names; for every body, before the first is scrubbed. */
  look(body: string): void
  /** Remembers what a record names: what the mapping found counts whatever the body is. */
  lookAtRecord(record: Readonly<Record<string, unknown>>): void
  /** The text with everything taken out that was seen. */
  text(text: string): string
  /** The same for an address, with the fields of its query that hold credentials. */
  url(url: string): string
  /** What was seen of a person or as a credential and stands in a text all the same: none after `text`. */
  leaks(text: string): boolean
  /** How often what was taken out, by kind. */
  readonly taken: ReadonlyMap<ScrubbedKind, number>
}

export type ScrubbedKind = 'secrets' | 'issued credentials' | 'names' | 'ids of people' | 'links to people'

const person = '(?:reviewer|author|user|profile|customer|member|person|buyer)'
const own = new RegExp(`^${person}s?(?:profile|info|details|data)?$`)
const nameField = new RegExp(
  `^(?:(?:${person}(?:profile)?|display|nick|screen|full|first|last|given|family)(?:name|title)|${person}|nickname|byline|email|mail|phone)$`,
)
const idField = new RegExp(`^${person}(?:profile)?(?:id|ids|ref|handle|key)$`)
const linkField = new RegExp(
  `^(?:${person}(?:profile)?(?:url|uri|link|href|page|path|image|imageurl|img|photo|picture|icon|avatar|avatarurl|thumbnail)|avatar(?:url)?|profilelink)$`,
)
const inPerson = {
  name: /^(?:name|title|label)$/,
  id: /^id$/,
  link: /^(?:url|uri|link|href|image|img|photo|picture|icon)$/,
}
const issuedField =
  /^(?:access|refresh|id|session|auth|bearer|csrf|xsrf|oauth)token$|^token$|^(?:client)?secret$|^password$|^api_?key$|^sessionid$|^(?:x?amz)?(?:signature|credential|securitytoken)$/
/** Marks a place in a listing, not a right. */
const pageField = /next|page|cursor|continu/

const plainKey = (key: string) => key.toLowerCase().replace(/[^a-z]/g, '')

/** Names shorter than this are replaced only in their own field: as a word of a text they could be anything. */
const minNameInText = 4

export function createScrubber(key: Uint8Array = randomBytes(32)): Scrubber {
  const standIns = new Map<string, { readonly kind: ScrubbedKind; readonly text: string }>()
  const taken = new Map<ScrubbedKind, number>()
  const count = (kind: ScrubbedKind, times = 1) => void taken.set(kind, (taken.get(kind) ?? 0) + times)
  const hash = (value: string) => createHmac('sha256', key).update(value).digest('hex').slice(0, 10)

  const remember = (value: unknown, kind: ScrubbedKind): void => {
    if (typeof value !== 'string' && typeof value !== 'number') return
    const text = String(value).trim()
    if (text === '' || standIns.has(text)) return
    standIns.set(text, { kind, text: standInOf(kind, text, hash(text)) })
  }
  const lookAt = (value: unknown, isPerson: boolean): void => {
    if (Array.isArray(value)) for (const each of value) lookAt(each, isPerson)
    if (!isObject(value)) return
    for (const [name, field] of Object.entries(value)) {
      const kind = kindOf(plainKey(name), isPerson)
      if (kind) for (const each of Array.isArray(field) ? field : [field]) remember(each, kind)
      lookAt(field, isPerson || own.test(plainKey(name)))
    }
  }

  let longestFirst: [string, { readonly kind: ScrubbedKind; readonly text: string }][] = []
  const replaced = (text: string): string => {
    let result = text
    if (longestFirst.length !== standIns.size) longestFirst = [...standIns].sort(([a], [b]) => b.length - a.length)
    for (const [value, { kind, text: standIn }] of longestFirst)
      for (const form of new Set([value, encodeURIComponent(value), jsonForm(value), htmlForm(value)])) {
        if (!result.includes(form)) continue
        result = result.replace(wordsOf(form, kind), () => {
          count(kind)
          return standIn
        })
      }
    return result
  }
  const unspoken = (text: string): string => {
    const result = redact(text)
    const times = result.split(scrubbedMark).length - text.split(scrubbedMark).length
    if (times > 0) count('secrets', times)
    return result
  }
  /** What has the form of an account anywhere, and whom markup calls an author. */
  const lookAtText = (text: string): void => {
    for (const [id] of text.matchAll(/amzn1\.account\.[A-Z0-9]{6,60}/g)) remember(id, 'ids of people')
    for (const [, id] of text.matchAll(/\/gp\/(?:profile|pdp\/profile)\/([A-Za-z0-9._-]{6,80})/g))
      remember(id, 'ids of people')
    for (const [, name] of text.matchAll(
      /<[a-z]+\s[^>]*(?:class|itemprop|data-hook|rel)="[^"]*(?:profile-name|author|reviewer|user-?name)[^"]*"[^>]*>\s*([^<]{1,200}?)\s*</gi,
    ))
      remember(decodedHtml(name!), 'names')
    for (const [, link] of text.matchAll(/<img\s[^>]*src="([^"]*avatar[^"]*)"/gi)) remember(link, 'links to people')
  }

  const fieldsIn = (value: unknown, isPerson: boolean): unknown => {
    if (Array.isArray(value)) return value.map(each => fieldsIn(each, isPerson))
    if (!isObject(value)) return typeof value === 'string' ? unspoken(replaced(value)) : value
    return Object.fromEntries(
      Object.entries(value).map(([name, field]) => {
        const kind = kindOf(plainKey(name), isPerson)
        const inside = isPerson || own.test(plainKey(name))
        const one = (each: unknown) => {
          const known =
            kind && (typeof each === 'string' || typeof each === 'number')
              ? standIns.get(String(each).trim())
              : undefined
          if (!known) return fieldsIn(each, inside)
          count(known.kind)
          // A number stays one, so that the shape does.
          return typeof each === 'number' ? Number.parseInt(known.text.slice(-8), 16) : known.text
        }
        return [name, Array.isArray(field) ? field.map(one) : one(field)]
      }),
    )
  }

  return {
    taken,
    look(body) {
      const values = jsonIn(body)
      for (const value of values ?? []) lookAt(value, false)
      lookAtText(body)
    },
    lookAtRecord: record => lookAt(record, false),
    leaks(text) {
      // A stand-in of a token was used as one in the replay, and is known as a secret since.
      let own = text
      for (const { text: standIn } of standIns.values()) own = own.replaceAll(standIn, '')
      if (redact(own) !== own) return true
      return [...standIns].some(
        ([value, { kind }]) => value.length >= minNameInText && own.includes(value) && wordsOf(value, kind).test(own),
      )
    },
    text(text) {
      const values = hasLargeNumber(text) ? undefined : jsonIn(text)
      if (!values) return unspoken(replaced(text))
      const indent = values.length === 1 && text.trim().includes('\n') ? 2 : undefined
      return values.map(value => JSON.stringify(fieldsIn(value, false), null, indent)).join('\n')
    },
    url(text) {
      const url = URL.parse(text)
      if (!url) return unspoken(replaced(text))
      for (const [name, value] of [...url.searchParams]) {
        const isIssued = issuedField.test(plainKey(name)) && !pageField.test(plainKey(name))
        if (isIssued) {
          url.searchParams.set(name, scrubbedMark)
          count('secrets')
        } else {
          const clean = unspoken(replaced(value))
          if (clean !== value) url.searchParams.set(name, clean)
        }
      }
      return url.origin + unspoken(replaced(url.pathname)) + url.search
    },
  }
}

function kindOf(name: string, isPerson: boolean): ScrubbedKind | undefined {
  if (issuedField.test(name) && !pageField.test(name)) return 'issued credentials'
  if (idField.test(name) || (isPerson && inPerson.id.test(name))) return 'ids of people'
  if (linkField.test(name) || (isPerson && inPerson.link.test(name))) return 'links to people'
  if (nameField.test(name) || (isPerson && inPerson.name.test(name))) return 'names'
  return undefined
}

function standInOf(kind: ScrubbedKind, value: string, hash: string): string {
  switch (kind) {
    case 'names':
      return `Name ${hash}`
    case 'ids of people':
      return `person-${hash}`
    case 'links to people':
      return /^https?:/i.test(value) ? `https://people.invalid/${hash}` : `/people/${hash}`
    default:
      return `credential-${hash}`
  }
}

/** Numbers that would not come out of JSON.parse as they went in. */
const hasLargeNumber = (text: string) => /[[:,\s]-?\d{16,}\s*[\],}]/.test(text)

/** One JSON document, or one a line; undefined for all else. */
function jsonIn(text: string): unknown[] | undefined {
  const parse = (part: string) => {
    const value: unknown = JSON.parse(part)
    if (typeof value !== 'object' || value === null) throw new SyntaxError('no fields')
    return value
  }
  try {
    return [parse(text)]
  } catch {}
  try {
    const lines = text.split('\n').filter(line => line.trim() !== '')
    return lines.length > 0 ? lines.map(parse) : undefined
  } catch {
    return undefined
  }
}

const jsonForm = (value: string) => JSON.stringify(value).slice(1, -1)
const htmlForm = (value: string) =>
  value
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
const decodedHtml = (text: string) =>
  text
    .replaceAll('&#39;', "'")
    .replaceAll('&quot;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')

/** A name counts as a word of its own, a short one only between quotes or tags; an id or a link counts wherever it stands. */
function wordsOf(form: string, kind: ScrubbedKind): RegExp {
  const escaped = form.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  if (form.length < minNameInText) return new RegExp(`(?<=["'>])${escaped}(?=["'<])`, 'gu')
  return kind === 'names'
    ? new RegExp(`(?<![\\p{L}\\p{N}])${escaped}(?![\\p{L}\\p{N}])`, 'gu')
    : new RegExp(escaped, 'gu')
}
