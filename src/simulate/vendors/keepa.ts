// Keepa: counts of products and their history, paid with tokens that flow in by the minute. A call may take more than is there; then it is waited for.
import { same } from '../gate.ts'
import { callFaults } from './faults.ts'
import { factsOfItems, valuesOf, writeSignals } from './items.ts'
import type { Product } from './shop.ts'
import { type Answer, type Call, type Desk, json, type OpenVendor, type VendorSpec } from './vendor.ts'

const refillRate = 5
const refillEveryMs = 60_000 / refillRate
const firstTokens = 60
const maxTokens = refillRate * 60

export const keepa: VendorSpec = {
  name: 'keepa',
  summary: 'Keepa: rating counts and their history, for tokens',
  tries: [`curl '{url}/product?key={key}&domain=1&asin=B0WEIRTST1&rating=1'`],
  login: { key: 'as ?key=' },
  faults: {
    ...callFaults,
    no_ratings: {
      scope: 'item',
      doc: 'no rating history: csv has null there',
      change: item => ({ ...item, csv: emptyCsv() }),
    },
  },
  limit: null,
  atOnce: null,
  keepMs: null,
  extras: ['credits'],
  open,
}

/** Keepa counts minutes from a day of its own. */
const keepaMinute = (ms: number) => Math.floor(ms / 60_000) - 21_564_000
const emptyCsv = (): unknown[] => Array.from({ length: 35 }, () => null)

function open(desk: Desk): OpenVendor {
  const { settings, clock } = desk
  let tokens = settings.credits ?? firstTokens
  let refilledMs = clock.monotonic()

  const refill = () => {
    const steps = Math.floor((clock.monotonic() - refilledMs) / refillEveryMs)
    tokens = Math.max(tokens, Math.min(maxTokens, tokens + steps))
    refilledMs += steps * refillEveryMs
  }
  const state = (consumed: number) => ({
    timestamp: clock.now(),
    tokensLeft: tokens,
    refillIn: Math.ceil(refilledMs + refillEveryMs - clock.monotonic()),
    refillRate,
    tokenFlowReduction: 0,
    tokensConsumed: consumed,
    processingTimeInMs: consumed === 0 ? 0 : 41,
  })
  const failure = (status: number, type: string, message: string): Answer =>
    json(status, { ...state(0), error: { type, message, details: '' } })
  const noTokens = () => failure(429, 'notEnoughToken', 'Not enough tokens')

  return {
    // What a wrong key hears is not documented.
    refuse: ({ query }) =>
      same(query.get('key'), settings.key) ? null : failure(402, 'paymentRequired', 'The key is not known'),
    trouble: kind =>
      kind === '429'
        ? noTokens()
        : /^5/.test(kind)
          ? failure(Number(kind), 'internalServerError', 'Internal error')
          : null,
    throttled: noTokens,
    notFound: () => failure(404, 'notFound', 'Not found'),
    routes: [{ method: 'GET', path: '/product', handle: product }],
  }

  function product(call: Call): Answer {
    const asins = (call.query.get('asin') ?? '').split(',').filter(each => each !== '')
    if (asins.length === 0 || asins.length > 100) return failure(400, 'invalidParameter', 'asin: 1 to 100')
    refill()
    if (tokens <= 0) return noTokens()
    const rated = call.query.get('rating') === '1'
    const consumed = asins.length * (rated ? 2 : 1)
    tokens -= consumed
    desk.note({ event: 'charged', call: call.number, params: { asins, rated }, cost: consumed })
    const rows = asins.map(asin => {
      const look = desk.shop.look(asin)
      return { asin, value: look === null ? unknown(asin) : row(look.product, keepaMinute(clock.now()), rated) }
    })
    const written = writeSignals(desk, keepa, rows)
    return { ...json(200, { ...state(consumed), products: valuesOf(written) }), facts: factsOfItems(written) }
  }
}

const unknown = (asin: string) => ({ asin, domainId: 1, title: null, productType: 3, hasReviews: false, csv: null })

/** Two points: a day ago without the latest reviews, and now. */
function row(
  { asin, title, stars, ratings, reviews }: Product,
  minute: number,
  rated: boolean,
): Record<string, unknown> {
  const before = minute - 1400
  const csv = emptyCsv()
  if (rated) {
    csv[16] = [before, Math.round(stars * 10), minute, Math.round(stars * 10)]
    csv[17] = [before, Math.max(0, ratings - 6), minute, ratings]
  }
  return {
    asin,
    domainId: 1,
    title,
    productType: 0,
    hasReviews: reviews > 0,
    lastRatingUpdate: minute,
    csv,
    // Counts of single variations have stood still for a long time.
    reviews: {
      lastUpdate: minute,
      ratingCount: [7_500_000, 1800],
      reviewCount: [before, Math.max(0, reviews - 2), minute, reviews],
    },
  }
}
