// Which versions of items are new. ordered: everything below the mark less the lookback is covered, above it the versions are known one
// by one; the mark moves only when a pass is over, so that nothing between two pages can fall out (I13). membership: versions are known
// one by one. none: everything is new.
import { WeirError } from '../../core/errors.ts'
import { type Known, nameOf, tagOf } from './known.ts'
import { openListing } from './listing.ts'
import { type FieldValue, hash, lessBy, type OrderKey } from './order-key.ts'
import type { CursorConfig } from './spec.ts'
import type { Mark, PassState, SplitState } from './state.ts'

const dayMs = 86_400_000
/** More versions at once would make every commit heavy. */
const maxKnown = 50_000
const maxBad = 1000
/** Of the versions that only the next pages of a pass need, two pages' worth are kept, but at least so many. */
const minKept = 1000

export type Admission = 'new' | 'edited' | 'duplicate' | 'unchanged'

export interface Tracker {
  /** The mark less the lookback: what is below is covered. Null at first. Fixed for the whole pass. */
  readonly since: Mark | null
  /** Whether the version is new, or a later one of an item that is known; it is remembered then. Else why it is left out. `value`: the id as it was given. */
  admit(id: string, field: FieldValue | undefined, value: OrderKey): Admission
  /** How many edits of the item were admitted, where a version may come back; 0 otherwise. */
  edits(id: string): number
  /** The same for an item without identity. */
  admitBad(raw: Uint8Array): { readonly isNew: boolean; readonly hash: string }
  /** Ids that were listed before and are missing, `limit` at most, once a whole pass was read; they are forgotten. None unless deletions are told. */
  takeMissing(limit: number): readonly OrderKey[]
  /** True where something is missing and cannot be told, because an item of the pass had no identity. */
  readonly isBlurred: boolean
  /** Starts counting a page. */
  beginPage(): void
  /** After the last item of a page. True when all of it is covered by earlier passes, newest first, so that no page behind it can be new. */
  endPage(pass: PassState): { readonly top: Mark | null; readonly covered: boolean }
  /** The state after a batch, the pass going on. @throws source.cursor_refused when too much would have to be remembered */
  during(pass: PassState): SplitState
  /** The state after the pass. */
  after(top: Mark | null): SplitState
}

/**
 * @param nowMs a date further ahead than a day does not move the mark: it would cover everything that is to come
 * @param mayStartAnew true where a pass may be given up and begun from its first page, as with jobs: what was taken in it is remembered for longer
 */
export function openTracker(
  config: CursorConfig | undefined,
  state: SplitState,
  nowMs: number,
  mayStartAnew = false,
): Tracker {
  if (config === undefined) return noTracker(state)
  return config.mode === 'membership'
    ? membershipTracker(config, state)
    : orderedTracker(config, state, nowMs, mayStartAnew)
}

function orderedTracker(config: CursorConfig, state: SplitState, nowMs: number, mayStartAnew: boolean): Tracker {
  const { mark, known } = state
  const during: Known = new Map(state.during)
  const idsNow = new Set(state.idsNow)
  const bad = badItems(state)
  const since = mark ? { ...mark, key: lessBy(mark.key, config.lookback) } : null
  const ahead = config.as === 'date' ? nowMs + dayMs : undefined
  let page = { items: 0, covered: 0, top: null as Mark | null }
  let largestPage = 0

  const candidateOf = (pass: PassState): Mark | null => {
    const ofPage = config.order === 'desc' && pass.index > 0 ? null : page.top
    return higher(higher(mark, pass.top), ofPage)
  }
  return {
    since,
    ...noListing,
    beginPage() {
      page = { items: 0, covered: 0, top: null }
    },
    admit(id, field) {
      const { key, text, form } = field!
      page.items++
      if (ahead === undefined || Number(key) <= ahead) {
        if (page.top === null || key > page.top.key) page.top = form === undefined ? { key } : { key, form }
      }
      if (since !== null && key < since.key) {
        page.covered++
        return 'duplicate'
      }
      const name = nameOf(versionOf(id, text))
      const tag = tagOf(id)
      // Newest first, what comes later in a pass is an older version.
      const isKnown = state.ids.has(tag) || (config.order === 'asc' && idsNow.has(tag))
      idsNow.delete(tag)
      idsNow.add(tag)
      if (known.has(name) || during.has(name)) return 'duplicate'
      during.set(name, key)
      return isKnown ? 'edited' : 'new'
    },
    edits: () => 0,
    admitBad: bad.admit,
    endPage(pass) {
      // Newest first, only the first page tells where the next pass may stop; else the last page counts as much as the first.
      const top = config.order === 'desc' && pass.index > 0 ? pass.top : higher(pass.top, page.top)
      return { top, covered: config.order === 'desc' && page.items > 0 && page.covered === page.items }
    },
    during(pass) {
      largestPage = Math.max(largestPage, page.items)
      const kept = mayStartAnew ? config.keep : Math.min(config.keep, Math.max(minKept, 2 * largestPage))
      prune(during, floorOf(candidateOf(pass), config), kept)
      keepLast(idsNow, config.keep)
      return { ...state, during, idsNow, bad: bad.list(), pass }
    },
    after(top) {
      const newMark = higher(mark, top)
      const floor = floorOf(newMark, config)
      const kept: Known = new Map()
      for (const versions of [known, during])
        for (const [name, key] of versions) if (floor === null || key >= floor) kept.set(name, key)
      refuseTooMany(kept.size)
      const ids = new Set([...state.ids].filter(tag => !idsNow.has(tag)))
      for (const tag of idsNow) ids.add(tag)
      keepLast(ids, config.keep)
      const covered = { mark: newMark, known: kept, during: new Map(), ids, idsNow: new Set<string>() }
      return { ...state, ...covered, bad: bad.list(), pass: null }
    },
  }
}

