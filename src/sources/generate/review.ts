// One synthetic review, in the fields of RawReview, from a seed and an index.

export interface Review {
  readonly review_id: string
  readonly product_asin: string
  readonly reviewer_name: string
  readonly review_text: string
  readonly review_title: string
  readonly rating: number
  readonly review_date: string
  readonly helpfulness_votes: number
}

const titles = [
  'Just what I needed',
  'Does the job',
  'Broke after a week',
  'Très bien',
  'Better than expected',
  'Not for me',
  'Great value 👍',
]
const firstNames = ['Ana', 'Björn', 'Chen', 'Dmitri', 'Elif', 'Farah', 'Grace', 'Hugo', 'Inès', 'Jonas', 'Kim', 'Lucía']
const sentences = [
  'It arrived two days early and in good order.',
  'The first one had a scratch, so they sent another without asking.',
  'I have used it every day since, and it still looks new.',
  'The instructions are short — you will need to try things out.',
  'For the price you will not find a better one.',
  'My daughter loves it, my husband does not.',
  'The battery lasts for about 6 hours; the box says 10.',
  'Would buy again.',
  'It is smaller than it looks in the pictures.',
  'Customer service answered within a day & was friendly.',
]
const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]

/** Well-mixed 32 bits (murmur3's finaliser), so that neighbours have nothing in common. */
function mix(value: number): number {
  let h = value | 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** The review at an index; `isMalformed` for the share of indexes asked for. */
export function reviewAt(
  seed: number,
  index: number,
  products: number,
  malformedShare: number,
): { readonly value: Review; readonly isMalformed: boolean } {
  let state = mix(mix(seed + 1) ^ mix(index) ^ mix(Math.floor(index / 2 ** 32) + 0x9e3779b9))
  const below = (limit: number) => {
    state = (state + 0x9e3779b9) | 0
    return mix(state) % limit
  }
  const isMalformed = below(1_000_000) < malformedShare * 1_000_000
  const product = below(products)
  const rating = 1 + Math.floor(Math.sqrt(below(25)))
  const length = 1 + below(8)
  let text = sentences[below(sentences.length)]!
  for (let i = 1; i < length; i++) text += ` ${sentences[below(sentences.length)]}`
  const value: Review = {
    review_id: `R${index.toString(36).toUpperCase().padStart(11, '0')}`,
    product_asin: `B0${product.toString(36).toUpperCase().padStart(8, '0')}`,
    reviewer_name: `${firstNames[below(firstNames.length)]} ${String.fromCharCode(65 + below(26))}.`,
    review_text: text,
    review_title: titles[below(titles.length)]!,
    rating,
    review_date: `Reviewed in the United States on ${months[below(12)]} ${1 + below(28)}, ${2015 + below(11)}`,
    helpfulness_votes: below(4) === 0 ? below(200) : 0,
  }
  return { value, isMalformed }
}
