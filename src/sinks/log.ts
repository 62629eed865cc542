// Each record becomes one line of the log: for people, and for log collectors. Long fields are cut and secrets redacted by the logger (I9).

import { fields, Type } from '../core/spec.ts'
import { toJson } from '../schema/json.ts'
import { defineSink } from './sink.ts'

const config = fields({
  fields: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 249 }), {
      description: 'Fields of the record to log, in this order; omitted: all of them.',
      minItems: 1,
      maxItems: 256,
    }),
  ),
})

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** A key as text; `base64:...` when it is not UTF-8. */
export function keyText(key: Uint8Array | null): string | null {
  if (key === null) return null
  try {
    return utf8.decode(key)
  } catch {
    return `base64:${Buffer.from(key).toString('base64')}`
  }
}

/** Logs records; a crash between logging and committing logs some again. */
export const log = defineSink({
  name: 'log',
  summary: 'Writes each record as a line of the log.',
  config,
  guarantee: 'at_least_once',
  claims: {
    delivering: {
      guarantee: 'at_least_once',
      why: 'A line is written before its offset is committed: after a crash between the two it is written again.',
      proof: {
        file: 'test/contract/event-log/consume.ts',
        test: 'what was not committed is read again by the next member',
      },
    },
    replaying: {
      guarantee: 'at_least_once',
      why: 'A line is written before its letter is marked: after a crash between the two it is written again.',
      proof: { file: 'test/fault/replay-kill.test.ts', test: 'what a replay hands to a log sink is logged' },
    },
  },
  examples: [
    { title: 'Whole records', config: {} },
    { title: 'A few fields', config: { fields: ['product_asin', 'rating', 'review_title'] } },
  ],
  takes: ({ fields: picked }) => picked ?? null,
  async open({ fields: picked }, { pipeline, group, emit }) {
    const pick = (value: Readonly<Record<string, unknown>> | null): unknown =>
      toJson(picked && value ? Object.fromEntries(picked.map(name => [name, value[name] ?? null])) : value)
    return {
      guarantee: 'at_least_once',
      exclusive: false,
      async deliver({ topic, partition, records }, signal) {
        signal.throwIfAborted()
        for (const { log: record, value } of records)
          emit({
            type: 'record_logged',
            pipeline,
            group,
            topic,
            partition,
            offset: String(record.offset),
            key: keyText(record.key),
            value: pick(value),
          })
      },
      async [Symbol.asyncDispose]() {},
    }
  },
})
