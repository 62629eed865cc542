// Records as lines of JSON in a file, exactly once: the file keeps its own record of offsets, and the consumer starts where that stands.
// Deliveries that arrive together are made durable together.

import { changeHeader } from '../core/record.ts'
import { fields, path, Type } from '../core/spec.ts'
import type { DecodedRecord, Delivery } from '../pipeline/ports.ts'
import { toJson, toJsonText } from '../schema/json.ts'
import { Lines } from './file-lines.ts'
import { claimPlace, outsideHint, outsideProblem, pathProblem } from './file-place.ts'
import { type FileStore, type NextOffset, openFileStore } from './file-store.ts'
import { keyText } from './log.ts'
import { defineSink } from './sink.ts'

const config = fields({
  path: path({ description: 'The file to append to, made with its folders when it is missing.' }),
  root: Type.Optional(path({ description: 'Folder the file must stay in; omitted: the folder of the definition.' })),
  metadata: Type.Boolean({
    description: 'Write topic, partition, offset, timestamp and key with each value, not only the value.',
    default: false,
  }),
})

interface Waiting {
  readonly delivery: Delivery
  readonly done: PromiseWithResolvers<void>
}

/** NDJSON, one record a line; `<path>.offsets` and `<path>.lock` stand beside it. */
export const file = defineSink({
  name: 'file',
  summary: 'Appends records to a file, one JSON object a line.',
  config,
  guarantee: 'exactly_once',
  claims: {
    delivering: {
      guarantee: 'exactly_once',
      why: 'The file keeps its own record of offsets, and what stands behind it after a crash is cut off and written once more.',
      while: 'nothing else writes to the file',
      proof: {
        file: 'test/fault/file-sink-kill.test.ts',
        test: 'at 25 random moments: every record is in the file once',
      },
    },
    replaying: {
      guarantee: 'at_least_once',
      why: 'A replayed letter has no offset to recognise it by: after a crash before it is marked it is written again.',
      proof: { file: 'test/contract/sink.ts', test: 'takes a replay, which has no offset to store' },
    },
  },
  examples: [
    { title: 'Values only', config: { path: 'out/reviews.ndjson' } },
    { title: 'With offsets and keys', config: { path: 'out/reviews.ndjson', metadata: true } },
    { title: 'In a folder of its own', config: { path: '/var/lib/weir/reviews.ndjson', root: '/var/lib/weir' } },
  ],
  lint({ path: written, root }, baseDir) {
    const odd = pathProblem(written)
    const problem = odd ?? outsideProblem(written, baseDir, root)
    if (!problem) return []
    const hint = odd ? 'Write a plain file name, such as out/reviews.ndjson.' : outsideHint
    return [{ severity: 'error', code: 'config.invalid', message: `path: ${problem}`, pointer: '/path', hint }]
  },
  async open({ path: written, root, metadata }, { baseDir }) {
    const store = await openFileStore(await claimPlace(written, baseDir, root))
    const line = metadata ? lineWithMetadata : lineOfValue
    const waiting: Waiting[] = []
    const lines = new Lines()
    let writing: Promise<void> | null = null
    const drain = async (): Promise<void> => {
      // Those that are handed over in the same turn come along with the first.
      await null
      while (waiting.length > 0) await writeTogether(store, waiting.splice(0), lines, line)
      writing = null
    }
    return {
      guarantee: 'exactly_once',
      exclusive: true,
      startAt: (topic, partition) => store.nextOffset(topic, partition),
      deliver(delivery, signal) {
        if (signal.aborted) return Promise.reject(signal.reason)
        const done = Promise.withResolvers<void>()
        waiting.push({ delivery, done })
        writing ??= drain()
        return done.promise
      },
      async [Symbol.asyncDispose]() {
        await writing
        await store[Symbol.asyncDispose]()
      },
    }
  },
})

/** One append for all that wait; a failure is the failure of each of them. */
async function writeTogether(
  store: FileStore,
  group: readonly Waiting[],
  lines: Lines,
  line: (record: DecodedRecord) => string,
): Promise<void> {
  try {
    await store.settle()
    const next = new Map<string, NextOffset>()
    lines.clear()
    for (const { delivery } of group) {
      const { topic, partition, nextOffset } = delivery
      const name = `${partition} ${topic}`
      const reached = nextOffset === null ? null : (next.get(name)?.offset ?? store.nextOffset(topic, partition))
      for (const record of delivery.records)
        if (reached === null || record.log.offset >= reached) lines.add(line(record))
      if (nextOffset !== null && (reached === null || nextOffset > reached))
        next.set(name, { topic, partition, offset: nextOffset })
    }
    const { bytes } = lines
    if (bytes.length > 0 || next.size > 0) await store.append(bytes, [...next.values()])
    for (const { done } of group) done.resolve()
  } catch (error) {
    for (const { done } of group) done.reject(error)
  }
}

/** No field of a record can be named so. */
const lineOfValue = ({ log, value }: DecodedRecord): string =>
  value === null ? JSON.stringify({ [changeHeader]: 'deleted', key: keyText(log.key) }) : toJsonText(value)

const lineWithMetadata = ({ log, value }: DecodedRecord): string =>
  JSON.stringify({
    topic: log.topic,
    partition: log.partition,
    offset: toJson(log.offset),
    timestamp: new Date(log.timestampMs).toISOString(),
    key: keyText(log.key),
    value: toJson(value),
  })
