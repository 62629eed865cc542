// Published answers of vendors and data sets, each through the connector of its vendor, give exactly the records that are expected of them.
// Two of them are of vendors that weir does not bring: their connectors are the YAML in this file and nothing else.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  expectedOfPublished,
  expectRecords,
  havePublished,
  publishedFolder,
} from '../../support/vendor-expectations.ts'
import { type Answer, runVendor, type VendorUse, vendorServer } from '../../support/vendor-run.ts'

const published = (file: string) => readFileSync(join(publishedFolder, file), 'utf8')
const key = { api_key: 'secret-of-the-test' }

async function served(file: string, use: VendorUse, answer: Answer): Promise<void> {
  await using server = await vendorServer(answer)
  const { records, refused, failure } = await runVendor({ ...use, config: { ...use.config, base_url: server.url } })
  expect({ failure, refused: refused.length }).toEqual({ failure: null, refused: 0 })
  expectRecords(records, expectedOfPublished(file.split('/')[1]!))
}

describe.skipIf(!havePublished)(havePublished ? 'published answers' : 'published answers (skipped: no folder)', () => {
  test('Oxylabs, amazon_product', async () => {
    const file = 'vendor/oxylabs-amazon_product-parsed.json'
    const config = { username: 'me', password: 'secret-of-the-test', asins: ['B07FZ8S74R'] }
    await served(file, { vendor: 'oxylabs', config }, () => ({ body: published(file) }))
  })

  test('Rainforest, six products, one without reviews, most items without their ASIN', async () => {
    const file = 'vendor/rainforest-reviews.json'
    const products = JSON.parse(published(file)).reviews as { asin: string; reviews: object[] }[]
    const config = { mode: 'reviews', asins: products.map(({ asin }) => asin), ...key }
    await served(file, { vendor: 'rainforest', config }, ({ query }) => {
      const product = products.find(({ asin }) => asin === query.get('asin'))!
      return { body: JSON.stringify({ request_info: { success: true }, reviews: product.reviews }) }
    })
  })

  test('ScrapeHero, self-hosted', async () => {
    const file = 'vendor/scrapehero-review-api.json'
    const config = { mode: 'self_hosted', asins: ['B07ZPL752N'] }
    await served(file, { vendor: 'scrapehero', config }, () => ({ body: published(file) }))
  })

  test('ScrapeHero, CSV of the scraper', async () => {
    const file = 'vendor/scrapehero-tutorial-reviews.csv'
    const config = { mode: 'csv', paths: [join(publishedFolder, file)], root: publishedFolder }
    const { records, refused, failure } = await runVendor({ vendor: 'scrapehero', config })
    expect({ failure, refused: refused.length }).toEqual({ failure: null, refused: 0 })
    expectRecords(records, expectedOfPublished('scrapehero-tutorial-reviews.csv'))
  })

  test('DataForSEO without results: nothing, and no failure; the same from its recorded file', async () => {
    const file = 'vendor/dataforseo-reviews-no-results.json'
    const config = { login: 'me', password: 'secret-of-the-test', asins: ['B07FZ8S74R'] }
    await served(file, { vendor: 'dataforseo_asin', config }, () => ({ body: published(file) }))
    const replay = { mode: 'replay', paths: [join(publishedFolder, file)], root: publishedFolder }
    expect(await runVendor({ vendor: 'dataforseo_asin', config: replay })).toMatchObject({
      records: [],
      refused: [],
      failure: null,
    })
  })

  test.each([
    ['mcauley_2018', 'datasets/mcauley2018-gift-cards-5core-first200.jsonl'],
    ['mcauley_2023', 'datasets/mcauley2023-books-first200.jsonl'],
    ['aws_tsv', 'datasets/aws-sample-us.tsv'],
    ['finefoods', 'datasets/finefoods-first2000.csv'],
  ])('%s: %s', async (vendor, file) => {
    const config = { paths: [join(publishedFolder, file)], root: publishedFolder }
    const { records, refused, failure } = await runVendor({ vendor, config })
    expect({ failure, refused: refused.length }).toEqual({ failure: null, refused: 0 })
    expectRecords(records, expectedOfPublished(file.split('/')[1]!))
  })
})

