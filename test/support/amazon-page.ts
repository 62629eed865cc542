// The pages of the vendor file `amazon_page`, read by the real source and mapped as the file says, and the comparison with what is expected.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect } from 'vitest'
import { parse } from 'yaml'
import { compileMapping, type Mapping } from '../../src/mapping/mapping.ts'
import { openHttpSource, poll } from './open-http.ts'
import { type Reply, scriptedGuard } from './scripted-guard.ts'

const root = resolve(import.meta.dirname, '../..')

interface VendorFile {
  readonly source: { readonly http: Record<string, unknown> }
  readonly map: Readonly<Record<string, string>>
}

const vendor = parse(readFileSync(`${root}/src/sources/vendors/amazon_page.yaml`, 'utf8')) as VendorFile

const parameters: Readonly<Record<string, unknown>> = {
  asins: ['B0WEIRTST1'],
  agent: 'example-reviews (ops@example.com)',
  base_url: 'https://www.amazon.com',
  path: 'dp',
}

/** ${params.name} replaced: alone it takes the value as it is. */
function withParameters(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withParameters)
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withParameters(each)]))
  if (typeof value !== 'string') return value
  const whole = /^\$\{params\.(\w+)\}$/.exec(value)?.[1]
  if (whole !== undefined) return parameters[whole]
  return value.replace(/\$\{params\.(\w+)\}/g, (_, name: string) => String(parameters[name]))
}

const amazonPage = withParameters(vendor.source.http) as Record<string, unknown>

const rawReview = readFileSync(`${root}/schemas/raw-review.avsc`, 'utf8')
const mapping: Mapping = compileMapping({ ...vendor.map, ingestion_timestamp: 'now' }, rawReview)

export type Review = Readonly<Record<string, unknown>>

export interface PageOutcome {
  /** One for each item, in order: the record, or the code of its error. */
  readonly outcomes: readonly (Review | string)[]
  readonly cursor: string | null
}

/** One poll of the page. @param meta obey what the page says to robots. @throws what the poll throws */
export async function readPage(reply: Reply, asin: string, meta = true): Promise<PageOutcome> {
  const guard = scriptedGuard(url => (url.pathname === '/robots.txt' ? { status: 404, body: '' } : reply))
  const robots = { ...(amazonPage['robots'] as object), meta }
  const { source } = openHttpSource({ ...amazonPage, robots }, guard)
  await using opened = source
  const split = { id: `asin=${asin}`, vars: { asin } }
  const { batches, cursor } = await poll(opened, null, split)
  const outcomes = batches
    .flatMap(({ items }) => items)
    .map(item => {
      if (item.error) return item.error.code
      const raw = typeof item.raw === 'function' ? item.raw() : item.raw
      expect(opened.reparse(raw, item.context), 'the item comes back out of its bytes').toEqual([item.value])
      try {
        return mapping.apply({ this: item.value, split: split.vars, now: 0 })
      } catch (error) {
        return (error as { code: string }).code
      }
    })
  return { outcomes, cursor }
}

const fields = [
  'review_id',
  'product_asin',
  'reviewer_name',
  'review_text',
  'review_title',
  'rating',
  'review_date',
  'helpfulness_votes',
]

/** Null, an empty text and no votes are the same; white space is collapsed. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value) === 0 ? null : Number(value)
  if (value === '' || value === undefined || value === 0) return null
  return typeof value === 'string' ? value.replace(/\s+/g, ' ').trim() : value
}

/** Fails unless the review is the expected one, field for field; `<field>_alt` is as good as the field. */
export function expectReview(given: Review | string, expected: Review, n: number): void {
  for (const field of fields) {
    const allowed = [expected[field], ...((expected[`${field}_alt`] as unknown[]) ?? [])].map(plain)
    const value = typeof given === 'string' ? given : plain(given[field])
    if (!allowed.includes(value)) expect({ n, field, value }).toEqual({ n, field, value: allowed[0] })
  }
}
