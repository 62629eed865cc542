import { expect, test } from 'vitest'
import { localeOf, localeTags } from '../../../../src/simulate/vendors/locale.ts'
import { named } from '../../../support/named-vendor.ts'
import { hooksOf, samples } from '../../../support/vendor-shapes.ts'

const known = samples()
const hooks = (sample: string) => known[`scrape/${sample}.html`]!.hooks!
/** Hooks that one page has and the other has not. */
const apart = (sample: string, page: string) => ({
  lacking: hooks(sample).filter(hook => !hooksOf(page).includes(hook)),
  extra: hooksOf(page).filter(hook => !hooks(sample).includes(hook)),
})
const idsOf = (page: string) => [...page.matchAll(/<\w+ id="(R[A-Z0-9]{9,14})"/g)].map(([, id]) => id)

test.each([
  ['classic', 'dp_en_us_classic', '/dp/B0WEIRTST1'],
  ['2026', 'dp_en_us_2026', '/gp/product/B0WEIRTST1'],
] as const)('the product page in %s markup has the hooks of the sample', async (markup, sample, path) => {
  const { ask, vendor } = await named('amazon-page', { markup })
  const page = await ask(path)
  expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html;charset=UTF-8'])
  expect(apart(sample, page.text)).toEqual({ lacking: [], extra: [] })
  expect(page.text).toContain('<link rel="canonical" href="https://www.amazon.com/weir/dp/B0WEIRTST1">')
  const served = vendor.journal.filter(each => each.event === 'served').map(({ id }) => id)
  expect(idsOf(page.text)).toEqual(served)
  expect(served).toHaveLength(markup === 'classic' ? 8 : 7)
})

test('the review list is behind the sign-in page, and open where it is asked for', async () => {
  const walled = await named('amazon-page')
  const away = await walled.ask('/product-reviews/B000E7WM0K/ref=x?sortBy=recent&pageNumber=1')
  expect([away.status, away.headers.get('location')]).toEqual([
    302,
    expect.stringContaining(`${walled.vendor.url}/ap/signin?`),
  ])
  const signIn = await walled.ask(away.headers.get('location')!.slice(walled.vendor.url.length))
  expect(apart('signin', signIn.text)).toEqual({ lacking: [], extra: [] })

  const { ask } = await named('amazon-page', { wall: false })
  const first = (await ask('/product-reviews/B000E7WM0K?sortBy=recent&pageNumber=1')).text
  expect(apart('product_reviews_en_us_p1', first).extra).toEqual([])
  expect(first).toContain('pageNumber=2')
  const second = (await ask('/product-reviews/B000E7WM0K?sortBy=recent&pageNumber=2')).text
  expect(idsOf(first).filter(id => idsOf(second).includes(id))).toEqual([])
  const none = (await ask('/product-reviews/B0WEIRTST0?sortBy=recent')).text
  expect(apart('product_reviews_en_us_empty', none)).toEqual({ lacking: [], extra: [] })
  expect(none).toContain('Sorry, no reviews match your current selections.')
  const portal = (await ask('/portal/customer-reviews/B000E7WM0K')).text
  expect(apart('portal_en_us_2026', portal)).toEqual({ lacking: [], extra: [] })
  const token = /nextPageToken&quot;:&quot;([\w-]+)/.exec(portal)![1]
  expect(idsOf((await ask(`/portal/customer-reviews/B000E7WM0K?nextPageToken=${token}`)).text)).not.toEqual(
    idsOf(portal),
  )
})

test.each(localeTags)('%s: the words of the language, whatever the country of the review', async tag => {
  const locale = localeOf(tag)!
  const { ask } = await named('amazon-page', { locale: tag })
  const page = (await ask('/dp/B0WEIRTST1')).text
  expect(page).toContain(`lang="${tag.toLowerCase()}"`)
  for (const text of [
    locale.stars(5),
    locale.dated('US', '2024-01-05'),
    locale.dated('CA', '2023-11-30'),
    locale.helpful(1234),
    locale.verified,
  ])
    expect(page).toContain(text.replaceAll('"', '&quot;'))
})

test('the language of the view may be asked for', async () => {
  const { ask } = await named('amazon-page')
  expect((await ask('/dp/B0WEIRTST3?language=de_DE')).text).toContain('Rezension aus Deutschland vom 5. Januar 2024')
  expect((await ask('/dp/B0WEIRTST4?language=ja_JP')).text).toContain('5つ星のうち5.0')
})

test.each([
  ['captcha', 200, 'captcha_robot_check'],
  ['captcha_503', 503, 'captcha_robot_check'],
  ['continue_shopping', 200, 'continue_shopping'],
  ['soft_block', 200, 'dp_signin_card'],
  ['dogs', 503, 'error_503'],
] as const)('the wall %s', async (kind, status, sample) => {
  const { ask, vendor } = await named('amazon-page')
  vendor.failNext(kind)
  const wall = await ask('/dp/B0WEIRTST1')
  expect(wall.status).toBe(status)
  expect(apart(sample, wall.text)).toEqual({ lacking: [], extra: [] })
  expect(vendor.journal.map(({ event }) => event)).toEqual(['fault'])
  expect((await ask('/dp/B0WEIRTST1')).text).toContain('data-hook="review"')
})

