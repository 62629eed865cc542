// One member of a group over a coordinator that does what the test says.
import { setImmediate as macrotask } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { encodeAssignment } from '../../../../src/adapters/event-log-kafka/assignment.ts'
import type { KafkaClient } from '../../../../src/adapters/event-log-kafka/client.ts'
import { Membership } from '../../../../src/adapters/event-log-kafka/membership.ts'
import { BrokerRefusal, refusals } from '../../../../src/adapters/event-log-kafka/refusal.ts'
import type { Clock } from '../../../../src/core/clock.ts'
import { createFakeClock, type FakeClock } from '../../../support/fake-clock.ts'

const sessionTimeoutMs = 6_000

function scene<C extends Clock = FakeClock>(clock: C = createFakeClock() as unknown as C) {
  const calls: string[] = []
  const refuse = { join: 0, sync: 0, heartbeat: 0 }
  let given: readonly number[] = []
  let disposed = 0
  const answer = (api: keyof typeof refuse, told: string) => {
    calls.push(told)
    if (refuse[api] !== 0) throw new BrokerRefusal(refuse[api], api, 'g')
  }
  let joins = 0
  const client: Partial<KafkaClient> = {
    async joinGroup({ memberId }) {
      answer('join', `join ${memberId || 'new'}`)
      return { memberId: `m${++joins}`, generation: joins, leader: 'other', protocol: 'p', members: [] }
    },
    async syncGroup() {
      answer('sync', 'sync')
      return encodeAssignment({ topic: 't', partitions: given, draining: [] })
    },
    async heartbeat() {
      answer('heartbeat', 'heartbeat')
    },
    leaveGroup: async () => void calls.push('leave'),
    [Symbol.asyncDispose]: async () => void disposed++,
  }
  const lost: string[] = []
  const join = () =>
    Membership.join({
      client: client as KafkaClient,
      ask: client as KafkaClient,
      clock,
      random: () => 0.999,
      group: 'g',
      topic: 't',
      exclusive: false,
      partitions: async () => 1,
      sessionTimeoutMs,
      rebalanceTimeoutMs: 1_000,
      assigned: () => {},
      revoked: async () => {},
      lost: (partitions, error) => lost.push(`${partitions.join()} ${error.code}`),
    })
  return {
    clock,
    lost,
    refuse,
    join,
    asked: () => calls.splice(0),
    give: (partitions: readonly number[]) => {
      given = partitions
    },
    disposed: () => disposed,
  }
}

test('I7: a member that stands by and stood still for longer than its session joins again', async () => {
  const { clock, lost, refuse, join, asked } = scene()
  await using member = await join()
  asked()
  refuse.heartbeat = refusals.UNKNOWN_MEMBER_ID
  // One step of the clock over more than a session: every wait in it took that long.
  await clock.advance(900)
  const monotonic = clock.monotonic
  clock.monotonic = () => monotonic() + 2 * sessionTimeoutMs
  await clock.advance(200)
  refuse.heartbeat = 0
  for (let i = 0; i < 20; i++) await clock.advance(100)
  expect(lost).toEqual([])
  expect(asked()).toContain('join new')
  expect(member.member).not.toBeNull()
})

test('a coordinator that refuses again and again is asked with growing pauses', async () => {
  const { clock, refuse, join, asked } = scene()
  await using _ = await join()
  asked()
  refuse.heartbeat = refusals.NOT_COORDINATOR
  refuse.join = refusals.COORDINATOR_LOAD_IN_PROGRESS
  for (let i = 0; i < 100; i++) await clock.advance(100)
  expect(asked().length).toBeLessThan(12)
  refuse.heartbeat = refuse.join = 0
  for (let i = 0; i < 60; i++) await clock.advance(100)
  expect(asked()).toContain('heartbeat')
})

test('a coordinator that has forgotten the id it gave at the start is asked for another', async () => {
  const { clock, refuse, join, asked } = scene()
  refuse.sync = refusals.UNKNOWN_MEMBER_ID
  const joining = join()
  await clock.waiting()
  refuse.sync = 0
  await clock.advance(200)
  await using member = await joining
  expect(asked().filter(each => each.startsWith('join'))).toEqual(['join new', 'join new'])
  expect(member.member).not.toBeNull()
})

test('who can not join any more is told, also where it holds nothing', async () => {
  const { clock, lost, refuse, join } = scene()
  await using _ = await join()
  refuse.heartbeat = refuse.join = refusals.GROUP_AUTHORIZATION_FAILED
  for (let i = 0; i < 30; i++) await clock.advance(100)
  expect(lost).toEqual([' log.denied'])
})

test('closing leaves the group and closes the lane, also when joining has failed', async () => {
  const { asked, join, disposed, refuse } = scene()
  const member = await join()
  await member[Symbol.asyncDispose]()
  expect(asked()).toContain('leave')
  expect(disposed()).toBe(1)
  refuse.join = refusals.GROUP_AUTHORIZATION_FAILED
  await expect(join()).rejects.toMatchObject({ code: 'log.denied' })
  expect(disposed()).toBe(2)
})

test('heartbeats leave nothing behind', async () => {
  let waits = 0
  const sleep = async (_: number, signal?: AbortSignal): Promise<void> => {
    waits++
    await macrotask()
    signal?.throwIfAborted()
  }
  const { join, asked } = scene({ now: () => 0, monotonic: () => 0, sleep })
  await using _ = await join()
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const beat = async (until: number) => {
    while (waits < until) {
      await macrotask()
      asked()
    }
    collect()
    return process.memoryUsage().heapUsed
  }
  const before = await beat(5_000)
  const after = await beat(45_000)
  expect((after - before) / 40_000).toBeLessThan(60)
})
