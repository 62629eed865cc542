// What a run came to, counted from the same events as the metrics: where every fetched item went (I2), in words for a newcomer.
import { type Clock, systemClock } from '../core/clock.ts'
import type { Code } from '../core/errors.ts'
import type { Emit, Event, StageName } from '../core/event.ts'
import { escapeActing } from '../core/printable.ts'
import type { DropReason } from '../core/record.ts'
import { formatBytes, formatDuration } from '../core/units.ts'
import { safeText } from './safe-text.ts'

export interface Summary {
  readonly fetched: number
  readonly appended: number
  readonly dropped: Readonly<Partial<Record<DropReason, number>>>
  /** Dead letters of the producer stage, by code. */
  readonly dead: Readonly<Partial<Record<Code, number>>>
  /** fetched - appended - dead - dropped: 0 unless something is lost, doubled or in flight. */
  readonly unaccounted: number
  /** Bytes of values appended. */
  readonly bytes: number
  /** Pages stored as they came; 0 unless the pipeline keeps them. */
  readonly rawPages: number
  readonly fetchFailures: number
  readonly breaker: Readonly<Record<string, 'open' | 'half_open' | 'closed'>>
  readonly consumed: number
  readonly filtered: number
  /** Dead letters of the consumer stage, by code. */
  readonly undelivered: Readonly<Partial<Record<Code, number>>>
  /** Records behind, by group. */
  readonly lag: Readonly<Record<string, number>>
  /** What went through the spool for a broker that was away, and what waits in it still; records and dead letters. */
  readonly spool: {
    readonly stored: number
    readonly forwarded: number
    readonly superseded: number
    readonly waiting: number
  }
  readonly ms: number
}

export interface SummaryCounter {
  readonly emit: Emit
  snapshot(): Summary
}

export interface SummaryOptions {
  readonly clock?: Clock
  /** Only this pipeline's events; omitted: all. */
  readonly pipeline?: string
}

/** Hosts and groups kept by name. */
const maxNames = 64
const producerStages: readonly StageName[] = ['source', 'map', 'encode']

/** Counts from now on. */
export function createSummary(options: SummaryOptions = {}): SummaryCounter {
  const clock = options.clock ?? systemClock
  const startedMs = clock.monotonic()
  const counts = emptyCounts()
  return {
    emit: event => {
      if (!('pipeline' in event)) return
      if (options.pipeline === undefined || event.pipeline === options.pipeline) add(event, counts)
    },
    snapshot: () => {
      const { deadLetters, ...shown } = counts
      return {
        ...shown,
        dropped: { ...counts.dropped },
        dead: { ...counts.dead },
        undelivered: { ...counts.undelivered },
        breaker: { ...counts.breaker },
        lag: { ...counts.lag },
        spool: { ...counts.spool },
        unaccounted: counts.fetched - counts.appended - deadLetters - total(counts.dropped),
        ms: clock.monotonic() - startedMs,
      }
    },
  }
}

const emptyCounts = () => ({
  fetched: 0,
  appended: 0,
  deadLetters: 0,
  bytes: 0,
  rawPages: 0,
  fetchFailures: 0,
  consumed: 0,
  filtered: 0,
  dropped: {} as Record<string, number>,
  dead: {} as Record<string, number>,
  undelivered: {} as Record<string, number>,
  breaker: Object.create(null) as Record<string, 'open' | 'half_open' | 'closed'>,
  lag: Object.create(null) as Record<string, number>,
  spool: { stored: 0, forwarded: 0, superseded: 0, waiting: 0 },
})

function add(event: Event, counts: ReturnType<typeof emptyCounts>): void {
  switch (event.type) {
    case 'records_fetched':
      counts.fetched += event.count
      return
    case 'records_dropped':
      bump(counts.dropped, event.reason, event.count)
      return
    case 'batch_appended':
      counts.appended += event.records
      counts.deadLetters += event.deadLetters
      counts.bytes += event.bytes
      return
    case 'pages_kept':
      counts.rawPages += event.pages
      return
    case 'record_dead':
      bump(producerStages.includes(event.stage) ? counts.dead : counts.undelivered, event.code, 1)
      return
    case 'fetch_done':
      event.host in counts.breaker ? undefined : put(counts.breaker, event.host, 'closed')
      return
    case 'fetch_failed':
      counts.fetchFailures++
      return
    case 'breaker_changed':
      put(counts.breaker, event.host, event.to)
      return
    case 'batch_consumed':
      counts.consumed += event.records
      counts.filtered += event.filtered
      return
    case 'lag':
      put(counts.lag, event.group, event.lag)
      return
    case 'batch_spooled':
      counts.spool.stored += event.records
      return
    case 'spool_forwarded':
      counts.spool.forwarded += event.records
      return
    case 'spool_superseded':
      counts.spool.superseded += event.records
      return
    case 'spool_backlog':
      counts.spool.waiting = event.records
      return
    default:
  }
}

