// A webhook behind a real producer on an embedded log: commits that fail or are in doubt, two processes, a shutdown, what vendors send.
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { WeirError } from '../../src/core/errors.ts'
import type { Event } from '../../src/core/event.ts'
import { runProducer } from '../../src/pipeline/producer.ts'
import { eventually } from '../support/eventually.ts'
import { between, stageWorld } from '../support/stage-world.ts'
import { openWebhook, portOf, post, secret, webhookScene } from '../support/webhook-scene.ts'

const review = (id: string) => ({ id, rating: 4 })
const list = (...ids: string[]) => JSON.stringify(ids.map(review))

describe('a commit', () => {
  test.each([
    ['that was made', true],
    ['that was not made', false],
  ])('in doubt, %s: the delivery is answered 2xx and is there once', async (_name, isMade) => {
    await using world = await stageWorld()
    let doubts = 0
    await using scene = await webhookScene(
      {},
      {
        world,
        log: ({ log }) =>
          between(log, async (transact, transaction) => {
            if (transaction.appends.length === 0 || doubts++ > 0) return transact(transaction)
            if (isMade) await transact(transaction)
            throw new WeirError('log.outcome_unknown', 'who knows')
          }),
      },
    )
    expect(await post(scene.port, list('a', 'b'))).toMatchObject({ status: 200 })
    expect((await world.records()).map(({ id }) => id)).toEqual(['a', 'b'])
    expect(await post(scene.port, list('a', 'b'))).toMatchObject({ status: 200, body: { stored: 0, known: true } })
    expect(await post(scene.port, list('c'))).toMatchObject({ status: 200, body: { stored: 1 } })
    expect((await world.records()).map(({ id }) => id)).toEqual(['a', 'b', 'c'])
  })

  test('that the log refuses for one record makes a dead letter of it, and the delivery is taken', async () => {
    await using world = await stageWorld({ maxRecordBytes: 2_000 })
    await using scene = await webhookScene({}, { world })
    expect(await post(scene.port, list('a', 'x'.repeat(5_000), 'b'))).toMatchObject({
      status: 200,
      body: { stored: 3 },
    })
    expect((await world.records()).map(({ id }) => id)).toEqual(['a', 'b'])
    expect(await world.letters()).toMatchObject([{ error_code: 'encode.too_large' }])
  })
})

test('of two processes the owner takes deliveries; when it ends, the other one does, and knows what was taken', async () => {
  await using world = await stageWorld()
  const processes = [1, 2].map(() => {
    const events: Event[] = []
    const source = openWebhook({}, { emit: event => events.push(event) })
    const stopping = new AbortController()
    const running = runProducer({ ...world.producerOptions(source), once: false }, stopping.signal)
    running.catch(() => {})
    return { events, source, stopping, running }
  })
  try {
    const ports = await Promise.all(processes.map(({ events }) => eventually('it listens', () => portOf(events))))
    const statuses = () => Promise.all(ports.map(async port => (await post(port, list('a'))).status))
    await eventually('one of them takes it', async () => {
      const both = await statuses()
      return both.includes(200) && both.includes(503)
    })
    const owner = (await statuses()).indexOf(200)
    const { stopping, running, source } = processes[owner]!
    stopping.abort()
    await running
    await source[Symbol.asyncDispose]()
    const other = ports[1 - owner]!
    await eventually('the other one takes over', async () => (await post(other, 'x')).status === 400)
    expect(await post(other, list('a'))).toMatchObject({ status: 200, body: { known: true } })
    expect(await post(other, list('b'))).toMatchObject({ status: 200, body: { stored: 1 } })
    expect((await world.records()).map(({ id }) => id)).toEqual(['a', 'b'])
  } finally {
    for (const { stopping, running, source } of processes) {
      stopping.abort()
      await running.catch(() => {})
      await source[Symbol.asyncDispose]()
    }
  }
})

test('I11: told to stop, what is being stored is answered 2xx, and nobody is left without an answer', async () => {
  await using world = await stageWorld()
  let held: (() => void) | undefined
  const scene = await webhookScene(
    {},
    {
      world,
      log: ({ log }) =>
        between(log, async (transact, transaction) => {
          if (transaction.appends.length > 0 && held === undefined) await new Promise<void>(resolve => (held = resolve))
          await transact(transaction)
        }),
    },
  )
  const first = post(scene.port, list('a'))
  await eventually('its commit is under way', () => held !== undefined)
  const second = post(scene.port, list('b'))
  const stopped = scene.stop()
  await eventually('new ones are sent away', async () => (await post(scene.port, list('c'))).status === 503)
  held!()
  expect((await first).status).toBe(200)
  expect((await second).status).toBe(503)
  await stopped
  expect((await world.records()).map(({ id }) => id)).toEqual(['a'])
})

