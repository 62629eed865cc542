// The reviews a simulated vendor has at a moment: real ones (data/LICENSES.md) that appear over time, are edited, and are damaged on request.
// Everything but the clock follows from the seed, so a test can say what was served.
import { readFileSync } from 'node:fs'

/** A review as the vendor serves it. Damaged ones break this shape on purpose. */
export interface VendorReview {
  readonly id: string
  readonly asin: string
  readonly author: string
  readonly title: string
  readonly body: string
  readonly stars: number
  /** Day of the review, yyyy-mm-dd. */
  readonly date: string
  /** When this version appeared, ISO 8601. */
  readonly updated_at: string
  readonly helpful: number
  readonly verified: boolean
}

export interface WorldOptions {
  readonly seed: number
  /** Reviews there from the start; the others appear over time when `addEveryMs` is set. */
  readonly initial: number
  /** A review appears this often; null: none. */
  readonly addEveryMs: number | null
  /** Every so many appearances an older review is edited as well; 0: never. */
  readonly editEvery: number
  /** Share of reviews that are damaged, 0 to 1. */
  readonly malformed: number
}

type Kept = Omit<VendorReview, 'updated_at' | 'verified'>

/** A number in [0, 1) that depends on the seed and the words only (FNV-1a, then mixed). */
export function chance(seed: number, ...words: readonly (string | number)[]): number {
  let hash = 0x811c9dc5 ^ seed
  for (const char of words.join('|')) hash = Math.imul(hash ^ char.codePointAt(0)!, 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39)
  return ((hash ^ (hash >>> 15)) >>> 0) / 4294967296
}

/** The shipped reviews, oldest first. */
export function shippedReviews(): readonly Kept[] {
  const text = readFileSync(new URL('./data/finefoods.jsonl', import.meta.url), 'utf8')
  return text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as Kept)
}

export interface World {
  /** What the vendor has now, each review in its newest version, oldest version first. `nowMs` is the wall clock. */
  reviews(nowMs: number): readonly VendorReview[]
}

/** A world that begins at `startMs` (wall clock). */
export function createWorld({ seed, initial, addEveryMs, editEvery, malformed }: WorldOptions, startMs: number): World {
  const all = shippedReviews()
  const first = Math.min(initial, all.length)
  const verified = (id: string) => chance(seed, 'verified', id) < 0.8
  const there: VendorReview[] = all
    .slice(0, first)
    .map((review, i) =>
      damage({
        ...review,
        verified: verified(review.id),
        updated_at: `${review.date}T00:00:${String(i % 60).padStart(2, '0')}Z`,
      }),
    )
  let ticks = 0

  function damage(review: VendorReview): VendorReview {
    if (chance(seed, 'malformed', review.id) >= malformed) return review
    const kinds: readonly Partial<Record<keyof VendorReview, unknown>>[] = [
      { stars: undefined },
      { stars: 'five' },
      { stars: null },
      { helpful: 'many' },
    ]
    return { ...review, ...kinds[Math.floor(chance(seed, 'kind', review.id) * kinds.length)] } as VendorReview
  }

  const tick = (number: number) => {
    const updated_at = new Date(startMs + number * addEveryMs!).toISOString()
    const next = all[first + number - 1]
    if (next) there.push(damage({ ...next, verified: verified(next.id), updated_at }))
    if (editEvery === 0 || number % editEvery !== 0 || there.length === 0) return
    const place = Math.floor(chance(seed, 'edit', number) * Math.min(there.length, first || there.length))
    const [old] = there.splice(place, 1)
    there.push({ ...old!, updated_at, body: `${old!.body} (edited)` })
  }

  return {
    reviews(nowMs) {
      const due = addEveryMs === null ? 0 : Math.floor((nowMs - startMs) / addEveryMs)
      // A review at most appears once, so the ticks are bounded by the data; edits end with it.
      for (const last = Math.min(due, all.length - first); ticks < last; ) tick(++ticks)
      return there
    },
  }
}
