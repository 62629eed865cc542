// What Oxylabs makes of a page: its parsed content, page by page, or the page itself where it was not parsed.
import { productPage } from './amazon-pages.ts'
import { type FaultKinds, type Item, oddity, ratingFaults } from './faults.ts'
import { valuesOf, type Written, writeItems } from './items.ts'
import { flagOf, type Locale, localeOfDomain } from './locale.ts'
import type { Look, ShopReview } from './shop.ts'
import type { Desk } from './vendor.ts'

export const pageFaults: FaultKinds = {
  parse_failed: { scope: 'job', doc: 'the parser gives up: parse_status_code 12004, no reviews' },
  unparsed: { scope: 'job', doc: 'content is the page as text, though parse was asked for' },
  inner_503: { scope: 'job', doc: 'the shop answered 503: status_code inside a 200' },
}

export const reviewFaults: FaultKinds = {
  ...ratingFaults('rating'),
  no_author: oddity('author is null', 'author', () => null),
  empty_content: oddity('content is empty', 'content', () => ''),
  helpful_count: oddity('helpful_count is there', 'helpful_count', (_, { votes }) => votes),
  no_id: oddity('no id', 'id', () => undefined),
}

export interface Page {
  readonly content: unknown
  /** What the shop answered to the vendor. */
  readonly status: number
  readonly url: string
  readonly written: readonly Written[]
}

interface Wanted {
  readonly source: string
  readonly asin: string
  readonly domain: string
  readonly given: Readonly<Record<string, unknown>>
  readonly fault: string | null
  readonly job: string | null
}

const pageSize = 8
const maxPages = 10

/** @param look null: the shop has no such product */
export function contentOf(desk: Desk, look: Look | null, wanted: Wanted): readonly Page[] {
  const { asin, domain, given, fault, source } = wanted
  const site = `https://www.amazon.${domain}`
  const url = `${site}/dp/${asin}`
  if (look === null) return [{ content: '', status: 404, url, written: [] }]
  if (fault === 'inner_503') return [{ content: '', status: 503, url, written: [] }]
  if (fault === 'parse_failed') {
    const content = { asin: null, page: 1, page_type: 'Product', parse_status_code: 12004, url, reviews: [] }
    return [{ content, status: 200, url, written: [] }]
  }
  const locale = localeOfDomain(domain)
  if (given['parse'] !== true || fault === 'unparsed')
    return [{ content: productPage(desk, look, locale, '2026').html, status: 200, url, written: [] }]
  if (source === 'amazon_reviews') return reviewPages(desk, look, locale, wanted)
  const { local, global } = look.top(locale.country)
  const shown = [...local, ...global]
  const write = (review: ShopReview) => ({ ...item(review, locale), is_verified: review.verified })
  const written = writeItems(desk, { faults: reviewFaults }, shown, write, wanted.job)
  return [{ content: product(look, asin, url, valuesOf(written)), status: 200, url, written }]
}

function item({ id, title, name, stars, text, country, date, variant }: ShopReview, locale: Locale): Item {
  return {
    id,
    title: `${locale.stars(stars)} ${title}`,
    author: name,
    rating: stars,
    content: text,
    timestamp: flagged(locale, country, date),
    is_verified: false,
    product_attributes: variant.map(([each, value]) => `${each}: ${value}`).join(''),
  }
}

/** The line with the day, and the flag behind the country. */
function flagged(locale: Locale, country: string, date: string): string {
  const line = locale.dated(country, date)
  return line.replace(/^(Reviewed in .+?|Beoordeeld in \S+) (on|op) /, `$1 ${flagOf(country)} $2 `)
}

function reviewPages(desk: Desk, look: Look, locale: Locale, { asin, domain, given, job }: Wanted): readonly Page[] {
  const pages = Math.min(maxPages, Math.max(1, Math.ceil(look.newest.length / pageSize)))
  const from = Math.max(1, Number(given['start_page'] ?? 1))
  const count = Math.max(1, Number(given['pages'] ?? 1))
  return Array.from({ length: Math.max(0, Math.min(count, pages - from + 1)) }, (_, n) => {
    const page = from + n
    const shown = look.newest.slice((page - 1) * pageSize, page * pageSize)
    // This source writes a word where the product's writes a boolean.
    const write = (review: ShopReview) => ({ ...item(review, locale), is_verified: review.verified ? 'True' : 'False' })
    const written = writeItems(desk, { faults: reviewFaults }, shown, write, job)
    const path = `https://www.amazon.${domain}/product-reviews/${asin}`
    const content = {
      asin,
      asin_in_url: asin,
      page,
      page_type: 'Reviews',
      pages,
      parse_status_code: 12000,
      product_name: look.product.title,
      reviews: valuesOf(written),
      url: `${path}?ie=UTF8&reviewerType=all_reviews&pageNumber=${page}`,
    }
    return { content, status: 200, url: `${path}?pageNumber=${page}`, written }
  })
}

function product({ product }: Look, asin: string, url: string, reviews: readonly unknown[]): Item {
  const ladder = [{ url: '/b?node=900000001', name: 'Kettles' }]
  return {
    asin,
    asin_in_url: asin,
    url,
    page: 1,
    page_type: 'Product',
    parse_status_code: 12000,
    title: product.title,
    product_name: product.title,
    brand: product.brand,
    manufacturer: `${product.brand} Test Works`,
    price: 39.99,
    price_initial: 49.99,
    currency: 'USD',
    stock: 'In Stock',
    rating: product.stars,
    reviews_count: product.ratings,
    answered_questions_count: 0,
    rating_stars_distribution: product.histogram
      .map((count, n) => ({ rating: n + 1, percentage: Math.round((count / product.ratings) * 100) }))
      .reverse(),
    bullet_points: 'Slim spout\nStovetop safe',
    images: ['https://images.example.test/I/weir-p1.jpg'],
    category: [{ ladder }],
    sales_rank: [{ rank: 412, ladder }],
    reviews,
  }
}
