// Amazon's Creators API: counts of products behind OAuth2 client credentials. Two kinds of token address, and a header that carries the kind's version.
import { same } from '../gate.ts'
import { callFaults, type Item } from './faults.ts'
import { factsOfItems, valuesOf, writeSignals } from './items.ts'
import { idText, mixedDigits } from './jobs.ts'
import type { Product } from './shop.ts'
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

export const creators: VendorSpec = {
  name: 'creators',
  summary: 'Amazon Creators API: counts, OAuth2 tokens that expire',
  tries: [
    `curl {url}/auth/o2/token -H 'content-type: application/json' -d '{"grant_type":"client_credentials","client_id":"{user}","client_secret":"{key}","scope":"creatorsapi::default"}'`,
    `curl {url}/catalog/v1/getItems -H 'authorization: Bearer TOKEN' -H 'x-marketplace: www.amazon.com' -d '{"partnerTag":"weirtest-20","itemIds":["B0WEIRTST1"],"resources":["customerReviews.count","customerReviews.starRating"]}'`,
  ],
  login: { user: 'client id', key: 'client secret' },
  faults: {
    ...callFaults,
    token_expired: { scope: 'call', doc: 'the token is good no more, before its time: 401' },
    not_eligible: { scope: 'call', doc: 'the account is not eligible: 403', asked: true },
    no_counts: {
      scope: 'item',
      doc: 'no customerReviews, as one client reports of all',
      change: ({ customerReviews: _, ...item }) => item,
    },
  },
  limit: { calls: 1, windowMs: 1000 },
  atOnce: null,
  keepMs: null,
  extras: ['tokenLifeMs'],
  open,
}

interface Token {
  /** Of version 2 credentials the header must say so. */
  readonly version: 2 | 3
  readonly untilMs: number
}

const unauthorized = (reason: string, message: string) => json(401, { type: 'UnauthorizedException', message, reason })
const expired = () => unauthorized('TokenExpired', 'The access token has expired')
const invalid = (name: string, message: string) =>
  json(400, {
    type: 'ValidationException',
    message: '1 validation error detected',
    reason: 'FieldValidationFailed',
    fieldList: [{ name, message }],
  })
const slowDown = () =>
  json(429, { type: 'ThrottleException', message: 'Rate exceeded', serviceCode: 'creatorsapi', quotaCode: 'TPS' })

function open(desk: Desk): OpenVendor {
  const { settings, clock } = desk
  const tokens = new Map<string, Token>()

  const giveToken = (call: Call, version: 2 | 3): Answer => {
    const form = fieldsOf(call, version)
    const basic = /^Basic (.+)$/.exec(call.headers.authorization ?? '')?.[1]
    const [user, key] = basic
      ? Buffer.from(basic, 'base64').toString().split(/:(.*)/s)
      : [form['client_id'], form['client_secret']]
    if (form['grant_type'] !== 'client_credentials') return json(400, { error: 'unsupported_grant_type' })
    if (!same(user, settings.user) || !same(key, settings.key))
      return json(401, { error: 'invalid_client', error_description: 'Client authentication failed' })
    const scope = version === 2 ? 'creatorsapi/default' : 'creatorsapi::default'
    if (form['scope'] !== undefined && form['scope'] !== scope) return json(400, { error: 'invalid_scope' })
    const token = `Atc|weir-${idText(mixedDigits, 24, settings.seed, 'token', tokens.size)}`
    tokens.set(token, { version, untilMs: clock.monotonic() + settings.tokenLifeMs })
    const seconds = Math.floor(settings.tokenLifeMs / 1000)
    return json(200, { access_token: token, expires_in: seconds, token_type: 'bearer', scope })
  }

  const tokenOf = ({ headers }: Call) => {
    const [, text, version] = /^Bearer ([^,]+)(?:, Version (2\.\d))?$/.exec(headers.authorization ?? '') ?? []
    return { text, version }
  }

  return {
    refuse(call) {
      if (call.headers.authorization === undefined) return unauthorized('MissingCredential', 'No credential was given')
      const { text, version } = tokenOf(call)
      const token = tokens.get(text ?? '')
      if (token === undefined || (token.version === 2) !== (version !== undefined))
        return unauthorized('InvalidToken', 'The access token is invalid')
      return token.untilMs > clock.monotonic() ? null : expired()
    },
    trouble(kind, call) {
      if (kind === '429') return slowDown()
      if (kind === 'not_eligible')
        return json(403, {
          type: 'AccessDeniedException',
          message: 'Associate account is not eligible',
          reason: 'AssociateNotEligible',
        })
      if (kind === 'token_expired') {
        tokens.delete(tokenOf(call).text ?? '')
        return expired()
      }
      return /^5/.test(kind)
        ? json(Number(kind), { type: 'InternalServerException', message: 'An internal error occurred' })
        : null
    },
    throttled: slowDown,
    notFound: () =>
      json(400, { type: 'ValidationException', message: 'Unknown operation', reason: 'UnknownOperation' }),
    routes: [
      { method: 'POST', path: '/oauth2/token', open: true, handle: call => giveToken(call, 2) },
      { method: 'POST', path: '/auth/o2/token', open: true, handle: call => giveToken(call, 3) },
      { method: 'POST', path: '/catalog/v1/getItems', handle: call => heard(desk, call, getItems) },
      { method: 'POST', path: '/catalog/v1/searchItems', handle: call => heard(desk, call, searchItems) },
    ],
  }
}

