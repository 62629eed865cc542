// What the topic of a pipeline holds of each item, and which items have a dead letter: read from the topics themselves, so that a reparse that was
// killed, and whatever else wrote there, is known without being remembered.
import { createHash } from 'node:crypto'
import { provenanceHeaders } from '../core/provenance.ts'
import type { LogRecord } from '../core/record.ts'
import { header } from './dead-letter-stage.ts'
import { deadLetterHeaders, identityHeader, placeOf } from './identity.ts'
import { readMarks } from './letters.ts'
import type { Holdings } from './ports/holdings.ts'
import type { EventLog } from './ports.ts'

/** SHA-256 of key and value, in hex. */
export function contentHash(key: Uint8Array | null, value: Uint8Array | null): string {
  const hash = createHash('sha256')
  hash.update(key === null ? '-' : `${key.length}:`)
  if (key !== null) hash.update(key)
  hash.update(value === null ? '-' : '+')
  if (value !== null) hash.update(value)
  return hash.digest('hex')
}

export interface HeldOptions {
  readonly log: EventLog
  readonly pipeline: string
  readonly topic: string
  readonly holdings: Holdings
  /** The value as it would be written today, so that a schema which reads it alike makes no difference; null where it cannot be read. */
  readonly asToday: (values: readonly LogRecord[]) => Promise<readonly (Uint8Array | null)[]>
}

/** Reads a topic into holdings, from where it stopped the last time. */
export class Held {
  readonly #options: HeldOptions
  readonly #next = new Map<number, bigint>()

  constructor(options: HeldOptions) {
    this.#options = options
  }

  /** Takes in what has come since. @throws log.* */
  async catchUp(signal: AbortSignal): Promise<void> {
    const { log, topic } = this.#options
    const info = await log.topic(topic)
    for (const { partition, earliest, latest } of info?.partitionInfo ?? []) {
      const known = this.#next.get(partition) ?? 0n
      const from = known > earliest ? known : earliest
      if (from < latest)
        for await (const records of log.browse(topic, { partition, from: { offset: from }, signal }))
          await this.#take(records)
      // What ended early has not read all.
      signal.throwIfAborted()
      this.#next.set(partition, latest)
    }
  }

  async #take(records: readonly LogRecord[]): Promise<void> {
    const { pipeline, holdings, asToday } = this.#options
    const own = records.flatMap(record => {
      const place = placeOf(pipeline, header(record, identityHeader))
      return place === null ? [] : [{ record, place }]
    })
    const values = await asToday(own.map(({ record }) => record))
    own.forEach(({ record, place }, i) => {
      const response = header(record, provenanceHeaders.response)
      const fetchedAtMs = Date.parse(header(record, provenanceHeaders.fetchedAt))
      const value = values[i]!
      holdings.put(place.split, place.position, {
        hash: value === null && record.value !== null ? '' : contentHash(record.key, value),
        response: response === '' ? null : response,
        fetchedAtMs: Number.isNaN(fetchedAtMs) ? record.timestampMs : fetchedAtMs,
        writtenAtMs: record.timestampMs,
        partition: record.partition,
      })
    })
  }
}

const itemStages: readonly string[] = ['source', 'map', 'encode']

/** Marks the items of the pipeline that have a dead letter which was not replayed: those are the replay's to bring back. @throws log.* */
export async function buryDead(
  log: EventLog,
  deadLetterTopic: string,
  pipeline: string,
  holdings: Holdings,
  signal: AbortSignal,
): Promise<void> {
  const marks = await readMarks(log, deadLetterTopic)
  for await (const records of log.browse(deadLetterTopic, { from: 'earliest', signal }))
    for (const record of records) {
      if (!itemStages.includes(header(record, deadLetterHeaders.stage))) continue
      const place = placeOf(pipeline, header(record, identityHeader))
      if (place === null || marks.get(record.partition)?.stateOf(record.offset) === 'replayed') continue
      holdings.bury(place.split, place.position)
    }
  signal.throwIfAborted()
}
