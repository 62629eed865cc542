// Opens the `http` source over a guard, and reads a split of it the way the runtime does: each batch committed with its cursor, or not.

import type { Clock } from '../../src/core/clock.ts'
import type { Event } from '../../src/core/event.ts'
import { rawOf, type SourceBatch, type Split } from '../../src/core/record.ts'
import type { FetchGuard } from '../../src/fetch/guard.ts'
import type { Source } from '../../src/pipeline/ports.ts'
import { http } from '../../src/sources/http/http.ts'
import { createFakeClock } from './fake-clock.ts'
import { httpConfig } from './http-config.ts'

export interface OpenedHttp {
  readonly source: Source
  readonly events: Event[]
}

export function openHttpSource(
  written: Record<string, unknown>,
  guard: FetchGuard,
  o: {
    baseDir?: string
    nowMs?: number
    clock?: Clock
    origin?: string
    keepsRaw?: boolean
    reads?: readonly string[]
  } = {},
): OpenedHttp {
  const events: Event[] = []
  const source = http.open(httpConfig(written), {
    pipeline: 'test',
    clock: o.clock ?? createFakeClock(o.nowMs),
    random: () => 0.5,
    emit: event => events.push(event),
    baseDir: o.baseDir ?? '/',
    fetch: () => guard,
    ...(o.reads === undefined ? {} : { reads: o.reads }),
    ...(o.keepsRaw === undefined ? {} : { keepsRaw: o.keepsRaw }),
    ...(o.origin === undefined ? {} : { origin: o.origin }),
  })
  return { source, events }
}

export const all: Split = { id: 'all', vars: {} }

export interface Poll {
  readonly batches: readonly SourceBatch[]
  readonly positions: readonly string[]
  readonly values: readonly unknown[]
  readonly errors: readonly { readonly code: string; readonly raw: string; readonly position: string }[]
  readonly duplicates: number
  readonly unchanged: number
  /** `<position> <change>` of what is not new. */
  readonly changes: readonly string[]
  readonly cursor: string | null
}

/** One poll to its end, or to where it fails. */
export async function poll(source: Source, cursor: string | null, split = all): Promise<Poll> {
  const batches: SourceBatch[] = []
  for await (const batch of source.read(split, cursor, new AbortController().signal)) batches.push(batch)
  const items = batches.flatMap(batch => batch.items)
  return {
    batches,
    positions: items.map(item => item.position),
    values: items.filter(item => item.error === undefined).map(item => item.value),
    errors: items
      .filter(item => item.error !== undefined)
      .map(item => ({
        code: item.error!.code,
        raw: Buffer.from(rawOf(item)).toString('utf8'),
        position: item.position,
      })),
    duplicates: batches.reduce((sum, batch) => sum + (batch.drops?.duplicate ?? 0), 0),
    unchanged: batches.reduce((sum, batch) => sum + (batch.drops?.unchanged ?? 0), 0),
    changes: items.filter(item => item.change !== undefined).map(item => `${item.position} ${item.change}`),
    cursor: batches.at(-1)?.cursor ?? cursor,
  }
}
