// The cursor of a split: the whole state of pagination, as versioned JSON (I13). Between passes it says what is covered; within one it
// also says which page comes next, so that after a crash at most one page is fetched again.
import { WeirError } from '../../core/errors.ts'
import { escapeActing } from '../../core/printable.ts'
import { decodeIds, decodeKey, decodeKnown, encodeIds, encodeKey, encodeKnown, type Ids, type Known } from './known.ts'
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

/** The job of a pass, from before it is submitted until its result is stored. Times are of the wall clock. */
export type JobState =
  /** About to be submitted: if this is the last that was stored, it is not known whether it was. */
  | (JobBase & { readonly step: 'intent'; readonly tag: string; readonly atMs: number })
  | (JobBase & {
      readonly step: 'submitted'
      readonly tag: string
      readonly atMs: number
      readonly id: string
      readonly kept: Kept
    })
  /** The last one failed; the next may be submitted at `untilMs`. `inDoubt`: it is not known whether the last one was taken. */
  | (JobBase & { readonly step: 'failed'; readonly untilMs: number; readonly inDoubt?: true })

interface JobBase {
  /** Jobs that failed in a row before. */
  readonly failures: number
}

export type Kept = Readonly<Record<string, string | number | boolean | null>>

/** What a source has said that the first page of the last whole pass can be compared by. */
export interface Validators {
  /** Hash of the request that they belong to. */
  readonly of: string
  readonly etag?: string
  readonly modified?: string
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
  /** Ordered: ids of earlier passes, and of the one under way. */
  readonly ids: Ids
  readonly idsNow: Ids
  /** Where deletions are told: name of an id to the id, of the whole pass before and not seen yet in this one, and of this one. */
  readonly listed: Known
  readonly seen: Known
  /** An item of the pass had no identity. */
  readonly blurred: boolean
  /** The pass has told a change. */
  readonly stirred: boolean
  /** Items without identity that went to the dead letters: hashes of their bytes, oldest first. */
  readonly bad: readonly string[]
  readonly pass: PassState | null
  readonly job: JobState | null
  readonly validators: Validators | null
}

export const emptyState: SplitState = {
  passes: 0,
  mark: null,
  known: new Map(),
  during: new Map(),
  ids: new Set(),
  idsNow: new Set(),
  listed: new Map(),
  seen: new Map(),
  blurred: false,
  stirred: false,
  bad: [],
  pass: null,
  job: null,
  validators: null,
}

/** With a job it is 2: a weir that does not know jobs must not read past one, and submit it again. */
const versions = { plain: 1, withJob: 2 }

type StoredMark = readonly [key: string, form?: DateForm]

interface Stored {
  readonly v: number
  readonly as: OrderKind | 'membership' | 'none'
  readonly passes: number
  readonly mark?: StoredMark
  readonly known?: string
  readonly during?: string
  readonly ids?: string
  readonly idsNow?: string
  readonly listed?: string
  readonly seen?: string
  readonly blurred?: boolean
  readonly stirred?: boolean
  readonly bad?: readonly string[]
  readonly pass?: Omit<PassState, 'top'> & { readonly top?: StoredMark }
  readonly job?: JobState
  readonly validators?: Validators
}

/** What the cursor orders by; a cursor of one kind cannot be read as another. */
export type StateKind = Stored['as']

