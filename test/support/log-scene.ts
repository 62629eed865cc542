// A data directory of the embedded log for fault tests: one topic, one pipeline, and the check that records and cursor tell the same story.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { storeFile } from '../../src/adapters/embedded-store/store-file.ts'
import { openSqliteEventLog, type SqliteEventLogOptions } from '../../src/adapters/event-log-sqlite/event-log.ts'
import { systemClock } from '../../src/core/clock.ts'
import type { WeirError } from '../../src/core/errors.ts'
import type { OutRecord } from '../../src/core/record.ts'
import type { Bucket, EventLog, Producer, Transaction } from '../../src/pipeline/ports.ts'

export const sceneTopic = 'numbers'
export const scenePipeline = 'counting'
export const scenePartitions = 3

export interface LogScene extends Disposable {
  readonly dataDir: string
  readonly file: string
}

export function logScene(): LogScene {
  const dataDir = mkdtempSync(join(tmpdir(), 'weir-fault-'))
  return {
    dataDir,
    file: storeFile(dataDir),
    [Symbol.dispose]: () => rmSync(dataDir, { recursive: true, force: true }),
  }
}

export async function openScene(dataDir: string, more: Partial<SqliteEventLogOptions> = {}): Promise<EventLog> {
  const log = await openSqliteEventLog({ dataDir, clock: systemClock, ...more })
  await log.ensureTopic({
    name: sceneTopic,
    partitions: scenePartitions,
    retentionMs: null,
    retentionBytes: null,
    maxRecordBytes: 1024 * 1024,
  })
  return log
}

export interface SceneOwner {
  readonly producer: Producer
  readonly bucket: Bucket
  /** Resolves with the reason when the bucket is taken away. */
  readonly lost: Promise<WeirError>
}

export async function ownScene(log: EventLog): Promise<SceneOwner> {
  const assigned = Promise.withResolvers<Bucket>()
  const lost = Promise.withResolvers<WeirError>()
  const producer = await log.joinProducers({
    pipeline: scenePipeline,
    buckets: 1,
    assigned: assigned.resolve,
    revoked: async () => {},
    lost: (_, error) => lost.resolve(error),
  })
  return { producer, bucket: await assigned.promise, lost: lost.promise }
}

const number = (n: number): OutRecord => ({
  key: Buffer.from(`k${n % 17}`),
  value: Buffer.from(`${n}`.padEnd(200, '.')),
  headers: [['n', `${n}`]],
  timestampMs: 1_700_000_000_000 + n,
})

/** The numbers from `from` on, and the cursor behind them. */
export function countOn(from: number, count: number): Transaction {
  return {
    appends: [{ topic: sceneTopic, records: Array.from({ length: count }, (_, i) => number(from + i)) }],
    cursors: [{ split: 's', value: `${from + count}` }],
  }
}

/** The cursor as stored; 0 when there is none. */
export async function counted(log: EventLog): Promise<number> {
  return Number((await log.cursors(scenePipeline))[0]?.value ?? 0)
}

/** The numbers in the topic, in the order of partitions and offsets. */
export async function numbersIn(log: EventLog): Promise<number[]> {
  const found: number[] = []
  for (let partition = 0; partition < scenePartitions; partition++)
    for await (const page of log.browse(sceneTopic, { partition, from: 'earliest' }))
      found.push(...page.map(each => Number.parseInt(Buffer.from(each.value!).toString(), 10)))
  return found
}

/** '' when the topic holds each number below the cursor once, per key in order, and none beyond. */
export async function disagreement(log: EventLog): Promise<string> {
  const cursor = await counted(log)
  const found = await numbersIn(log)
  const seen = new Set(found)
  if (seen.size !== found.length) return `${found.length - seen.size} numbers are there twice`
  const missing = Array.from({ length: cursor }, (_, n) => n).filter(n => !seen.has(n))
  if (missing.length > 0) return `${missing.length} numbers below the cursor ${cursor} are missing, first ${missing[0]}`
  if (found.length > cursor) return `${found.length - cursor} numbers stand beyond the cursor ${cursor}`
  const last = new Map<number, number>()
  for (const n of found) {
    if (n < (last.get(n % 17) ?? -1)) return `key k${n % 17} is out of order at ${n}`
    last.set(n % 17, n)
  }
  return ''
}
