// What a good engineer writes in an afternoon with cheerio, as it is by default: of each review of a product page what `amazon_page` takes (its
// selectors, the first that gives a value), as records. No limits, no deadline.
import { createHash } from 'node:crypto'
import { type CheerioAPI, load } from 'cheerio'

type Nodes = ReturnType<ReturnType<CheerioAPI>['contents']> | ReturnType<CheerioAPI['root']>

const block =
  'address,article,aside,blockquote,dd,details,div,dl,dt,fieldset,figcaption,figure,footer,form,h1,h2,h3,h4,h5,h6,header,hr,li,main,nav,ol,p,pre,section,summary,table,tr,ul'
const unseen = 'script,style,noscript,template,head,iframe,object,svg'

/** Text as a reader sees it: a line feed for `<br>`, blocks on lines of their own, one space for other blanks. */
function seen(element: Nodes, exclude = ''): string | null {
  const copy = element.clone()
  copy.find(exclude === '' ? unseen : `${unseen},${exclude}`).remove()
  copy.find('br').replaceWith('\u0001')
  copy.find(block).before('\u0002').after('\u0002')
  const text = copy
    .text()
    .replace(/[\u200b-\u200d\u2060\ufeff\ufffd]/g, '')
    .replace(/[^\S ]|\s{2,}/g, ' ')
    .replace(/ ?[\u0001\u0002][ \u0001\u0002]*/g, run => '\n'.repeat(Math.max(1, run.split('\u0001').length - 1)))
    .trim()
  return text === '' ? null : text
}

function firstText($: CheerioAPI, within: Nodes, selectors: readonly string[], exclude = ''): string | null {
  for (const selector of selectors)
    for (const element of within.find(selector).toArray()) {
      const text = seen($(element), exclude)
      if (text !== null) return text
    }
  return null
}

function firstAttr(within: Nodes, selectors: readonly string[], name: string): string | null {
  for (const selector of selectors) {
    const value = within.find(selector).attr(name)?.trim()
    if (value) return value
  }
  return null
}

const bodies = [
  '[data-hook="review-body"] .cr-original-review-content',
  '[data-hook="reviewText"] .cr-original-review-content',
  '[data-hook="review-collapsed"]',
  '[data-hook="review-body"]',
  '[data-hook="reviewText"]',
  '[data-hook="reviewTextContainer"]',
  '[data-hook="reviewRichContentContainer"]',
]
const notBody =
  '.a-offscreen,.a-expander-header,.a-expander-prompt,[data-hook="expand-collapse-read-more-less"],.cr-translated-review-content,video,.video-block,[id^="video-block-"],[class*="vse-"],.a-popover-preload'
const titles = [
  '[data-hook="review-title"] .cr-original-review-content',
  '[data-hook="review-title"]',
  '[data-hook="reviewTitle"] .cr-original-review-content',
  '[data-hook="reviewTitle"]',
]
const names = [
  '[data-hook="genome-widget"] .a-profile-name',
  '[data-hook="review-by-line"] .a-profile-name',
  '.a-profile-name',
]
const readMore = /\s*(?:Read more|Mehr lesen|Lire la suite|Leer más|Leggi di più|Meer lezen|Ler mais)\s*$/

function pageOf($: CheerioAPI) {
  const all = $.root()
  return {
    title: firstText($, all, ['title']),
    product: firstAttr(all, ['a[data-hook="product-link"]', 'link[rel="canonical"]'], 'href'),
    state: firstAttr(all, ['#cr-state-object'], 'data-state'),
    asin: firstAttr(all, ['input#ASIN', 'input[name="ASIN"]'], 'value'),
    total: firstText($, all, [
      '[data-hook="cr-filter-info-review-rating-count"]',
      '[data-hook="total-review-count"]',
      '#acrCustomerReviewText',
    ]),
    captcha: $('form[action*="validateCaptcha"], #captchacharacters').length > 0,
    signIn: $('form[name="signIn"], #ap_email, #signInSubmit').length > 0,
  }
}

function reviewOf($: CheerioAPI, element: Nodes) {
  return {
    id: element.attr('id')?.trim() ?? null,
    innerId: firstAttr(element, ['[id^="customer_review"]', '[id$="-review-card"]'], 'id'),
    permalink: firstAttr(element, ['a[data-hook="review-title"]', 'a[href*="/gp/customer-reviews/R"]'], 'href'),
    variantLink: firstAttr(element, ['a[data-hook="format-strip"]'], 'href'),
    name: firstText($, element, names),
    stars:
      firstText($, element, ['[data-hook$="review-star-rating"] .a-icon-alt', '[data-hook$="review-star-rating"]']) ??
      firstAttr(element, ['[data-hook$="review-star-rating"]'], 'class') ??
      firstText($, element, ['i.a-icon-star .a-icon-alt']),
    title: firstText($, element, titles, 'i,.a-icon-alt,.cr-translated-review-content'),
    date: firstText($, element, ['[data-hook="review-date"]']),
    text: firstText($, element, bodies, notBody),
    votes: firstText($, element, ['[data-hook="helpful-vote-statement"]']),
    verified: element.find('[data-hook="avp-badge"], [data-hook="avp-badge-linkless"]').length > 0,
    vine: /vine/i.test(element.find('.review-format-strip, [data-hook="review-badges"]').text()),
    variant: firstText($, element, ['[data-hook="format-strip"]', '[data-hook="format-strip-linkless"]']),
    profile: firstAttr(element, ['a.a-profile[href*="/gp/profile/"]'], 'href'),
    images: element
      .find('img[data-hook="review-image-tile"]')
      .toArray()
      .map(image => $(image).attr('src')),
  }
}

const starsIn = (text: string | null): number => Number(/\d(?:[.,]\d)?/.exec(text ?? '')![0].replace(',', '.'))

function votesIn(text: string | null): number {
  if (text === null) return 0
  if (/^\s*(one person|eine person|una persona)\b/i.test(text)) return 1
  return Number(/\d[\d.,]*/.exec(text)![0].replace(/\D/g, ''))
}

/** The fields of RawReview, but the time. */
export interface Review {
  readonly review_id: string
  readonly product_asin: string
  readonly reviewer_name: string | null
  readonly review_text: string | null
  readonly review_title: string | null
  readonly rating: number
  readonly review_date: string | null
  readonly helpfulness_votes: number
}

/** The reviews of a product page. @throws where it is a wall */
export function reviewsOf(html: string, asked: string): Review[] {
  const $ = load(html)
  const page = pageOf($)
  if (page.captcha || page.signIn) throw new Error(`${asked}: a wall`)
  return $('[data-hook="review"]')
    .toArray()
    .map(element => {
      const item = reviewOf($, $(element))
      const asin =
        /[?&]ASIN=([A-Z0-9]{10})/.exec(item.permalink ?? '')?.[1] ??
        /\/dp\/([A-Z0-9]{10})/.exec(`${page.product}`)?.[1] ??
        asked
      const parts = [asin, item.name, item.date, item.title, item.text]
      return {
        review_id: /^R[A-Z0-9]{9,14}$/.test(item.id ?? '')
          ? item.id!
          : createHash('sha256').update(parts.join('|')).digest('hex'),
        product_asin: asin,
        reviewer_name: item.name,
        review_text: item.text?.replace(readMore, '').trim() ?? null,
        review_title: item.title,
        rating: starsIn(item.stars),
        review_date: item.date,
        helpfulness_votes: votesIn(item.votes),
      }
    })
}
