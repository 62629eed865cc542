// Corpus set G (test/corpus/webhook/cases.ts): bad requests to a webhook. Each gets its status and code within a second, without a stack trace or
// a secret, and nothing of it is stored; a sound delivery right after it is taken.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WeirError } from '../../src/core/errors.ts'
import { between, stageWorld } from '../support/stage-world.ts'
import { post, secret, type WebhookScene, webhookScene } from '../support/webhook-scene.ts'
import { cases, maxBody } from './webhook/cases.ts'

const fields = {
  id: 'body.delivery',
  records: 'body.reviews',
  max_body: `${maxBody}b`,
  max_records: 10_000,
  request_timeout: '3s',
}
let scene: WebhookScene
beforeAll(async () => {
  scene = await webhookScene(fields)
})
afterAll(() => scene?.[Symbol.asyncDispose]())

const held = async () => ({
  records: (await scene.world.records()).length,
  letters: (await scene.world.letters()).length,
})

describe('a webhook answers', () => {
  test.each(cases)('$name', async ({ send, expect: expected, slow }) => {
    const before = await held()
    const startedMs = performance.now()
    const answer = await send(scene.port)
    const ms = performance.now() - startedMs
    const { status, body } = parsed(answer)
    expect({ status, ...(expected.code === undefined ? {} : { code: body?.['error'] }) }).toEqual({
      status: expected.status,
      ...(expected.code === undefined ? {} : { code: expected.code }),
    })
    if (!slow) expect(ms).toBeLessThan(3_000)
    expect(answer).not.toMatch(/\n\s+at |node:internal|\.ts:\d/)
    expect(answer).not.toContain(secret)
    expect(answer).not.toMatch(/access-control/i)
    expect(await held()).toEqual({ records: before.records + (expected.stored ?? 0), letters: before.letters })
    const id = `after-${performance.now()}`
    const taken = await post(scene.port, JSON.stringify({ delivery: id, reviews: [{ id, rating: 1 }] }))
    expect(taken).toMatchObject({ status: 200, body: { stored: 1 } })
  })

  test('1,000 parallel: each is stored once, or told to come again', async () => {
    const before = (await held()).records
    const sent = await Promise.all(
      Array.from({ length: 1_000 }, async (_, i) => {
        const body = JSON.stringify({ delivery: `parallel ${i}`, reviews: [{ id: `parallel ${i}`, rating: 3 }] })
        for (;;) {
          const answer = await post(scene.port, body).catch(() => undefined)
          if (answer?.status === 200) return answer.body['stored']
          expect([undefined, 408, 503]).toContain(answer?.status)
        }
      }),
    )
    expect(sent.length).toBe(1_000)
    expect((await held()).records).toBe(before + 1_000)
  }, 60_000)
})

test('log full: 503 in time, and what comes again once there is room is stored once', async () => {
  await using world = await stageWorld()
  let isFull = false
  await using full = await webhookScene(
    { ...fields, answer_within: '200ms', id: undefined, records: 'body' },
    {
      world,
      log: ({ log }) =>
        between(log, async (transact, transaction) => {
          if (isFull) throw new WeirError('log.full', 'no space')
          await transact(transaction)
        }),
    },
  )
  isFull = true
  const body = JSON.stringify([{ id: 'a', rating: 4 }])
  const refused = await post(full.port, body)
  expect(refused).toMatchObject({ status: 503, body: { error: 'webhook.unavailable' } })
  expect(refused.headers.get('retry-after')).toBe('5')
  // From now on nothing is even read.
  expect(await post(full.port, JSON.stringify([{ id: 'b', rating: 4 }]))).toMatchObject({ status: 503 })
  expect(await world.records()).toEqual([])
  isFull = false
  let answer = await post(full.port, body)
  while (answer.status === 503) answer = await post(full.port, body)
  expect(answer.status).toBe(200)
  expect(await post(full.port, JSON.stringify([{ id: 'b', rating: 4 }]))).toMatchObject({ status: 200 })
  expect((await world.records()).map(({ id }) => id).sort()).toEqual(['a', 'b'])
})

function parsed(answer: string): { status: number | 'closed'; body?: Record<string, unknown> } {
  const match = /^HTTP\/1\.1 (?!100)(\d{3})[\s\S]*?\r\n\r\n([\s\S]*)$/.exec(answer)
  if (!match) return { status: 'closed' }
  const [body] = /^\{.*?\}(?=HTTP|$)/s.exec(match[2]!) ?? ['{}']
  return { status: Number(match[1]), body: JSON.parse(body) }
}
