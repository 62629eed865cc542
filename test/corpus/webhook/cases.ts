// Set G: requests that a webhook must refuse, or take once. Each says what is sent, byte by byte where that matters, and what must come of it.
import { createHmac } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { post, raw, secret, signed } from '../../support/webhook-scene.ts'

/** What a case comes to: the status, the code in the body, and how many records it leaves. */
export interface Outcome {
  readonly status: number | 'closed'
  readonly code?: string
  /** Default 0: nothing stored. */
  readonly stored?: number
}

export interface Case {
  readonly name: string
  /** All that came back, as it came. */
  send(port: number): Promise<string>
  readonly expect: Outcome
  /** Slower than a second on purpose. */
  readonly slow?: true
}

export const maxBody = 64 * 1024
const path = '/hooks/reviews'

let deliveries = 0
/** A sound body of a delivery of its own. */
const good = (more: object = {}) =>
  JSON.stringify({ delivery: `d${++deliveries}`, reviews: [{ id: `r${deliveries}`, rating: 5 }], ...more })
const exactly = (bytes: number) => {
  const empty = good({ pad: '' })
  return empty.replace('"pad":""', `"pad":"${'x'.repeat(bytes - empty.length)}"`)
}

type Headers = Readonly<Record<string, string | null>>

/** A request as text; headers on top of the usual ones, null takes one away. */
function request(body: string | Uint8Array, headers: Headers = {}, line = `POST ${path} HTTP/1.1`): Buffer {
  const all: Headers = {
    host: 'localhost',
    ...signed(body),
    'content-length': String(Buffer.byteLength(body)),
    ...headers,
  }
  const lines = Object.entries(all).flatMap(([name, value]) => (value === null ? [] : [`${name}: ${value}`]))
  return Buffer.concat([Buffer.from(`${[line, ...lines].join('\r\n')}\r\n\r\n`, 'latin1'), Buffer.from(body)])
}

const one = (make: () => Buffer, answers = 1) => (port: number) => raw(port, [make()], answers)
const with_ = (headers: Headers) => one(() => request(good(), headers))
const time = (ms: number) =>
  one(() => {
    const body = good()
    return request(body, signed(body, { atMs: Date.now() + ms }))
  })
const unproven = { status: 401, code: 'webhook.unproven' } as const
const invalid = (status: number) => ({ status, code: 'webhook.invalid' }) as const

