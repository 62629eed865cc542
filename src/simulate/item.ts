// How a version of a review looks on the wire: as a plausible vendor writes it, and damaged where the share says so.
import { createHash } from 'node:crypto'
import { chance, pick } from './chance.ts'
import type { Version } from './world.ts'

const damagers = {
  no_id: ({ id: _, ...item }) => item,
  id_null: item => ({ ...item, id: null }),
  id_object: item => ({ ...item, id: { value: item['id'] } }),
  no_updated_at: ({ updated_at: _, ...item }) => item,
  not_an_object: item => `review ${item['id']} of ${item['updated_at']} could not be loaded`,
  stars_missing: ({ stars: _, ...item }) => item,
  stars_null: item => ({ ...item, stars: null }),
  stars_text: item => ({ ...item, stars: 'five' }),
  helpful_text: item => ({ ...item, helpful: 'many' }),
} as const satisfies Record<string, (item: Readonly<Record<string, unknown>>) => unknown>

/** What can be wrong with an item: what identifies it, its shape, or a field of a wrong kind. */
export type Damage = keyof typeof damagers
export const damageKinds = Object.keys(damagers) as readonly Damage[]

/** `plain`: numbers are numbers. `amazon`: "4.0 out of 5 stars", "3 people found this helpful". */
export const itemStyles = ['plain', 'amazon'] as const
export type ItemStyle = (typeof itemStyles)[number]

export interface WireItem {
  /** The JSON text of the item. */
  readonly json: string
  readonly damage: Damage | null
  /** SHA-256 of `json`, hex: finds the item again in a dead letter. */
  readonly sha256: string
}

export interface ItemOptions {
  readonly seed: number
  /** Share of versions that are damaged, 0 to 1. */
  readonly malformed: number
  readonly damageKinds: readonly Damage[]
  readonly style: ItemStyle
}

/** Writes versions; the same version has the same text each time it is served. */
export function createItemWriter(options: ItemOptions): (version: Version) => WireItem {
  const written = new WeakMap<Version, WireItem>()
  return version => {
    let item = written.get(version)
    if (item === undefined) written.set(version, (item = write(version, options)))
    return item
  }
}

function write(version: Version, { seed, malformed, damageKinds, style }: ItemOptions): WireItem {
  const { review, number } = version
  const damage =
    chance(seed, 'malformed', review.id, number) < malformed
      ? pick(damageKinds, chance(seed, 'damage', review.id, number))
      : null
  const sound = soundItem(version, style, seed)
  const json = JSON.stringify(damage === null ? sound : damagers[damage](sound))
  return { json, damage, sha256: createHash('sha256').update(json).digest('hex') }
}

function soundItem({ review, updatedAt }: Version, style: ItemStyle, seed: number): Record<string, unknown> {
  const { id, asin, author, title, body, stars, date, helpful } = review
  const amazon = style === 'amazon'
  return {
    id,
    asin,
    author,
    title,
    body,
    stars: amazon ? `${stars.toFixed(1)} out of 5 stars` : stars,
    date,
    updated_at: updatedAt,
    helpful: amazon ? helpfulText(helpful) : helpful,
    verified: chance(seed, 'verified', id) < 0.8,
  }
}

function helpfulText(votes: number): string | null {
  if (votes === 0) return null
  return votes === 1 ? 'One person found this helpful' : `${votes.toLocaleString('en-US')} people found this helpful`
}
