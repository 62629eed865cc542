// Pages of the shop that carry reviews: the product page in both markups, the review list in both, one review, the page for small screens.
import { classicReview, escaped, newReview, type Place, reviewFaults, type View, viewOf } from './amazon-review.ts'
import { type Written, writeItems } from './items.ts'
import type { Locale } from './locale.ts'
import type { Markup } from './settings.ts'
import type { Look, Product, ShopReview } from './shop.ts'
import type { Desk } from './vendor.ts'

export interface Page {
  readonly html: string
  readonly written: readonly Written[]
}

/** What is drawn between the ends of the page; `cut` breaks the page off in the middle of it. */
interface Nodes {
  readonly html: readonly string[]
  readonly written: readonly Written[]
}

export const frame = (locale: Locale, title: string, body: string, head = '') =>
  `<!doctype html><html class="a-no-js" lang="${locale.tag.toLowerCase()}"><head><meta charset="utf-8"><title>${escaped(title)}</title>${head}</head><body class="a-m-weir">
${body}
</body></html>
`

function nodesOf(desk: Desk, reviews: readonly ShopReview[], locale: Locale, draw: (view: View) => string): Nodes {
  const written = writeItems(desk, { faults: reviewFaults }, reviews, review => viewOf(review, locale))
  return { html: written.map(({ value }) => draw(value as View)), written }
}

const classicAt = (place: Place) => (view: View) => classicReview(view, place)

/** @param cut true: the page breaks off in the middle of a review, which then shows neither stars nor date */
export function productPage(desk: Desk, look: Look, locale: Locale, markup: Markup, cut = false): Page {
  const { local, global } = look.top(locale.country)
  const draw = markup === 'classic' ? classicAt('product') : newReview
  // The 2026 page has shown the local reviews only.
  const shown = markup === 'classic' ? [...local, ...global] : local
  const nodes = nodesOf(desk, shown, locale, draw)
  const here = nodes.html.slice(0, local.length)
  const elsewhere = nodes.html.slice(local.length)
  const html =
    markup === 'classic'
      ? classicProduct(look.product, locale, here, elsewhere)
      : newProduct(look.product, locale, here)
  return cut ? cutOff(html, nodes) : { html, written: nodes.written }
}

function classicProduct(
  product: Product,
  locale: Locale,
  here: readonly string[],
  elsewhere: readonly string[],
): string {
  const { asin, title, stars, ratings } = product
  const count = ratings.toLocaleString(locale.tag)
  const body = `<span id="productTitle" class="a-size-large product-title-word-break"> ${escaped(title)} </span>
<div id="averageCustomerReviews"><span id="acrPopover" title="${locale.stars(stars)}"></span><a id="acrCustomerReviewLink" href="#averageCustomerReviewsAnchor"><span id="acrCustomerReviewText" class="a-size-base">${count} ratings</span></a></div>
<div id="customerReviews"><span data-hook="rating-out-of-text">${locale.stars(stars)}</span><div data-hook="total-review-count"><span>${count} global ratings</span></div>
<h3 data-hook="dp-local-reviews-header">Top reviews</h3>
<ul id="cm-cr-dp-review-list" data-hook="top-customer-reviews-widget" class="a-unordered-list a-nostyle a-vertical">
${here.join('')}</ul>
<div id="reviews-medley-footer" data-hook="reviews-medley-footer"><a data-hook="see-all-reviews-link-foot" href="/product-reviews/${asin}/ref=cm_cr_dp_d_show_all_btm?ie=UTF8&amp;reviewerType=all_reviews">See more reviews</a></div>
<h3 data-hook="dp-global-reviews-header">Top reviews from other countries</h3>
<div id="cm-cr-global-review-list" class="global-reviews-content celwidget">
${elsewhere.join('')}</div></div>`
  const canonical = `<link rel="canonical" href="https://www.${locale.domain}/weir/dp/${asin}">`
  return frame(locale, `www.${locale.domain}: ${title}`, body, canonical)
}

function newProduct({ asin, title, ratings }: Product, locale: Locale, here: readonly string[]): string {
  const state = {
    asin,
    reviewsAjaxUrl: '/hz/reviews-render/ajax/medley-filtered-reviews/get/ref=cm_cr_dp_d_fltrs_srt',
    reviewsCsrfToken: 'weirtoken',
  }
  const body = `<span id="productTitle"> ${escaped(title)} </span><span id="acrCustomerReviewText">${ratings.toLocaleString(locale.tag)} ratings</span>
<div id="cr-state-object" data-state="${escaped(JSON.stringify(state))}"></div>
<ul id="localTopReviewsList">
${here.join('')}</ul>`
  const canonical = `<link rel="canonical" href="https://www.${locale.domain}/weir/dp/${asin}">`
  return frame(locale, `${locale.domain}: ${title}`, body, canonical)
}

const pageSize = 10
const maxPages = 10

