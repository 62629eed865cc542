// A review as a page shows it: the strings of the view first, with what can be odd about them, then the markup around them.
import { type FaultKinds, type Item, oddity } from './faults.ts'
import { flagOf, type Locale } from './locale.ts'
import type { ShopReview } from './shop.ts'

/** Strings of one review; null: the element is not there. */
export interface View {
  /** null: nowhere in the node. */
  readonly id: string | null
  /** False: only the ids inside the node tell it. */
  readonly idOnNode: boolean
  readonly asin: string
  readonly name: string | null
  readonly profile: string
  readonly stars: number | null
  /** null: the class alone tells the stars. */
  readonly starsText: string | null
  readonly title: string | null
  readonly oldTitle: boolean
  readonly dated: string | null
  /** null: a review of a video only. */
  readonly text: string | null
  readonly helpful: string | null
  readonly verified: string | null
  readonly vine: boolean
  readonly variant: readonly (readonly [string, string])[]
  readonly images: readonly string[]
  /** Of another country than the page's. */
  readonly foreign: boolean
  readonly readMore: string
}

export const reviewFaults: FaultKinds = {
  no_stars: { ...oddity('no star element, no class', 'stars', () => null), refused: true },
  stars_class: oddity('stars by class only', 'starsText', () => null),
  id_inside: oddity('the node has no id, what is in it has', 'idOnNode', () => false),
  no_id: oddity('no id anywhere', 'id', () => null),
  no_name: oddity('a profile without a name', 'name', () => null),
  no_date: oddity('no date', 'dated', () => null),
  no_text: oddity('an empty text', 'text', () => ''),
  video_only: oddity('a video and no text', 'text', () => null),
  old_title: oddity('the title beside the stars, as pages had it once', 'oldTitle', () => true),
  flag: oddity('a flag behind the country', 'dated', (line, { country }) =>
    typeof line === 'string' ? line.replace(/(.*) (on|vom|le|el|il|op|em|den) /, `$1 ${flagOf(country)} $2 `) : line,
  ),
  read_more: oddity('"Read more" clings to the text', 'text', text => `${text ?? ''}\nRead more`),
  invisible: oddity('no-break and zero-width spaces in the text', 'text', text => `${text ?? ''}\u00a0\u200b`),
}

export function viewOf(review: ShopReview, locale: Locale): View & Item {
  const { stars, votes } = review
  return {
    id: review.id,
    idOnNode: true,
    asin: review.asin,
    name: review.name,
    profile: review.profile,
    stars,
    starsText: locale.stars(stars),
    title: review.title,
    oldTitle: false,
    dated: locale.dated(review.country, review.date),
    text: review.text,
    helpful: votes === 0 ? null : locale.helpful(votes),
    verified: review.verified ? locale.verified : null,
    vine: review.vine,
    variant: review.variant,
    images: review.images,
    foreign: review.country !== locale.country,
    readMore: locale.readMore,
  }
}

export const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
const lines = (text: string) => escaped(text).replaceAll('\n', '<br>')

/** On a list the text stands plain; on the product page it folds. */
export type Place = 'list' | 'product'

export function classicReview(view: View, place: Place): string {
  const { id, idOnNode, asin, foreign } = view
  const tag = foreign && place === 'product' ? 'div' : 'li'
  const inner = foreign ? 'customer_review_foreign' : 'customer_review'
  const idAt = (prefix: string, suffix = '') => (id === null ? '' : ` id="${prefix}${id}${suffix}"`)
  const strip = [
    view.variant.length > 0
      ? `<a data-hook="format-strip" class="a-size-mini a-link-normal a-color-secondary" href="/product-reviews/${asin}/ref=cm_cr_arp_d_rvw_fmt?ie=UTF8">${view.variant
          .map(([name, value]) => escaped(`${name}: ${value}`))
          .join('<i class="a-icon a-icon-text-separator" role="img" aria-label="|"></i>')}</a>`
      : '',
    view.verified === null
      ? ''
      : `<a class="a-link-normal" href="/gp/help/avp"><span data-hook="avp-badge" class="a-size-mini a-color-state a-text-bold">${view.verified}</span></a>`,
    view.vine ? '<span class="a-color-success a-text-bold">Vine Customer Review of Free Product</span>' : '',
  ].join('')
  return `<${tag}${idOnNode ? idAt('') : ''} data-hook="review" class="a-section review aok-relative">
<div${idAt('', '-review-card')} class="a-row a-spacing-none"><div${idAt(`${inner}-`)} class="a-section celwidget"><div data-hook="genome-widget" class="a-row a-spacing-mini"><a href="/gp/profile/amzn1.account.${view.profile}/ref=cm_cr_arp_d_gw_btm?ie=UTF8" class="a-profile" data-a-size="small"><div aria-hidden="true" class="a-profile-avatar-wrapper"></div><div class="a-profile-content">${
    view.name === null ? '' : `<span class="a-profile-name">${escaped(view.name)}</span>`
  }</div></a></div>${classicTitle(view)}${
    view.dated === null
      ? ''
      : `<span data-hook="review-date" class="a-size-base a-color-secondary review-date">${escaped(view.dated)}</span>`
  }${strip === '' ? '' : `<div class="a-row a-spacing-mini review-data review-format-strip">${strip}</div>`}<div class="a-row a-spacing-small review-data">${classicBody(view, place)}</div>${
    view.images.length === 0
      ? ''
      : `<div class="a-section review-image-tile-section">${view.images
          .map(
            url =>
              `<img alt="Customer image" src="${escaped(url)}" data-hook="review-image-tile" class="review-image-tile">`,
          )
          .join('')}</div>`
  }<div class="a-row review-comments cr-vote-action-bar"><span class="cr-vote" data-hook="review-voting-widget"><div class="a-row a-spacing-small">${
    view.helpful === null
      ? ''
      : `<span data-hook="helpful-vote-statement" class="a-size-base a-color-tertiary cr-vote-text">${escaped(view.helpful)}</span>`
  }</div><span class="a-button a-button-base"><input data-hook="vote-helpful-button" type="submit" value="Helpful"></span></span>${
    id === null
      ? ''
      : `<a data-hook="report-abuse-link" href="/hz/reviews-render/report-review?reviewId=${id}">Report</a>`
  }</div></div></div>
</${tag}>
`
}

