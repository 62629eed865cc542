// The `http` source over the model of a vendor with jobs, on a clock that moves by itself, read as the runtime reads it: a batch is committed
// before the source goes on, so that a test can stop, or kill, between any two commits and calls.
import type { Event } from '../../src/core/event.ts'
import type { SourceBatch, Split } from '../../src/core/record.ts'
import type { FetchGuard } from '../../src/fetch/guard.ts'
import type { Source } from '../../src/pipeline/ports.ts'
import { http } from '../../src/sources/http/http.ts'
import { httpConfig } from './http-config.ts'
import { createJobVendor, type JobVendor, jobConfig } from './job-vendor.ts'
import { all } from './open-http.ts'
import { type Reply, scriptedGuard } from './scripted-guard.ts'

export const base = 'https://jobs.example'

/** Instead of, or after, the vendor's answer. */
export type Meddle = (call: { method: string; path: string; n: number }, answer: () => Reply) => Reply

export interface JobScene {
  readonly vendor: JobVendor
  readonly events: Event[]
  readonly guard: FetchGuard
  /** Lengths of the waits so far. */
  readonly waits: number[]
  nowMs: number
  meddle: Meddle | undefined
  /** A source as a new process opens it. */
  open(): Source
  /** Reads to the end, or to the failure, committing each batch. */
  pass(cursor: string | null, o?: { split?: Split; signal?: AbortSignal }): Promise<Passed>
}

export interface Passed {
  readonly cursor: string | null
  readonly ids: readonly string[]
  readonly batches: readonly SourceBatch[]
  readonly duplicates: number
  readonly error: unknown
}

export function jobScene(
  over: Parameters<typeof jobConfig>[1] = {},
  items: object[] = ['a', 'b', 'c'].map(id => ({ id })),
): JobScene {
  const vendor = createJobVendor({ '': items })
  const events: Event[] = []
  let calls = 0
  const guard = scriptedGuard((url, { method, body = '' }) => {
    const answer = () => vendor.answer(url, method, String(body))
    return scene.meddle?.({ method, path: url.pathname, n: ++calls }, answer) ?? answer()
  })
  const scene: JobScene = {
    vendor,
    events,
    guard,
    waits: [],
    nowMs: Date.UTC(2026, 0, 1),
    meddle: undefined,
    open: () =>
      http.open(httpConfig(jobConfig(base, over)), {
        pipeline: 'test',
        clock: {
          now: () => scene.nowMs,
          monotonic: () => scene.nowMs,
          async sleep(ms, signal) {
            signal?.throwIfAborted()
            scene.waits.push(ms)
            scene.nowMs += ms
          },
        },
        random: () => scene.nowMs / 1e13,
        emit: event => events.push(event),
        baseDir: '/',
        fetch: () => guard,
      }),
    async pass(given, { split = all, signal = new AbortController().signal } = {}) {
      const batches: SourceBatch[] = []
      let cursor = given
      let error: unknown
      try {
        for await (const batch of scene.open().read(split, given, signal)) {
          batches.push(batch)
          cursor = batch.cursor
        }
      } catch (thrown) {
        error = thrown
      }
      return {
        cursor,
        ids: batches.flatMap(batch => batch.items.map(item => (item.value as { id: string }).id)),
        batches,
        duplicates: batches.reduce((sum, batch) => sum + (batch.drops?.duplicate ?? 0), 0),
        error,
      }
    },
  }
  return scene
}
