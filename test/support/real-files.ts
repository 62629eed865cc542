// The real data files that the file source can read, each with the source and mapping a pipeline would have, and the comparison with what is
// expected of them, by the rules of the manifest: texts after collapsing white space, `<field>_alt` as good as the field.
import { expect } from 'vitest'
import { compileMapping } from '../../src/mapping/mapping.ts'
import type { FileConfig } from '../../src/sources/file/settings.ts'
import { openFileSource, readOnce } from './file-source.ts'

export interface Definition {
  readonly file: string
  readonly source?: Partial<FileConfig>
  readonly map: Readonly<Record<string, string>>
}

/** One a file, as a pipeline would have it. Fields that the source does not give are left out and become null. */
export const definitions: readonly Definition[] = [
  {
    file: 'datasets/mcauley2018-gift-cards-5core-first200.jsonl',
    map: {
      product_asin: 'this.asin',
      reviewer_name: 'blank_to_null(this.?reviewerName)',
      review_text: 'blank_to_null(this.?reviewText)',
      review_title: 'blank_to_null(this.?summary)',
      rating: 'double(this.overall)',
      review_date: 'this.?reviewTime',
      helpfulness_votes: 'votes(this.?vote)',
    },
  },
  {
    file: 'datasets/mcauley2023-books-first200.jsonl',
    map: {
      product_asin: 'this.asin',
      review_text: 'blank_to_null(this.text)',
      review_title: 'blank_to_null(this.title)',
      rating: 'double(this.rating)',
      review_date: 'string(this.timestamp)',
      helpfulness_votes: 'whole(this.helpful_vote)',
    },
  },
  {
    file: 'datasets/aws-sample-us.tsv',
    source: { quote: 'none' },
    map: {
      review_id: 'this.review_id',
      product_asin: 'this.product_id',
      review_text: 'blank_to_null(this.review_body)',
      review_title: 'blank_to_null(this.review_headline)',
      rating: 'double(this.star_rating)',
      review_date: 'blank_to_null(this.review_date)',
      helpfulness_votes: 'int(this.helpful_votes)',
    },
  },
  {
    file: 'datasets/finefoods-first2000.csv',
    map: {
      review_id: 'this.Id',
      product_asin: 'this.ProductId',
      reviewer_name: 'blank_to_null(this.ProfileName)',
      review_text: 'blank_to_null(this.Text)',
      review_title: 'blank_to_null(this.Summary)',
      rating: 'double(this.Score)',
      review_date: 'this.Time',
      helpfulness_votes: 'int(this.HelpfulnessNumerator)',
    },
  },
  {
    file: 'datasets/datafiniti-first200.csv',
    map: {
      product_asin: 'this.asins',
      reviewer_name: 'blank_to_null(this["reviews.username"])',
      review_text: 'blank_to_null(this["reviews.text"])',
      review_title: 'blank_to_null(this["reviews.title"])',
      rating: 'double(this["reviews.rating"])',
      review_date: 'blank_to_null(this["reviews.date"])',
    },
  },
  {
    file: 'datasets/alexa-first200.tsv',
    map: {
      review_text: 'blank_to_null(this.verified_reviews)',
      rating: 'double(this.rating)',
      review_date: 'this.date',
    },
  },
  {
    file: 'datasets/amazon-cells-labelled-first200.txt',
    source: { format: 'tsv', columns: ['text', 'label'], quote: 'none' },
    map: { review_text: 'blank_to_null(this.text)', _label: 'int(this.label)' },
  },
  ...['datasets/scraped-echo-plan.csv', 'datasets/scraped-fire-case.csv'].map(file => ({
    file,
    map: {
      review_id: 'review_id_of(this.review_url)',
      product_asin: 'this.product_id',
      reviewer_name: 'blank_to_null(this.author)',
      review_text: 'blank_to_null(this.body)',
      review_title: 'blank_to_null(this.title)',
      rating: 'double(this.rating)',
      review_date: 'blank_to_null(this.review_date)',
      helpfulness_votes: 'this.helpful == "One" ? 1 : whole(first_number(this.helpful))',
    },
  })),
  {
    file: 'datasets/bgu-reviews-20-products.jsonl',
    source: { records: 'this.reviews' },
    map: {
      review_id: 'this.id',
      product_asin: 'url_query(this.link, "ASIN")',
      reviewer_name: 'blank_to_null(this.author)',
      review_text: 'blank_to_null(this.text)',
      review_title: 'blank_to_null(this.title)',
      rating: 'double(this.rating)',
      review_date: 'this.date',
    },
  },
  {
    file: 'datasets/sandisk-card-first200.csv',
    map: {
      reviewer_name: 'blank_to_null(this.reviewerName)',
      review_text: 'blank_to_null(this.reviewText)',
      rating: 'double(this.overall)',
      review_date: 'this.reviewTime',
      helpfulness_votes: 'int(this.helpful_yes)',
    },
  },
  {
    file: 'vendor/oxylabs-amazon_product-parsed.json',
    source: {
      records: 'flatten(this.results.map(r, r.content.reviews.map(v, {"asin": r.content.asin, "review": v})))',
    },
    map: {
      review_id: 'this.review.id',
      product_asin: 'this.asin',
      reviewer_name: 'blank_to_null(this.review.author)',
      review_text: 'blank_to_null(this.review.content)',
      review_title: 'regex_replace(this.review.title, "^[0-9.]+ out of 5 stars ", "")',
      rating: 'double(this.review.rating)',
      review_date: 'blank_to_null(this.review.timestamp)',
      helpfulness_votes: 'whole(this.review.?helpful_count)',
    },
  },
  {
    file: 'vendor/brightdata-amazon-reviews.json',
    map: {
      review_id: 'this.review_id',
      product_asin: 'this.asin',
      reviewer_name: 'blank_to_null(this.author_name)',
      review_text: 'blank_to_null(this.review_text)',
      review_title: 'blank_to_null(this.review_header)',
      rating: 'double(this.rating)',
      review_date: 'this.review_posted_date',
      helpfulness_votes: 'whole(this.?helpful_count)',
    },
  },
  {
    file: 'vendor/rainforest-reviews.json',
    source: {
      records:
        'flatten(this.reviews.map(p, p.reviews.map(r, {"asin": default(r.?asin, p.product.asin), "review": r})))',
    },
    map: {
      review_id: 'this.review.id',
      product_asin: 'this.asin',
      reviewer_name: 'blank_to_null(this.review.?profile.?name)',
      review_text: 'blank_to_null(this.review.?body)',
      review_title: 'blank_to_null(this.review.?title)',
      rating: 'double(this.review.rating)',
      review_date: 'this.review.?date.?raw',
      helpfulness_votes: 'whole(this.review.?helpful_votes)',
    },
  },
  {
    file: 'vendor/apify-amazon-reviews.json',
    map: {
      review_id: 'this.reviewId',
      product_asin: 'this.productAsin',
      review_text: 'blank_to_null(this.reviewDescription)',
      review_title: 'blank_to_null(this.reviewTitle)',
      rating: 'double(this.ratingScore)',
      review_date: 'blank_to_null(this.reviewedIn)',
      helpfulness_votes: 'votes(this.?reviewReaction)',
    },
  },
  {
    file: 'vendor/scrapehero-tutorial-reviews.csv',
    map: {
      product_asin: 'regex_find(this.url, "/product-reviews/([A-Z0-9]{10})")',
      reviewer_name: 'blank_to_null(this.author)',
      review_text: 'blank_to_null(this.content)',
      review_title: 'blank_to_null(this.title)',
      rating: 'double(this.rating)',
      review_date: 'this.date',
    },
  },
  {
    file: 'vendor/scrapehero-review-api.json',
    source: { records: 'this.reviews' },
    map: {
      product_asin: 'regex_find(this.url, "/product-reviews/([A-Z0-9]{10})")',
      reviewer_name: 'blank_to_null(this.author)',
      review_text: 'blank_to_null(this.content)',
      review_title: 'blank_to_null(this.title)',
      rating: 'double(this.rating)',
      review_date: 'this.date',
      helpfulness_votes: 'votes(this.?found_helpful)',
    },
  },
  {
    file: 'vendor/scrapfly-reviews.json',
    map: {
      review_text: 'blank_to_null(this.text)',
      review_title: 'blank_to_null(this.title)',
      rating: 'double(this.rating)',
      review_date: 'this.location_and_date',
    },
  },
  {
    file: 'vendor/realtime-amazon-data-B07SQPZ8YP.json',
    source: { records: 'this.data.reviews.map(r, {"asin": this.data.asin, "review": r})' },
    map: {
      review_id: 'this.review.review_id',
      product_asin: 'this.asin',
      reviewer_name: 'blank_to_null(this.review.review_author)',
      review_text: 'blank_to_null(this.review.review_comment)',
      review_title: 'blank_to_null(this.review.review_title)',
      rating: 'double(this.review.review_star_rating)',
      review_date: 'this.review.review_date',
      helpfulness_votes: 'votes(this.review.?helpful_vote_statement)',
    },
  },
  {
    file: 'vendor/dataforseo-reviews-no-results.json',
    source: { records: 'flatten(this.tasks.map(t, flatten(default(t.result, []).map(r, default(r.items, [])))))' },
    map: { review_id: 'this.review_id' },
  },
]