const chunked = (chunks: readonly string[], whole: string): Buffer =>
  Buffer.concat([
    request('', { ...signed(whole), 'content-length': null, 'transfer-encoding': 'chunked' }),
    Buffer.from(chunks.map(chunk => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('')),
  ])

const bomb = gzipSync(Buffer.alloc(50 * 1024 * 1024, 32))

export const cases: readonly Case[] = [
  { name: 'no signature', send: with_({ 'x-signature': null }), expect: unproven },
  { name: 'empty signature', send: with_({ 'x-signature': '' }), expect: unproven },
  { name: 'wrong hex', send: with_({ 'x-signature': `sha256=${'zz'.repeat(32)}` }), expect: unproven },
  { name: 'right length wrong value', send: with_({ 'x-signature': `sha256=${'ab'.repeat(32)}` }), expect: unproven },
  { name: 'signature of other body', send: one(() => request(good(), signed(good()))), expect: unproven },
  {
    name: 'sha1 instead of sha256',
    send: one(() => {
      const body = good()
      const mac = createHmac('sha1', secret).update(`${signed(body)['x-timestamp']}.${body}`).digest('hex')
      return request(body, { 'x-signature': `sha256=${mac}` })
    }),
    expect: unproven,
  },
  {
    name: 'two signature headers',
    send: one(() => {
      const body = good()
      return request(body, { 'X-SIGNATURE': signed(body)['x-signature'] })
    }),
    expect: unproven,
  },
  { name: 'old timestamp', send: time(-301_000), expect: unproven },
  { name: 'future timestamp', send: time(302_000), expect: unproven },
  { name: 'timestamp NaN', send: with_({ 'x-timestamp': 'NaN' }), expect: unproven },
  {
    name: 'replayed id',
    async send(port) {
      const [first, again] = [good(), good()]
      const id = JSON.parse(first).delivery
      await post(port, first)
      return raw(port, [request(JSON.stringify({ ...JSON.parse(again), delivery: id }))])
    },
    expect: { status: 200, stored: 1 },
  },
  { name: 'id 10 KB', send: one(() => request(good({ delivery: 'x'.repeat(10_240) }))), expect: invalid(400) },
  { name: 'body empty', send: one(() => request('')), expect: invalid(400) },
  { name: 'body 1 B over cap', send: one(() => request(exactly(maxBody + 1))), expect: invalid(413) },
  { name: 'body of just the cap', send: one(() => request(exactly(maxBody))), expect: { status: 200, stored: 1 } },
  {
    name: '100 MB body',
    send: port => raw(port, [request(good(), { 'content-length': '104857600' }), Buffer.alloc(100 * 1024 * 1024, 32)]),
    expect: invalid(413),
  },
  {
    name: 'content-length lie',
    send: port => raw(port, [request(good(), { 'content-length': '5' })], 2),
    expect: { status: 400, code: 'webhook.invalid' },
  },
  {
    name: 'content-length lie, more than comes',
    send: port => raw(port, [request(good(), { 'content-length': '5000' })]),
    expect: { status: 408, code: 'webhook.invalid' },
    slow: true,
  },
  {
    name: 'slow body',
    send: port => raw(port, [request(good()).subarray(0, -20)]),
    expect: { status: 408, code: 'webhook.invalid' },
    slow: true,
  },
  {
    name: 'chunked bomb',
    send: one(() => chunked(Array.from({ length: 100 }, () => 'x'.repeat(65_000)), 'x')),
    expect: invalid(413),
  },
  {
    name: 'chunk size ffffffffff',
    send: one(() => Buffer.concat([chunked([], 'x'), Buffer.from('ffffffffffffffffff\r\n')])),
    expect: { status: 400, code: 'webhook.invalid' },
  },
  {
    name: 'gzip body bomb',
    send: one(() => {
      return request(bomb, { 'content-encoding': 'gzip' })
    }),
    expect: invalid(413),
  },
  {
    name: 'gzip cut short',
    send: one(() => request(gzipSync(good()).subarray(0, -9), { 'content-encoding': 'gzip' })),
    expect: invalid(400),
  },
  { name: 'unknown encoding', send: with_({ 'content-encoding': 'br' }), expect: invalid(415) },
  { name: 'JSON with wrong content-type', send: with_({ 'content-type': 'text/plain' }), expect: invalid(415) },
  {
    name: 'multipart claiming files',
    send: one(() =>
      request('--b\r\ncontent-disposition: form-data; name="f"; filename="/etc/passwd"\r\n\r\nx\r\n--b--\r\n', {
        'content-type': 'multipart/form-data; boundary=b',
      }),
    ),
    expect: invalid(415),
  },
  {
    name: 'files[].filepath=/etc/passwd',
    send: one(() => request('{"delivery":"files","files":[{"filepath":"/etc/passwd","mimetype":"text/plain"}]}')),
    expect: { status: 400, code: 'source.shape' },
  },
  {
    name: 'form body',
    send: one(() => request('delivery=1&reviews=2', { 'content-type': 'application/x-www-form-urlencoded' })),
    expect: invalid(415),
  },
  {
    name: 'XML',
    send: one(() => request('<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>', { 'content-type': 'application/xml' })),
    expect: invalid(415),
  },
  {
    name: 'array of 100k events',
    send: one(() => {
      const zipped = gzipSync(`{"delivery":"many","reviews":[${Array.from({ length: 20_000 }, () => '1').join()}]}`)
      return request(zipped, { 'content-encoding': 'gzip' })
    }),
    expect: invalid(413),
  },
  {
    name: 'invalid UTF-8',
    send: one(() => request(Buffer.from(good()).fill(0xff, 20, 22))),
    expect: { status: 400, code: 'source.invalid_text' },
  },
  { name: 'not JSON', send: one(() => request('{"delivery": ')), expect: { status: 400, code: 'source.invalid_json' } },
  { name: 'GET', send: one(() => request('', { 'content-length': null }, `GET ${path} HTTP/1.1`)), expect: invalid(405) },
  { name: 'PUT', send: one(() => request(good(), {}, `PUT ${path} HTTP/1.1`)), expect: invalid(405) },
  {
    name: 'OPTIONS cross-origin',
    send: one(() =>
      request('', { origin: 'https://evil.example', 'access-control-request-method': 'POST' }, `OPTIONS ${path} HTTP/1.1`),
    ),
    expect: invalid(405),
  },
  { name: 'unknown path', send: one(() => request(good(), {}, 'POST /hooks HTTP/1.1')), expect: invalid(404) },
  {
    name: 'path %2e%2e',
    send: one(() => request(good(), {}, 'POST /hooks/x/%2e%2e/reviews HTTP/1.1')),
    expect: invalid(404),
  },
  {
    name: 'path double encoded',
    send: one(() => request(good(), {}, 'POST /hooks/%2572eviews HTTP/1.1')),
    expect: invalid(404),
  },
  {
    name: 'query secret',
    send: one(() => request(good(), { 'x-signature': null }, `POST ${path}?secret=${secret} HTTP/1.1`)),
    expect: unproven,
  },
  { name: 'Host evil', send: with_({ host: 'evil.example' }), expect: invalid(421) },
  {
    name: 'HTTP/1.0 no host',
    send: one(() => request(good(), { host: null }, `POST ${path} HTTP/1.0`)),
    expect: invalid(421),
  },
  {
    name: 'HTTP/1.1 no host',
    send: one(() => request(good(), { host: null })),
    expect: { status: 400 },
  },
  {
    name: 'pipelined smuggling TE+CL',
    send: port => {
      const inner = request(good())
      return raw(port, [request('', { 'content-length': '4', 'transfer-encoding': 'chunked' }), '0\r\n\r\n', inner])
    },
    expect: { status: 400, code: 'webhook.invalid' },
  },
  {
    name: 'Expect 100 abuse',
    send: one(() => request('', { expect: '100-continue', 'content-length': '104857600' })),
    expect: invalid(413),
  },
  {
    name: 'Expect of something else',
    send: one(() => request(good(), { expect: 'the-impossible' })),
    expect: invalid(417),
  },
  {
    name: 'duplicate event key',
    send: one(() => request(good().replace('{', '{"delivery":"forged",'))),
    expect: { status: 200, stored: 1 },
  },
  {
    name: 'header 20 KB',
    send: with_({ 'x-padding': 'x'.repeat(20_000) }),
    expect: { status: 431, code: 'webhook.invalid' },
  },
  { name: 'no HTTP at all', send: port => raw(port, ['\x16\x03\x01\x02\x00\x01\x00\r\n\r\n']), expect: invalid(400) },
]
