// The cursor of a split: the whole state of pagination, as versioned JSON (I13). Between passes it says what is covered; within one it
// also says which page comes next, so that after a crash at most one page is fetched again.
import { WeirError } from '../../core/errors.ts'
import { decodeKey, decodeKnown, encodeKey, encodeKnown, type Known } from './known.ts'
import type { DateForm, OrderKey, OrderKind } from './order-key.ts'

/** The page that is asked for next. */
export type PageState =
  | { readonly kind: 'only' }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'token'; readonly value: string | number | boolean | null }
  | { readonly kind: 'url'; readonly value: string | null }

export interface Mark {
  readonly key: OrderKey
  readonly form?: DateForm
}

export interface PassState {
  readonly page: PageState
  /** Pages read before this one. */
  readonly index: number
  /** What the mark becomes when the pass is over. */
  readonly top: Mark | null
  /** Items of the page that were taken already, when it is larger than a batch. */
  readonly taken?: { readonly count: number; readonly last: string }
  /** Where pages have numbers: hash of the body of the page before, and how often in a row it came. */
  readonly last?: { readonly body: string; readonly times: number }
}

export interface SplitState {
  /** Passes finished: makes positions unique where items have no id. */
  readonly passes: number
  /** Everything up to here is covered, less the lookback. */
  readonly mark: Mark | null
  /** Versions at or above the mark less the lookback; membership: versions seen. */
  readonly known: Known
  /** Versions taken in the pass under way. */
  readonly during: Known
  /** Items without identity that went to the dead letters: hashes of their bytes, oldest first. */
  readonly bad: readonly string[]
  readonly pass: PassState | null
}

export const emptyState: SplitState = {
  passes: 0,
  mark: null,
  known: new Map(),
  during: new Map(),
  bad: [],
  pass: null,
}

const version = 1

type StoredMark = readonly [key: string, form?: DateForm]

interface Stored {
  readonly v: number
  readonly as: OrderKind | 'membership' | 'none'
  readonly passes: number
  readonly mark?: StoredMark
  readonly known?: string
  readonly during?: string
  readonly bad?: readonly string[]
  readonly pass?: Omit<PassState, 'top'> & { readonly top?: StoredMark }
}

/** What the cursor orders by; a cursor of one kind cannot be read as another. */
export type StateKind = Stored['as']

export function encodeState(state: SplitState, kind: StateKind): string {
  const stored: Stored = {
    v: version,
    as: kind,
    passes: state.passes,
    ...(state.mark ? { mark: markOut(state.mark) } : {}),
    ...(state.known.size > 0 ? { known: encodeKnown(state.known) } : {}),
    ...(state.during.size > 0 ? { during: encodeKnown(state.during) } : {}),
    ...(state.bad.length > 0 ? { bad: state.bad } : {}),
    ...(state.pass ? { pass: passOut(state.pass) } : {}),
  }
  return JSON.stringify(stored)
}

/** @throws cursor.invalid, and source.cursor_refused when it was written under another `cursor` definition */
export function decodeState(text: string, kind: StateKind): SplitState {
  const stored = parseStored(text)
  if (stored.as !== kind)
    throw new WeirError(
      'source.cursor_refused',
      `The stored cursor orders by ${stored.as}, the definition by ${kind}`,
      {
        hint: 'Put the definition back, or reset the cursor with `weir cursor reset` to read the source anew.',
      },
    )
  return stateOf(stored)
}

/** A stored cursor in words for people; never the address of a page, which may hold a key. @throws cursor.invalid */
export function describeState(text: string): string {
  const { mark, known, during, pass, passes } = stateOf(parseStored(text))
  const parts: string[] = []
  if (mark) parts.push(`up to ${mark.form === undefined ? String(mark.key) : new Date(Number(mark.key)).toISOString()}`)
  if (known.size + during.size > 0) parts.push(`${known.size + during.size} versions remembered`)
  if (pass)
    parts.push(
      `in a pass, ${pass.index} pages read${pass.page.kind === 'number' ? `, next is ${pass.page.value}` : ''}`,
    )
  if (parts.length === 0) parts.push(passes > 0 ? `${passes} passes done` : 'nothing read yet')
  return parts.join('; ')
}

function stateOf(stored: Stored): SplitState {
  const { pass } = stored
  return {
    passes: stored.passes,
    mark: markIn(stored.mark),
    known: knownIn(stored.known),
    during: knownIn(stored.during),
    bad: stored.bad ?? [],
    pass: pass ? { ...pass, top: markIn(pass.top) } : null,
  }
}

function parseStored(text: string): Stored {
  let stored: Partial<Stored> | null = null
  try {
    stored = JSON.parse(text) as Partial<Stored> | null
  } catch {
    // Falls through: what is no JSON has no version.
  }
  if (typeof stored !== 'object' || stored === null || typeof stored.v !== 'number')
    throw invalid('is not one that http wrote')
  if (stored.v > version) throw invalid('was written by a newer weir')
  if (!isStored(stored)) throw invalid('is damaged')
  return stored
}

function isStored(s: Partial<Stored>): s is Stored {
  const isMark = (mark: unknown) => mark === undefined || (Array.isArray(mark) && typeof mark[0] === 'string')
  const isText = (text: unknown) => text === undefined || typeof text === 'string'
  const { pass } = s
  const isPass =
    pass === undefined ||
    (typeof pass === 'object' &&
      pass !== null &&
      Number.isInteger(pass.index) &&
      isPage(pass.page) &&
      isMark(pass.top) &&
      isTaken(pass.taken))
  return (
    s.v === version &&
    typeof s.as === 'string' &&
    Number.isInteger(s.passes) &&
    isMark(s.mark) &&
    isText(s.known) &&
    isText(s.during) &&
    isBad(s.bad) &&
    isPass
  )
}

const isBad = (bad: unknown) => bad === undefined || (Array.isArray(bad) && bad.every(each => typeof each === 'string'))
const isTaken = (taken: unknown) =>
  taken === undefined ||
  (typeof taken === 'object' && taken !== null && 'count' in taken && Number.isInteger(taken.count))

function isPage(page: unknown): page is PageState {
  if (typeof page !== 'object' || page === null) return false
  const { kind, value } = page as { kind?: unknown; value?: unknown }
  if (kind === 'only') return true
  if (kind === 'number') return Number.isFinite(value)
  return kind === 'url'
    ? value === null || typeof value === 'string'
    : kind === 'token' && (value === null || typeof value !== 'object')
}

function invalid(what: string): WeirError {
  return new WeirError('cursor.invalid', `The stored cursor ${what}`, {
    hint: '`weir cursor reset` removes it; the source is then read from the start.',
  })
}

const markOut = (mark: Mark): StoredMark =>
  mark.form === undefined ? [encodeKey(mark.key)] : [encodeKey(mark.key), mark.form]

function knownIn(text: string | undefined): Known {
  const known = decodeKnown(text ?? '')
  if (known === undefined) throw invalid('is damaged')
  return known
}

function markIn(mark: StoredMark | undefined): Mark | null {
  if (mark === undefined) return null
  const key = decodeKey(mark[0])
  if (key === undefined) throw invalid('is damaged')
  return { key, ...(mark[1] === undefined ? {} : { form: mark[1] }) }
}

function passOut(pass: PassState): NonNullable<Stored['pass']> {
  const { top, ...rest } = pass
  return top ? { ...rest, top: markOut(top) } : rest
}
