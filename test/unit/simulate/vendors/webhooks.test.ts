import { createServer, type IncomingMessage } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { mayPush } from '../../../../src/simulate/vendors/push.ts'
import { createFakeClock } from '../../../support/fake-clock.ts'
import { named } from '../../../support/named-vendor.ts'

interface Hook {
  readonly url: string
  readonly bodies: unknown[]
  /** Resolves once so many came. */
  heard(count: number): Promise<void>
}

async function hook(answer = 200): Promise<Hook> {
  const bodies: unknown[] = []
  let wake = () => {}
  const server = createServer(async (request: IncomingMessage, response) => {
    bodies.push(JSON.parse(Buffer.concat(await Array.fromAsync(request)).toString()))
    response.writeHead(answer).end(() => wake())
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  onTestFinished(() => void server.close())
  return {
    url: `http://127.0.0.1:${(server.address() as { port: number }).port}/hook`,
    bodies,
    async heard(count) {
      while (bodies.length < count) await new Promise<void>(done => (wake = done))
    },
  }
}

test('webhooks go to this machine and nowhere else', () => {
  for (const url of ['http://127.0.0.1:1/x', 'http://localhost/x', 'http://[::1]:1/']) expect(mayPush(url)).toBe(true)
  for (const url of [
    'http://10.0.0.1/',
    'https://127.0.0.1/',
    'http://127.0.0.1.evil.example/',
    'file:///etc/passwd',
    'x',
  ])
    expect(mayPush(url)).toBe(false)
})

test('Oxylabs calls back with the job, not its content', async () => {
  const target = await hook()
  const { ask, vendor } = await named('oxylabs', { pushAfterMs: 1 })
  const body = { source: 'amazon_product', query: 'B0WEIRTST1', parse: true, callback_url: target.url }
  const { id } = (await ask('/v1/queries', { body })).body
  await target.heard(1)
  expect(target.bodies).toEqual([expect.objectContaining({ id, status: 'done', query: 'B0WEIRTST1' })])
  expect(vendor.journal.filter(({ event }) => event === 'served')).toEqual([])
  expect((await ask(`/v1/queries/${id}/results`)).status).toBe(200)
})

test('Apify tells how the run ended', async () => {
  const target = await hook()
  const { ask, vendor } = await named('apify', { pushAfterMs: 1 })
  vendor.failNext('aborted')
  const hooks = Buffer.from(JSON.stringify([{ eventTypes: ['ACTOR.RUN.SUCCEEDED'], requestUrl: target.url }])).toString(
    'base64',
  )
  const body = { productUrls: [{ url: 'https://www.amazon.com/dp/B0WEIRTST1' }] }
  const { data } = (await ask(`/v2/acts/a~b/runs?webhooks=${hooks}`, { body })).body
  await target.heard(1)
  expect(target.bodies).toMatchObject([
    { eventType: 'ACTOR.RUN.ABORTED', resource: { id: data.id, status: 'ABORTED' } },
  ])
})

test('Outscraper hands over the result; what was not taken was not served', async () => {
  for (const [status, served] of [
    [200, 8],
    [503, 0],
  ] as const) {
    const target = await hook(status)
    const { ask, vendor } = await named('outscraper', { pushAfterMs: 1 })
    await ask(`/amazon/reviews?query=B0WEIRTST1&webhook=${encodeURIComponent(target.url)}`)
    await target.heard(1)
    expect(target.bodies).toMatchObject([{ status: 'Success', data: [{ length: 8 }] }])
    const count = () => vendor.journal.filter(({ event }) => event === 'served').length
    await expect.poll(count).toBe(served)
  }
})

test('a late webhook comes five times later, and polling is not held up by it', async () => {
  const clock = createFakeClock()
  const target = await hook()
  const { ask, vendor } = await named('oxylabs', { clock, pushAfterMs: 1000, readyAfter: 0 })
  vendor.failNext('push_late')
  const body = { source: 'amazon_product', query: 'B0WEIRTST1', parse: true, callback_url: target.url }
  const { id } = (await ask('/v1/queries', { body })).body
  expect(clock.waits).toEqual([5000])
  expect((await ask(`/v1/queries/${id}`)).body.status).toBe('done')
  await clock.advance(4999)
  expect(target.bodies).toEqual([])
  await clock.advance(1)
  await target.heard(1)
})
