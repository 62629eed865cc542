// Amazon's Product Advertising API 5.0, which Amazon has switched off: counts of products, signed by AWS Signature Version 4. For replay and for the signer.
import { callFaults, type Item } from './faults.ts'
import { factsOfItems, valuesOf, writeSignals } from './items.ts'
import type { Product } from './shop.ts'
import { type Verdict, verify } from './sigv4.ts'
import {
  type Answer,
  type Call,
  type Desk,
  isRecord,
  json,
  jsonBody,
  type OpenVendor,
  type VendorSpec,
} from './vendor.ts'

const service = 'ProductAdvertisingAPI'
const target = 'com.amazon.paapi5.v1.ProductAdvertisingAPIv1.'

export const paApi: VendorSpec = {
  name: 'pa-api',
  summary: 'PA-API 5.0 (retired): counts, SigV4',
  tries: [
    `curl {url}/paapi5/getitems --user '{user}:{key}' --aws-sigv4 'aws:amz:us-east-1:${service}' -H 'content-type: application/json; charset=utf-8' -H 'x-amz-target: ${target}GetItems' -d '{"ItemIds":["B0WEIRTST1"],"Marketplace":"www.amazon.com","PartnerTag":"weirtest-20","PartnerType":"Associates","Resources":["CustomerReviews.Count","CustomerReviews.StarRating"]}'`,
  ],
  login: { user: 'access key', key: 'secret key' },
  faults: {
    ...callFaults,
    no_counts: {
      scope: 'item',
      doc: 'no CustomerReviews, as for nearly everyone',
      change: ({ CustomerReviews: _, ...item }) => item,
    },
    access_denied: { scope: 'call', doc: 'the key is not enabled: 403', asked: true },
    invalid_associate: { scope: 'call', doc: 'no approved associate: 403', asked: true },
  },
  limit: { calls: 1, windowMs: 1000 },
  atOnce: null,
  keepMs: null,
  extras: ['credits'],
  open,
}

const said: Readonly<Record<string, { readonly status: number; readonly message: string }>> = {
  TooManyRequests: { status: 429, message: 'The request was denied due to request throttling.' },
  AccessDenied: { status: 403, message: 'The access key is not enabled for this API version.' },
  InvalidAssociate: { status: 403, message: 'The access key is not mapped to an approved associate store.' },
  InvalidSignature: {
    status: 401,
    message: 'The signature computed for the request does not match the one supplied.',
  },
  IncompleteSignature: {
    status: 400,
    message: 'The request signature does not include all of the required components.',
  },
  UnrecognizedClient: { status: 401, message: 'The access key or security token included in the request is invalid.' },
  RequestExpired: { status: 401, message: 'The request is past its expiry date.' },
  UnknownOperation: { status: 404, message: 'The operation requested is invalid.' },
  MissingParameter: { status: 400, message: 'A required parameter is missing.' },
  InvalidPartnerTag: { status: 400, message: 'The partner tag is not mapped to a valid associate store.' },
  InvalidParameterValue: { status: 400, message: 'The value of a parameter is invalid.' },
  InternalFailure: { status: 500, message: 'The request processing has failed.' },
}

function failure(code: string, { status, message } = said[code]!): Answer {
  return json(status, { __type: `com.amazon.paapi5#${code}Exception`, Errors: [{ Code: code, Message: message }] })
}

const verdicts: Readonly<Record<Exclude<Verdict, 'ok'>, string>> = {
  incomplete: 'IncompleteSignature',
  unknown_key: 'UnrecognizedClient',
  expired: 'RequestExpired',
  mismatch: 'InvalidSignature',
}