/** A folder with a vendor file of its own, named in a pipeline by its path. */
function withVendorFile(text: string): { readonly folder: string; readonly vendor: string } {
  const folder = mkdtempSync(join(tmpdir(), 'weir-own-vendor-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'my-vendor.yaml'), text)
  return { folder, vendor: './my-vendor.yaml' }
}

const realtimeAmazonData = `
vendor: realtime_amazon_data
summary: Reviews through Real-Time Amazon Data on RapidAPI.
parameters:
  api_key: { type: secret, description: Your key of RapidAPI. }
  asins: { type: list, description: The ASINs to watch. }
  country: { type: text, default: US, description: Country of the marketplace. }
  base_url: { type: address, default: "https://real-time-amazon-data.p.rapidapi.com", description: Where the API is. }
fetch: { timeout: 20s }
source:
  http:
    for_each: { asin: "\${params.asins}" }
    request:
      url: "\${params.base_url}/product-reviews"
      query: { asin: "{{ split.asin }}", country: "\${params.country}", sort_by: MOST_RECENT }
      auth: { api_key: { header: X-RapidAPI-Key, value: "\${params.api_key}" } }
    records: body.data.reviews
    cursor: { mode: membership, id: this.review_id, version: "fallback_id([this.?review_title, this.?review_comment])" }
map:
  review_id: this.review_id
  product_asin: split.asin
  reviewer_name: blank_to_null(this.?review_author)
  review_text: blank_to_null(this.?review_comment)
  review_title: blank_to_null(this.?review_title)
  rating: double(this.review_star_rating)
  review_date: this.?review_date
  helpfulness_votes: votes(this.?helpful_vote_statement)
`

const scrapflyFiles = `
vendor: scrapfly_files
summary: What the Scrapfly scraper wrote.
parameters:
  paths: { type: list, description: The files. }
  asin: { type: text, description: The product that the files are of. }
  root: { type: text, required: false, description: Where they lie. }
source: { file: { paths: "\${params.paths}", root: "\${params.root}", format: json } }
map:
  review_id: review_hash(\${params.asin}, null, this.location_and_date, this.title, this.text)
  product_asin: \${params.asin}
  review_text: blank_to_null(this.text)
  review_title: blank_to_null(this.title)
  rating: double(this.rating)
  review_date: this.location_and_date
`

describe.skipIf(!havePublished)('a vendor that weir does not bring is YAML alone', () => {
  test('over http', async () => {
    const file = 'vendor/realtime-amazon-data-B07SQPZ8YP.json'
    const seen: string[] = []
    const own = withVendorFile(realtimeAmazonData)
    await served(file, { ...own, config: { asins: ['B07SQPZ8YP'], ...key } }, ({ path, query, headers }) => {
      seen.push(`${path}?${query} ${headers['x-rapidapi-key']}`)
      return { body: published(file) }
    })
    expect(seen).toEqual(['/product-reviews?asin=B07SQPZ8YP&country=US&sort_by=MOST_RECENT secret-of-the-test'])
  })

  test('over files, a parameter in its mapping', async () => {
    const file = 'vendor/scrapfly-reviews.json'
    const { records, failure } = await runVendor({
      ...withVendorFile(scrapflyFiles),
      config: { paths: [join(publishedFolder, file)], root: publishedFolder, asin: 'B0CL61F39H' },
    })
    expect(failure).toBeNull()
    expectRecords(
      records,
      expectedOfPublished('scrapfly-reviews.json').map(each => ({ ...each, product_asin: 'B0CL61F39H' })),
    )
  })
})
