// Prometheus metrics, driven by events only, in a registry of their own. Labels come from fixed sets and definitions; what data or hosts
// bring is capped, so that no input can make series without end. `weir_unaccounted_records` watches I2 while weir runs.
import type { Registry } from 'prom-client'
import { type Clock, systemClock } from '../core/clock.ts'
import { type Code, codes } from '../core/errors.ts'
import type { Emit, Event } from '../core/event.ts'
import { type Instruments, makeInstruments } from './instruments.ts'

export interface MetricsOptions {
  /** Distinct names kept per label; later ones count as `other`. The composer passes how many it has. */
  readonly maxPipelines?: number
  readonly maxGroups?: number
  readonly maxHosts?: number
  /** Process metrics (memory, CPU, event loop). Default true. */
  readonly process?: boolean
  readonly clock?: Clock
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
  if (options.process !== false) prom.collectDefaultMetrics({ register: registry })
  const instruments = makeInstruments(prom, registry)
  const counting: Counting = {
    m: instruments,
    clock: options.clock ?? systemClock,
    pipelineOf: createLabelCap(options.maxPipelines ?? 4),
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

const breakerStates = { closed: 0, half_open: 1, open: 2 } as const
const codeLabel = (code: Code): string => (Object.hasOwn(codes, code) ? code : 'internal')

function count(event: Event, { m, clock, pipelineOf, hostOf, groupOf, unaccounted }: Counting): void {
  if (!('pipeline' in event)) return
  const pipeline = pipelineOf(event.pipeline)[0]!
  const account = (change: number): void => {
    const left = (unaccounted.get(pipeline) ?? 0) + change
    unaccounted.set(pipeline, left)
    m.unaccounted.set({ pipeline }, left)
  }
  switch (event.type) {
    case 'records_fetched':
      m.fetched.inc({ pipeline }, event.count)
      account(event.count)
      return
    case 'records_dropped':
      m.dropped.inc({ pipeline, reason: event.reason }, event.count)
      account(-event.count)
      return
    case 'batch_appended':
      m.appended.inc({ pipeline }, event.records)
      m.appendedBytes.inc({ pipeline }, event.bytes)
      m.batchSeconds.observe({ stage: 'producer' }, event.ms / 1000)
      m.lastSuccess.set({ pipeline }, clock.now() / 1000)
      account(-event.records - event.deadLetters)
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
    case 'breaker_changed': {
      const [owner, host] = hostOf(event.pipeline, event.host) as [string, string]
      m.breaker.set({ pipeline: owner, host }, breakerStates[event.to])
      return
    }
    case 'commit_retried':
      m.commitRetries.inc({ pipeline })
      return
    case 'commit_unknown':
      m.commitsUnknown.inc({ pipeline })
      return
    default:
      if ('group' in event) countConsuming(event, groupOf(event.pipeline, event.group) as [string, string], m)
      if (event.type === 'replayed')
        for (const outcome of ['replayed', 'failed', 'skipped'] as const) m.replayed.inc({ outcome }, event[outcome])
  }
}

function countConsuming(event: Event, [pipeline, group]: [string, string], m: Instruments): void {
  switch (event.type) {
    case 'batch_consumed':
      m.consumed.inc({ pipeline, group }, event.records)
      m.filtered.inc({ pipeline, group }, event.filtered)
      m.batchSeconds.observe({ stage: 'consumer' }, event.ms / 1000)
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
