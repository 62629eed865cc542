// Set C: answers that a source may give, right, wrong and hostile, each with what must come of it.
// `code`: the poll fails with it, no batch and no cursor comes out. `items`: so many come out; `dead`: of them with an error of this code.
import type { Socket } from 'node:net'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { answer, type RawRequest, type RawServer, type Respond } from '../../support/raw-server.ts'

export interface Case {
  readonly name: string
  readonly respond: Respond
  readonly expect: { readonly code: string } | { readonly items: number; readonly dead?: string }
  /** Changes to the source's definition. */
  readonly source?: Record<string, unknown>
  /** Changes to the fetch settings. */
  readonly fetch?: Record<string, unknown>
  readonly tls?: 'good' | 'expired' | 'other' | 'plain server'
  /** Calls that the source must have received. */
  readonly calls?: number
  readonly check?: (server: RawServer, waitsMs: readonly number[]) => void
}

const two = '[{"id":"a"},{"id":"b"}]'
const mb = 1024 * 1024
const send =
  (bytes: string | Uint8Array, end = false): Respond =>
  socket => {
    socket.write(bytes)
    if (end) socket.end()
  }
const status = (code: number, headers: Record<string, string> = {}) => send(answer('{"error":"PAYLOAD"}', { status: code, headers }))
const body = (text: string | Uint8Array, headers: Record<string, string | null> = {}) => send(answer(text, { headers }))
const gzip = { 'content-encoding': 'gzip' }
const bomb = gzipSync(Buffer.alloc(200 * mb))
const paged = (paginate: object) => ({ records: 'body.items', paginate })
const redirect = (code: number, location: string, headers: Record<string, string> = {}) => answer('', { status: code, headers: { location, ...headers } })

function drip(socket: Socket): void {
  socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n')
  const timer = setInterval(() => socket.write(' '), 20)
  socket.on('close', () => clearInterval(timer))
}

function endless(socket: Socket): void {
  socket.write('HTTP/1.1 200 OK\r\n\r\n')
  const chunk = Buffer.alloc(64 * 1024, 32)
  const pump = () => {
    while (!socket.destroyed && socket.write(chunk));
  }
  socket.on('drain', pump)
  pump()
}

const page = (request: RawRequest) => Number(new URL(request.target, 'http://x').searchParams.get('page'))
const withinMs = (at: (waits: readonly number[]) => boolean) => (_: RawServer, waits: readonly number[]) => {
  if (!at(waits)) throw new Error(`unexpected waits: ${waits.join(', ')}`)
}

