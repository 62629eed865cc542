import { request } from 'node:http'
import { connect } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { Secret } from '../../../src/core/secret.ts'
import { createHealth } from '../../../src/observe/health.ts'
import { createMetrics } from '../../../src/observe/metrics.ts'
import { type HealthServer, type HealthServerOptions, startHealthServer } from '../../../src/observe/server.ts'
import { sampleEvents } from '../../support/sample-events.ts'

const open: AsyncDisposable[] = []
afterEach(async () => {
  for (const one of open.splice(0)) await one[Symbol.asyncDispose]()
})

async function serve(options: Partial<HealthServerOptions> = {}) {
  const health = createHealth()
  const server = await startHealthServer({ port: 0, health, ...options })
  open.push(server)
  return { health, server }
}

interface Answer {
  readonly status: number
  readonly headers: NodeJS.Dict<string | string[]>
  readonly body: string
}

function ask(
  { port }: HealthServer,
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request({ host: '127.0.0.1', port, path, headers, method }, answer => {
      let body = ''
      answer
        .on('data', chunk => (body += chunk))
        .on('end', () => resolve({ status: answer.statusCode!, headers: answer.headers, body }))
    })
    call.on('error', reject).end()
  })
}

const { pipeline_started, bucket_owned, fetch_failed } = sampleEvents('x', 'p')

describe('the health server', () => {
  test('/readyz says unready, ready and degraded, /livez stays live', async () => {
    const { health, server } = await serve()
    expect(await ask(server, '/readyz')).toMatchObject({ status: 503, body: expect.stringContaining('not_started') })
    health.emit({ ...pipeline_started, stages: ['producer'] })
    health.emit(bucket_owned)
    const ready = await ask(server, '/readyz')
    expect([ready.status, JSON.parse(ready.body)]).toEqual([
      200,
      { status: 'ready', live: true, ready: true, degraded: false, reasons: [] },
    ])
    health.emit(fetch_failed)
    const degraded = await ask(server, '/readyz')
    expect(degraded.status).toBe(200)
    expect(JSON.parse(degraded.body)).toMatchObject({
      status: 'degraded',
      reasons: [{ pipeline: 'p', kind: 'fetch_failing', code: 'fetch.network' }],
    })
    expect((await ask(server, '/livez')).status).toBe(200)
  })

  test('/metrics is there when metrics are', async () => {
    using metrics = await createMetrics({ process: false })
    metrics.emit({ type: 'records_fetched', pipeline: 'p', count: 2 })
    const { server } = await serve({ metrics })
    const answer = await ask(server, '/metrics')
    expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(answer.body).toContain('weir_records_fetched_total{pipeline="p"} 2')
    expect((await ask((await serve()).server, '/metrics')).status).toBe(404)
  })

  test('I9: no secret is on its pages', async () => {
    const canary = 'health-canary-0123456789'
    new Secret(canary)
    const { health, server } = await serve()
    health.emit({ ...pipeline_started, stages: ['consumer'] })
    health.emit({ ...fetch_failed, split: canary, message: `no answer from https://x/?key=${canary}` })
    const { body } = await ask(server, '/readyz')
    expect(body).toContain('fetch_failing')
    expect(body).not.toContain(canary)
  })

  test.each([
    ['evil.example', 421],
    ['evil.example:8080', 421],
    ['127.0.0.1.evil.example', 421],
    ['localhost@evil.example', 421],
    ['10.0.0.1', 421],
    ['[::2]', 421],
    ['localhost', 200],
    ['LOCALHOST:1', 200],
    ['127.0.0.1', 200],
    ['[::1]:9', 200],
  ])('sec-18: asked as Host %j on every path it answers %i', async (host, status) => {
    const { server } = await serve()
    expect((await ask(server, '/livez', { host })).status).toBe(status)
    expect((await ask(server, '/nothing', { host })).status).toBe(status === 200 ? 404 : status)
  })

  test('bound to all addresses it takes any name, unless names are listed', async () => {
    expect((await ask((await serve({ host: '0.0.0.0' })).server, '/livez', { host: 'weir.internal' })).status).toBe(200)
    const { server } = await serve({ host: '0.0.0.0', allowedHosts: ['weir.internal'] })
    expect((await ask(server, '/livez', { host: 'weir.internal:80' })).status).toBe(200)
    expect((await ask(server, '/livez', { host: 'evil.example' })).status).toBe(421)
  })

  test('sec-17: every answer has the security headers', async () => {
    const { server } = await serve()
    for (const [path, method, host] of [
      ['/livez', 'GET', 'localhost'],
      ['/nothing', 'GET', 'localhost'],
      ['/livez', 'POST', 'localhost'],
      ['/livez', 'GET', 'evil'],
    ] as const)
      expect((await ask(server, path, { host }, method)).headers).toMatchObject({
        'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-store',
      })
  })

  test('only reading is served', async () => {
    const { server } = await serve()
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE'])
      expect((await ask(server, '/livez', {}, method)).status).toBe(404)
  })

  test('a port in use is an error of the environment, with a hint', async () => {
    const { server } = await serve()
    await expect(startHealthServer({ port: server.port, health: createHealth() })).rejects.toMatchObject({
      code: 'listen.failed',
      at: `127.0.0.1:${server.port}`,
      message: expect.stringContaining('in use'),
      hint: expect.stringContaining('--port'),
    })
  })

  test('sec-32: a client that never finishes its headers is cut off', async () => {
    const { server } = await serve()
    const socket = connect(server.port, '127.0.0.1')
    socket.write('GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Slow: ')
    const startedMs = performance.now()
    await new Promise(resolve =>
      socket
        .on('error', () => {})
        .on('close', resolve)
        .resume(),
    )
    expect(performance.now() - startedMs).toBeLessThan(9_000)
  })

  test('closing ends idle connections at once', async () => {
    const { server } = await serve()
    const socket = connect(server.port, '127.0.0.1')
    await new Promise(resolve => socket.once('connect', resolve))
    const closed = new Promise(resolve =>
      socket
        .on('error', () => {})
        .on('close', resolve)
        .resume(),
    )
    await open.pop()![Symbol.asyncDispose]()
    await closed
  })
})