function membershipTracker(config: CursorConfig, state: SplitState): Tracker {
  const known: Known = new Map(state.known)
  const bad = badItems(state)
  const listing = config.deletes === 'tombstone' ? openListing(state) : undefined
  const prune = (limit: number) => {
    if (listing) {
      listing.prune(known, limit, config.keep)
      return
    }
    keepLast(known, config.keep)
  }
  return {
    since: null,
    takeMissing: limit => listing?.takeMissing(known, limit) ?? [],
    get isBlurred() {
      return listing?.isBlurred ?? false
    },
    beginPage() {},
    admit(id, field, value) {
      const name = nameOf(id)
      const version = field?.text ?? ''
      const stored = known.get(name)
      const [before, edits] = editionOf(stored)
      const isEdit = stored !== undefined && before !== version
      // Taken out and put in again: what was seen last is forgotten last.
      known.delete(name)
      known.set(name, isEdit ? `${version}${editMark}${edits + 1}` : (stored ?? version))
      listing?.see(name, value)
      if (stored === undefined || isEdit) listing?.stir()
      if (stored === undefined) return 'new'
      if (isEdit) return 'edited'
      return config.version === undefined ? 'duplicate' : 'unchanged'
    },
    edits: id => editionOf(known.get(nameOf(id)))[1],
    admitBad(raw) {
      listing?.blur()
      return bad.admit(raw)
    },
    endPage: () => ({ top: null, covered: false }),
    during(pass) {
      // What is missing must not be forgotten before it is told.
      prune(2 * config.keep)
      return { ...state, known, ...listing?.during(), bad: bad.list(), pass }
    },
    after() {
      prune(config.keep)
      const passes = listing?.isStirred ? state.passes + 1 : state.passes
      return { ...state, passes, known, ...listing?.after(), bad: bad.list(), pass: null }
    },
  }
}

/** Between a version, which is a hash, and the number of edits up to it. */
const editMark = '~'

/** A version as it is known, and the edits up to it. */
function editionOf(stored: OrderKey | undefined): readonly [version: string, edits: number] {
  const [version = '', edits = '0'] = String(stored ?? '').split(editMark)
  return [version, Number(edits)]
}

function noTracker(state: SplitState): Tracker {
  return {
    since: null,
    ...noListing,
    beginPage() {},
    admit: () => 'new',
    edits: () => 0,
    admitBad: raw => ({ isNew: true, hash: hash(raw) }),
    endPage: () => ({ top: null, covered: false }),
    during: pass => ({ ...state, pass }),
    after: () => ({ ...state, passes: state.passes + 1, pass: null }),
  }
}

const noListing = { takeMissing: () => [], isBlurred: false } as const

/** One name for one version of an item: also its position. */
export function versionOf(id: string, fieldText: string): string {
  return fieldText === '' ? id : `${id}@${fieldText}`
}

function badItems(state: SplitState) {
  const hashes = new Set(state.bad)
  return {
    admit(raw: Uint8Array) {
      const name = hash(raw)
      const isNew = !hashes.delete(name)
      hashes.add(name)
      return { isNew, hash: name }
    },
    list: () => [...hashes].slice(-maxBad),
  }
}

/** Of the ids in the order in which they were met, the last. */
function keepLast(ids: Set<string> | Known, keep: number): void {
  for (const id of ids.keys()) {
    if (ids.size <= keep) return
    ids.delete(id)
  }
}

function higher(a: Mark | null, b: Mark | null): Mark | null {
  if (a === null || b === null) return a ?? b
  return b.key > a.key ? b : a
}

function floorOf(mark: Mark | null, config: CursorConfig): OrderKey | null {
  return mark === null ? null : lessBy(mark.key, config.lookback)
}

/**
 * Forgets the versions met first, but none that the next pass will be compared with (at or above `floor`); of the others `keep` stay, so
 * that items pushed onto the next page by new ones are known there.
 */
function prune(during: Known, floor: OrderKey | null, keep: number): void {
  if (during.size <= keep) return
  let free = 0
  for (const key of during.values()) if (floor === null || key < floor) free++
  refuseTooMany(during.size - free)
  for (const [name, key] of during) {
    if (free <= keep) break
    if (floor !== null && key >= floor) continue
    during.delete(name)
    free--
  }
}

function refuseTooMany(count: number): void {
  if (count <= maxKnown) return
  throw new WeirError('source.cursor_refused', `More than ${maxKnown} versions of items lie within the lookback`, {
    hint: 'Shorten `cursor: { lookback }`, or order by a finer field.',
  })
}
