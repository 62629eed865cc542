// Answers that are not reviews: what the shop shows to those it takes for robots, to those who are not signed in, and when it is unwell.
import { frame } from './amazon-pages.ts'
import { escaped } from './amazon-review.ts'
import type { Locale } from './locale.ts'
import type { RobotsStyle } from './settings.ts'
import type { Product } from './shop.ts'

export const robotCheckPage = (locale: Locale, path: string) =>
  frame(
    locale,
    'Robot Check',
    `<!--
  To discuss automated access to Amazon data please contact api-services-support@amazon.com.
-->
<h4>Enter the characters you see below</h4><p class="a-last">Sorry, we just need to make sure you're not a robot.</p>
<form method="get" action="/errors/validateCaptcha" name=""><input type=hidden name="amzn" value="weir==" /><input type=hidden name="amzn-r" value="${escaped(path)}" /><img src="https://images.example.test/captcha/weir.jpg"><input autocomplete="off" placeholder="Type characters" id="captchacharacters" name="field-keywords" type="text"><button type="submit">Continue shopping</button></form>`,
  )

export const continuePage = (locale: Locale, path: string) =>
  frame(
    locale,
    locale.domain.replace(/^a/, 'A'),
    `<h4>${locale.continueShopping}</h4><form method="get" action="/errors_page/validateCaptcha"><input type="hidden" name="amzn" value="weir"><input type="hidden" name="amzn-r" value="${escaped(path)}"><input type="hidden" name="field-keywords" value="WEIRXX"><button type="submit" class="a-button-text" alt="Continue shopping">Continue shopping</button></form>`,
  )

export const signInPage = (locale: Locale) =>
  frame(
    locale,
    'Amazon Sign-In',
    `<form name="signIn" method="post" action="https://www.${locale.domain}/ap/signin"><label for="ap_email">Email or mobile phone number</label><input type="email" id="ap_email" name="email"><input id="signInSubmit" type="submit" value="Continue"></form>`,
  )

/** A product page with its totals, and a card in the place of the reviews. */
export const softBlockPage = (locale: Locale, { asin, title, stars, ratings }: Product) =>
  frame(
    locale,
    `${locale.domain.replace(/^a/, 'A')}: ${title}`,
    `<span id="productTitle"> ${escaped(title)} </span><span id="acrCustomerReviewText">${ratings.toLocaleString(locale.tag)} ratings</span>
<div id="customerReviews"><div data-hook="rating-out-of-text">${locale.stars(stars)}</div><div class="a-box a-text-center"><span>Sign in to see customer reviews.</span><a href="/ap/signin?openid.return_to=https%3A%2F%2Fwww.${locale.domain}%2Fdp%2F${asin}">Sign in</a></div></div>`,
  )

export const dogsPage = (locale: Locale) =>
  frame(
    locale,
    'Sorry! Something went wrong!',
    '<a href="/dogsofamazon"><img id="d" alt="Dogs of Amazon" src="https://images.example.test/dogs.jpg"></a><p>Sorry! Something went wrong on our end. Please go back and try again.</p>',
  )

export const notFoundPage = (locale: Locale) =>
  frame(
    locale,
    'Page Not Found',
    "<h4>Sorry! We couldn't find that page</h4><p>Try searching or go to Amazon's home page.</p>",
  )

/** A page whose reviews stand in elements that nobody knows yet. */
export const changedPage = (locale: Locale, { title, ratings }: Product) =>
  frame(
    locale,
    `${locale.domain.replace(/^a/, 'A')}: ${title}`,
    `<span id="productTitle"> ${escaped(title)} </span><span id="acrCustomerReviewText">${ratings.toLocaleString(locale.tag)} ratings</span>
<section class="opinions"><article><b>5/5</b><p>Moved to another element.</p></article></section>`,
  )

const usual = `# condensed and invented: the review-related rules, not the full file
User-agent: *
Disallow: /gp/customer-reviews/common/du
Disallow: /gp/customer-reviews/write-a-review.html
Disallow: /gp/customer-reviews/dynamic/sims-box
Disallow: /review/common/du
Disallow: /review/dynamic/sims-box
Disallow: /reviews/iframe
Disallow: /product-reviews/B0069IY63Y
Disallow: /gp/profile/
Disallow: /gp/pdp/profile/
Disallow: /gp/aw/cr/
Disallow: /ap/signin
Disallow: /ss/customer-reviews/lighthouse/
Disallow: /hz/leaderboard/top-reviewers/
Disallow: /-/
Allow: /-/es/
Allow: /-/en$

User-agent: Scrapy
Disallow: /

User-agent: GPTBot
Disallow: /

User-agent: ClaudeBot
Disallow: /
`
const strict = 'User-agent: *\nDisallow: /product-reviews/\nDisallow: /dp/\n'

/** null: the answer is no rules but a status. */
export const robotsText = (style: RobotsStyle) => (style === 'usual' ? usual : style === 'strict' ? strict : null)
