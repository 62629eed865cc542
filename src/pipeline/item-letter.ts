// The dead letter of an item: what a replay needs to bring it to the stage that refused it.
import { changeHeader, type Header, rawOf } from '../core/record.ts'
import { type DeadLetter, errorFields } from './dead-letter.ts'
import type { ItemFailure } from './map.ts'

/** `headers`: of its page; the letter keeps them, so that a replay writes them. */
export function itemLetter(
  { item, stage, error }: ItemFailure,
  split: string,
  now: number,
  headers: readonly Header[],
  { pipeline, topic, version }: { readonly pipeline: string; readonly topic: string; readonly version: string },
): DeadLetter {
  return {
    ...errorFields(error),
    stage,
    pipeline,
    split,
    source_position: item.position,
    source_place: item.place ?? null,
    context: item.context ?? null,
    topic,
    original_topic: null,
    original_partition: null,
    original_offset: null,
    consumer_group: null,
    original_key: null,
    // A copy: the bytes of an item are often a view of much more, which would live as long as the letter (I10).
    original: Buffer.from(rawOf(item)),
    original_headers: (item.change === undefined ? headers : [[changeHeader, item.change] as const, ...headers]).map(
      ([name, value]) => ({ name, value: Buffer.from(value as string) }),
    ),
    schema_id: null,
    attempts: 1,
    first_failed_at: now,
    last_failed_at: now,
    weir_version: version,
  }
}
