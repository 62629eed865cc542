// Prometheus metrics, driven by events only, in a registry of their own. Labels come from fixed sets and definitions; what data or hosts
// bring is capped, so that no input can make series without end. `weir_unaccounted_records` watches I2 while weir runs.
import type { Registry } from 'prom-client'
import { type Clock, systemClock } from '../core/clock.ts'
import { type Code, codes } from '../core/errors.ts'
import type { Emit, Event } from '../core/event.ts'
import type { Health } from './health.ts'
import { type Instruments, makeInstruments } from './instruments.ts'
import { makeScrapedGauges, type ScrapedGauges } from './scraped-gauges.ts'

export interface MetricsOptions {
  /** Distinct names kept per label; later ones count as `other`. A process runs one pipeline. Default 1, 8 and 8. */
  readonly maxPipelines?: number
  readonly maxGroups?: number
  readonly maxHosts?: number
  /** Process metrics (memory, CPU, event loop). Default true. */
  readonly process?: boolean
  readonly clock?: Clock
  /** Told as weir_ready and weir_health_reasons; omitted: neither is there. */
  readonly health?: Health
}

export interface Metrics extends Disposable {
  readonly emit: Emit
  readonly contentType: string
  /** The exposition text that Prometheus scrapes. */
  text(): Promise<string>
  readonly registry: Registry
}

/** Metrics fed by `emit`. Loads prom-client on the call, so that runs without metrics do not pay for it. */
export async function createMetrics(options: MetricsOptions = {}): Promise<Metrics> {
  const prom = await import('prom-client')
  const registry = new prom.Registry()
  if (options.process !== false) {
    prom.collectDefaultMetrics({ register: registry })
    for (const name of heapSpaces) registry.removeSingleMetric(name)
  }
  const clock = options.clock ?? systemClock
  const pipelineOf = createLabelCap(options.maxPipelines ?? 1)
  const counting: Counting = {
    m: makeInstruments(prom, registry),
    live: makeScrapedGauges(prom, registry, clock, options.health, pipeline => pipelineOf(pipeline)[0]!),
    clock,
    pipelineOf,
    groupOf: createLabelCap(options.maxGroups ?? 8),
    hostOf: createLabelCap(options.maxHosts ?? 8),
    unaccounted: new Map(),
  }
  return {
    emit: event => count(event, counting),
    contentType: registry.contentType,
    text: () => registry.metrics(),
    registry,
    [Symbol.dispose]: () => registry.clear(),
  }
}

interface Counting {
  readonly m: Instruments
  readonly live: ScrapedGauges
  readonly clock: Clock
  readonly pipelineOf: LabelCap
  /** Groups and hosts belong to a pipeline, so they are capped as pairs. */
  readonly groupOf: LabelCap
  readonly hostOf: LabelCap
  readonly unaccounted: Map<string, number>
}

type LabelCap = (...names: string[]) => readonly string[]

/** The first `limit` combinations of plain names as they are; later ones, and names that are not plain, become `other`. */
export function createLabelCap(limit: number): LabelCap {
  const known = new Set<string>()
  return (...names) => {
    const combination = names.join(' ')
    if (known.has(combination)) return names
    if (known.size >= limit || !names.every(name => /^[\w.:[\]-]{1,128}$/.test(name))) return names.map(() => 'other')
    known.add(combination)
    return names
  }
}

/** Forty series of the process that no one asks for. */
const heapSpaces = ['total', 'used', 'available'].map(what => `nodejs_heap_space_size_${what}_bytes`)
const breakerStates = { closed: 0, half_open: 1, open: 2 } as const
const fetchCodes = Object.keys(codes).filter(code => code.startsWith('fetch.'))
/** Pipelines have few buckets; a number beyond is none of ours. */
const bucketLabel = (bucket: number): string => (bucket >= 0 && bucket < 64 ? String(bucket) : 'other')
const codeLabel = (code: Code): string => (Object.hasOwn(codes, code) ? code : 'internal')

