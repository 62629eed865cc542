// Pages of the shop itself: product pages and review lists as HTML, robots.txt, and the walls before them.
import { listPage, mobilePage, type Page, portalPage, productPage, reviewPage } from './amazon-pages.ts'
import { reviewFaults } from './amazon-review.ts'
import * as walls from './amazon-walls.ts'
import { callFaults } from './faults.ts'
import { factsOfItems, sha256Of } from './items.ts'
import { type Locale, localeOf } from './locale.ts'
import type { Look } from './shop.ts'
import {
  type Answer,
  type Call,
  type Desk,
  html,
  type OpenVendor,
  type Route,
  text,
  type VendorSpec,
} from './vendor.ts'

// A page that ends early still shows reviews, so it has a fault of its own, which says what was shown.
const { truncated: _, ...calls } = callFaults

export const amazonPage: VendorSpec = {
  name: 'amazon-page',
  summary: 'Product and review pages as HTML, with their walls',
  tries: [
    'curl {url}/robots.txt',
    'curl {url}/dp/B0WEIRTST1',
    "curl '{url}/dp/B0WEIRTST3?language=de_DE'",
    "curl -i '{url}/product-reviews/B0WEIRTST1?sortBy=recent&pageNumber=1'",
  ],
  login: {},
  faults: {
    ...calls,
    captcha: { scope: 'call', doc: 'a robot check with status 200' },
    captcha_503: { scope: 'call', doc: 'a robot check with status 503' },
    continue_shopping: { scope: 'call', doc: 'a button to continue shopping, with status 200' },
    sign_in: { scope: 'call', doc: 'sent to the sign-in page' },
    soft_block: { scope: 'call', doc: 'the product page with a sign-in card in the place of the reviews' },
    dogs: { scope: 'call', doc: 'something went wrong, with status 503' },
    cut_page: { scope: 'call', doc: 'the page breaks off in the middle of a review' },
    new_layout: { scope: 'call', doc: 'none of the known elements is there' },
    ...reviewFaults,
  },
  limit: null,
  atOnce: null,
  keepMs: null,
  extras: ['locale', 'markup', 'robots', 'wall'],
  open,
}

function open(desk: Desk): OpenVendor {
  const { settings } = desk
  const localeFor = ({ query }: Call): Locale =>
    localeOf(query.get('language') ?? settings.locale) ?? localeOf(settings.locale)!
  const gone = (call: Call) => html(404, walls.notFoundPage(localeFor(call)))
  const lookOf = ({ params }: Call): Look | null => desk.shop.look(params['asin'] ?? '')
  const signIn = (call: Call): Answer =>
    html(302, '', {
      location: `${call.origin}/ap/signin?openid.return_to=${encodeURIComponent(call.origin + call.target)}`,
    })

  const product = (call: Call, cut = false): Answer => {
    const look = lookOf(call)
    if (look === null) return gone(call)
    return pageAnswer(call, productPage(desk, look, localeFor(call), settings.markup, cut))
  }
  const list = (call: Call, cut = false): Answer => {
    if (settings.wall) return signIn(call)
    const look = lookOf(call)
    return look === null ? gone(call) : pageAnswer(call, listPage(desk, look, localeFor(call), call.query, cut))
  }
  const get = (path: string, handle: (call: Call) => Answer, open?: true): Route => ({
    method: 'GET',
    path,
    handle,
    ...(open ? { open } : {}),
  })

  return {
    refuse: () => null,
    throttled: (_call, waitMs) => html(429, '', { 'retry-after': String(Math.ceil(waitMs / 1000)) }),
    notFound: gone,
    trouble(kind, call) {
      const locale = localeFor(call)
      const look = lookOf(call)
      switch (kind) {
        case '500':
          return html(500, walls.dogsPage(locale))
        case '503':
        case 'dogs':
          return html(503, walls.dogsPage(locale))
        case '429':
          return html(429, '')
        case 'captcha':
          return html(200, walls.robotCheckPage(locale, call.path))
        case 'captcha_503':
          return html(503, walls.robotCheckPage(locale, call.path))
        case 'continue_shopping':
          return html(200, walls.continuePage(locale, call.path))
        case 'sign_in':
          return signIn(call)
        case 'soft_block':
          return look === null ? undefined : html(200, walls.softBlockPage(locale, look.product))
        case 'new_layout':
          return look === null ? undefined : html(200, walls.changedPage(locale, look.product))
        case 'cut_page':
          if (look === null) return undefined
          return call.path.includes('/dp/') ? product(call, true) : settings.wall ? undefined : list(call, true)
        default:
          return null
      }
    },
    routes: [
      get('/robots.txt', () => robots(settings.robots), true),
      get('/ap/signin', call => html(200, walls.signInPage(localeFor(call))), true),
      get('/dp/:asin', product),
      get('/gp/product/:asin', product),
      get('/:slug/dp/:asin', product),
      get('/product-reviews/:asin', list),
      get('/product-reviews/:asin/*', list),
      get('/portal/customer-reviews/:asin', call => {
        if (settings.wall) return signIn(call)
        const look = lookOf(call)
        return look === null ? gone(call) : pageAnswer(call, portalPage(desk, look, localeFor(call), call.query))
      }),
      get('/gp/customer-reviews/:id', call => {
        const review = desk.shop.asins
          .flatMap(asin => desk.shop.look(asin)!.newest)
          .find(({ id }) => id === call.params['id'])
        return review === undefined ? gone(call) : pageAnswer(call, reviewPage(desk, review, localeFor(call)))
      }),
      get('/gp/aw/d/:asin', call => {
        const look = lookOf(call)
        return look === null ? gone(call) : pageAnswer(call, mobilePage(desk, look, localeFor(call)))
      }),
    ],
  }
}

/** A page that is as the caller has it is not sent again. */
function pageAnswer({ headers }: Call, { html: body, written }: Page): Answer {
  const etag = `"${sha256Of(body).slice(0, 32)}"`
  if (headers['if-none-match'] === etag) return { status: 304, headers: { etag }, body: '' }
  return { ...html(200, body, { etag }), facts: factsOfItems(written) }
}

function robots(style: Desk['settings']['robots']): Answer {
  const rules = walls.robotsText(style)
  return rules === null ? text(style === 'missing' ? 404 : 503, '') : text(200, rules)
}