function open(desk: Desk): OpenVendor {
  const { user, key } = desk.settings
  /** Credits are the requests of the day. */
  const heard = (call: Call, operation: string, answer: (body: Item) => Answer): Answer => {
    if (call.headers['x-amz-target'] !== target + operation) return failure('UnknownOperation')
    const body = jsonBody(call)
    if (!isRecord(body)) return failure('InvalidParameterValue')
    if (typeof body['PartnerTag'] !== 'string') return failure('MissingParameter')
    if (!/-\d\d$/.test(body['PartnerTag'])) return failure('InvalidPartnerTag')
    if (!desk.charge(call, { operation, ItemIds: body['ItemIds'] }, 0)) return failure('TooManyRequests')
    return answer(body)
  }
  return {
    refuse(call) {
      const verdict = verify(call, { accessKey: user, secretKey: key, service }, desk.clock.now())
      return verdict === 'ok' ? null : failure(verdicts[verdict])
    },
    trouble: kind =>
      kind === '429'
        ? failure('TooManyRequests')
        : kind === 'access_denied'
          ? failure('AccessDenied')
          : kind === 'invalid_associate'
            ? failure('InvalidAssociate')
            : /^5/.test(kind)
              ? failure('InternalFailure', { status: Number(kind), message: said['InternalFailure']!.message })
              : null,
    throttled: () => failure('TooManyRequests'),
    notFound: () => failure('UnknownOperation'),
    routes: [
      {
        method: 'POST',
        path: '/paapi5/getitems',
        handle: call => heard(call, 'GetItems', body => getItems(desk, body)),
      },
      {
        method: 'POST',
        path: '/paapi5/searchitems',
        handle: call => heard(call, 'SearchItems', body => searchItems(desk, body)),
      },
    ],
  }
}

const resourcesOf = (body: Item) => (Array.isArray(body['Resources']) ? body['Resources'].map(String) : [])

function getItems(desk: Desk, body: Item): Answer {
  const ids = Array.isArray(body['ItemIds']) ? body['ItemIds'].map(String) : []
  if (ids.length === 0) return failure('MissingParameter')
  if (ids.length > 10) return failure('InvalidParameterValue')
  const looks = ids.map(id => [id, desk.shop.look(id)] as const)
  const found = looks.flatMap(([, look]) => (look === null ? [] : [look.product]))
  const wrong = looks.filter(([, look]) => look === null).map(([id]) => id)
  const written = writeSignals(
    desk,
    paApi,
    found.map(product => ({ asin: product.asin, value: item(product, body) })),
  )
  const errors = wrong.map(id => ({
    __type: 'com.amazon.paapi5#ErrorData',
    Code: 'InvalidParameterValue',
    Message: `The ItemId ${id} provided in the request is invalid.`,
  }))
  const value = {
    ...(found.length > 0 ? { ItemsResult: { Items: valuesOf(written) } } : {}),
    ...(errors.length > 0 ? { Errors: errors } : {}),
  }
  return { ...json(200, value), facts: factsOfItems(written) }
}

function searchItems(desk: Desk, body: Item): Answer {
  const words = String(body['Keywords'] ?? '')
    .toLowerCase()
    .split(/\s+/)
    .filter(Boolean)
  if (words.length === 0) return failure('MissingParameter')
  const all = desk.shop.asins
    .map(asin => desk.shop.look(asin)!.product)
    .filter(({ title }) => words.every(word => title.toLowerCase().includes(word)))
  const count = Number(body['ItemCount'] ?? 10)
  const from = (Number(body['ItemPage'] ?? 1) - 1) * count
  const shown = all.slice(from, from + count)
  const written = writeSignals(
    desk,
    paApi,
    shown.map(product => ({ asin: product.asin, value: item(product, body) })),
  )
  const url = `https://www.amazon.com/s?k=${encodeURIComponent(words.join(' '))}&tag=${body['PartnerTag']}&linkCode=osi`
  const value = { SearchResult: { TotalResultCount: all.length, SearchURL: url, Items: valuesOf(written) } }
  return { ...json(200, value), facts: factsOfItems(written) }
}

function item({ asin, title, parent, stars, ratings }: Product, body: Item): Item {
  const resources = resourcesOf(body)
  const counts = {
    ...(resources.includes('CustomerReviews.Count') ? { Count: ratings } : {}),
    ...(resources.includes('CustomerReviews.StarRating') ? { StarRating: { Value: stars } } : {}),
  }
  return {
    ASIN: asin,
    DetailPageURL: `https://www.amazon.com/dp/${asin}?tag=${body['PartnerTag']}&linkCode=ogi&th=1&psc=1`,
    ...(resources.includes('ItemInfo.Title')
      ? { ItemInfo: { Title: { DisplayValue: title, Label: 'Title', Locale: 'en_US' } } }
      : {}),
    ...(resources.includes('ParentASIN') ? { ParentASIN: parent } : {}),
    ...(Object.keys(counts).length > 0 ? { CustomerReviews: counts } : {}),
  }
}
