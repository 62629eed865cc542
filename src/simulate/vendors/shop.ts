// The shop that every simulated vendor looks at: products and their reviews with what Amazon shows beside a text. More reviews appear and older ones
// are edited tick by tick (world.ts); votes grow; some reviews are near-copies of another of the same day, written by accounts that bought nothing.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { codeFolder } from '../../core/shipped.ts'
import { chance, pick } from '../chance.ts'
import { createWorld, type Review, shippedReviews, type Version } from '../world.ts'

export interface ShopReview {
  /** As Amazon's: R and 9 to 14 letters or digits. */
  readonly id: string
  readonly asin: string
  readonly name: string
  readonly profile: string
  readonly title: string
  readonly text: string
  /** 1 to 5. */
  readonly stars: number
  /** yyyy-mm-dd. */
  readonly date: string
  /** Two letters. */
  readonly country: string
  readonly votes: number
  readonly verified: boolean
  readonly vine: boolean
  readonly variant: readonly (readonly [string, string])[]
  readonly images: readonly string[]
  readonly version: number
  readonly updatedAt: string
}

export interface Product {
  readonly asin: string
  readonly parent: string
  readonly title: string
  readonly brand: string
  /** Average of all ratings, one decimal. */
  readonly stars: number
  /** Ratings, most of them without a text. */
  readonly ratings: number
  /** Reviews with a text. */
  readonly reviews: number
  /** Ratings by stars, from one to five. */
  readonly histogram: readonly number[]
}

export interface Shop {
  readonly ticks: number
  advanceTo(ticks: number): void
  readonly asins: readonly string[]
  /** The product as it is now; null: there is none. */
  look(asin: string): Look | null
}

/** A product at a moment; later ticks do not change it. */
export interface Look {
  readonly product: Product
  /** By day of the review, newest first; of one day the one that appeared last is first. */
  readonly newest: readonly ShopReview[]
  /** What the product page shows: up to 8 of the home country and up to 5 of others, the most helpful first. */
  top(home?: string): { readonly local: readonly ShopReview[]; readonly global: readonly ShopReview[] }
}

export interface ShopOptions {
  readonly seed: number
  readonly initial: number
  readonly editEvery: number
}

type Facts = Omit<ShopReview, 'name' | 'text' | 'votes' | 'version' | 'updatedAt'>
type Told = Review & Partial<Pick<Facts, 'country' | 'verified' | 'vine' | 'profile' | 'variant' | 'images'>>

interface Invented {
  readonly products: readonly { asin: string; title: string; brand: string; parent: string }[]
  readonly reviews: readonly Told[]
}

const invented = () => JSON.parse(readFileSync(join(codeFolder, 'simulate/data/invented.json'), 'utf8')) as Invented

/** Every so many reviews there is a near-copy of one. */
const copyEvery = 20
const localShown = 8
const globalShown = 5

export function createShop({ seed, initial, editEvery }: ShopOptions): Shop {
  const { products, reviews } = invented()
  const told: readonly Told[] = [...reviews, ...withCopies(shippedReviews())]
  const world = createWorld({ seed, initial: initial + reviews.length, editEvery, reviews: told })
  const names = new Map(products.map(product => [product.asin, product]))
  const asins = [...new Set([...names.keys(), ...world.products])]

  return {
    asins,
    get ticks() {
      return world.ticks
    },
    advanceTo: ticks => world.advanceTo(ticks),
    look(asin) {
      if (!names.has(asin) && !world.products.has(asin)) return null
      const named = names.get(asin)
      const reviews = world.versions(asin).map(version => shopReview(version, seed, world.ticks))
      const ranked = reviews.toSorted((a, b) => b.votes - a.votes || order(b.date, a.date) || order(a.id, b.id))
      return {
        product: {
          asin,
          parent: named?.parent ?? asin.replace(/.$/, 'P'),
          title: named?.title ?? `Fine Foods pantry item ${asin}`,
          brand: named?.brand ?? 'Fine Foods',
          ...counts(reviews),
        },
        newest: reviews.toSorted((a, b) => order(b.date, a.date) || order(b.updatedAt, a.updatedAt)),
        top: (home = 'US') => ({
          local: ranked.filter(({ country }) => country === home).slice(0, localShown),
          global: ranked.filter(({ country }) => country !== home).slice(0, globalShown),
        }),
      }
    },
  }
}

const order = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

/** For each text some give stars only. */
const ratingsPerReview = 7

function counts(reviews: readonly ShopReview[]): Pick<Product, 'stars' | 'ratings' | 'reviews' | 'histogram'> {
  const histogram = [0, 0, 0, 0, 0]
  for (const { stars } of reviews) histogram[stars - 1]! += ratingsPerReview
  const ratings = reviews.length * ratingsPerReview
  const sum = histogram.reduce((total, count, n) => total + count * (n + 1), 0)
  return {
    stars: ratings === 0 ? 4 : Math.round((sum / ratings) * 10) / 10,
    ratings: ratings === 0 ? 12 : ratings,
    reviews: reviews.length,
    histogram,
  }
}

function shopReview({ review, number, updatedAt }: Version, seed: number, ticks: number): ShopReview {
  const told = review as Told
  const { id, asin, author, title, body, stars, date, helpful } = told
  return {
    id: told.profile === undefined ? amazonId(id) : id,
    asin,
    name: author,
    profile: told.profile ?? profileOf(author),
    title,
    text: body.replace(/\s*<br ?\/?>\s*/g, '\n'),
    stars,
    date,
    country:
      told.country ??
      (chance(seed, 'abroad', id) < 0.1 ? pick(['CA', 'GB', 'IN', 'AU'], chance(seed, 'country', id)) : 'US'),
    votes: helpful + Math.floor(ticks * chance(seed, 'votes', id) * 0.2),
    verified: told.verified ?? chance(seed, 'verified', id) < 0.8,
    vine: told.vine ?? chance(seed, 'vine', id) < 0.03,
    variant:
      told.variant ??
      (chance(seed, 'variant', id) < 0.5
        ? [
            ['Flavor Name', 'Original'],
            ['Size', 'Pack of 6'],
          ]
        : []),
    images: told.images ?? [],
    version: number,
    updatedAt,
  }
}

const digits = (text: string, count: number) =>
  BigInt(`0x${createHash('sha256').update(text).digest('hex').slice(0, 24)}`)
    .toString(36)
    .toUpperCase()
    .padStart(count, '0')
    .slice(0, count)

const amazonId = (id: string) => `R${digits(id, 13)}`
const profileOf = (author: string) => `A${digits(author, 13)}`

/** The reviews, and behind every so many of them a near-copy of the last, so that it appears later under the same day. */
function withCopies(reviews: readonly Review[]): readonly Told[] {
  return reviews.flatMap((review, n) => (n % copyEvery === copyEvery - 1 ? [review, copyOf(review)] : [review]))
}

function copyOf(review: Review): Told {
  const author = `reviewer-${digits(`copy of ${review.author}`, 12).toLowerCase()}`
  const body = `${review.body.replace(/[.!]+\s*$/, '')}!!`
  return { ...review, id: `${review.id}C`, author, body, stars: 5, helpful: 0, verified: false }
}
