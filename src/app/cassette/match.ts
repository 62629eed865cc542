// Does a request fit an exchange, and if not, in what? Only what the exchange names counts; *** stands for anything.
import { type Exchange, scrubbedMark } from '../../config/cassette/spec.ts'
import { isObject } from '../../core/json-text.ts'
import type { HttpRequest } from '../../fetch/guard.ts'

/** One thing in which a request is not what was recorded, in words. */
export interface Mismatch {
  /** Pointer below `request` of the exchange. */
  readonly pointer: string
  readonly message: string
  /** How much it speaks against the two being the same call. */
  readonly weight: number
}

/** In what the request differs from that of the exchange; empty when it fits. */
export function mismatches({ request: wanted }: Exchange, url: URL, asked: HttpRequest): readonly Mismatch[] {
  const found: Mismatch[] = []
  const differ = (pointer: string, what: string, expected: unknown, actual: unknown, weight = 1) =>
    found.push({
      pointer,
      message: `${what} is ${actual === undefined ? 'not there' : shown(actual)}, the cassette has ${shown(expected)}`,
      weight,
    })
  const whole = wanted.url === undefined ? null : new URL(wanted.url)
  if (wanted.method !== asked.method) differ('/method', 'the method', wanted.method, asked.method, 5)
  if (whole && !fitsText(whole.host, url.host)) differ('/url', 'the host', whole.host, url.host, 10)
  const path = whole ? whole.pathname : wanted.path!.split('?')[0]!
  if (!fitsText(path, url.pathname)) differ(whole ? '/url' : '/path', 'the path', path, url.pathname, 10)
  const query = [
    ...(whole ?? new URL(wanted.path!, 'http://any')).searchParams,
    ...Object.entries(wanted.query ?? {}),
  ] as const
  for (const [name, value] of query) {
    const actual = url.searchParams.getAll(name)
    if (!actual.some(each => fitsText(String(value), each)))
      differ(
        wanted.query && name in wanted.query ? `/query/${name}` : whole ? '/url' : '/path',
        `${name} in the query`,
        String(value),
        actual[0],
      )
  }
  for (const [name, value] of Object.entries(wanted.headers ?? {})) {
    const actual = asked.headers[name.toLowerCase()]
    if (actual === undefined || !fitsText(String(value), actual))
      differ(`/headers/${name}`, `the header ${name}`, String(value), actual)
  }
  if (wanted.body !== undefined) compareBody(wanted.body, asked, differ)
  return found
}

type Differ = (pointer: string, what: string, expected: unknown, actual: unknown, weight?: number) => void

function compareBody(wanted: unknown, { body, headers }: HttpRequest, differ: Differ): void {
  const text = body === undefined ? '' : typeof body === 'string' ? body : Buffer.from(body).toString('utf8')
  if (typeof wanted === 'string') {
    if (!fitsText(wanted, text)) differ('/body', 'the body', wanted, text)
    return
  }
  const isForm = headers['content-type']?.includes('form-urlencoded') ?? false
  const actual = isForm ? Object.fromEntries(new URLSearchParams(text)) : jsonIn(text)
  const difference = differenceIn(wanted, actual, '')
  if (difference)
    differ(
      `/body${difference.at}`,
      `${dotted('body', difference.at)} of the request`,
      difference.expected,
      difference.actual,
    )
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

export interface Difference {
  readonly at: string
  readonly expected: unknown
  readonly actual: unknown
}

/** The first place where `actual` lacks what `wanted` says. Fields that `wanted` does not name are left alone. */
export function differenceIn(wanted: unknown, actual: unknown, at: string): Difference | undefined {
  if (Array.isArray(wanted)) {
    if (!Array.isArray(actual)) return { at, expected: wanted, actual }
    for (let i = 0; i < Math.max(wanted.length, actual.length); i++) {
      const difference = i in wanted && i in actual ? differenceIn(wanted[i], actual[i], `${at}/${i}`) : undefined
      if (difference) return difference
      if (!(i in wanted && i in actual)) return { at: `${at}/${i}`, expected: wanted[i], actual: actual[i] }
    }
    return undefined
  }
  if (isObject(wanted)) {
    if (!isObject(actual)) return { at, expected: wanted, actual }
    for (const [key, value] of Object.entries(wanted)) {
      const difference = differenceIn(value, actual[key], `${at}/${key}`)
      if (difference) return difference
    }
    return undefined
  }
  if (typeof wanted === 'string' && typeof actual === 'string')
    return fitsText(wanted, actual) ? undefined : { at, expected: wanted, actual }
  return Object.is(wanted ?? null, actual ?? null) ? undefined : { at, expected: wanted, actual }
}

/** `body/0/asin` as people read it: body[0].asin. */
export const dotted = (root: string, at: string) =>
  root + at.replace(/\/(\d+)(?=\/|$)/g, '[$1]').replace(/\/([^/[]+)/g, '.$1')

function fitsText(wanted: string, actual: string): boolean {
  if (!wanted.includes(scrubbedMark)) return wanted === actual
  const [first, ...rest] = wanted.split(scrubbedMark)
  if (!actual.startsWith(first!)) return false
  let from = first!.length
  for (const [i, part] of rest.entries()) {
    const at = i === rest.length - 1 ? actual.length - part.length : actual.indexOf(part, from)
    if (at < from || !actual.startsWith(part, at)) return false
    from = at + part.length
  }
  return true
}

const maxShown = 200

/** A value as it stands in a message. */
export function shown(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value)
  return text.length > maxShown ? `${text.slice(0, maxShown - 1)}…` : text
}