function starIcon({ stars, starsText, foreign }: View, size = ''): string {
  if (stars === null) return ''
  const hook = foreign ? 'cmps-review-star-rating' : 'review-star-rating'
  const alt = starsText === null ? '' : `<span class="a-icon-alt">${starsText}</span>`
  return `<i data-hook="${hook}" class="a-icon a-icon-star${size} a-star${size}-${stars} review-rating">${alt}</i>`
}

function classicTitle(view: View): string {
  const { id, asin, title, foreign, starsText } = view
  if (title === null) return starIcon(view)
  if (foreign)
    return `<h5 class="a-spacing-none">${starIcon(view)}<span class="a-letter-space"></span><span data-hook="review-title" class="a-size-base review-title review-title-content a-color-base a-text-bold"><span class="cr-original-review-content">${escaped(title)}</span><span class="cr-translated-review-content aok-hidden"></span></span></h5>`
  const link = id === null ? '' : ` href="/gp/customer-reviews/${id}/ref=cm_cr_arp_d_rvw_ttl?ie=UTF8&amp;ASIN=${asin}"`
  const classes = 'a-size-base a-link-normal review-title a-color-base review-title-content a-text-bold'
  if (view.oldTitle)
    return `<a class="a-link-normal" title="${starsText ?? ''}"${link}>${starIcon(view)}</a><a data-hook="review-title" class="${classes}"${link}><span>${escaped(title)}</span></a>`
  return `<h5 class="a-spacing-none"><a data-hook="review-title" class="${classes}"${link}>${starIcon(view)}<span class="a-letter-space"></span>
<span>${escaped(title)}</span></a></h5>`
}

const noVideo = '<span>The media could not be loaded.</span>'

function classicBody({ text, foreign, readMore }: View, place: Place): string {
  const said = text === null ? noVideo : lines(text)
  if (foreign)
    return `<span data-hook="review-body" class="a-size-base review-text review-text-content"><span class="cr-original-review-content">${said}</span><span class="cr-translated-review-content aok-hidden"></span></span>`
  if (place === 'list')
    return `<span data-hook="review-body" class="a-size-base review-text review-text-content"><span>${said}</span></span>`
  return `<div data-hook="review-body" class="a-expander-content reviewText review-text-content"><div data-hook="review-collapsed" class="a-expander-content a-expander-partial-collapse-content"><span>${said}</span></div><div class="a-expander-header"><a data-hook="expand-collapse-read-more-less" href="javascript:void(0)"><span class="a-expander-prompt">${readMore}</span></a></div></div>`
}

export function newReview(view: View): string {
  const { id, idOnNode, text } = view
  const idAt = id === null || !idOnNode ? '' : ` id="${id}"`
  const inside = id === null || idOnNode ? '' : ` id="customer_review-${id}"`
  const said = text === null ? noVideo : lines(text)
  return `<li class="review aok-relative"><div${idAt} data-hook="reviewContainer" class="a-section"><div${inside}>
<div data-hook="review-by-line"><a class="a-profile" href="/gp/profile/amzn1.account.${view.profile}">${
    view.name === null ? '' : `<span class="a-profile-name">${escaped(view.name)}</span>`
  }</a></div>
<div>${starIcon({ ...view, foreign: false }, '-mini')}${view.title === null ? '' : `<h5 data-hook="reviewTitle">${escaped(view.title)}</h5>`}</div>
${view.dated === null ? '' : `<span data-hook="review-date">${escaped(view.dated)}</span>`}<div data-hook="review-badges">${
    view.verified === null ? '' : `<span data-hook="avp-badge" class="a-size-mini a-text-bold">${view.verified}</span>`
  }</div>
<div data-hook="reviewTextContainer"><span class="a-offscreen">Brief content visible, double tap to read full content.</span><div data-hook="reviewText"><div data-hook="reviewRichContentContainer"><p><span>${said}</span></p></div></div></div>${
    view.helpful === null ? '' : `<span data-hook="helpful-vote-statement">${escaped(view.helpful)}</span>`
  }</div></div></li>
`
}