export const cases: readonly Case[] = [
  { name: '204', respond: send('HTTP/1.1 204 No Content\r\n\r\n'), expect: { code: 'source.shape' } },
  { name: '200 empty', respond: body(''), expect: { code: 'source.shape' } },
  { name: '200 HTML', respond: body('<!doctype html><h1>PAYLOAD</h1>', { 'content-type': 'text/html' }), expect: { code: 'source.shape' } },
  { name: '301 loop', respond: send(redirect(301, '/again')), expect: { code: 'fetch.status' }, fetch: { retry: { attempts: 1 } }, calls: 6 },
  { name: '302 to private', respond: send(redirect(302, 'http://10.0.0.1/')), expect: { code: 'fetch.egress_refused' }, calls: 1 },
  { name: '302 to file:', respond: send(redirect(302, 'file:///etc/passwd')), expect: { code: 'fetch.egress_refused' }, calls: 1 },
  {
    name: '307 cross-origin with key header',
    // localhost and 127.0.0.1 are two origins of one server.
    respond: (socket, request, server) =>
      void socket.write(request.target === '/moved' ? answer(two) : redirect(307, `http://localhost:${server.port}/moved`)),
    source: { request: { headers: { 'x-custom': 'CANARY', cookie: 'CANARY' }, auth: { api_key: { header: 'x-api-key', value: 'CANARY' } } } },
    expect: { items: 2 },
    check: server => {
      const [first, second] = server.requests
      if (!JSON.stringify(first).includes('CANARY')) throw new Error('the first call carries the key')
      if (JSON.stringify(second).includes('CANARY')) throw new Error('the key went to another origin')
    },
  },
  { name: 'https to http', tls: 'good', respond: (socket, _, server) => void socket.write(redirect(302, `http://127.0.0.1:${server.port}/`)), expect: { code: 'fetch.egress_refused' }, calls: 1 },
  { name: '304 without etag', respond: send('HTTP/1.1 304 Not Modified\r\n\r\n'), expect: { code: 'fetch.fatal' }, calls: 1 },
  { name: '400', respond: status(400), expect: { code: 'fetch.fatal' }, calls: 1 },
  { name: '401', respond: status(401), expect: { code: 'fetch.fatal' }, calls: 1 },
  { name: '403', respond: status(403), expect: { code: 'fetch.fatal' }, calls: 1 },
  { name: '404', respond: status(404), expect: { code: 'fetch.fatal' }, calls: 1 },
  { name: '410', respond: status(410), expect: { code: 'fetch.fatal' }, calls: 1 },
  { name: '418', respond: status(418), expect: { code: 'fetch.fatal' }, calls: 1 },
  { name: '429 no header', respond: status(429), expect: { code: 'fetch.throttled' }, calls: 2, check: withinMs(([ms]) => ms! <= 2) },
  { name: '429 Retry-After -1', respond: status(429, { 'retry-after': '-1' }), expect: { code: 'fetch.throttled' }, calls: 2, check: withinMs(([ms]) => ms! <= 2) },
  { name: '429 date in past', respond: status(429, { 'retry-after': 'Thu, 01 Jan 2015 00:00:00 GMT' }), expect: { code: 'fetch.throttled' }, calls: 2, check: withinMs(([ms]) => ms! <= 2) },
  { name: '429 10 years', respond: status(429, { 'retry-after': '315360000' }), fetch: { retry: { attempts: 2, retry_after_max: '40ms' } }, expect: { code: 'fetch.throttled' }, calls: 2, check: withinMs(([ms]) => ms === 40) },
  { name: '500', respond: status(500), expect: { code: 'fetch.status' }, calls: 2 },
  { name: '503', respond: status(503, { 'retry-after': '0' }), expect: { code: 'fetch.status' }, calls: 2, check: withinMs(([ms]) => ms === 0) },
  { name: '999', respond: status(999), expect: { code: 'fetch.fatal' }, calls: 1 },
  { name: 'HTTP/0.9', respond: send(two, true), expect: { code: 'fetch.network' }, calls: 2 },
  { name: 'garbage status line', respond: send('HTTP/1.1 OK two hundred\r\n\r\n', true), expect: { code: 'fetch.network' }, calls: 2 },
  { name: 'header 20 KB', respond: body(two, { 'x-long': 'x'.repeat(20_000) }), expect: { code: 'fetch.network' }, calls: 2 },
  { name: '2,000 headers', respond: body(two, Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`x-${i}`, 'value']))), expect: { code: 'fetch.network' }, calls: 2 },
  { name: 'header with NUL', respond: body(two, { 'x-nul': 'a\0b' }), expect: { code: 'fetch.network' }, calls: 2 },
  { name: 'duplicate content-length', respond: send(`HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: ${two.length}\r\n\r\n${two}`), expect: { code: 'fetch.network' }, calls: 2 },
  { name: 'content-length < body', respond: body(two, { 'content-length': '10' }), expect: { code: 'source.shape' } },
  { name: 'content-length > body', respond: send(answer(two, { headers: { 'content-length': '1000' } }), true), expect: { code: 'fetch.body_invalid' }, calls: 2 },
  { name: 'chunked broken', respond: send('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n[{"iXXXX', true), expect: { code: 'fetch.body_invalid' }, calls: 2 },
  { name: 'chunk size ffffffffff', respond: send(`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffff\r\n${two}`, true), expect: { code: 'fetch.body_invalid' }, calls: 2 },
  { name: 'gzip bomb', respond: body(bomb, gzip), expect: { code: 'fetch.body_too_large' }, calls: 1 },
  { name: 'double gzip bomb', respond: body(gzipSync(bomb), { 'content-encoding': 'gzip, gzip' }), expect: { code: 'fetch.body_too_large' }, calls: 1 },
  { name: '200 encodings', respond: body(two, { 'content-encoding': Array(200).fill('gzip').join(',') }), expect: { code: 'fetch.body_invalid' } },
  { name: 'unknown encoding', respond: body(two, { 'content-encoding': 'zstd' }), expect: { code: 'fetch.body_invalid' } },
  { name: 'gzip truncated', respond: body(gzipSync(two).subarray(0, -5), gzip), expect: { code: 'fetch.body_invalid' }, calls: 2 },
  { name: 'gzip wrong crc', respond: body(Buffer.concat([gzipSync(two).subarray(0, -8), Buffer.alloc(8, 7)]), gzip), expect: { code: 'fetch.body_invalid' }, calls: 2 },
  { name: 'br bomb', respond: body(brotliCompressSync(Buffer.alloc(200 * mb)), { 'content-encoding': 'br' }), expect: { code: 'fetch.body_too_large' }, calls: 1 },
  { name: 'drip 1 B/s', respond: drip, expect: { code: 'fetch.timeout' }, fetch: { timeout: '200ms', retry: { attempts: 1 } } },
  { name: 'never ends', respond: endless, expect: { code: 'fetch.body_too_large' }, calls: 1 },
  {
    name: 'reset mid-body',
    respond: socket => {
      socket.write(answer(two, { headers: { 'content-length': '1000' } }), () => setTimeout(() => socket.resetAndDestroy(), 20))
    },
    expect: { code: 'fetch.body_invalid' },
    calls: 2,
  },
  { name: 'TLS garbage', tls: 'plain server', respond: send(answer(two)), expect: { code: 'fetch.network' } },
  { name: 'expired certificate', tls: 'expired', respond: send(answer(two)), expect: { code: 'fetch.network' }, calls: 0 },
  { name: 'wrong host certificate', tls: 'other', respond: send(answer(two)), expect: { code: 'fetch.network' }, calls: 0 },
  { name: 'charset latin1', respond: body(Buffer.from('[{"id":"caf\u00e9"}]', 'latin1'), { 'content-type': 'application/json; charset=iso-8859-1' }), expect: { items: 1 } },
  { name: 'charset lies', respond: body(Buffer.from('[{"id":"caf\u00e9"}]', 'latin1'), { 'content-type': 'application/json; charset=utf-8' }), expect: { code: 'source.shape' } },
  { name: 'BOM', respond: body(`\uFEFF${two}`), expect: { items: 2 } },
  { name: 'content-type missing', respond: body(two, { 'content-type': null }), expect: { items: 2 } },
  { name: 'content-type image', respond: body(Buffer.from('89504e470d0a1a0a0000', 'hex'), { 'content-type': 'image/png' }), expect: { code: 'source.shape' } },
  { name: 'trailing JSON', respond: body(`${two}{"id":"c"}`), expect: { code: 'source.shape' } },
  { name: 'NDJSON half line', source: { decode: 'ndjson' }, respond: body('{"id":"a"}\n{"id":"b"}\n{"id":"c'), expect: { items: 3, dead: 'source.invalid_json' } },
  {
    name: 'Link header loop',
    source: { paginate: { link_header: {} } },
    respond: (socket, { target }) => void socket.write(answer(two, { headers: { link: `<${target === '/r' ? '/r?b' : '/r'}>; rel="next"` } })),
    expect: { code: 'source.loop' },
    calls: 2,
  },
  { name: 'next = same', source: paged({ token: { param: 't', from: 'body.next' } }), respond: body(`{"items":${two},"next":"x"}`), expect: { code: 'source.loop' }, calls: 2 },
  { name: 'next = other host', source: paged({ next_url: { from: 'body.next' } }), respond: body(`{"items":${two},"next":"https://other.example/r"}`), expect: { code: 'fetch.egress_refused' }, calls: 1 },
  {
    name: 'page shrinks',
    source: { paginate: { page: { param: 'page', size: { param: 'size', value: 3 } } } },
    respond: (socket, request) => void socket.write(answer(['[{"id":1},{"id":2},{"id":3}]', '[{"id":4}]', '[{"id":5},{"id":6}]'][page(request) - 1] ?? '[]')),
    expect: { items: 6 },
    calls: 4,
  },
  {
    name: 'page of 1M items',
    respond: socket => void socket.write(answer(`[${'{"id":"1234567890"},'.repeat(999_999)}{"id":"1"}]`)),
    expect: { code: 'fetch.body_too_large' },
    calls: 1,
  },
  { name: 'item 20 MB', respond: socket => void socket.write(answer(`[{"id":"a","text":"${'x'.repeat(20 * mb)}"}]`)), expect: { code: 'fetch.body_too_large' }, calls: 1 },
  { name: 'Set-Cookie flood', respond: send(`HTTP/1.1 200 OK\r\n${'set-cookie: a=0123456789012345678901234567890123456789\r\n'.repeat(1000)}content-length: ${two.length}\r\n\r\n${two}`), expect: { code: 'fetch.network' } },
]