describe('takes', () => {
  const cases: readonly [
    name: string,
    fields: object,
    send: (port: number) => ReturnType<typeof post>,
    ids: string[],
  ][] = [
    [
      'gzip, as its header says',
      {},
      port => post(port, gzipSync(list('a')), { headers: { 'content-encoding': 'gzip' } }),
      ['a'],
    ],
    ['gzip that no header tells of', {}, port => post(port, gzipSync(list('a'))), ['a']],
    ['one object', {}, port => post(port, JSON.stringify(review('a'))), ['a']],
    [
      'lines, the bad ones as dead letters',
      { format: 'ndjson' },
      port =>
        post(port, `${JSON.stringify(review('a'))}\n{"id":\n\n${JSON.stringify(review('b'))}\r\n`, {
          headers: { 'content-type': 'application/x-ndjson; charset=utf-8' },
        }),
      ['a', 'b'],
    ],
    [
      'records by CEL over headers, query and body',
      { records: 'body.items.map(i, {"id": headers["x-kind"] + query.tag + i, "rating": 1})' },
      port => post(port, '{"items":["1","2"]}', { path: '/hooks/reviews?tag=t', headers: { 'x-kind': 'k' } }),
      ['kt1', 'kt2'],
    ],
    [
      'a token',
      { unsigned: { bearer: secret } },
      port => post(port, list('a'), { headers: { authorization: `Bearer ${secret}` } }),
      ['a'],
    ],
    [
      'a secret path',
      { unsigned: { path_secret: secret } },
      port => post(port, list('a'), { path: `/hooks/reviews/${secret}` }),
      ['a'],
    ],
  ]
  test.each(cases)('%s', async (_name, fields, send, ids) => {
    await using world = await stageWorld()
    const events: Event[] = []
    const source = openWebhook(fields as Record<string, unknown>, { emit: event => events.push(event) })
    const stopping = new AbortController()
    const running = runProducer({ ...world.producerOptions(source), once: false }, stopping.signal)
    try {
      const port = await eventually('it listens', () => portOf(events))
      await eventually('it is taken', async () => (await send(port)).status === 200)
      expect((await world.records()).map(({ id }) => id)).toEqual(ids)
      expect((await world.letters()).length).toBe(_name.includes('dead letters') ? 1 : 0)
      expect(JSON.stringify(events)).not.toContain(secret)
    } finally {
      stopping.abort()
      await running
      await source[Symbol.asyncDispose]()
    }
  })

  test.each([
    ['without a token', { unsigned: { bearer: secret } }, '/hooks/reviews', 401],
    ['another secret path', { unsigned: { path_secret: secret } }, `/hooks/reviews/${secret}x`, 404],
    ['no secret path', { unsigned: { path_secret: secret } }, '/hooks/reviews', 404],
    ['the secret in the query', { unsigned: { path_secret: secret } }, `/hooks/reviews?${secret}`, 404],
  ])('nothing %s', async (_name, fields, path, status) => {
    const events: Event[] = []
    await using source = openWebhook(fields, { emit: event => events.push(event) })
    await source.splits(new AbortController().signal)
    const answer = await post(portOf(events)!, list('a'), { path })
    expect(answer.status).toBe(status)
    expect(JSON.stringify([events, answer.body])).not.toContain(secret)
  })
})

test('a port in use stops the start, and says which field to change', async () => {
  const events: Event[] = []
  await using first = openWebhook({}, { emit: event => events.push(event) })
  const { signal } = new AbortController()
  await first.splits(signal)
  await using second = openWebhook({ port: portOf(events)! })
  const error = await (second.splits(signal) as Promise<unknown>).catch(thrown => thrown as WeirError)
  expect(error).toMatchObject({ code: 'listen.failed', hint: expect.stringContaining('`port`') })
})

test('many refusals are one line in the log a minute', async () => {
  const events: Event[] = []
  await using source = openWebhook({}, { emit: event => events.push(event) })
  await source.splits(new AbortController().signal)
  const port = portOf(events)!
  for (let i = 0; i < 20; i++) await post(port, list('a'), { key: 'wrong' })
  const told = events.filter(event => event.type === 'source_notice' && event.code !== 'info')
  expect(told.length).toBe(1)
})
