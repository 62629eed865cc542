// The sources that only count: PA-API with its signature, the Creators API with its tokens, Keepa with its own.
import { createHash, createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { verify } from '../../../../src/simulate/vendors/sigv4.ts'
import { createFakeClock } from '../../../support/fake-clock.ts'
import { type Heard, key, type Named, named, user } from '../../../support/named-vendor.ts'
import { misfits, samples, shapeOf } from '../../../support/vendor-shapes.ts'

const known = samples()
const fits = (sample: string, { body }: Heard) => expect(misfits(known[sample]!.shape!, shapeOf(body))).toEqual([])
const same = (sample: string, { status, body }: Heard) =>
  expect([status, body]).toEqual([known[sample]!.status, known[sample]!.body])

// A signature made with invented keys by another program.
const vector = {
  keys: {
    accessKey: 'AKIDWEIREXAMPLE00001',
    secretKey: 'weirEXAMPLEsecretKEY/0000000000000000000',
    service: 'ProductAdvertisingAPI',
  },
  call: {
    method: 'POST',
    path: '/paapi5/getitems',
    query: new URLSearchParams(),
    headers: {
      'content-encoding': 'amz-1.0',
      'content-type': 'application/json; charset=utf-8',
      host: 'webservices.amazon.com',
      'x-amz-date': '20260105T101500Z',
      'x-amz-target': 'com.amazon.paapi5.v1.ProductAdvertisingAPIv1.GetItems',
      authorization:
        'AWS4-HMAC-SHA256 Credential=AKIDWEIREXAMPLE00001/20260105/us-east-1/ProductAdvertisingAPI/aws4_request, SignedHeaders=content-encoding;content-type;host;x-amz-date;x-amz-target, Signature=6b10a495b878f7710a9b1b8dd1dc5cd4a3c199e532fcc325df5dc0f1b001b6b3',
    },
    body: Buffer.from(
      '{"ItemIds":["B0WEIRTST1"],"ItemIdType":"ASIN","Marketplace":"www.amazon.com","PartnerTag":"weirtest-20","PartnerType":"Associates","Resources":["CustomerReviews.Count","CustomerReviews.StarRating","ItemInfo.Title","ParentASIN"]}',
    ),
  },
  nowMs: Date.UTC(2026, 0, 5, 10, 20),
}

test('a signature of another program is good; anything else about the call spoils it', () => {
  const { call, keys, nowMs } = vector
  expect(verify(call, keys, nowMs)).toBe('ok')
  expect(verify({ ...call, body: Buffer.from('{}') }, keys, nowMs)).toBe('mismatch')
  expect(verify({ ...call, path: '/paapi5/searchitems' }, keys, nowMs)).toBe('mismatch')
  expect(verify({ ...call, query: new URLSearchParams('a=1') }, keys, nowMs)).toBe('mismatch')
  expect(verify({ ...call, headers: { ...call.headers, 'x-amz-target': 'other' } }, keys, nowMs)).toBe('mismatch')
  expect(verify(call, { ...keys, secretKey: 'other' }, nowMs)).toBe('mismatch')
  expect(verify(call, { ...keys, accessKey: 'other' }, nowMs)).toBe('unknown_key')
  expect(verify(call, keys, nowMs + 3_600_000)).toBe('expired')
  expect(verify({ ...call, headers: {} }, keys, nowMs)).toBe('incomplete')
})

const hmac = (secret: Buffer | string, data: string) => createHmac('sha256', secret).update(data).digest()
const sha256 = (data: string) => createHash('sha256').update(data).digest('hex')

/** Signs as a client does, by the words of the documentation. */
async function signed(
  { ask, vendor }: Named,
  operation: string,
  body: object,
  at: number,
  secret = key,
): Promise<Heard> {
  const text = JSON.stringify(body)
  const path = `/paapi5/${operation.toLowerCase()}`
  const stamp = new Date(at).toISOString().replace(/[-:]|\.\d+/g, '')
  const date = stamp.slice(0, 8)
  const headers: Record<string, string> = {
    'content-encoding': 'amz-1.0',
    'content-type': 'application/json; charset=utf-8',
    host: new URL(vendor.url).host,
    'x-amz-date': stamp,
    'x-amz-target': `com.amazon.paapi5.v1.ProductAdvertisingAPIv1.${operation}`,
  }
  const names = Object.keys(headers).sort()
  const canonical = [
    'POST',
    path,
    '',
    ...names.map(name => `${name}:${headers[name]}`),
    '',
    names.join(';'),
    sha256(text),
  ].join('\n')
  const scope = `${date}/us-east-1/ProductAdvertisingAPI/aws4_request`
  const chain = scope.split('/').reduce<Buffer | string>((secretPart, part) => hmac(secretPart, part), `AWS4${secret}`)
  const signature = hmac(chain, ['AWS4-HMAC-SHA256', stamp, scope, sha256(canonical)].join('\n')).toString('hex')
  const authorization = `AWS4-HMAC-SHA256 Credential=${user}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`
  return ask(path, { body: text, headers: { ...headers, authorization } })
}

const wanted = {
  ItemIds: ['B0WEIRTST1', 'B0WEIRTST0', 'B0WEIRBAD0'],
  PartnerTag: 'weirtest-20',
  Resources: ['CustomerReviews.Count', 'CustomerReviews.StarRating', 'ItemInfo.Title', 'ParentASIN'],
}

test('PA-API: items and errors side by side, signed', async () => {
  const clock = createFakeClock()
  const it = await named('pa-api', { clock, rateLimit: null })
  const got = await signed(it, 'GetItems', wanted, clock.now())
  expect(got.status).toBe(200)
  fits('paapi/getitems.json', got)
  expect(got.body.Errors[0].Message).toContain('B0WEIRBAD0')
  fits(
    'paapi/searchitems.json',
    await signed(
      it,
      'SearchItems',
      { ...wanted, Keywords: 'gooseneck kettle', Resources: wanted.Resources.slice(2) },
      clock.now(),
    ),
  )
  expect(it.vendor.journal.filter(each => each.event === 'served').map(({ what }) => what)).toEqual([
    'signal',
    'signal',
    'signal',
  ])
})

test('PA-API: a wrong signature, an old one, none, too fast, refused', async () => {
  const clock = createFakeClock()
  const it = await named('pa-api', { clock })
  same('paapi/error_invalidsignature.json', await signed(it, 'GetItems', wanted, clock.now(), 'other'))
  expect((await signed(it, 'GetItems', wanted, clock.now() - 3_600_000)).body.Errors[0].Code).toBe('RequestExpired')
  expect((await it.ask('/paapi5/getitems', { body: wanted })).body.Errors[0].Code).toBe('IncompleteSignature')
  expect((await signed(it, 'GetItems', wanted, clock.now())).status).toBe(200)
  const over = await signed(it, 'GetItems', wanted, clock.now())
  same('paapi/error_toomanyrequests.json', over)
  expect(over.headers.get('retry-after')).toBeNull()
  for (const [kind, sample] of [
    ['access_denied', 'paapi/error_accessdenied.json'],
    ['invalid_associate', 'paapi/error_invalidassociate.json'],
  ] as const) {
    await clock.advance(1000)
    it.vendor.failNext(kind)
    same(sample, await signed(it, 'GetItems', wanted, clock.now()))
  }
})

const grant = { grant_type: 'client_credentials', client_id: user, client_secret: key }
const items = {
  partnerTag: 'weirtest-20',
  itemIds: ['B0WEIRTST1', 'B0WEIRTST0', 'B0WEIRBAD0'],
  resources: ['customerReviews.count', 'customerReviews.starRating', 'itemInfo.title', 'parentASIN'],
}

async function token({ ask }: Named): Promise<string> {
  const answer = await ask('/auth/o2/token', { body: { ...grant, scope: 'creatorsapi::default' } })
  fits('creators/token.json', answer)
  return answer.body.access_token as string
}
const getItems = ({ ask }: Named, authorization: string, body: object = items) =>
  ask('/catalog/v1/getItems', { body, headers: { authorization, 'x-marketplace': 'www.amazon.com' } })

test('Creators API: a token for JSON and one for a form, whose header names its version', async () => {
  const it = await named('creators', { rateLimit: null })
  const got = await getItems(it, `Bearer ${await token(it)}`)
  fits('creators/getItems.json', got)
  const form = new URLSearchParams({ ...grant, scope: 'creatorsapi/default' }).toString()
  const { access_token: second } = (await it.ask('/oauth2/token', { body: form })).body
  expect((await getItems(it, `Bearer ${second}`)).status).toBe(401)
  expect((await getItems(it, `Bearer ${second}, Version 2.1`)).status).toBe(200)
  same('creators/token_error.json', await it.ask('/auth/o2/token', { body: { ...grant, client_secret: 'nope' } }))
})

test('Creators API: tokens run out, by the clock and before it', async () => {
  const clock = createFakeClock()
  const it = await named('creators', { clock, rateLimit: null, tokenLifeMs: 60_000 })
  const first = await token(it)
  await clock.advance(61_000)
  same('creators/error_401.json', await getItems(it, `Bearer ${first}`))
  const second = await token(it)
  it.vendor.failNext('token_expired')
  same('creators/error_401.json', await getItems(it, `Bearer ${second}`))
  expect((await getItems(it, `Bearer ${second}`)).body.reason).toBe('InvalidToken')
})

test('Creators API: its errors', async () => {
  const clock = createFakeClock()
  const it = await named('creators', { clock })
  const bearer = `Bearer ${await token(it)}`
  same('creators/error_400.json', await getItems(it, bearer, { ...items, itemIds: [] }))
  same('creators/error_429.json', await getItems(it, bearer))
  await clock.advance(1000)
  same('creators/error_404.json', await getItems(it, bearer, { ...items, itemIds: ['B0WEIRBAD0'] }))
  for (const [kind, sample] of [
    ['not_eligible', 'creators/error_403.json'],
    ['500', 'creators/error_500.json'],
  ] as const) {
    await clock.advance(1000)
    it.vendor.failNext(kind)
    same(sample, await getItems(it, bearer))
  }
})

test('Keepa: counts for tokens, which flow in again', async () => {
  const clock = createFakeClock()
  const it = await named('keepa', { clock, credits: 3 })
  const path = `/product?key=${key}&domain=1&rating=1&asin=`
  const got = await it.ask(`${path}B0WEIRTST1,B0WEIRTST2`)
  fits('keepa/product.json', got)
  expect(got.body).toMatchObject({ tokensLeft: -1, tokensConsumed: 4, refillRate: 5 })
  expect(got.body.products[0].csv[17].at(-1)).toBe(56)
  const minutes = got.body.products[0].csv[17].at(-2) + 21_564_000
  expect(minutes * 60_000).toBe(Math.floor(clock.now() / 60_000) * 60_000)
  const none = await it.ask(`${path}B0WEIRTST1`)
  expect(none.status).toBe(429)
  fits('keepa/error_429.json', none)
  await clock.advance(none.body.refillIn + 12_000)
  expect((await it.ask(`${path}B0WEIRTST1`)).status).toBe(200)
  it.vendor.advance(60)
  await clock.advance(60_000)
  expect((await it.ask(`${path}B000E7WM0K`)).body.products[0].csv[17].at(-1)).toBeGreaterThan(0)
})