function count(event: Event, counting: Counting): void {
  if (!('pipeline' in event)) return
  const { m, clock, pipelineOf, hostOf, groupOf, unaccounted } = counting
  const pipeline = pipelineOf(event.pipeline)[0]!
  const account = (change: number): void => {
    const left = (unaccounted.get(pipeline) ?? 0) + change
    unaccounted.set(pipeline, left)
    m.unaccounted.set({ pipeline }, left)
  }
  switch (event.type) {
    case 'pipeline_started':
      begin(pipeline, event.passEveryMs, counting)
      return
    case 'records_fetched':
      m.fetched.inc({ pipeline }, event.count)
      account(event.count)
      return
    case 'drift':
      m.drift.inc({ pipeline, change: event.change })
      return
    case 'records_dropped':
      m.dropped.inc({ pipeline, reason: event.reason }, event.count)
      account(-event.count)
      return
    case 'batch_appended':
      m.appended.inc({ pipeline }, event.records)
      m.appendedBytes.inc({ pipeline }, event.bytes)
      m.deadLetters.inc({ pipeline, stage: 'producer' }, event.deadLetters)
      m.batchSeconds.observe({ stage: 'producer' }, event.ms / 1000)
      m.lastSuccess.set({ pipeline }, clock.now() / 1000)
      if (event.records > 0) m.lastAppend.set({ pipeline }, clock.now() / 1000)
      account(-event.records - event.deadLetters)
      return
    case 'pages_kept':
      m.pagesKept.inc({ pipeline }, event.pages)
      m.pagesKeptBytes.inc({ pipeline }, event.bytes)
      return
    case 'record_dead':
      m.dead.inc({ pipeline, code: codeLabel(event.code) })
      return
    case 'poll_finished':
      m.lastSuccess.set({ pipeline }, clock.now() / 1000)
      return
    case 'fetch_done':
      m.fetchAttempts.inc({ pipeline, outcome: 'answered' })
      return
    case 'fetch_retry':
      m.fetchAttempts.inc({ pipeline, outcome: 'retried' })
      return
    case 'fetch_failed':
      m.fetchFailures.inc({ pipeline, code: codeLabel(event.code) })
      return
    case 'fetch_held': {
      const [owner, host] = hostOf(event.pipeline, event.host) as [string, string]
      m.heldUntil.set({ pipeline: owner, host }, (counting.clock.now() + event.waitMs) / 1000)
      return
    }
    case 'breaker_changed': {
      const [owner, host] = hostOf(event.pipeline, event.host) as [string, string]
      m.breaker.set({ pipeline: owner, host }, breakerStates[event.to])
      return
    }
    case 'replayed':
      for (const outcome of ['replayed', 'failed', 'skipped'] as const) m.replayed.inc({ outcome }, event[outcome])
      return
    default:
      if (event.type === 'batch_consumed') m.deadLetters.inc({ pipeline, stage: 'consumer' }, event.deadLetters)
      if ('group' in event) countConsuming(event, groupOf(event.pipeline, event.group) as [string, string], m)
      else countCommitting(event, pipeline, counting)
  }
}

/** Counters begin at 0 rather than with their first event: an increase is seen only from a value that was scraped before. */
function begin(pipeline: string, passEveryMs: number | undefined, { m, live, clock }: Counting): void {
  if (pipeline === 'other') return
  m.started.set({ pipeline }, clock.now() / 1000)
  if (passEveryMs !== undefined) m.passInterval.set({ pipeline }, passEveryMs / 1000)
  for (const counter of [m.fetched, m.appended, m.appendedBytes, m.commitRetries, m.commitsUnknown])
    counter.inc({ pipeline }, 0)
  for (const stage of ['producer', 'consumer']) m.deadLetters.inc({ pipeline, stage }, 0)
  for (const code of fetchCodes) m.fetchFailures.inc({ pipeline, code }, 0)
  for (const change of ['appeared', 'vanished', 'kind']) m.drift.inc({ pipeline, change }, 0)
  m.unaccounted.inc({ pipeline }, 0)
  live.know(pipeline)
}

/** The share of the work, transactions and the spool. */
function countCommitting(event: Event, pipeline: string, { m, live, clock }: Counting): void {
  switch (event.type) {
    case 'bucket_owned':
      m.bucketFresh.set({ pipeline, bucket: bucketLabel(event.bucket) }, clock.now() / 1000)
      return
    case 'bucket_released':
      m.bucketFresh.remove({ pipeline, bucket: bucketLabel(event.bucket) })
      return
    case 'pass_finished':
      if (event.failures === 0) m.bucketFresh.set({ pipeline, bucket: bucketLabel(event.bucket) }, clock.now() / 1000)
      return
    case 'commit_started':
      live.commitStarted(pipeline, event.commit)
      return
    case 'commit_finished':
      live.commitFinished(event.commit)
      m.transactionSeconds.observe(event.ms / 1000)
      return
    case 'commit_retried':
      m.commitRetries.inc({ pipeline })
      return
    case 'commit_unknown':
      m.commitsUnknown.inc({ pipeline })
      return
    case 'spool_backlog':
      m.spoolRecords.set({ pipeline }, event.records)
      m.spoolBytes.set({ pipeline }, event.bytes)
      live.spoolOldest(pipeline, event.oldestMs)
      return
    case 'batch_spooled':
      m.spooled.inc({ pipeline, outcome: 'stored' }, event.records)
      return
    case 'spool_forwarded':
      m.spooled.inc({ pipeline, outcome: 'forwarded' }, event.records)
      return
    case 'spool_superseded':
      m.spooled.inc({ pipeline, outcome: 'superseded' }, event.records)
      return
    default:
  }
}

function countConsuming(event: Event, [pipeline, group]: [string, string], m: Instruments): void {
  switch (event.type) {
    case 'batch_consumed':
      m.consumed.inc({ pipeline, group }, event.records)
      m.filtered.inc({ pipeline, group }, event.filtered)
      m.batchSeconds.observe({ stage: 'consumer' }, event.ms / 1000)
      return
    case 'records_missed':
      m.missed.inc({ pipeline, group }, event.count)
      return
    case 'sink_failed':
      m.sinkFailures.inc({ pipeline, group })
      return
    case 'lag':
      m.lag.set({ pipeline, group }, event.lag)
      return
    default:
  }
}
