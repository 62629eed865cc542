// Which versions of items are new. ordered: everything below the mark less the lookback is covered, above it the versions are known one
// by one; the mark moves only when a pass is over, so that nothing between two pages can fall out (I13). membership: versions are known
// one by one. none: everything is new.
import { WeirError } from '../../core/errors.ts'
import { type Known, nameOf } from './known.ts'
import { type FieldValue, hash, lessBy, type OrderKey } from './order-key.ts'
import type { CursorConfig } from './spec.ts'
import { emptyState, type Mark, type PassState, type SplitState } from './state.ts'

const dayMs = 86_400_000
/** More versions at once would make every commit heavy. */
const maxKnown = 50_000
const maxBad = 1000
/** Of the versions that only the next pages of a pass need, two pages' worth are kept, but at least so many. */
const minKept = 1000

export interface Tracker {
  /** The mark less the lookback: what is below is covered. Null at first. Fixed for the whole pass. */
  readonly since: Mark | null
  /** True when the version is new; it is remembered then. */
  admit(id: string, field: FieldValue | undefined): boolean
  /** The same for an item without identity. */
  admitBad(raw: Uint8Array): { readonly isNew: boolean; readonly hash: string }
  /** Starts counting a page. */
  beginPage(): void
  /** After the last item of a page. True when all of it is covered by earlier passes, newest first, so that no page behind it can be new. */
  endPage(pass: PassState): { readonly top: Mark | null; readonly covered: boolean }
  /** The state after a batch, the pass going on. @throws source.cursor_refused when too much would have to be remembered */
  during(pass: PassState): SplitState
  /** The state after the pass. */
  after(top: Mark | null): SplitState
}

/** @param nowMs a date further ahead than a day does not move the mark: it would cover everything that is to come */
export function openTracker(config: CursorConfig | undefined, state: SplitState, nowMs: number): Tracker {
  if (config === undefined) return noTracker(state)
  return config.mode === 'membership' ? membershipTracker(config, state) : orderedTracker(config, state, nowMs)
}

function orderedTracker(config: CursorConfig, state: SplitState, nowMs: number): Tracker {
  const { mark, known } = state
  const during: Known = new Map(state.during)
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
        return false
      }
      const name = nameOf(versionOf(id, text))
      if (known.has(name) || during.has(name)) return false
      during.set(name, key)
      return true
    },
    admitBad: bad.admit,
    endPage(pass) {
      // Newest first, only the first page tells where the next pass may stop; else the last page counts as much as the first.
      const top = config.order === 'desc' && pass.index > 0 ? pass.top : higher(pass.top, page.top)
      return { top, covered: config.order === 'desc' && page.items > 0 && page.covered === page.items }
    },
    during(pass) {
      largestPage = Math.max(largestPage, page.items)
      prune(during, floorOf(candidateOf(pass), config), Math.min(config.keep, Math.max(minKept, 2 * largestPage)))
      return { ...state, during, bad: bad.list(), pass }
    },
    after(top) {
      const newMark = higher(mark, top)
      const floor = floorOf(newMark, config)
      const kept: Known = new Map()
      for (const versions of [known, during])
        for (const [name, key] of versions) if (floor === null || key >= floor) kept.set(name, key)
      refuseTooMany(kept.size)
      return { ...state, mark: newMark, known: kept, during: new Map(), bad: bad.list(), pass: null }
    },
  }
}

function membershipTracker(config: CursorConfig, state: SplitState): Tracker {
  const known: Known = new Map(state.known)
  const bad = badItems(state)
  const prune = () => {
    for (const id of known.keys()) {
      if (known.size <= config.keep) break
      known.delete(id)
    }
  }
  return {
    since: null,
    beginPage() {},
    admit(id, field) {
      const name = nameOf(id)
      const version = field?.text ?? ''
      const before = known.get(name)
      // Taken out and put in again: what was seen last is forgotten last.
      known.delete(name)
      known.set(name, version)
      return before !== version
    },
    admitBad: bad.admit,
    endPage: () => ({ top: null, covered: false }),
    during(pass) {
      prune()
      return { ...state, known, bad: bad.list(), pass }
    },
    after() {
      prune()
      return { ...state, known, bad: bad.list(), pass: null }
    },
  }
}

function noTracker(state: SplitState): Tracker {
  return {
    since: null,
    beginPage() {},
    admit: () => true,
    admitBad: raw => ({ isNew: true, hash: hash(raw) }),
    endPage: () => ({ top: null, covered: false }),
    during: pass => ({ ...emptyState, passes: state.passes, pass }),
    after: () => ({ ...emptyState, passes: state.passes + 1 }),
  }
}

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
