// Pages of Amazon through the vendor file: what they hold field for field, and what the pages are that hold no reviews. The pages are not part of
// the project but for the shipped one; their tests are skipped by name where their folders are not there.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { codeOf } from '../../src/core/errors.ts'
import { expectReview, type Review, readPage } from '../support/amazon-page.ts'

const shared = resolve(import.meta.dirname, '../../../shared')
const samples = join(shared, 'sources/samples')
const published = join(shared, 'data/real')

const linesOf = (file: string): Review[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as Review)

const named = (name: string, isThere: boolean) => (isThere ? name : `${name} (skipped: their folder is not there)`)

const haveSamples = existsSync(join(samples, 'EXPECTED.jsonl'))
describe.skipIf(!haveSamples)(named('sample pages', haveSamples), () => {
  const expected = haveSamples ? linesOf(join(samples, 'EXPECTED.jsonl')) : []
  const pages = [...new Set(expected.map(line => line['file'] as string))].filter(file =>
    /^scrape\/.*\.html$/.test(file),
  )
  const page = (name: string) => readFileSync(join(samples, 'scrape', name))

  test.each(pages)('%s', async file => {
    const wanted = expected.filter(line => line['file'] === file).map(line => line['raw'] as Review)
    const asin = (wanted[0]!['product_asin'] as string) || 'B0WEIRTST1'
    const { outcomes } = await readPage({ body: readFileSync(join(samples, file)) }, asin)
    expect(outcomes).toHaveLength(wanted.length)
    outcomes.forEach((outcome, n) => {
      // A record without stars is no record: it is a dead letter.
      if (file.endsWith('malformed.html') && n === 2) expect(outcome).toBe('source.item_cut')
      else if (wanted[n]!['rating'] === null) expect(outcome).toBe('map.missing')
      // A page that names no ASIN is one of the ASIN asked for.
      else expectReview(outcome, { ...wanted[n], product_asin: wanted[n]!['product_asin'] || asin }, n)
    })
  })

  test.each([
    ['captcha_robot_check.html', 200, 'fetch.blocked'],
    ['captcha_robot_check.html', 503, 'fetch.blocked'],
    ['continue_shopping.html', 200, 'fetch.blocked'],
    ['continue_shopping_de.html', 200, 'fetch.blocked'],
    ['continue_shopping_it.html', 200, 'fetch.blocked'],
    ['signin.html', 200, 'fetch.blocked'],
    ['dp_signin_card.html', 200, 'fetch.blocked'],
    ['error_503.html', 503, 'fetch.status'],
    ['error_404.html', 429, 'fetch.throttled'],
    // A page that is none of these and has no list: its markup changed.
    ['error_404.html', 200, 'source.layout_changed'],
  ])('%s with status %i is %s', async (name, status, code) => {
    const error = await readPage({ status, body: page(name) }, 'B0WEIRTST1').catch((thrown: unknown) => thrown)
    expect(codeOf(error)).toBe(code)
  })

  test('a list that says it is empty has no reviews, a page that is not found is gone', async () => {
    expect((await readPage({ body: page('product_reviews_en_us_empty.html') }, 'B0WEIRTST0')).outcomes).toEqual([])
    expect((await readPage({ status: 404, body: page('error_404.html') }, 'B0WEIRGONE')).outcomes).toEqual([])
  })
})

const project = resolve(import.meta.dirname, '../data')
describe('shipped pages', () => {
  test.each(['product-uk-book.html', 'product-es-robot.html'])('%s', async name => {
    const wanted = linesOf(join(project, `expected/${name}.expected.jsonl`))
    const body = readFileSync(join(project, name))
    expect(body.toString()).not.toMatch(/amzn1\.account\.A/)
    const { outcomes } = await readPage({ body }, 'B000000000')
    expect(outcomes).toHaveLength(wanted.length)
    outcomes.forEach((outcome, n) => {
      expectReview(outcome, wanted[n]!, n)
    })
  })
})

const havePublished = existsSync(join(published, 'MANIFEST.md'))
describe.skipIf(!havePublished)(named('published pages', havePublished), () => {
  const pages = havePublished ? readdirSync(join(published, 'html')).filter(name => !name.startsWith('blocked-')) : []

  test.each(pages)('%s', async name => {
    const wanted = linesOf(join(published, 'expected', `${name}.expected.jsonl`))
    const reply = { body: readFileSync(join(published, 'html', name)) }
    // Two of them ask robots not to take them: they are refused, and what they hold is tested all the same.
    const asksRobots = ['reviews-us-love-languages.html', 'reviews-us-monitor.html'].includes(name)
    if (asksRobots) {
      const error = await readPage(reply, 'B000000000').catch((thrown: unknown) => thrown)
      expect(codeOf(error)).toBe('fetch.robots_refused')
    }
    const { outcomes } = await readPage(reply, 'B000000000', !asksRobots)
    expect(outcomes).toHaveLength(wanted.length)
    outcomes.forEach((outcome, n) => {
      expectReview(outcome, wanted[n]!, n)
    })
  })

  test('blocked-captcha.html is fetch.blocked', async () => {
    const body = readFileSync(join(published, 'html/blocked-captcha.html'))
    expect(codeOf(await readPage({ body }, 'B000000000').catch((thrown: unknown) => thrown))).toBe('fetch.blocked')
  })
})
