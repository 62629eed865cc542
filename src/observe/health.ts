// Health from events: live, ready, degraded, with reasons (I4). Degraded is not unready: a source that fails is no reason to restart weir.
// Unready: not started, stopping, standing by without a share of the work, or the event log cannot be written.
import { type Clock, systemClock } from '../core/clock.ts'
import type { Code } from '../core/errors.ts'
import type { Emit, Event } from '../core/event.ts'

/** Fixed words: what an alert matches on. The first five are why weir is not ready, the others why it is degraded; with a spool, log_unavailable is too. */
export const reasonKinds = [
  'not_started',
  'stopping',
  'stopped',
  'standby',
  'log_unavailable',
  'breaker_open',
  'fetch_failing',
  'sink_failing',
  'lag',
  'flood_stopped',
  'spooling',
] as const

export interface HealthReason {
  readonly pipeline: string
  readonly kind: (typeof reasonKinds)[number]
  readonly message: string
  readonly code?: Code
  readonly sinceMs: number
}

export interface HealthState {
  /** The process works; false asks for a restart. */
  readonly live: boolean
  /** It does its share. */
  readonly ready: boolean
  /** It works, but someone should look. */
  readonly degraded: boolean
  /** Why not ready, then why degraded. */
  readonly reasons: readonly HealthReason[]
}

export interface Health {
  readonly emit: Emit
  state(): HealthState
}

export interface HealthOptions {
  readonly clock?: Clock
  /** Records behind at which a group counts as lagging; null: never. Default 100000. */
  readonly maxLag?: number | null
  /** How long a busy log may refuse commits before weir is not ready. Default 5 s. */
  readonly busyMs?: number
}

/** Reasons kept per pipeline: one bad watch list must not fill memory. */
const maxReasons = 64

interface PipelineHealth {
  readonly pipeline: string
  phase: 'running' | 'stopping' | 'stopped'
  phaseSinceMs: number
  producing: boolean
  readonly buckets: Set<number>
  /** Commits are refused since then. */
  refused: { sinceMs: number; sinceMonotonicMs: number; code: Code; message: string } | null
  /** The log does not answer since then. */
  unreachable: HealthReason | null
  /** Key: kind and what it is about. */
  readonly degraded: Map<string, HealthReason>
}

/** Keeps the health of every pipeline of this process. */
export function createHealth(options: HealthOptions = {}): Health {
  const clock = options.clock ?? systemClock
  const settings = {
    clock,
    maxLag: options.maxLag === undefined ? 100_000 : options.maxLag,
    busyMs: options.busyMs ?? 5_000,
  }
  const pipelines = new Map<string, PipelineHealth>()
  const createdMs = clock.now()
  return {
    emit: event => {
      if (!('pipeline' in event)) return
      if (event.type === 'pipeline_started')
        pipelines.set(event.pipeline, begun(event.pipeline, event.stages, clock.now()))
      const health = pipelines.get(event.pipeline)
      if (health) note(event, health, settings)
    },
    state: () => {
      const unready: HealthReason[] = []
      if (pipelines.size === 0)
        unready.push({ pipeline: '', kind: 'not_started', message: 'no pipeline has started yet', sinceMs: createdMs })
      for (const health of pipelines.values()) unready.push(...unreadyReasons(health, settings))
      const degraded = [...pipelines.values()].flatMap(health => [...health.degraded.values()])
      return {
        live: true,
        ready: unready.length === 0,
        degraded: degraded.length > 0,
        reasons: [...unready, ...degraded],
      }
    },
  }
}

interface Settings {
  readonly clock: Clock
  readonly maxLag: number | null
  readonly busyMs: number
}

const begun = (pipeline: string, stages: readonly string[], nowMs: number): PipelineHealth => ({
  pipeline,
  phase: 'running',
  phaseSinceMs: nowMs,
  producing: stages.includes('producer'),
  buckets: new Set(),
  refused: null,
  unreachable: null,
  degraded: new Map(),
})

function unreadyReasons(health: PipelineHealth, { clock, busyMs }: Settings): HealthReason[] {
  const { pipeline, phase, phaseSinceMs, refused } = health
  if (phase !== 'running') {
    const message = phase === 'stopping' ? 'finishing what is in flight' : 'the pipeline has stopped'
    return [{ pipeline, kind: phase, message, sinceMs: phaseSinceMs }]
  }
  if (refused && (refused.code !== 'log.busy' || clock.monotonic() - refused.sinceMonotonicMs >= busyMs)) {
    const { code, sinceMs } = refused
    const message = `the event log cannot be written: ${refused.message}`
    return [{ pipeline, kind: 'log_unavailable', code, message, sinceMs }]
  }
  if (health.unreachable) return [health.unreachable]
  if (health.producing && health.buckets.size === 0)
    return [
      { pipeline, kind: 'standby', message: 'other processes own every share of the work', sinceMs: phaseSinceMs },
    ]
  return []
}