/** A form for version 2, JSON for version 3. */
function fieldsOf(call: Call, version: 2 | 3): Readonly<Record<string, unknown>> {
  if (version === 2) return Object.fromEntries(new URLSearchParams(call.body.toString('utf8')))
  const body = jsonBody(call)
  return isRecord(body) ? body : {}
}

function heard(desk: Desk, call: Call, answer: (desk: Desk, body: Item) => Answer): Answer {
  const body = jsonBody(call)
  if (!isRecord(body)) return json(400, { type: 'ValidationException', message: 'Cannot parse', reason: 'CannotParse' })
  if (call.headers['x-marketplace'] === undefined) return invalid('x-marketplace', 'must not be empty')
  const tag = String(body['partnerTag'] ?? '')
  if (tag === '' || tag.length > 64)
    return json(400, { type: 'ValidationException', message: 'Invalid partner tag', reason: 'InvalidPartnerTag' })
  return answer(desk, body)
}

function getItems(desk: Desk, body: Item): Answer {
  const ids = Array.isArray(body['itemIds']) ? body['itemIds'].map(String) : []
  if (ids.length === 0 || ids.length > 10) return invalid('itemIds', 'must contain between 1 and 10 entries')
  const looks = ids.map(id => [id, desk.shop.look(id)] as const)
  const found = looks.flatMap(([, look]) => (look === null ? [] : [look.product]))
  if (found.length === 0) {
    const message = 'Requested resource does not exist'
    return json(404, { type: 'ResourceNotFoundException', message, resourceId: ids[0], resourceType: 'Item' })
  }
  const written = writeSignals(
    desk,
    creators,
    found.map(product => ({ asin: product.asin, value: item(product, body) })),
  )
  const errors = looks
    .filter(([, look]) => look === null)
    .map(([id]) => ({ code: 'ItemNotAccessible', message: `The ItemId ${id} is not accessible through this API.` }))
  const value = { itemsResult: { items: valuesOf(written) }, ...(errors.length > 0 ? { errors } : {}) }
  return { ...json(200, value), facts: factsOfItems(written) }
}

function searchItems(desk: Desk, body: Item): Answer {
  const words = String(body['keywords'] ?? '')
    .toLowerCase()
    .split(/\s+/)
    .filter(Boolean)
  if (words.length === 0) return invalid('keywords', 'must not be empty')
  const all = desk.shop.asins
    .map(asin => desk.shop.look(asin)!.product)
    .filter(({ title }) => words.every(word => title.toLowerCase().includes(word)))
  const count = Number(body['itemCount'] ?? 10)
  const from = (Number(body['itemPage'] ?? 1) - 1) * count
  const written = writeSignals(
    desk,
    creators,
    all.slice(from, from + count).map(product => ({ asin: product.asin, value: item(product, body) })),
  )
  const searchURL = `https://www.amazon.com/s?k=${encodeURIComponent(words.join(' '))}&tag=${body['partnerTag']}`
  const value = { searchResult: { totalResultCount: all.length, searchURL, items: valuesOf(written) } }
  return { ...json(200, value), facts: factsOfItems(written) }
}

function item({ asin, title, parent, stars, ratings }: Product, body: Item): Item {
  const resources = Array.isArray(body['resources']) ? body['resources'].map(String) : []
  const counts = {
    ...(resources.includes('customerReviews.count') ? { count: ratings } : {}),
    ...(resources.includes('customerReviews.starRating') ? { starRating: { value: stars } } : {}),
  }
  return {
    asin,
    detailPageURL: `https://www.amazon.com/dp/${asin}?tag=${body['partnerTag']}`,
    ...(resources.includes('itemInfo.title')
      ? { itemInfo: { title: { displayValue: title, label: 'Title', locale: 'en_US' } } }
      : {}),
    ...(resources.includes('parentASIN') ? { parentASIN: parent } : {}),
    ...(Object.keys(counts).length > 0 ? { customerReviews: counts } : {}),
  }
}
