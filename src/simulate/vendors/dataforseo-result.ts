// The result of an ASIN task: the product, and within it the reviews that its page shows.
import { type FaultKinds, type Item, oddity } from './faults.ts'
import { valuesOf, type Written, writeItems } from './items.ts'
import type { Look, ShopReview } from './shop.ts'
import type { Desk } from './vendor.ts'

const refused = { scope: 'item', refused: true } as const

export const reviewFaults: FaultKinds = {
  rating_null: { ...refused, doc: 'rating is null', change: item => ({ ...item, rating: null }) },
  rating_empty: { ...refused, doc: 'rating is an empty object', change: item => ({ ...item, rating: {} }) },
  rating_text: { ...refused, doc: 'the stars are a word', change: item => ({ ...item, rating: { value: 'five' } }) },
  not_an_object: {
    ...refused,
    doc: 'a text in the place of the item',
    change: (_, { id }) => `review ${id} could not be read`,
  },
  profile_null: oddity('user_profile is null', 'user_profile', () => null),
  url_null: oddity('url is null: the review has no id', 'url', () => null),
  votes_sentence: oddity(
    'helpful_votes is a sentence',
    'helpful_votes',
    (_, { votes }) => `${votes} people found this helpful`,
  ),
  title_null: oddity('title is null', 'title', () => null),
}

export interface Result {
  /** null: there is no such product. */
  readonly result: Item | null
  readonly written: readonly Written[]
}

export function resultOf(
  desk: Desk,
  look: Look | null | undefined,
  data: Item,
  stampMs: number,
  job: string | null,
): Result {
  if (!look) return { result: null, written: [] }
  const { product } = look
  const { asin } = product
  const top = look.top()
  const write = (reviews: readonly ShopReview[]) => writeItems(desk, { faults: reviewFaults }, reviews, reviewItem, job)
  const local = write(top.local)
  const global = write(top.global)
  const image = 'https://images.example.test/I/weir-p1.jpg'
  const item = {
    type: 'amazon_product_info',
    rank_group: 1,
    rank_absolute: 1,
    position: 'left',
    xpath: null,
    title: product.title,
    details: 'Invented product used for tests.',
    image_url: image,
    author: product.brand,
    data_asin: asin,
    parent_asin: product.parent,
    product_asins: [asin],
    price_from: 39.99,
    price_to: null,
    percentage_discount: null,
    currency: 'USD',
    is_amazon_choice: false,
    rating: {
      type: 'rating_element',
      position: 'left',
      rating_type: 'Max5',
      value: product.stars,
      votes_count: product.ratings,
      rating_max: 5,
    },
    is_newer_model_available: false,
    is_prime_video: null,
    applicable_vouchers: null,
    newer_model: null,
    categories: [{ type: 'categories_element', category: 'Kettles', url: 'https://www.amazon.com/b?node=900000001' }],
    product_information: [
      {
        type: 'product_information_details_item',
        section_name: 'Product details',
        body: { Capacity: '1.2 L', 'Item model number': 'WR-1200' },
      },
    ],
    product_images_list: [image],
    product_videos_list: null,
    description: 'A product that does not exist.',
    is_available: true,
    top_local_reviews: local.length > 0 ? valuesOf(local) : null,
    top_global_reviews: global.length > 0 ? valuesOf(global) : null,
  }
  const result = {
    asin,
    type: 'shopping_asin',
    se_domain: data['se_domain'] ?? 'amazon.com',
    location_code: data['location_code'],
    language_code: data['language_code'],
    check_url: `https://www.amazon.com/dp/${asin}?language=${data['language_code']}`,
    datetime: `${new Date(stampMs).toISOString().slice(0, 19).replace('T', ' ')} +00:00`,
    item_types: ['amazon_product_info'],
    items_count: 1,
    items: [item],
  }
  return { result, written: [...local, ...global] }
}

function reviewItem(review: ShopReview, n: number): Item {
  const { id, asin } = review
  return {
    type: 'amazon_review_item',
    rank_group: n + 1,
    rank_absolute: n + 1,
    position: 'right',
    xpath: `/html[1]/body[1]/div[1]/div[${n + 4}]`,
    verified: review.verified,
    subtitle: review.variant.map(([name, value]) => `${name}: ${value}`).join(' | ') || null,
    helpful_votes: review.votes === 0 ? null : review.votes.toLocaleString('en-US'),
    images:
      review.images.length > 0
        ? review.images.map(url => ({ type: 'images_element', alt: null, url: null, image_url: url }))
        : null,
    videos: null,
    user_profile: {
      name: review.name,
      avatar: null,
      url: `https://www.amazon.com/gp/profile/amzn1.account.${review.profile}/ref=cm_cr_arp_d_gw_btm?ie=UTF8`,
      reviews_count: null,
      locations: null,
    },
    title: review.title,
    url: `https://www.amazon.com/gp/customer-reviews/${id}/ref=cm_cr_arp_d_rvw_ttl?ie=UTF8&ASIN=${asin}`,
    review_text: review.text,
    publication_date: `${review.date} 00:00:00 +00:00`,
    rating: { rating_type: 'Max5', value: review.stars, votes_count: null, rating_max: 5 },
  }
}
