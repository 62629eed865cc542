// Gauges that are measured when they are scraped: health, and the age of what is under way. An age that is written only when something happens
// would stand still just when nothing happens any more.
import type * as prom from 'prom-client'
import type { Clock } from '../core/clock.ts'
import { type Health, reasonKinds } from './health.ts'

/** Transactions under way that are remembered; far more than a process has. */
const maxCommits = 1_000

export interface ScrapedGauges {
  /** From now on the pipeline has a series of each gauge. */
  know(pipeline: string): void
  commitStarted(pipeline: string, commit: number): void
  commitFinished(commit: number): void
  /** The time the oldest record in the spool was put there, ms since 1970; null: the spool is empty. */
  spoolOldest(pipeline: string, oldestMs: number | null): void
}

/** Makes them in `registry`. `pipelineOf` caps what a pipeline is called in a label. */
export function makeScrapedGauges(
  client: typeof prom,
  registry: prom.Registry,
  clock: Clock,
  health: Health | undefined,
  pipelineOf: (pipeline: string) => string,
): ScrapedGauges {
  const pipelines = new Set<string>()
  const commits = new Map<number, { readonly pipeline: string; readonly startedMs: number }>()
  const spools = new Map<string, number | null>()
  const gauge = (name: string, help: string, collect: (this: prom.Gauge<'pipeline'>) => void) =>
    new client.Gauge({ name, help, labelNames: ['pipeline'] as const, registers: [registry], collect })

  gauge(
    'weir_transaction_in_flight_seconds',
    'Age of the oldest transaction that has not ended, its retries included; 0 when none is under way.',
    function () {
      const oldest = new Map([...pipelines].map(pipeline => [pipeline, 0]))
      for (const { pipeline, startedMs } of commits.values())
        oldest.set(pipeline, Math.max(oldest.get(pipeline) ?? 0, clock.monotonic() - startedMs))
      for (const [pipeline, ageMs] of oldest) this.set({ pipeline }, ageMs / 1000)
    },
  )
  gauge(
    'weir_spool_oldest_seconds',
    'Age of the oldest record that waits in the spool for the broker; 0 when it is empty.',
    function () {
      for (const [pipeline, oldestMs] of spools)
        this.set({ pipeline }, oldestMs === null ? 0 : Math.max(0, clock.now() - oldestMs) / 1000)
    },
  )
  if (health) healthGauges(client, registry, health, pipelines, pipelineOf)
  return {
    know: pipeline => void pipelines.add(pipeline),
    commitStarted: (pipeline, commit) => {
      if (commits.size < maxCommits) commits.set(commit, { pipeline, startedMs: clock.monotonic() })
    },
    commitFinished: commit => void commits.delete(commit),
    spoolOldest: (pipeline, oldestMs) => void spools.set(pipeline, oldestMs),
  }
}

function healthGauges(
  client: typeof prom,
  registry: prom.Registry,
  health: Health,
  pipelines: ReadonlySet<string>,
  pipelineOf: (pipeline: string) => string,
): void {
  new client.Gauge({
    name: 'weir_ready',
    help: 'What /readyz says: 1 ready, 0 not.',
    registers: [registry],
    collect() {
      this.set(health.state().ready ? 1 : 0)
    },
  })
  new client.Gauge({
    name: 'weir_health_reasons',
    help: 'Reasons why weir is degraded or not ready, by kind, as /readyz lists them; 0: none.',
    labelNames: ['pipeline', 'kind'] as const,
    registers: [registry],
    collect() {
      for (const pipeline of pipelines) for (const kind of reasonKinds) this.set({ pipeline, kind }, 0)
      for (const { pipeline, kind } of health.state().reasons)
        if (pipeline !== '') this.inc({ pipeline: pipelineOf(pipeline), kind })
    },
  })
}
