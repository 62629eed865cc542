// Many small transactions through the event log, as a pipeline makes them: owners that count, and a consumer that copies what they count, each with
// its records and its place in one transaction (I1). What is there afterwards must be each number once, in order.
import { setTimeout as delay } from 'node:timers/promises'
import { toWeirError } from '../../src/core/errors.ts'
import { bucketOf } from '../../src/core/murmur2.ts'
import type { Bucket, Consumer, EventLog, Producer } from '../../src/pipeline/ports.ts'

const buckets = 8
const partitions = 3
const perTransaction = 12

export interface CountingLoad extends AsyncDisposable {
  /** Transactions so far: of owners, of the consumer. */
  readonly done: { written: number; copied: number; doubts: number }
  /** Errors that nothing should bring about. */
  readonly failures: readonly string[]
  /** Ends in good order. */
  end(): Promise<void>
}

const splits = Array.from({ length: buckets }, (_, bucket) => {
  for (let i = 0; ; i++) if (bucketOf(`split-${i}`, buckets) === bucket) return `split-${i}`
})
/** What comes and goes while a broker restarts. */
const passing = new Set(['log.unavailable', 'log.busy', 'log.not_replicated'])

/** Creates `topic` and `topic`_copy. */
export async function countingLoad(log: EventLog, topic: string): Promise<CountingLoad> {
  const copy = `${topic}_copy`
  for (const name of [topic, copy])
    await log.ensureTopic({ name, partitions, retentionMs: null, retentionBytes: null, maxRecordBytes: 1_000_000 })
  const done = { written: 0, copied: 0, doubts: 0 }
  const failures: string[] = []
  const work: Promise<void>[] = []
  let ending = false
  const failing = (what: string) => (thrown: unknown) =>
    void failures.push(`${what}: ${toWeirError(thrown).code} ${toWeirError(thrown).message}`)

  const renewed = async <T>(renew: () => Promise<T>): Promise<T> => {
    done.doubts++
    for (;;)
      try {
        return await renew()
      } catch (thrown) {
        if (!passing.has(toWeirError(thrown).code)) throw thrown
        await delay(50)
      }
  }
  const own = async (first: Bucket): Promise<void> => {
    let bucket = first
    const split = splits[bucket.number]!
    const stored = () => Number(bucket.cursors.get(split)?.value ?? 0)
    for (let from = stored(); !ending; ) {
      const records = Array.from({ length: perTransaction }, (_, i) => ({
        ...{ key: null, value: Buffer.from(`${split} ${from + i}`), headers: [], timestampMs: Date.now() },
        partition: (from + i) % partitions,
      }))
      const to = from + perTransaction
      try {
        await bucket.transact({ appends: [{ topic, records }], cursors: [{ split, value: String(to) }] })
        done.written++
        from = to
      } catch (thrown) {
        const { code } = toWeirError(thrown)
        if (code === 'log.outcome_unknown') {
          bucket = await renewed(() => bucket.renew())
          from = stored()
        } else if (passing.has(code)) await delay(20)
        else throw thrown
      }
    }
  }
  const carry = async (consumer: Consumer): Promise<void> => {
    const signal = new AbortController().signal
    for (let idle = 0; !ending || idle < 3; ) {
      try {
        const fetched = await consumer.poll({ maxRecords: 200, maxBytes: 1e6, maxWaitMs: 300, signal })
        idle = fetched === null ? idle + 1 : 0
        if (fetched === null) continue
        const records = fetched.records.map(({ value, partition, timestampMs }) => ({
          ...{ key: null, value, headers: [], timestampMs, partition },
        }))
        for (;;)
          try {
            const next = { topic, partition: fetched.partition, offset: fetched.nextOffset }
            await consumer.commit([next], [{ topic: copy, records }])
            done.copied++
            break
          } catch (thrown) {
            if (!passing.has(toWeirError(thrown).code)) throw thrown
            await delay(20)
          }
      } catch (thrown) {
        const { code } = toWeirError(thrown)
        if (code === 'log.outcome_unknown') await renewed(() => consumer.renew())
        else if (code !== 'log.fenced' && !passing.has(code)) throw thrown
      }
    }
  }

  let producer: Producer | null = await log.joinProducers({
    pipeline: topic,
    buckets,
    assigned: bucket => void work.push(own(bucket).catch(failing(`bucket ${bucket.number}`))),
    revoked: async () => {},
    lost: (bucket, error) => failing(`bucket ${bucket} lost`)(error),
  })
  const consumer = await log.joinConsumers({ group: `${topic}-copy`, topic, start: 'earliest', outOfRange: 'stop' })
  work.push(carry(consumer).catch(failing('consumer')))
  const end = async () => {
    ending = true
    await Promise.all(work)
    await producer?.[Symbol.asyncDispose]()
    producer = null
    await consumer[Symbol.asyncDispose]()
  }
  return { done, failures, end, [Symbol.asyncDispose]: end }
}

/** What is wrong with the numbers in a topic, against where the cursors stand. */
export async function miscounts(log: EventLog, topic: string, pipeline: string): Promise<readonly string[]> {
  const found = new Map<string, Map<number, number>>(splits.map(split => [split, new Map()]))
  const wrong: string[] = []
  const last = new Map<string, number>()
  for await (const batch of log.browse(topic, { from: 'earliest' }))
    for (const { value, partition } of batch) {
      const [split, number] = Buffer.from(value!).toString().split(' ') as [string, string]
      const at = Number(number)
      const counts = found.get(split)!
      counts.set(at, (counts.get(at) ?? 0) + 1)
      const lane = `${split} in ${partition}`
      if (at <= (last.get(lane) ?? -1)) wrong.push(`${lane}: ${at} after ${last.get(lane)}`)
      last.set(lane, at)
    }
  const cursors = new Map((await log.cursors(pipeline)).map(({ split, value }) => [split, Number(value)]))
  for (const [split, counts] of found) {
    const end = cursors.get(split) ?? 0
    for (let i = 0; i < end; i++) if ((counts.get(i) ?? 0) !== 1) wrong.push(`${split} ${i} x${counts.get(i) ?? 0}`)
    if (counts.size > end) wrong.push(`${split}: ${counts.size - end} behind the cursor`)
  }
  return wrong
}