test('a product that is not there, a page of another layout, being sent to sign in', async () => {
  const { ask, vendor } = await named('amazon-page')
  const gone = await ask('/dp/B0WEIRGONE')
  expect([gone.status, gone.text.includes('find that page')]).toEqual([404, true])
  vendor.failNext('new_layout')
  const changed = await ask('/dp/B0WEIRTST1')
  expect([changed.status, hooksOf(changed.text)]).toEqual([200, ['span#acrCustomerReviewText', 'span#productTitle']])
  vendor.failNext('sign_in')
  expect((await ask('/dp/B0WEIRTST1')).status).toBe(302)
})

test('a page that breaks off: the reviews before are whole, the last shows neither stars nor date', async () => {
  const { ask, vendor } = await named('amazon-page')
  vendor.failNext('cut_page')
  const { text } = await ask('/dp/B000E7WM0K')
  expect(text).not.toContain('</html>')
  const served = vendor.journal.filter(each => each.event === 'served')
  expect(idsOf(text)).toEqual(served.map(({ id }) => id))
  expect(served.map(({ fault }) => fault).filter(fault => fault !== null)).toEqual(['cut_page'])
  expect(served.at(-1)).toMatchObject({ fault: 'cut_page', refused: true })
  const last = text.slice(text.lastIndexOf('data-hook="review"'))
  expect(last).not.toMatch(/a-star-|review-date/)
})

test('odd reviews look as the journal says', async () => {
  const share = 0.12
  const { ask, vendor } = await named('amazon-page', {
    wall: false,
    initial: 366,
    fault: {
      no_stars: share,
      no_id: share,
      id_inside: share,
      no_name: share,
      no_date: share,
      video_only: share,
      stars_class: share,
    },
  })
  const marks: Record<string, (node: string) => boolean> = {
    no_stars: node => !node.includes('a-star-'),
    no_id: node => !/R[A-Z0-9]{13}/.test(node),
    id_inside: node => !/^<li id=/.test(node) && node.includes('customer_review-R'),
    no_name: node => !node.includes('a-profile-name'),
    no_date: node => !node.includes('review-date'),
    video_only: node => node.includes('The media could not be loaded.'),
    stars_class: node => /a-star-\d/.test(node) && !node.includes('a-icon-alt'),
  }
  const pages = await Promise.all([1, 2, 3].map(page => ask(`/product-reviews/B001RVFDOO?pageNumber=${page}`)))
  const nodes = pages.flatMap(({ text }) => text.split(/(?=<li[^>]*data-hook="review")/).slice(1))
  const served = vendor.journal.filter(each => each.event === 'served')
  expect(nodes).toHaveLength(30)
  const faults = new Set(served.map(({ fault }) => fault))
  expect(faults.size).toBeGreaterThan(5)
  const seen = nodes.map(node => Object.keys(marks).filter(kind => marks[kind]!(node)))
  expect(seen.flat().sort()).toEqual(served.flatMap(({ fault }) => (fault === null ? [] : [fault])).sort())
})

test('robots.txt in its kinds, and never hindered', async () => {
  const of = async (robots: 'usual' | 'strict' | 'missing' | 'unavailable') => {
    const { ask } = await named('amazon-page', { robots, fault: { '500': 1 } })
    return ask('/robots.txt')
  }
  expect((await of('usual')).text.replace(/^#.*\n/, '')).toBe(
    `${String(known['scrape/robots.txt']!.body).replace(/^#.*\n/, '')}\n`,
  )
  expect((await of('strict')).text.trim()).toBe(known['scrape/robots_strict.txt']!.body)
  expect([(await of('missing')).status, (await of('unavailable')).status]).toEqual([404, 503])
})

test('a page that the caller has is not sent again until a review appears or a vote is given', async () => {
  const { ask, vendor } = await named('amazon-page')
  const first = await ask('/dp/B000E7WM0K')
  const again = () => ask('/dp/B000E7WM0K', { headers: { 'if-none-match': first.headers.get('etag')! } })
  const same = await again()
  expect([same.status, same.text]).toEqual([304, ''])
  vendor.advance(40)
  expect((await again()).status).toBe(200)
})

test('one review by its address, and the page for small screens', async () => {
  const { ask } = await named('amazon-page')
  const one = (await ask('/gp/customer-reviews/R1DE01NORDAAAA')).text
  expect(idsOf(one)).toEqual(['R1DE01NORDAAAA'])
  expect((await ask('/gp/aw/d/B0WEIRTST1')).text).toContain('data-hook="mobley-review-content"')
})
