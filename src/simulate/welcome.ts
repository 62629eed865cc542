// What `GET /` of the simulated vendor says to a person.
import { faultKinds, type Settings } from './options.ts'
import { defaultPageSize, maxPageSize } from './pages.ts'
import type { World } from './world.ts'

/** The endpoints, the products and the state, as plain text. */
export function welcome(url: string, world: World, settings: Settings): string {
  const products = [...world.products]
    .map(asin => ({ asin, count: world.versions(asin).length }))
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count)
  const example = `${url}/reviews?asin=${products[0]?.asin ?? [...world.products][0]}`
  const { token, basic } = settings
  const keys = [
    ...(token === null ? [] : ['Authorization: Bearer, X-Api-Key or ?key=']),
    ...(basic === null ? [] : ['HTTP basic authentication']),
  ]
  return `A simulated review vendor. The reviews are real ones of the Amazon Fine Foods set (CC0), their writers' names replaced by hashes.

  GET  ${example}&page=1&page_size=${defaultPageSize}&sort=newest
  GET  ${url}/reviews?offset=40        also by offset, by ?cursor= (next_cursor), by next (a URL) and by the Link header
  POST ${url}/reviews                  the same parameters in a JSON body
  GET  ${url}/products                 products with reviews
  GET  ${url}/_journal                 every review version served, NDJSON

  asin           one product; without it, all
  page_size      1 to ${maxPageSize}
  sort           newest or oldest, by updated_at
  updated_since  a time such as 2012-01-31T00:00:00Z: only what changed since
  fault          ${faultKinds.join(', ')}: this call goes wrong

Asks for ${keys.length > 0 ? keys.join(', or for ') : 'no credentials'}.

${products.map(({ asin, count }) => `  ${asin}  ${String(count).padStart(4)} reviews`).join('\n')}
`
}
