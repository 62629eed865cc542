// Counts of ratings and reviews, into the schema of product signals. A number that has not moved is no new signal.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { haveSamples, samplesFolder } from '../../support/vendor-expectations.ts'
import { project, runVendor, vendorServer } from '../../support/vendor-run.ts'

const schema = join(project, 'schemas/product-signal.avsc')
const sample = (file: string) => readFileSync(join(samplesFolder, file), 'utf8')
const plain = (record: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(record).map(([k, v]) => [k, typeof v === 'bigint' ? Number(v) : v]))

describe.skipIf(!haveSamples)(haveSamples ? 'signals' : 'signals (skipped: no samples)', () => {
  test('keepa: the last count and average, with the minute they were seen in', async () => {
    let body = sample('keepa/product.json')
    await using server = await vendorServer(() => ({ body }))
    const config = { api_key: 'secret-of-the-test', asins: ['B0WEIRTST1'], base_url: server.url }
    const first = await runVendor({ vendor: 'keepa', config, schema })
    expect(first.failure).toBeNull()
    expect(first.records.map(plain)).toMatchObject([
      {
        asin: 'B0WEIRTST1',
        marketplace: 'amazon.com',
        ratings_total: 2431,
        reviews_total: 342,
        stars: 4.2,
        observed_at: (8330400 + 21564000) * 60000,
        source: 'keepa',
      },
    ])
    expect(server.requests[0]!.query.get('key')).toBe('secret-of-the-test')
    expect((await runVendor({ vendor: 'keepa', config, schema, cursors: first.cursors })).records).toEqual([])
    body = body.replace('2431', '2440')
    const moved = await runVendor({ vendor: 'keepa', config, schema, cursors: first.cursors })
    expect(moved.records.map(plain)).toMatchObject([{ ratings_total: 2440 }])
  })

  const creators = {
    vendor: 'amazon_creators_api',
    schema,
    config: {
      client_id: 'me',
      client_secret: 'secret-of-the-test',
      partner_tag: 'weirtest-20',
      asins: ['B0WEIRTST1,B0WEIRTST2'],
    },
  }
  const counts = [
    { asin: 'B0WEIRTST1', marketplace: 'amazon.com', parent_asin: 'B0WEIRPAR1', ratings_total: 2432, stars: 4.3 },
    { asin: 'B0WEIRTST2', parent_asin: 'B0WEIRPAR2', ratings_total: null, stars: null },
  ]

  test.each([
    ['v3', 'Bearer Atc|weir-invented-token-0001', 'application/json'],
    ['v2', 'Bearer Atc|weir-invented-token-0001, Version 2.1', 'application/x-www-form-urlencoded'],
  ])('creators, %s: a token, then the items; what Amazon does not tell is null', async (mode, authorization, type) => {
    await using server = await vendorServer(({ path }) => ({
      body: sample(path === '/token' ? 'creators/token.json' : 'creators/getItems.json'),
    }))
    const config = { ...creators.config, mode, base_url: server.url, token_url: `${server.url}/token` }
    const { records, refused, failure } = await runVendor({ ...creators, config })
    expect({ failure, refused: refused.length }).toEqual({ failure: null, refused: 0 })
    expect(records.map(plain)).toMatchObject(counts)
    const [token, items] = server.requests
    expect(token!.headers['content-type']).toContain(type)
    expect(items!.headers).toMatchObject({ authorization, 'x-marketplace': 'www.amazon.com' })
    expect(JSON.parse(items!.body)).toMatchObject({ partnerTag: 'weirtest-20', itemIds: ['B0WEIRTST1', 'B0WEIRTST2'] })
  })

  test.each([
    [400, 'fetch.fatal'],
    [401, 'fetch.fatal'],
    [403, 'fetch.fatal'],
    [429, 'fetch.throttled'],
    [500, 'fetch.status'],
    [404, undefined],
  ])('creators: status %i is %s', async (status, code) => {
    await using server = await vendorServer(({ path }) =>
      path === '/token'
        ? { body: sample('creators/token.json') }
        : { status, body: sample(`creators/error_${status}.json`) },
    )
    const config = { ...creators.config, base_url: server.url, token_url: `${server.url}/token` }
    const { records, failure } = await runVendor({ ...creators, config })
    expect({ code: failure?.code, records }).toEqual({ code, records: [] })
  })

  const paapi = {
    vendor: 'amazon_pa_api',
    schema,
    config: {
      access_key: 'AKIDWEIREXAMPLE00001',
      secret_key: 'weirEXAMPLEsecretKEY/0000000000000000000',
      partner_tag: 'weirtest-20',
      asins: ['B0WEIRTST1'],
    },
  }

  test('pa-api signs just as the published vector does', async () => {
    const vector = JSON.parse(sample('paapi/sigv4_vector.json'))
    await using server = await vendorServer(() => ({ body: sample('paapi/getitems.json') }))
    const nowMs = Date.UTC(2026, 0, 5, 10, 15, 0)
    const config = { ...paapi.config, base_url: server.url }
    const { records, failure } = await runVendor({ ...paapi, config, nowMs })
    expect(failure).toBeNull()
    expect(records.map(plain)).toMatchObject([{ ...counts[0], ratings_total: 2431 }, { ...counts[1] }])
    const [{ headers, body, path }] = server.requests as unknown as [
      { headers: Record<string, string>; body: string; path: string },
    ]
    expect({ path, body }).toEqual({ path: vector.path, body: vector.payload })
    // The host that is signed is the server's own; everything else is as in the vector.
    for (const name of ['content-encoding', 'content-type', 'x-amz-date', 'x-amz-target'])
      expect({ name, value: headers[name] }).toEqual({ name, value: vector.headers[name] })
    expect(headers['authorization']!.replace(/Signature=.*/, '')).toBe(vector.authorization.replace(/Signature=.*/, ''))
  })

  test.each([
    ['toomanyrequests', 429, 'fetch.throttled'],
    ['accessdenied', 403, 'fetch.fatal'],
    ['invalidassociate', 403, 'fetch.fatal'],
    ['invalidsignature', 401, 'fetch.fatal'],
  ])('pa-api: %s with status %i is %s', async (name, status, code) => {
    await using server = await vendorServer(() => ({ status, body: sample(`paapi/error_${name}.json`) }))
    const { records, failure } = await runVendor({ ...paapi, config: { ...paapi.config, base_url: server.url } })
    expect({ code: failure?.code, records }).toEqual({ code, records: [] })
  })

  test.each(['getitems', 'searchitems'])('pa-api: a recorded answer, %s', async name => {
    const config = { mode: 'replay', paths: [join(samplesFolder, `paapi/${name}.json`)], root: samplesFolder }
    const { records, failure } = await runVendor({ vendor: 'amazon_pa_api', config, schema })
    expect(failure).toBeNull()
    expect(records.map(plain)[0]).toMatchObject({ asin: 'B0WEIRTST1', source: 'amazon_pa_api' })
  })
})