function put<T>(map: Record<string, T>, name: string, value: T): void {
  if (name in map || Object.keys(map).length < maxNames) map[name] = value
}

function bump(map: Record<string, number>, name: string, by: number): void {
  put(map, name, (map[name] ?? 0) + by)
}

const total = (map: Readonly<Record<string, number>>): number => Object.values(map).reduce((sum, n) => sum + n, 0)

/** The summary as a few aligned lines, each number with what it means. */
export function formatSummary(summary: Summary, options: { readonly color: boolean }): string {
  const paint = (code: number, text: string): string => (options.color ? `\x1b[${code}m${text}\x1b[0m` : text)
  const lines: string[] = []
  const row = (name: string, value: string, meaning: string, alarm = false): void => {
    const shown = value.padStart(10)
    lines.push(`  ${name.padEnd(12)}${alarm ? paint(31, shown) : paint(1, shown)}  ${paint(2, meaning)}`)
  }
  const { fetched, appended, dropped, dead, unaccounted, breaker, consumed, filtered, undelivered, lag } = summary
  const deadTotal = fetched - appended - total(dropped) - unaccounted
  row('fetched', thousands(fetched), 'items the source gave')
  row('appended', thousands(appended), `records stored in the topic, ${formatBytes(summary.bytes)}`)
  row('dropped', thousands(total(dropped)), listed('left out on purpose', dropped))
  row('dead', thousands(deadTotal), listed('kept as dead letters with their reason', dead), deadTotal > 0)
  row(
    'unaccounted',
    thousands(unaccounted),
    unaccounted === 0
      ? 'every item went to exactly one of these places'
      : 'items are missing or doubled: please report this',
    unaccounted !== 0,
  )
  if (summary.rawPages > 0) row('raw pages', thousands(summary.rawPages), 'pages stored as they came, for weir reparse')
  const { stored, forwarded, superseded, waiting } = summary.spool
  if (stored + forwarded + superseded + waiting > 0)
    row(
      'spooled',
      thousands(stored),
      `stored while the broker was away; ${thousands(forwarded)} forwarded, ${thousands(waiting)} wait` +
        (superseded > 0 ? `, ${thousands(superseded)} left to another owner` : ''),
      waiting > 0,
    )
  if (summary.fetchFailures > 0)
    row('failures', thousands(summary.fetchFailures), 'fetches given up; they go on from the same place', true)
  for (const [host, state] of Object.entries(breaker))
    row('breaker', state.replace('_', ' '), `circuit breaker of ${shownName(host)}`, state === 'open')
  if (consumed > 0 || filtered > 0 || Object.keys(lag).length > 0)
    row('consumed', thousands(consumed), `records handed to sinks, ${thousands(filtered)} more filtered out`)
  if (total(undelivered as Record<string, number>) > 0)
    row(
      'undelivered',
      thousands(total(undelivered as Record<string, number>)),
      listed('dead letters of consumers', undelivered),
      true,
    )
  for (const [group, behind] of Object.entries(lag))
    row('lag', thousands(behind), `records that ${shownName(group)} has not read`, behind > 0)
  row(
    'time',
    formatDuration(summary.ms),
    fetched > 0 && summary.ms > 0 ? `${thousands(Math.round((appended / summary.ms) * 1000))} records/s` : '',
  )
  return `${lines.map(line => line.trimEnd()).join('\n')}\n`
}

const shownName = (name: string): string => escapeActing(safeText(name, 128))

/** Digits in groups of three, the same in every locale. */
function thousands(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+(?!\d))/g, ',')
}

function listed(meaning: string, counts: Readonly<Partial<Record<string, number>>>): string {
  const parts = Object.entries(counts)
    .sort(([, a], [, b]) => (b ?? 0) - (a ?? 0))
    .slice(0, 6)
    .map(([name, count]) => `${name} ${thousands(count ?? 0)}`)
  return parts.length === 0 ? meaning : `${meaning}: ${parts.join(', ')}`
}
