// The demo: a simulated vendor, the pipeline that polls it, and what happens told in sentences.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { WorkspaceDefinition } from '../config/definition.ts'
import type { Clock, Random } from '../core/clock.ts'
import type { Event } from '../core/event.ts'
import { packageFolder } from '../core/shipped.ts'
import { formatDuration } from '../core/units.ts'
import { simulateReviews } from '../simulate/reviews.ts'
import { stageNames } from './compose.ts'
import { loadDefinition } from './definitions.ts'
import { type ObservedResult, runObserved } from './running.ts'

const demoPipeline = join(packageFolder, 'pipelines/demo-reviews.yaml')

export interface DemoOptions {
  readonly workspace: WorkspaceDefinition
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly random: Random
  /** How long it runs; null: until it is stopped. */
  readonly forMs: number | null
  readonly version: string
  /** Gets one sentence for people at a time. */
  readonly tell: (sentence: string, tone: 'plain' | 'good' | 'bad') => void
}

/** Where the vendor's history stood when the last demo ended, so that the next one brings new reviews and not the same ones again. */
const historyFile = 'demo-vendor.json'

/** One new review, and now and then an edit, while the demo runs. */
const addEveryMs = 700
const tellBatchesEveryMs = 2_000

/** Runs the demo and gives what it came to. @throws what stopped it */
export async function runDemo(options: DemoOptions): Promise<ObservedResult> {
  const { workspace, clock, random, tell, forMs, version } = options
  await using vendor = await simulateReviews({
    initial: 150,
    addEveryMs,
    editEvery: 4,
    ticks: readTicks(workspace.dataDir),
    malformed: 0.05,
    faults: 0.12,
    seed: 7,
    clock,
  })
  tell(
    `A simulated review vendor serves real reviews on ${vendor.url}; it fails now and then, and some items are damaged.`,
    'plain',
  )
  const definition = await loadDefinition(demoPipeline, {
    ...options.env,
    WEIR_DEMO_VENDOR: options.env['WEIR_DEMO_VENDOR'] ?? vendor.url,
  })
  tell(
    `The pipeline ${definition.pipeline} polls it every 2 s into the topic ${definition.topic.name}; a consumer logs ratings of two stars and less.`,
    'plain',
  )
  const over = new AbortController()
  const timer =
    forMs === null
      ? undefined
      : clock.sleep(forMs, over.signal).then(
          () => over.abort(),
          () => {},
        )
  try {
    return await runObserved({
      definition,
      workspace,
      clock,
      random,
      run: { stages: stageNames, until: null, idleForMs: 0, version },
      log: { pretty: true, colour: false, level: 'fatal', destination: { write: () => {} } },
      listen: null,
      also: storyteller(clock, tell),
      stop: over.signal,
    })
  } finally {
    over.abort()
    await timer
    writeTicks(workspace.dataDir, vendor.ticks)
  }
}

/** 0 where there was no demo yet, or its file is of no use: the vendor then begins anew, and what is stored is recognised. */
function readTicks(dataDir: string): number {
  try {
    const { ticks } = JSON.parse(readFileSync(join(dataDir, historyFile), 'utf8')) as { ticks?: unknown }
    return Number.isInteger(ticks) && (ticks as number) >= 0 && (ticks as number) <= 1_000_000 ? (ticks as number) : 0
  } catch {
    return 0
  }
}

function writeTicks(dataDir: string, ticks: number): void {
  try {
    mkdirSync(dataDir, { recursive: true })
    writeFileSync(join(dataDir, historyFile), `${JSON.stringify({ ticks })}\n`)
  } catch {
    // A demo that begins anew is no harm; why the folder cannot be written, the store has said.
  }
}

/** Events as sentences; what happens all the time is gathered. */
function storyteller(clock: Clock, tell: DemoOptions['tell']): (event: Event) => void {
  let appended = 0
  let duplicates = 0
  let toldMs = clock.monotonic()
  const gather = () => {
    if (clock.monotonic() - toldMs < tellBatchesEveryMs || appended + duplicates === 0) return
    const stored =
      appended === 0 ? 'Nothing new' : appended === 1 ? '1 record appended' : `${appended} records appended`
    tell(
      `${stored}${duplicates > 0 ? `; ${duplicates} seen before and dropped` : ''}.`,
      appended > 0 ? 'good' : 'plain',
    )
    appended = 0
    duplicates = 0
    toldMs = clock.monotonic()
  }
  return event => {
    switch (event.type) {
      case 'batch_appended':
        appended += event.records
        return gather()
      case 'records_dropped':
        duplicates += event.count
        return gather()
      case 'fetch_retry':
        return tell(`The vendor failed (${event.message}); calling again in ${formatDuration(event.waitMs)}.`, 'bad')
      case 'fetch_failed':
        return tell(`A poll was given up: ${event.message.replace(/\.$/, '')}. The cursor stays where it was.`, 'bad')
      case 'breaker_changed':
        return tell(
          `The circuit breaker of ${event.host} is ${event.to.replace('_', ' ')}.`,
          event.to === 'closed' ? 'good' : 'bad',
        )
      case 'record_dead':
        return tell(
          `Dead letter: ${event.message} (${event.code} at ${event.at ?? event.stage}). Its original bytes are kept.`,
          'bad',
        )
      case 'record_logged': {
        const { rating, review_title } = event.value as { rating?: number; review_title?: string | null }
        return tell(`${'*'.repeat(Math.round(rating ?? 0)).padEnd(5, '.')} ${review_title ?? '(no title)'}`, 'plain')
      }
      default:
        return undefined
    }
  }
}