/** The classic list: ten a page, ten pages, newest or most helpful first. */
export function listPage(desk: Desk, look: Look, locale: Locale, query: URLSearchParams, cut = false): Page {
  const { asin, title, stars, ratings, reviews } = look.product
  const page = Math.max(1, Number(query.get('pageNumber') ?? 1) || 1)
  const all = query.get('sortBy') === 'helpful' ? look.newest.toSorted((a, b) => b.votes - a.votes) : look.newest
  const pages = Math.min(maxPages, Math.ceil(all.length / pageSize))
  const shown = page > maxPages ? [] : all.slice((page - 1) * pageSize, page * pageSize)
  const nodes = nodesOf(desk, shown, locale, view => classicReview({ ...view, foreign: false }, 'list'))
  const next =
    page < pages
      ? `<li class="a-last"><a href="/product-reviews/${asin}/ref=cm_cr_arp_d_paging_btm_next_${page + 1}?ie=UTF8&amp;pageNumber=${page + 1}&amp;reviewerType=all_reviews&amp;sortBy=recent">Next page<span class="a-letter-space"></span>→</a></li>`
      : '<li class="a-disabled a-last">Next page<span class="a-letter-space"></span>→</li>'
  const previous =
    page > 1
      ? `<li><a href="/product-reviews/${asin}/?pageNumber=${page - 1}">←Previous page</a></li>`
      : '<li class="a-disabled">←Previous page</li>'
  const none =
    shown.length > 0
      ? ''
      : '<div class="a-section a-spacing-top-large a-text-center no-reviews-section"><span class="a-size-medium">Sorry, no reviews match your current selections.</span></div>'
  const body = `<div id="cm_cr-product_info"><h1 class="a-size-large a-text-ellipsis"><a data-hook="product-link" class="a-link-normal" href="/dp/${asin}/ref=cm_cr_arp_d_product_top?ie=UTF8">${escaped(title)}</a></h1>
<div data-hook="total-review-count" class="a-row"><span class="a-size-base a-color-secondary">${ratings.toLocaleString(locale.tag)}</span></div><span data-hook="rating-out-of-text" class="a-size-medium a-color-base">${locale.stars(stars)}</span></div>
<div id="filter-info-section"><div data-hook="cr-filter-info-review-rating-count" class="a-row a-spacing-base a-size-base">${ratings} global ratings | ${reviews} with reviews</div></div>
<ul id="cm_cr-review_list" class="a-unordered-list a-nostyle a-vertical">
${nodes.html.join('')}</ul>${none}
<div id="cm_cr-pagination_bar" class="a-form-actions a-spacing-top-extra-large" data-hook="pagination-bar"><ul class="a-pagination">${previous}${next}</ul></div>`
  const html = frame(locale, `www.${locale.domain}: Customer reviews: ${title}`, body)
  return cut ? cutOff(html, nodes) : { html, written: nodes.written }
}

/** The list of 2026: a token in the place of a page number. */
export function portalPage(desk: Desk, look: Look, locale: Locale, query: URLSearchParams): Page {
  const from = Number(/^weir-next-(\d+)$/.exec(query.get('nextPageToken') ?? '')?.[1] ?? 0)
  const shown = look.newest.slice(from, from + pageSize)
  const nodes = nodesOf(desk, shown, locale, newReview)
  const state = { nextPageToken: `weir-next-${from + pageSize}`, pageNumber: String(from / pageSize + 2) }
  const more =
    from + pageSize < look.newest.length
      ? `<button data-hook="show-more-button" data-reviews-state-param="${escaped(JSON.stringify(state))}">Show 10 more reviews</button>`
      : ''
  const body = `<script type="text/javascript">window.weirState = {"reviewsAjaxUrl":"/portal/customer-reviews/ajax/reviews/get","reviewsCsrfToken":"weirtoken"};</script>
<ul id="cm_cr-review_list">
${nodes.html.join('')}</ul>
${more}`
  return { html: frame(locale, 'Customer reviews', body), written: nodes.written }
}

/** /gp/customer-reviews/{id}. */
export function reviewPage(desk: Desk, review: ShopReview, locale: Locale): Page {
  const nodes = nodesOf(desk, [review], locale, view => classicReview({ ...view, foreign: false }, 'list'))
  const body = `<div id="cm_cr-review_list">\n${nodes.html.join('')}</div>`
  return { html: frame(locale, `www.${locale.domain}: Customer review`, body), written: nodes.written }
}

/** For small screens: of its markup only the hook around the text is known, the rest is as on the large page. */
export function mobilePage(desk: Desk, look: Look, locale: Locale): Page {
  const { local } = look.top(locale.country)
  const nodes = nodesOf(desk, local, locale, view =>
    classicReview(view, 'list')
      .replaceAll('data-hook="review-body"', 'data-hook="mobley-review-content"')
      .replaceAll('data-hook="avp-badge"', 'data-hook="msrp-avp-badge-linkless"'),
  )
  const body = `<span id="productTitle"> ${escaped(look.product.title)} </span>
<div id="cm-cr-dp-review-list">
${nodes.html.join('')}</div>`
  return { html: frame(locale, `${locale.domain}: ${look.product.title}`, body), written: nodes.written }
}

/** So much of a node that it is one, and shows neither stars nor date. */
const stump = 120

function cutOff(html: string, { html: nodes, written }: Nodes): Page {
  const at = Math.floor(nodes.length / 2)
  const node = nodes[at]
  if (node === undefined) return { html: html.slice(0, html.length / 2), written: [] }
  const kept = written.slice(0, at)
  const { value, fact } = written[at]!
  const broken = { value, fact: { ...fact, fault: 'cut_page', refused: true } }
  return { html: html.slice(0, html.indexOf(node) + stump), written: [...kept, broken] }
}