/** RawReview with every field nullable: the data sets lack fields that weir asks for. */
const schema = JSON.stringify({
  type: 'record',
  name: 'Review',
  fields: [
    ...['review_id', 'product_asin', 'reviewer_name', 'review_text', 'review_title', 'review_date'].map(name => ({
      name,
      type: ['null', 'string'],
      default: null,
    })),
    { name: 'rating', type: ['null', 'double'], default: null },
    { name: 'helpfulness_votes', type: ['null', 'int'], default: null },
    { name: '_label', type: ['null', 'int'], default: null },
  ],
})
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

const collapsed = (value: unknown) => (typeof value === 'string' ? value.replace(/\s+/g, ' ').trim() : value)

type Expected = Readonly<Record<string, unknown>>

function expectSame(record: Record<string, unknown>, expected: Expected, index: number): void {
  for (const field of expected['_label'] === undefined ? fields : [...fields, '_label']) {
    const allowed = [expected[field], ...((expected[`${field}_alt`] as unknown[]) ?? [])].map(collapsed)
    const given = collapsed(typeof record[field] === 'bigint' ? Number(record[field]) : record[field])
    if (!allowed.includes(given)) expect({ index, field, given }).toEqual({ index, field, given: allowed[0] })
  }
}

/** Reads the file and maps each item; fails unless that gives exactly the expected records. `path` is relative to the folder. */
export async function expectRecords(
  folder: string,
  path: string,
  definition: Definition,
  expectedLines: string,
): Promise<void> {
  const expected: Expected[] = expectedLines
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line))
  const mapping = compileMapping(definition.map, schema)
  await using opened = openFileSource(folder, { paths: [path], ...definition.source })
  const { items } = await readOnce(opened.source)
  expect(items.map(({ error }) => error).filter(Boolean)).toEqual([])
  expect(items.length).toBe(expected.length)
  items.forEach((item, i) => {
    expectSame(mapping.apply({ this: item.value, split: {}, now: 0 }), expected[i]!, i)
  })
}
