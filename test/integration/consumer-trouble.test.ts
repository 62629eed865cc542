// What goes wrong around a consumer and must neither stop it nor lose, double or bury a record.
import { expect, test } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { WeirError } from '../../src/core/errors.ts'
import { runDeadLetterStage, watchGroup } from '../../src/pipeline/dead-letter-stage.ts'
import { createDecode } from '../../src/pipeline/decode.ts'
import type { Consumer, Delivery, EventLog } from '../../src/pipeline/ports.ts'
import { keeping, registry, schemaText, scripted, stageWorld } from '../support/stage-world.ts'

const good = (id: string, rating = 3) => ({ id, rating })
const idsOf = (delivery: Delivery) => delivery.records.map(record => String(record.value!['id']))

/** A log whose consumers commit through `answer`. */
function between(log: EventLog, answer: (commit: () => Promise<void>, consumer: Consumer) => Promise<void>): EventLog {
  return new Proxy(log, {
    get(target, name) {
      if (name === 'joinConsumers')
        return async (options: Parameters<EventLog['joinConsumers']>[0]) => {
          const consumer = await target.joinConsumers(options)
          return new Proxy(consumer, {
            get(inner, key) {
              if (key === 'commit')
                return (...args: Parameters<Consumer['commit']>) => answer(() => inner.commit(...args), inner)
              const value = Reflect.get(inner, key)
              return typeof value === 'function' ? value.bind(inner) : value
            },
          })
        }
      const value = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

test('I5: a record that a sink in the transaction rejects becomes a dead letter, the others are written', async () => {
  await using world = await stageWorld()
  await world.produce(scripted([[good('a'), good('poison'), good('b')]]))
  await world.log.ensureTopic({
    name: 'copy',
    partitions: 1,
    retentionMs: null,
    retentionBytes: null,
    maxRecordBytes: 100_000,
  })
  await world.consume({
    prepare: async delivery => {
      if (idsOf(delivery).includes('poison')) throw new WeirError('sink.rejected', 'it does not fit')
      return [
        {
          topic: 'copy',
          records: delivery.records.map(({ log: { key, value } }) => ({ key, value, headers: [], timestampMs: 1 })),
        },
      ]
    },
  })
  expect(await world.raw('copy')).toHaveLength(2)
  expect((await world.letters()).map(({ error_code, stage }) => [stage, error_code])).toEqual([
    ['deliver', 'sink.rejected'],
  ])
})

test('a record beside a rejected one has its retries when the sink fails in passing', async () => {
  await using world = await stageWorld()
  await world.produce(scripted([[good('a'), good('a'), good('a')]]))
  let calls = 0
  const got: string[] = []
  await world.consume({
    deliver: async delivery => {
      calls++
      if (delivery.records.length > 1) throw new WeirError('sink.rejected', 'one of them does not fit')
      if (calls === 2) throw new WeirError('sink.failed', 'not now')
      got.push(...idsOf(delivery))
    },
  })
  expect(got).toHaveLength(3)
  expect(await world.letters()).toEqual([])
})

test('the number of attempts in a dead letter is the number of deliveries', async () => {
  await using world = await stageWorld()
  await world.produce(scripted([[good('a'), good('a')]]))
  const deliveries = new Map<string, number>()
  await world.consume({
    deliver: async ({ records }) => {
      for (const { log } of records) deliveries.set(`${log.offset}`, (deliveries.get(`${log.offset}`) ?? 0) + 1)
      throw new WeirError('sink.failed', 'never')
    },
  })
  expect((await world.letters()).map(letter => letter.attempts)).toEqual([...deliveries.values()])
})

test('L8: the dead-letter stage goes on after its commit was refused for now', async () => {
  for (const code of ['log.full', 'log.outcome_unknown'] as const) {
    await using world = await stageWorld()
    await world.produce(scripted([[{ id: 'bad' }, { id: 'worse' }]]))
    let calls = 0
    const log = between(world.log, async commit => {
      if (++calls === 1) throw new WeirError(code, 'not now')
      await commit()
    })
    const giveUp = AbortSignal.timeout(20_000)
    await runDeadLetterStage(
      { log, pipeline: 'p', topic: 't_dlq', emit: () => {}, clock: systemClock, random: () => 0.5, enough: () => true },
      giveUp,
    )
    expect(giveUp.aborted).toBe(false)
    const watching = (await world.log.groups()).find(({ group }) => group === watchGroup('p'))
    expect(watching).toMatchObject({ offset: 2n, lag: 0n })
  }
})

test('I1: after an outcome in doubt a consumer reads its offset back, also where the log is busy at first', async () => {
  await using world = await stageWorld()
  await world.produce(scripted([[good('a'), good('b')]]))
  let doubts = 0
  let busy = 0
  const log = new Proxy(
    between(world.log, async commit => {
      await commit()
      if (++doubts === 1) throw new WeirError('log.outcome_unknown', 'the answer was lost')
    }),
    {
      get(target, name) {
        const value = Reflect.get(target, name)
        if (name !== 'joinConsumers') return typeof value === 'function' ? value.bind(target) : value
        return async (options: Parameters<EventLog['joinConsumers']>[0]) => {
          const consumer = await (value as EventLog['joinConsumers']).call(target, options)
          const renew = consumer.renew.bind(consumer)
          return new Proxy(consumer, {
            get: (inner, key) => {
              if (key === 'renew')
                return async () => {
                  if (++busy <= 2) throw new WeirError('log.busy', 'not now')
                  await renew()
                }
              const member = Reflect.get(inner, key)
              return typeof member === 'function' ? member.bind(inner) : member
            },
          })
        }
      },
    },
  )
  await world.log.ensureTopic({
    name: 'copy',
    partitions: 1,
    retentionMs: null,
    retentionBytes: null,
    maxRecordBytes: 100_000,
  })
  await world.consume(
    {
      prepare: async ({ records }) => [
        {
          topic: 'copy',
          records: records.map(({ log: { key, value } }) => ({ key, value, headers: [], timestampMs: 1 })),
        },
      ],
    },
    { log },
  )
  expect(await world.raw('copy')).toHaveLength(2)
})

test('--until end waits for partitions that no living process reads yet', async () => {
  await using world = await stageWorld()
  await world.produce(scripted([Array.from({ length: 20 }, (_, i) => good(`r${i}`))]))
  // As after a member of another container died: its lease runs, and nothing proves that it is gone.
  let settled = false
  let asked = 0
  const log = new Proxy(world.log, {
    get(target, name) {
      const value = Reflect.get(target, name)
      if (name !== 'joinConsumers') return typeof value === 'function' ? value.bind(target) : value
      return async (options: Parameters<EventLog['joinConsumers']>[0]) => {
        const consumer = await target.joinConsumers(options)
        return new Proxy(consumer, {
          get: (inner, key) => {
            if (key === 'settled') return async () => settled
            if (key === 'lag') return async () => (settled ? await inner.lag() : 0n)
            if (key === 'poll')
              return async (poll: Parameters<Consumer['poll']>[0]) => {
                settled = ++asked > 3
                return settled ? await inner.poll(poll) : null
              }
            const member = Reflect.get(inner, key)
            return typeof member === 'function' ? member.bind(inner) : member
          },
        })
      }
    },
  })
  const { got, sink } = keeping()
  await world.consume(sink, { log, decode: createDecode(registry, schemaText) })
  expect(got).toHaveLength(20)
})

test.each(['registry.unavailable', 'registry.denied', 'log.busy'] as const)(
  'I5: records wait while the registry gives no answer (%s); none is dead for it',
  async code => {
    await using world = await stageWorld()
    await world.produce(scripted([[good('a'), good('b')]]))
    let refusals = 2
    const failing = {
      byId: async (id: number) => {
        if (refusals-- > 0) throw new WeirError(code, 'not now')
        return await registry.byId(id)
      },
    } as typeof registry
    const { got, sink } = keeping()
    // The wait between two tries is a second: it is cut short here.
    const clock = {
      ...systemClock,
      sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(Math.min(ms, 5), signal),
    }
    await world.consume(sink, { clock, decode: createDecode(failing, schemaText) })
    expect(got).toHaveLength(2)
    expect(await world.letters()).toEqual([])
    expect(world.events.filter(event => event.type === 'warning' && event.code === code)).toHaveLength(2)
  },
)

test('an id that stands for another schema by now stops the consumer: nothing is delivered, dead or committed', async () => {
  await using world = await stageWorld()
  await world.produce(scripted([[good('a')]]))
  const broken = { byId: () => Promise.reject(new WeirError('registry.mismatch', 'wiped')) } as never as typeof registry
  const { got, sink } = keeping()
  await expect(world.consume(sink, { decode: createDecode(broken, schemaText) })).rejects.toMatchObject({
    code: 'registry.mismatch',
  })
  expect([got, await world.letters(), await world.log.groups()]).toEqual([[], [], []])
})

test('I11: a consumer told to stop does not wait for a registry that hangs', async () => {
  await using world = await stageWorld()
  await world.produce(scripted([[good('a')]]))
  const asked = Promise.withResolvers<void>()
  const hanging = {
    byId: () => {
      asked.resolve()
      return new Promise<string>(() => {})
    },
  } as never as typeof registry
  const stop = new AbortController()
  const { got, sink } = keeping()
  const running = world.consume(sink, { decode: createDecode(hanging, schemaText) }, stop.signal)
  await asked.promise
  stop.abort()
  await running
  expect(got).toEqual([])
})
