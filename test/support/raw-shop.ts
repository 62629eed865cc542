// A shop that answers page by page on this machine, and a pipeline in real processes that keeps its pages and maps them again: what the kill tests on
// either log are made of.
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect } from 'vitest'
import { type CliOptions, runWeir } from './cli.ts'

const schema = resolve(import.meta.dirname, '../../schemas/raw-review.avsc')
const products = Array.from({ length: 12 }, (_, i) => `p${i}`)
const pagesEach = 3
const perPage = 5
export const shopTotal = products.length * pagesEach * perPage

/** The mapping of the first run, and one under which every rating is another and the last item of a page fails. */
export const broken = `'this.stars == "none" ? 0.0 : double(this.stars)'`
export const mended = `'10.0 * double(this.stars)'`

interface Review {
  readonly id: string
  readonly stars: number | string
}

/** The reviews of a page; one of each page has no number of stars. */
const reviewsOf = (product: string, page: number): Review[] =>
  page > pagesEach
    ? []
    : Array.from({ length: perPage }, (_, i) => ({ id: `${product}-${page}-${i}`, stars: i === 4 ? 'none' : i + 1 }))

export interface ShopRow {
  readonly headers: Record<string, string>
  readonly value: {
    readonly review_id: string
    readonly rating: number
    readonly body?: string
    readonly split: string
  }
}

export interface RawShop extends AsyncDisposable {
  /** Name of the pipeline and its topic. */
  readonly name: string
  readonly asked: () => number
  edit(from: string, to: string): void
  weir(args: readonly string[], more?: Partial<CliOptions>): ReturnType<typeof runWeir>
  rows(topic: string): Promise<ShopRow[]>
  close(): Promise<void>
}

/** `bootstrap`: a cluster; null: the embedded log. */
export async function rawShop(bootstrap: string | null = null, options: Partial<CliOptions> = {}): Promise<RawShop> {
  const dir = mkdtempSync(join(tmpdir(), 'weir-reparse-'))
  const name = bootstrap === null ? 'shop' : `shop${randomBytes(4).toString('hex')}`
  let asked = 0
  const server = createServer((request, response) => {
    asked++
    const url = new URL(request.url!, 'http://shop')
    const reviews = reviewsOf(url.pathname.slice(1), Number(url.searchParams.get('page')))
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ reviews }))
  })
  await new Promise<void>(listening => server.listen(0, '127.0.0.1', listening))
  const file = join(dir, 'pipeline.yaml')
  writeFileSync(
    file,
    `pipeline: ${name}
source:
  keep_raw: topic
  http:
    for_each: { product: ${JSON.stringify(products)} }
    request: { url: "http://127.0.0.1:${(server.address() as AddressInfo).port}/{{ split.product }}" }
    paginate: { page: { param: page, first: 1, max: 10 } }
    records: body.reviews
    cursor: { mode: membership, id: this.id, version: this.stars }
fetch:
  rate_limit: { requests: 10000, per: 1s }
  allow_private: [127.0.0.0/8]
map:
  review_id: this.id
  product_asin: split.product
  rating: ${broken}
topic: { name: ${name}, key: record.review_id, schema: ${schema}, partitions: 3 }
`,
  )
  if (bootstrap !== null)
    writeFileSync(
      join(dir, 'weir.yaml'),
      `broker: { kafka: { brokers: ["${bootstrap}"], session_timeout: 6s, transaction_timeout: 10s, request_timeout: 5s } }\n`,
    )
  const weir: RawShop['weir'] = (args, more = {}) =>
    runWeir([...args, '--data', join(dir, '.weir')], { cwd: dir, deadlineMs: 90_000, ...options, ...more })
  const close = async () => {
    server.closeAllConnections()
    if (server.listening) await new Promise(closed => server.close(closed))
  }
  return {
    name,
    asked: () => asked,
    weir,
    close,
    edit(from, to) {
      const text = readFileSync(file, 'utf8')
      expect(text).toContain(from)
      writeFileSync(file, text.replace(from, to))
    },
    async rows(topic) {
      const { out } = await weir(['topic', 'cat', topic, '--json'])
      return out
        .split('\n')
        .filter(line => line !== '')
        .map(line => JSON.parse(line) as ShopRow)
    },
    async [Symbol.asyncDispose]() {
      await close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

export const shopFailing = products.length * pagesEach

/** After a run under the first mapping and reparses under the second: each record once as it was and once as it is, each failure one letter. */
export async function auditReparsed(scene: RawShop): Promise<void> {
  const byId = Map.groupBy(await scene.rows(scene.name), ({ value }) => value.review_id)
  expect(byId.size).toBe(shopTotal)
  for (const [id, rows] of byId) {
    const stars = Number(id.at(-1)) + 1
    const expected = stars === 5 ? [0] : [stars, 10 * stars]
    expect({ id, ratings: rows.map(({ value }) => value.rating) }).toEqual({ id, ratings: expected })
    expect(rows.map(({ headers }) => headers['weir-change'])).toEqual([undefined, 'remapped'].slice(0, rows.length))
  }
  const letters = await scene.rows(`${scene.name}_dlq`)
  expect(letters).toHaveLength(shopFailing)
  expect(new Set(letters.map(({ headers }) => headers['weir-id'])).size).toBe(shopFailing)
}

/** As `topic cat --json` shows bytes. */
export function bodyOf(shown: string): { readonly reviews: readonly Review[] } {
  const text = shown.startsWith('{') ? shown : Buffer.from(shown, 'base64').toString()
  return JSON.parse(text)
}
