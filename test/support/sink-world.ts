// What a sink needs around it: a log and a registry that remember what they were told, and records to deliver.
import type { Event } from '../../src/core/event.ts'
import type { DecodedRecord, Delivery, EventLog, SchemaRegistry, TopicSpec } from '../../src/pipeline/ports.ts'
import { compileEncoder } from '../../src/schema/codec.ts'
import type { SinkDeps } from '../../src/sinks/sink.ts'
import { createFakeClock } from './fake-clock.ts'

export const reviewSchema = JSON.stringify({
  type: 'record',
  name: 'Review',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'rating', type: 'double' },
    { name: 'seen', type: 'long' },
    { name: 'text', type: ['null', 'string'], default: null },
  ],
})
export const reviewSchemaId = 1

export interface SinkWorld {
  readonly deps: SinkDeps
  readonly events: Event[]
  /** Topics that were made. */
  readonly topics: Map<string, TopicSpec>
  /** Schemas by id; the first is `reviewSchema`. */
  readonly schemas: string[]
  /** `subject:id` of every registration. */
  readonly registrations: string[]
}

/** Only what sinks use of the ports is there. */
export function createSinkWorld(baseDir: string): SinkWorld {
  const events: Event[] = []
  const topics = new Map<string, TopicSpec>()
  const schemas = [reviewSchema]
  const registrations: string[] = []
  const info = (spec: TopicSpec) => ({ ...spec, partitionInfo: [], bytes: null })
  const log: Pick<EventLog, 'topic' | 'ensureTopic'> = {
    topic: async name => (topics.has(name) ? info(topics.get(name)!) : null),
    ensureTopic: async spec => {
      const created = !topics.has(spec.name)
      topics.set(spec.name, spec)
      return { info: info(spec), created }
    },
  }
  const registry: Pick<SchemaRegistry, 'register' | 'byId'> = {
    register: async (subject, schema) => {
      if (!schemas.includes(schema)) schemas.push(schema)
      const id = schemas.indexOf(schema) + 1
      registrations.push(`${subject}:${id}`)
      return { subject, version: 1, id, schema }
    },
    byId: async id => {
      const schema = schemas[id - 1]
      if (schema === undefined) throw new Error(`no schema ${id}`)
      return schema
    },
  }
  const deps: SinkDeps = {
    pipeline: 'reviews',
    group: 'readers',
    clock: createFakeClock(),
    emit: event => void events.push(event),
    baseDir,
    log: log as EventLog,
    registry: registry as SchemaRegistry,
  }
  return { deps, events, topics, schemas, registrations }
}

const encoder = compileEncoder(reviewSchema)

/** Record `offset` of partition `partition`: same numbers, same record. */
export function reviewAt(offset: number, partition = 0, value: Record<string, unknown> = {}): DecodedRecord {
  const review = {
    id: `r${partition}-${offset}`,
    rating: (offset % 5) + 1,
    seen: BigInt(offset),
    text: `text\n${offset} é`,
    ...value,
  }
  return {
    log: {
      topic: 'reviews',
      partition,
      offset: BigInt(offset),
      timestampMs: 1_700_000_000_000 + offset,
      key: Buffer.from(`k${offset % 3}`),
      value: encoder.encode({ id: 'r', rating: 1, seen: 1n, text: null }, reviewSchemaId),
      headers: [
        ['weir-id', Buffer.from(`reviews/s/${partition}-${offset}`)],
        ['tag', Buffer.from('a')],
        ['tag', Buffer.from('b')],
      ],
    },
    schemaId: reviewSchemaId,
    value: review,
  }
}

/** The records from `from` up to but without `to`. */
export function reviews(from: number, to: number, partition = 0): Delivery {
  return {
    topic: 'reviews',
    partition,
    records: Array.from({ length: to - from }, (_, i) => reviewAt(from + i, partition)),
    nextOffset: BigInt(to),
  }
}
