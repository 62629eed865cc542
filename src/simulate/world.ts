// The reviews a simulated vendor has at a moment: real ones (data/LICENSES.md), of which more appear and older ones are edited, a tick at a time.
// All of it follows from the seed and the number of ticks, never from the clock, so a vendor started again has the same history.
// Each tick is newer than all before it: updated_at never falls, and nothing is put in behind a reader who goes oldest first.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { codeFolder } from '../core/shipped.ts'
import { chance } from './chance.ts'

/** A review as the data file keeps it. */
export interface Review {
  readonly id: string
  readonly asin: string
  readonly author: string
  readonly title: string
  readonly body: string
  /** 1 to 5. */
  readonly stars: number
  /** Day of the review, yyyy-mm-dd. */
  readonly date: string
  readonly helpful: number
}

/** A review in one of its versions. */
export interface Version {
  readonly review: Review
  /** 1 for the first; edits count up. */
  readonly number: number
  /** When this version appeared, ISO 8601, whole seconds. */
  readonly updatedAt: string
}

export interface WorldOptions {
  readonly seed: number
  /** Reviews there from the start; the others appear one a tick. */
  readonly initial: number
  /** At every so many ticks an older review is edited as well; 0: never. */
  readonly editEvery: number
  /** Where they come from, in the order they appear. Default: the shipped ones. */
  readonly reviews?: readonly Review[]
}

export interface World {
  readonly ticks: number
  /** Every product that has reviews, now or later. */
  readonly products: ReadonlySet<string>
  /** Lets ticks happen up to this many in all; never takes one back. */
  advanceTo(ticks: number): void
  /** Each review of the product (null: of all) in its newest version, by updated_at and id, oldest first. */
  versions(asin: string | null): readonly Version[]
}

/** The shipped reviews, oldest first. */
export function shippedReviews(): readonly Review[] {
  const text = readFileSync(join(codeFolder, 'simulate/data/finefoods.jsonl'), 'utf8')
  return text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as Review)
}

export function createWorld({ seed, initial, editEvery, reviews = shippedReviews() }: WorldOptions): World {
  const first = Math.min(initial, reviews.length)
  const views = new Map<string | null, View>()
  const newest: Version[] = []
  let lastMs = 0
  let ticks = 0

  const viewOf = (asin: string | null): View => {
    let view = views.get(asin)
    if (view === undefined) views.set(asin, (view = createView()))
    return view
  }
  const put = (review: Review, number: number, ms: number): Version => {
    lastMs = Math.max(lastMs, ms)
    const version = { review, number, updatedAt: new Date(ms).toISOString().replace('.000Z', 'Z') }
    viewOf(null).put(version)
    viewOf(review.asin).put(version)
    return version
  }
  const dayOf = ({ date }: Review) => Date.parse(`${date}T00:00:00Z`)

  // Reviews of a day share a moment, as at vendors that stamp by the day.
  const start = reviews.slice(0, first).sort((a, b) => order(a.date, b.date) || order(a.id, b.id))
  for (const review of start) newest.push(put(review, 1, dayOf(review)))

  const tick = (number: number) => {
    const next = reviews[first + number - 1]
    if (next) newest.push(put(next, 1, Math.max(lastMs + 1000, dayOf(next))))
    if (editEvery === 0 || number % editEvery !== 0 || newest.length === 0) return
    const at = Math.floor(chance(seed, 'edit', number) * newest.length)
    const { review, number: before } = newest[at]!
    newest[at] = put(edited(review, before + 1, seed), before + 1, lastMs + 1000)
  }

  return {
    get ticks() {
      return ticks
    },
    products: new Set(reviews.map(review => review.asin)),
    advanceTo(count) {
      while (ticks < count) tick(++ticks)
    },
    versions: asin => views.get(asin)?.list() ?? [],
  }
}

const order = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

/** The reviewer came back: a sentence more, and a star more or less. */
function edited(review: Review, version: number, seed: number): Review {
  const better = chance(seed, 'mood', review.id, version) < 0.5
  const body = `${review.body.replace(/ \(Update \d+: [^)]*\)$/, '')} (Update ${version - 1}: ${better ? 'it grew on me' : 'it did not last'}.)`
  return { ...review, body, stars: Math.min(5, Math.max(1, review.stars + (better ? 1 : -1))) }
}

interface View {
  put(version: Version): void
  list(): readonly Version[]
}

/** Versions by id in the order they were put in, which is that of updated_at and id. */
function createView(): View {
  const byId = new Map<string, Version>()
  let listed: readonly Version[] | null = null
  return {
    put(version) {
      byId.delete(version.review.id)
      byId.set(version.review.id, version)
      listed = null
    },
    list: () => (listed ??= [...byId.values()]),
  }
}
