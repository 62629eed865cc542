// Cursors read back from their topic, and changed by hand. Keeps I7: whoever reads them to write on has fenced the owner before.
import type { Clock } from '../../core/clock.ts'
import { WeirError } from '../../core/errors.ts'
import { bucketOf } from '../../core/murmur2.ts'
import { type CursorWrite, ownSplits, type StoredCursor } from '../../pipeline/ports.ts'
import type { Isolation, KafkaClient } from './client.ts'
import {
  CursorTable,
  cursorRecord,
  cursorTopicOf,
  cursorTopicPrefix,
  ensureCursorTopic,
  pipelineOf,
  transactionalIdOf,
} from './cursor-topic.ts'
import { settledEnds } from './ends.ts'
import { decodeBatches } from './record-batch.ts'
import type { TransactionalProducer } from './transaction.ts'

export interface CursorReading {
  readonly client: KafkaClient
  readonly clock: Clock
  readonly deadlineMs: number
}

const maxFetchBytes = 4 * 1024 * 1024
const maxInflatedBytes = 64 * 1024 * 1024
const waitMs = 100
/** Shares of a pipeline that has never run: what `weir run` uses. */
const usualBuckets = 8

/**
 * The cursors of these buckets. `uncommitted`: of all that is written, for an owner who has ended every open transaction; waits until it is readable.
 * `committed`: of what can be read now. @throws log.unavailable, log.corrupt, log.version, BrokerRefusal
 */
export async function readCursors(
  { client, clock, deadlineMs }: CursorReading,
  pipeline: string,
  buckets: number,
  wanted: readonly number[],
  upTo: Isolation,
): Promise<ReadonlyMap<string, StoredCursor>> {
  const topic = cursorTopicOf(pipeline)
  const table = new CursorTable(pipeline, buckets)
  const partitions = wanted.map(partition => ({ topic, partition }))
  const [starts, ends] = await Promise.all([
    client.listOffsets(partitions, 'earliest', 'committed'),
    upTo === 'committed' ? settledEnds(client, clock, partitions) : client.listOffsets(partitions, 'latest', upTo),
  ])
  const endOf = new Map(ends.map(({ partition, offset }) => [partition, offset]))
  const at = new Map(starts.map(({ partition, offset }) => [partition, offset]))
  const untilMs = clock.monotonic() + deadlineMs
  for (;;) {
    const left = [...at].filter(([partition, offset]) => offset < endOf.get(partition)!)
    if (left.length === 0) return table.all
    if (clock.monotonic() > untilMs)
      throw new WeirError('log.unavailable', `The cursors in ${topic} cannot be read to their end in time.`, {
        at: topic,
        hint: 'A transaction in the topic stands open; the broker ends it by its timeout.',
      })
    const request = {
      partitions: left.map(([partition, offset]) => ({ topic, partition, offset })),
      maxWaitMs: waitMs,
      minBytes: 1,
      maxBytes: maxFetchBytes,
      maxBytesPerPartition: maxFetchBytes,
    }
    for (const fetched of await client.fetch(request, AbortSignal.timeout(deadlineMs))) {
      if (fetched.refusal !== null) throw fetched.refusal
      const { records, nextOffset } = await decodeBatches(fetched, at.get(fetched.partition)!, maxInflatedBytes)
      for (const record of records) table.add(record)
      at.set(fetched.partition, nextOffset)
    }
  }
}

/** All cursors of a pipeline, by name of the split, without weir's own marks; none when it has never run. */
export async function cursorsOf(reading: CursorReading, pipeline: string): Promise<readonly StoredCursor[]> {
  const [found] = await reading.client.metadata([cursorTopicOf(pipeline)])
  if (found === undefined) return []
  const buckets = found.partitions.map(({ partition }) => partition)
  const cursors = await readCursors(reading, pipeline, buckets.length, buckets, 'committed')
  const shown = [...cursors.values()].filter(({ split }) => !split.startsWith(ownSplits))
  return shown.sort((a, b) => (a.split < b.split ? -1 : 1))
}

/** Pipelines that have cursors. */
export async function listPipelines(
  reading: CursorReading,
): Promise<{ pipeline: string; splits: number; running: boolean }[]> {
  const topics = await reading.client.metadata(null)
  const names = topics.map(({ topic }) => topic).filter(topic => topic.startsWith(cursorTopicPrefix))
  const listed = await Promise.all(
    names.sort().map(async topic => {
      const pipeline = pipelineOf(topic)!
      const [cursors, running] = await Promise.all([cursorsOf(reading, pipeline), isRunning(reading.client, topic)])
      return { pipeline, splits: cursors.length, running }
    }),
  )
  return listed.filter(({ splits }) => splits > 0)
}

async function isRunning(client: KafkaClient, group: string): Promise<boolean> {
  const [described] = await client.describeGroups([group])
  return (described?.members.length ?? 0) > 0
}

/** Changes cursors by hand, all or nothing, and fences every owner of before. @throws cursor.in_use, log.* */
export async function overwriteCursors(
  reading: CursorReading,
  pipeline: string,
  writes: readonly CursorWrite[],
  options: {
    readonly replicationFactor: number | null
    readonly open: (transactionalId: string) => TransactionalProducer
  },
): Promise<void> {
  const { client, clock } = reading
  const topic = cursorTopicOf(pipeline)
  if (await isRunning(client, topic))
    throw new WeirError('cursor.in_use', `Pipeline ${pipeline} is running, so its cursors cannot be changed.`, {
      hint: 'Stop the pipeline first.',
    })
  const [found] = await client.metadata([topic])
  const buckets = found?.partitions.length ?? usualBuckets
  if (found === undefined) await ensureCursorTopic(client, topic, buckets, options.replicationFactor)
  const records = writes.map(write => cursorRecord(pipeline, bucketOf(write.split, buckets), write, clock.now()))
  const touched = [...new Set(records.map(({ partition }) => partition!))]
  await using stack = new AsyncDisposableStack()
  const owners = touched.map(bucket => stack.use(options.open(transactionalIdOf(topic, bucket))))
  for (const [i, owner] of owners.entries()) await owner.takeOver([{ topic, partition: touched[i]! }])
  await owners[0]?.commit([{ topic, records }], null, { before: 'append.before_commit', after: 'append.after_commit' })
}