export function encodeState(state: SplitState, kind: StateKind): string {
  const stored: Stored = {
    v: state.job ? versions.withJob : versions.plain,
    as: kind,
    passes: state.passes,
    ...(state.mark ? { mark: markOut(state.mark) } : {}),
    ...(state.known.size > 0 ? { known: encodeKnown(state.known) } : {}),
    ...(state.during.size > 0 ? { during: encodeKnown(state.during) } : {}),
    ...(state.ids.size > 0 ? { ids: encodeIds(state.ids) } : {}),
    ...(state.idsNow.size > 0 ? { idsNow: encodeIds(state.idsNow) } : {}),
    ...(state.listed.size > 0 ? { listed: encodeKnown(state.listed) } : {}),
    ...(state.seen.size > 0 ? { seen: encodeKnown(state.seen) } : {}),
    ...(state.blurred ? { blurred: true } : {}),
    ...(state.stirred ? { stirred: true } : {}),
    ...(state.bad.length > 0 ? { bad: state.bad } : {}),
    ...(state.pass ? { pass: passOut(state.pass) } : {}),
    ...(state.job ? { job: state.job } : {}),
    ...(state.validators ? { validators: state.validators } : {}),
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
  const { mark, known, during, pass, passes, job } = stateOf(parseStored(text))
  const parts: string[] = []
  if (mark) parts.push(`up to ${mark.form === undefined ? String(mark.key) : new Date(Number(mark.key)).toISOString()}`)
  if (known.size + during.size > 0) parts.push(`${known.size + during.size} versions remembered`)
  if (pass)
    parts.push(
      `in a pass, ${pass.index} pages read${pass.page.kind === 'number' ? `, next is ${pass.page.value}` : ''}`,
    )
  if (job) parts.push(describeJob(job))
  if (parts.length === 0) parts.push(passes > 0 ? `${passes} passes done` : 'nothing read yet')
  return parts.join('; ')
}

function describeJob(job: JobState): string {
  switch (job.step) {
    case 'intent':
      return `a job was about to be submitted at ${new Date(job.atMs).toISOString()}`
    case 'submitted':
      return `job ${escapeActing(job.id)} was submitted at ${new Date(job.atMs).toISOString()}`
    case 'failed':
      return `the last job failed, the next is not submitted before ${new Date(job.untilMs).toISOString()}`
  }
}

function stateOf(stored: Stored): SplitState {
  const { pass } = stored
  return {
    passes: stored.passes,
    mark: markIn(stored.mark),
    known: knownIn(stored.known),
    during: knownIn(stored.during),
    ids: idsIn(stored.ids),
    idsNow: idsIn(stored.idsNow),
    listed: knownIn(stored.listed),
    seen: knownIn(stored.seen),
    blurred: stored.blurred === true,
    stirred: stored.stirred === true,
    bad: stored.bad ?? [],
    pass: pass ? { ...pass, top: markIn(pass.top) } : null,
    job: stored.job ?? null,
    validators: stored.validators ?? null,
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
  if (stored.v > versions.withJob) throw invalid('was written by a newer weir')
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
    s.v === (s.job === undefined ? versions.plain : versions.withJob) &&
    typeof s.as === 'string' &&
    Number.isInteger(s.passes) &&
    isMark(s.mark) &&
    isText(s.known) &&
    isText(s.during) &&
    isText(s.ids) &&
    isText(s.idsNow) &&
    isText(s.listed) &&
    isText(s.seen) &&
    isBad(s.bad) &&
    isPass &&
    (s.job === undefined || isJob(s.job)) &&
    (s.validators === undefined || isValidators(s.validators))
  )
}

const isBad = (bad: unknown) => bad === undefined || (Array.isArray(bad) && bad.every(each => typeof each === 'string'))
const isTaken = (taken: unknown) =>
  taken === undefined ||
  (typeof taken === 'object' && taken !== null && 'count' in taken && Number.isInteger(taken.count))

function isJob(job: unknown): job is JobState {
  if (typeof job !== 'object' || job === null) return false
  const { step, failures, tag, atMs, untilMs, id, kept } = job as Readonly<Record<string, unknown>>
  if (!Number.isInteger(failures)) return false
  if (step === 'failed') return isTime(untilMs)
  if (typeof tag !== 'string' || !isTime(atMs)) return false
  if (step === 'intent') return true
  return step === 'submitted' && typeof id === 'string' && typeof kept === 'object' && kept !== null
}

const isTime = (ms: unknown) => Number.isSafeInteger(ms) && Math.abs(ms as number) <= 8.64e15

function isValidators(validators: unknown): validators is Validators {
  if (typeof validators !== 'object' || validators === null) return false
  const { of, etag, modified } = validators as Readonly<Record<string, unknown>>
  const isText = (text: unknown) => text === undefined || typeof text === 'string'
  return typeof of === 'string' && isText(etag) && isText(modified)
}

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

function idsIn(text: string | undefined): Ids {
  const ids = decodeIds(text ?? '')
  if (ids === undefined) throw invalid('is damaged')
  return ids
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
