import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type AwsCredentials, type RequestToSign, signAws } from '../../../src/core/aws-signature.ts'
import { awsRefusal, receivedOf as received } from '../../support/aws-verifier.ts'

const vector = JSON.parse(readFileSync(new URL('../../data/paapi-sigv4-vector.json', import.meta.url), 'utf8'))
// The key, the host and the time of the test suite that AWS has published for this signature.
const suite: AwsCredentials = {
  accessKey: 'AKIDEXAMPLE',
  secretKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  region: 'us-east-1',
  service: 'service',
}
const suiteMs = Date.UTC(2015, 7, 30, 12, 36, 0)
const signed = (request: Partial<RequestToSign> & { url: string }, credentials = suite, nowMs = suiteMs) =>
  signAws({ method: 'GET', headers: {}, ...request }, credentials, nowMs)

test('a call of PA-API is signed as its vector says, the host and the date by us', () => {
  const { host: _host, 'x-amz-date': _date, ...headers } = vector.headers
  const { access_key: accessKey, secret_key: secretKey, region, service } = vector
  const request = { method: 'POST', url: `https://${vector.host}${vector.path}`, headers, body: vector.payload }
  const sent = signAws(
    { ...request, headers: { ...headers, accept: 'application/json' } },
    { accessKey, secretKey, region, service },
    Date.UTC(2026, 0, 5, 10, 15, 0),
  )
  expect(sent.headers['authorization']).toBe(vector.authorization)
  expect(sent.headers['x-amz-date']).toBe(vector.amz_date)
  expect(sent).toMatchObject({ method: 'POST', url: request.url, body: vector.payload })
})

describe('vectors that AWS has published', () => {
  const letters = '-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
  const form = { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'Param1=value1' }
  test.each([
    ['get-vanilla', '/', {}, '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31'],
    [
      'get-vanilla-query-order-key-case',
      '/?Param2=value2&Param1=value1',
      {},
      'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
    ],
    [
      'get-vanilla-query-unreserved',
      `/?${letters}=${letters}`,
      {},
      '9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197',
    ],
    ['get-vanilla-utf8-query', '/?ሴ=bar', {}, '2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04'],
    ['get-slashes', '//example//', {}, '9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84'],
    ['post-vanilla', '/', { method: 'POST' }, '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b'],
    [
      'post-x-www-form-urlencoded',
      '/',
      { method: 'POST', ...form },
      'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
    ],
  ])('%s', (_, path, over, signature) => {
    const { headers } = signed({ url: `https://example.amazonaws.com${path}`, ...over })
    expect(headers['authorization']).toMatch(new RegExp(`Signature=${signature}$`))
  })
})

describe('a service that checks', () => {
  test.each([
    ['a space, a plus and an asterisk', 'https://a.example/p?q=a+b%20c%2Bd*e'],
    ['a name twice, values out of order', 'https://a.example/?b=2&a=z&b=1&a=A&a='],
    ['a parameter without a value', 'https://a.example/?acl&x='],
    ['a path that is encoded, with what may stand as it is', "https://a.example/a%2Fb/c d/(e)!'*/é"],
    ['a port of its own', 'https://a.example:8443/p'],
    ['a percent sign that encodes nothing', 'https://a.example/100%/x?discount=100%&y=%zz'],
    ['a fragment', 'https://a.example/p?x=1#part'],
  ])('accepts %s', (_, url) => {
    for (const service of ['service', 's3']) {
      const sent = signed({ url }, { ...suite, service })
      expect(awsRefusal(received(sent), suite, suiteMs)).toBeNull()
      expect(sent.url).not.toMatch(/[+#]/)
    }
  })

  test('refuses what was changed on the way, and what is old', () => {
    const sent = received(signed({ method: 'POST', url: 'https://a.example/p?x=1', body: 'b' }))
    expect(awsRefusal(sent, suite, suiteMs)).toBeNull()
    for (const change of [
      { method: 'PUT' },
      { target: '/p?x=2' },
      { target: '/q?x=1' },
      { body: 'c' },
      { headers: { ...sent.headers, host: 'b.example' } },
      { headers: { ...sent.headers, 'x-amz-target': 'added' } },
    ])
      expect(awsRefusal({ ...sent, ...change }, suite, suiteMs), JSON.stringify(change)).not.toBeNull()
    expect(awsRefusal(sent, suite, suiteMs + 301_000)).toBe('too old or too new')
    expect(awsRefusal(sent, { ...suite, secretKey: 'other' }, suiteMs)).toBe('the signature does not match')
  })

  test('sees the session token signed, and for S3 the hash of the body', () => {
    const token = signed({ url: 'https://a.example/' }, { ...suite, sessionToken: 'st' })
    expect(token.headers['x-amz-security-token']).toBe('st')
    expect(token.headers['authorization']).toContain('SignedHeaders=host;x-amz-date;x-amz-security-token,')
    const s3 = signed({ url: 'https://a.example/', body: 'b' }, { ...suite, service: 's3' })
    expect(s3.headers['authorization']).toContain('SignedHeaders=host;x-amz-content-sha256;x-amz-date,')
    expect(awsRefusal(received(token), suite, suiteMs)).toBeNull()
    expect(awsRefusal(received(s3), suite, suiteMs)).toBeNull()
  })
})

test('what proxies change or add is not signed', () => {
  const { headers } = signed({
    url: 'https://a.example/',
    headers: { accept: 'x', 'user-agent': 'weir', 'x-forwarded-for': 'y', authorization: 'old' },
  })
  expect(headers['authorization']).toContain('SignedHeaders=host;x-amz-date,')
})