function note(event: Event, health: PipelineHealth, { clock, maxLag }: Settings): void {
  switch (event.type) {
    case 'drain_started':
      moveTo(health, 'stopping', clock.now())
      break
    case 'pipeline_stopped':
      moveTo(health, 'stopped', clock.now())
      break
    case 'bucket_owned':
      health.buckets.add(event.bucket)
      break
    case 'bucket_released':
      for (const key of health.degraded.keys()) if (key.startsWith('fetch_failing ')) health.degraded.delete(key)
      health.buckets.delete(event.bucket)
      // Given back unasked: the source is read to its end, and what is left is consuming.
      if (event.why === 'shutdown') health.producing = false
      health.refused = null
      break
    case 'commit_retried':
      health.refused = {
        sinceMs: health.refused?.sinceMs ?? clock.now(),
        sinceMonotonicMs: health.refused?.sinceMonotonicMs ?? clock.monotonic(),
        code: event.code,
        message: event.message,
      }
      break
    case 'commit_recovered':
    case 'batch_appended':
      health.refused = null
      break
    case 'batch_consumed':
      health.refused = null
      clear(health, 'sink_failing', event.group)
      break
    case 'log_unreachable':
      noteLoss(event, health, clock.now())
      break
    case 'log_reachable':
      health.unreachable = null
      clear(health, 'log_unavailable', '')
      break
    default:
      noteTrouble(event, health, clock.now(), maxLag)
  }
}

/** A pipeline that goes on into its spool does its share: degraded, not unready. */
function noteLoss(event: Extract<Event, { type: 'log_unreachable' }>, health: PipelineHealth, nowMs: number): void {
  const { pipeline, code, spools } = event
  const message = `the event log does not answer: ${event.message}`
  const reason: HealthReason = { pipeline, kind: 'log_unavailable', message, code, sinceMs: nowMs }
  if (spools) health.degraded.set('log_unavailable ', reason)
  else health.unreachable = reason
}

function noteTrouble(event: Event, health: PipelineHealth, nowMs: number, maxLag: number | null): void {
  const mark = (kind: HealthReason['kind'], about: string, message: string, code?: Code): void => {
    const key = `${kind} ${about}`
    if (health.degraded.size >= maxReasons && !health.degraded.has(key)) return
    const sinceMs = health.degraded.get(key)?.sinceMs ?? nowMs
    health.degraded.set(key, { pipeline: health.pipeline, kind, message, sinceMs, ...(code ? { code } : {}) })
  }
  switch (event.type) {
    case 'fetch_failed':
      mark('fetch_failing', event.split, `fetching ${event.split} fails: ${event.message}`, event.code)
      break
    case 'poll_finished':
      clear(health, 'fetch_failing', '*')
      clear(health, 'fetch_failing', event.split)
      break
    case 'breaker_changed':
      if (event.to === 'closed') clear(health, 'breaker_open', event.host)
      else mark('breaker_open', event.host, `the breaker of ${event.host} is ${event.to.replace('_', ' ')}`)
      break
    case 'flood_stopped':
      mark('flood_stopped', '', event.message, 'dead_letter.flood')
      break
    case 'spool_started':
      mark('spooling', '', `the broker takes no writes, they go to the spool: ${event.message}`, event.code)
      break
    case 'spool_backlog':
      if (event.records === 0 && event.oldestMs === null) clear(health, 'spooling', '')
      else mark('spooling', '', `${event.records} records wait in the spool for the broker`)
      break
    case 'sink_failed':
      mark('sink_failing', event.group, `sink ${event.sink} of ${event.group} fails: ${event.message}`, event.code)
      break
    case 'lag':
      if (maxLag === null || event.lag <= maxLag) clear(health, 'lag', event.group)
      else mark('lag', event.group, `${event.group} is ${event.lag} records behind on ${event.topic}`)
      break
    default:
  }
}

function clear(health: PipelineHealth, kind: HealthReason['kind'], about: string): void {
  health.degraded.delete(`${kind} ${about}`)
}

function moveTo(health: PipelineHealth, phase: PipelineHealth['phase'], nowMs: number): void {
  health.phase = phase
  health.phaseSinceMs = nowMs
}
