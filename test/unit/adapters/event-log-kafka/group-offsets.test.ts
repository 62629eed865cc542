// Offsets of a group over a scripted coordinator: what an answer, or none, proves.
import { expect, test } from 'vitest'
import type { KafkaClient } from '../../../../src/adapters/event-log-kafka/client.ts'
import { GroupOffsets, isOfOldGeneration } from '../../../../src/adapters/event-log-kafka/group-offsets.ts'
import type { LogParts } from '../../../../src/adapters/event-log-kafka/parts.ts'
import { BrokerRefusal, refusals } from '../../../../src/adapters/event-log-kafka/refusal.ts'
import type { TransactionalProducer } from '../../../../src/adapters/event-log-kafka/transaction.ts'
import { WeirError } from '../../../../src/core/errors.ts'
import { createFakeClock } from '../../../support/fake-clock.ts'

const member = { group: 'g', memberId: 'm', generation: 4 }
const positions = [{ topic: 't', partition: 0, offset: 7n }]
const appends = [{ topic: 'target', records: [] }]

function opened(client: Partial<KafkaClient>, producer: Partial<TransactionalProducer> = {}, partitionsAtJoin = 1) {
  const calls: string[] = []
  const lane = {
    drop: () => calls.push('drop'),
    [Symbol.asyncDispose]: async () => {},
    ...client,
  } as unknown as KafkaClient
  const recorded = {
    renew: async () => void calls.push('renew'),
    takeOver: async () => void calls.push('takeOver'),
    ...producer,
  } as unknown as TransactionalProducer
  const lanes = { open: () => lane, producer: () => recorded }
  const parts = { client: lane, clock: createFakeClock(), lanes } as unknown as LogParts
  const offsets = new GroupOffsets(parts, {
    group: 'g',
    topic: 't',
    start: 'latest',
    transactionalId: 'id',
    partitionsAtJoin,
  })
  return { offsets, calls }
}

const refusing = (code: number) => async () => {
  throw new BrokerRefusal(code, 'OffsetCommit', 'g')
}

test.each([
  ['no answer', async () => Promise.reject(new WeirError('log.unavailable', 'silence')), 'log.outcome_unknown', false],
  [
    'a login that is refused',
    async () => Promise.reject(new WeirError('log.login_refused', 'no')),
    'log.login_refused',
    false,
  ],
  ['an old generation', refusing(refusals.ILLEGAL_GENERATION), 'log.fenced', true],
  ['a member that is unknown', refusing(refusals.UNKNOWN_MEMBER_ID), 'log.fenced', false],
  ['a coordinator that moves', refusing(refusals.NOT_COORDINATOR), 'log.unavailable', false],
  ['a group that is not allowed', refusing(refusals.GROUP_AUTHORIZATION_FAILED), 'log.denied', false],
] as const)('a commit alone: %s', async (_, commitOffsets, code, old) => {
  const { offsets } = opened({ commitOffsets })
  const thrown = await offsets.commit(member, positions, []).catch(error => error)
  expect(thrown).toMatchObject({ code })
  expect(isOfOldGeneration(thrown)).toBe(old)
})

test('I1: what a refused transaction left open is ended at once, and after a doubt nothing is', async () => {
  for (const [code, calls] of [
    ['log.fenced', ['renew']],
    ['log.unavailable', ['renew']],
    ['log.outcome_unknown', []],
  ] as const) {
    const opening = opened({}, { commit: async () => Promise.reject(new WeirError(code, 'refused')) })
    await expect(opening.offsets.commit(member, positions, appends)).rejects.toMatchObject({ code })
    expect(opening.calls).toEqual(calls)
  }
})

test('an epoch that the broker has ended is taken anew before the next transaction: the id is nobody else’s', async () => {
  let commits = 0
  const { offsets, calls } = opened(
    {},
    {
      commit: async () => {
        if (commits++ > 0) return
        throw new WeirError('log.fenced', 'ended', {
          cause: new BrokerRefusal(refusals.PRODUCER_FENCED, 'EndTxn', 'id'),
        })
      },
    },
  )
  await expect(offsets.commit(member, positions, appends)).rejects.toMatchObject({ code: 'log.fenced' })
  expect(calls).toEqual([])
  await offsets.commit(member, positions, appends)
  expect(calls).toEqual(['takeOver'])
})

test('renewing gives up what is on its way, and begins a new epoch where there was one', async () => {
  const { offsets, calls } = opened({}, { commit: async () => {} })
  await offsets.renew()
  expect(calls).toEqual(['drop'])
  await offsets.commit(member, positions, appends)
  await offsets.renew()
  expect(calls).toEqual(['drop', 'drop', 'renew'])
})

test('a group without an offset starts as it was told, but in a partition that was added since at its beginning', async () => {
  const { offsets } = opened(
    {
      groupOffsets: async (_, partitions) =>
        partitions!.map(each => ({ ...each, offset: each.partition === 1 ? 5n : null })),
      listOffsets: async (partitions, at) => partitions.map(each => ({ ...each, offset: at === 'earliest' ? 2n : 9n })),
    },
    {},
    2,
  )
  expect([...(await offsets.standings([0, 1, 2]))]).toEqual([
    [0, { committed: null, start: 9n }],
    [1, { committed: 5n, start: 9n }],
    [2, { committed: null, start: 2n }],
  ])
})
