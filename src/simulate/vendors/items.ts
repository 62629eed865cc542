// Items as a vendor writes them, with their faults, and what the journal is to know of them.
import { createHash } from 'node:crypto'
import type { Item } from './faults.ts'
import type { ShopReview } from './shop.ts'
import type { Desk, Fact, VendorSpec } from './vendor.ts'

export interface Written {
  readonly value: unknown
  readonly fact: Fact
}

/**
 * Writes reviews as items of this vendor. A version keeps its fault whenever it is served.
 * @param shape the vendor's item of a review, as it should be
 */
export function writeItems(
  desk: Desk,
  { faults }: Pick<VendorSpec, 'faults'>,
  reviews: readonly ShopReview[],
  shape: (review: ShopReview, n: number) => Item,
  job: string | null = null,
): readonly Written[] {
  return reviews.map((review, n) => {
    const sound = shape(review, n)
    const kind = desk.faults.draw('item', review.id, review.version)
    const fault = kind === null ? undefined : faults[kind]
    const value = fault?.change === undefined ? sound : fault.change(sound, review)
    const { asin, id, version } = review
    const refused = fault?.refused ?? false
    return { value, fact: { job, what: 'review', asin, id, version, fault: kind, refused, sha256: sha256Of(value) } }
  })
}

/** What the journal knows of an item that is no review. */
export function otherFact(what: 'signal' | 'error', asin: string, value: unknown, job: string | null = null): Fact {
  return { job, what, asin, id: '', version: 1, fault: null, refused: false, sha256: sha256Of(value) }
}

/** Counts of products, as `writeItems` for reviews: the same counts keep their fault. */
export function writeSignals(
  desk: Desk,
  { faults }: Pick<VendorSpec, 'faults'>,
  rows: readonly { readonly asin: string; readonly value: Item }[],
): readonly Written[] {
  return rows.map(({ asin, value: sound }) => {
    const kind = desk.faults.draw('item', asin, sha256Of(sound))
    const fault = kind === null ? undefined : faults[kind]
    const value = fault?.change === undefined ? sound : fault.change(sound, noReview)
    return { value, fact: { ...otherFact('signal', asin, value), fault: kind, refused: fault?.refused ?? false } }
  })
}

/** For faults of signals, which look at no review. */
const noReview: ShopReview = {
  ...{ id: '', asin: '', name: '', profile: '', title: '', text: '', stars: 1, date: '', country: 'US', votes: 0 },
  ...{ verified: false, vine: false, variant: [], images: [], version: 1, updatedAt: '' },
}

export const valuesOf = (written: readonly Written[]) => written.map(({ value }) => value)
export const factsOfItems = (written: readonly Written[]) => written.map(({ fact }) => fact)

export function sha256Of(value: unknown): string {
  return createHash('sha256')
    .update(typeof value === 'string' ? value : JSON.stringify(value))
    .digest('hex')
}
