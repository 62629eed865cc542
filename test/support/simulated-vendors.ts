// Every way that a shipped vendor calls somebody, and the simulator it is read from in tests.
import type { VendorUse } from './vendor-run.ts'
import { project } from './vendor-run.ts'

export const simulatedUser = 'me'
export const simulatedKey = 'secret-of-the-test'

/** Products of the simulated shop that are read. */
export type Asins = readonly string[]

export interface SimulatedVendor {
  readonly simulator: string
  readonly vendor: string
  /** Where a vendor has more than one. */
  readonly mode?: string
  /** Fields of the vendor beside `mode` and `base_url`, which it may override. */
  readonly config: (url: string, asins: Asins) => Readonly<Record<string, unknown>>
  /** Schema of its topic; that of raw reviews when it is left out. */
  readonly schema?: string
}

const key = simulatedKey
const login = (asins: Asins) => ({ password: key, asins })
const schema = `${project}/schemas/product-signal.avsc`

export const simulatedVendors: readonly SimulatedVendor[] = [
  { simulator: 'brightdata', vendor: 'brightdata_reviews', config: (_, asins) => ({ token: key, asins }) },
  { simulator: 'apify', vendor: 'apify_reviews', config: (_, asins) => ({ token: key, asins }) },
  ...['live', 'task'].map(mode => ({
    simulator: 'dataforseo',
    vendor: 'dataforseo_asin',
    mode,
    config: (_: string, asins: Asins) => ({ login: simulatedUser, ...login(asins) }),
  })),
  {
    simulator: 'oxylabs',
    vendor: 'oxylabs',
    mode: 'realtime',
    config: (url, asins) => ({ username: simulatedUser, ...login(asins), base_url: `${url}/realtime` }),
  },
  {
    simulator: 'oxylabs',
    vendor: 'oxylabs',
    mode: 'push_pull',
    config: (_, asins) => ({ username: simulatedUser, ...login(asins) }),
  },
  ...['top_reviews', 'reviews'].map(mode => ({
    simulator: 'rainforest',
    vendor: 'rainforest',
    mode,
    config: (_: string, asins: Asins) => ({ api_key: key, asins }),
  })),
  ...['sync', 'async'].map(mode => ({
    simulator: 'outscraper',
    vendor: 'outscraper',
    mode,
    config: (_: string, asins: Asins) => ({ api_key: key, asins }),
  })),
  { simulator: 'scrapehero', vendor: 'scrapehero', config: (_, asins) => ({ api_key: key, asins }) },
  {
    simulator: 'amazon-page',
    vendor: 'amazon_page',
    config: (_, asins) => ({ i_have_checked_the_terms: true, asins, agent: 'example-reviews (ops@example.com)' }),
  },
  {
    simulator: 'keepa',
    vendor: 'keepa',
    config: (_, asins) => ({ api_key: key, asins: [asins.join(',')] }),
    schema,
  },
  {
    simulator: 'creators',
    vendor: 'amazon_creators_api',
    config: (url, asins) => ({
      client_id: simulatedUser,
      client_secret: key,
      partner_tag: 'example-20',
      asins: [asins.join(',')],
      token_url: `${url}/auth/o2/token`,
    }),
    schema,
  },
  {
    simulator: 'pa-api',
    vendor: 'amazon_pa_api',
    config: (_, asins) => ({
      access_key: simulatedUser,
      secret_key: key,
      partner_tag: 'example-20',
      asins: [asins.join(',')],
    }),
    schema,
  },
]

/** What a pipeline has under the vendor's name. */
export const configOfSimulated = (
  { mode, config }: SimulatedVendor,
  url: string,
  asins: Asins,
): Readonly<Record<string, unknown>> => ({ ...(mode ? { mode } : {}), base_url: url, ...config(url, asins) })

export const nameOfSimulated = ({ vendor, mode }: SimulatedVendor): string => (mode ? `${vendor} ${mode}` : vendor)

export const useOfSimulated = (each: SimulatedVendor, url: string, asins: Asins): VendorUse => ({
  vendor: each.vendor,
  config: configOfSimulated(each, url, asins),
  ...(each.schema ? { schema: each.schema } : {}),
})
