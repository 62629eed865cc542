// A run as an operator sees it: logs, metrics, health and summary around the pipeline, drained on a signal (I11).
import type { PipelineDefinition, WorkspaceDefinition } from '../config/definition.ts'
import type { Clock, Random } from '../core/clock.ts'
import { codeOf, toWeirError } from '../core/errors.ts'
import type { Emit, Event } from '../core/event.ts'
import type { Level } from '../observe/event-lines.ts'
import { createHealth } from '../observe/health.ts'
import { createLogger, type LogDestination } from '../observe/logger.ts'
import { createObserver } from '../observe/observer.ts'
import { createSummary, type Summary } from '../observe/summary.ts'
import type { EventLog } from '../pipeline/ports.ts'
import { cautionsOf } from './cautions.ts'
import { type RunOptions, type RunResult, runPipeline } from './compose.ts'
import { startLifecycle } from './lifecycle.ts'
import { openBroker } from './open.ts'
import { watchReachability } from './reachability.ts'
import { longestGapMs } from './schedule.ts'

export interface ObservedRun {
  readonly definition: PipelineDefinition
  readonly workspace: WorkspaceDefinition
  readonly run: RunOptions
  readonly clock: Clock
  readonly random: Random
  readonly log: {
    readonly pretty: boolean
    readonly colour: boolean
    readonly level: Level
    readonly destination?: LogDestination
  }
  /** Where /livez, /readyz and /metrics are served; null: nowhere. */
  readonly listen: { readonly host: string; readonly port: number } | null
  /** Gets every event too. */
  readonly also?: Emit
  /** Ends the run as a signal would. */
  readonly stop?: AbortSignal
  /** Told where the health server listens. */
  readonly onListening?: (url: string) => void
}

export interface ObservedResult extends RunResult {
  readonly summary: Summary
}

/** Runs one pipeline with everything around it. @throws what stopped it, after the log has it */
export async function runObserved(options: ObservedRun): Promise<ObservedResult> {
  const { definition, workspace, run, clock, random } = options
  const { pipeline } = definition
  await using stack = new AsyncDisposableStack()
  const logger = stack.use(createLogger({ ...options.log, clock }))
  const health = createHealth({ clock })
  const summary = createSummary({ clock, pipeline })
  const metrics = options.listen
    ? stack.use(await (await import('../observe/metrics.ts')).createMetrics({ clock, health }))
    : undefined
  const emit = createObserver({
    logger,
    metrics,
    health,
    summary,
    ...(options.also ? { others: [{ emit: options.also }] } : {}),
  })
  const lifecycle = startLifecycle({
    shutdownTimeoutMs: definition.shutdownTimeoutMs,
    onDrain: signal => emit({ type: 'drain_started', pipeline, signal }),
    onTimeout: () =>
      emit({
        type: 'warning',
        pipeline,
        code: 'info',
        message: `The drain took longer than shutdown_timeout; what was not committed comes again at the next start.`,
      }),
    flush: () => logger.flush(),
  })
  stack.defer(() => lifecycle.end())
  if (options.listen) {
    const { startHealthServer } = await import('../observe/server.ts')
    const server = stack.use(await startHealthServer({ ...options.listen, health, metrics }))
    options.onListening?.(server.url)
  }
  const startedMs = clock.monotonic()
  const signal = options.stop ? AbortSignal.any([lifecycle.signal, options.stop]) : lifecycle.signal
  const stopped = (reason: string): Event => ({
    type: 'pipeline_stopped',
    pipeline,
    reason,
    ms: Math.round(clock.monotonic() - startedMs),
  })
  try {
    for (const caution of cautionsOf(workspace)) emit({ type: 'warning', pipeline, code: 'config.warning', ...caution })
    await using store = await openBroker(workspace, clock, random)
    await using _registry = await serveRegistry(workspace, pipeline, emit, clock)
    const passEveryMs = longestGapMs(definition.source.schedule, clock)
    emit({
      type: 'pipeline_started',
      pipeline,
      stages: run.stages,
      broker: store.log.kind,
      registry: store.registry.kind,
      ...(passEveryMs === null ? {} : { passEveryMs }),
    })
    await using _ = workspace.broker.kind === 'kafka' ? watchOver(store.log, definition, emit, clock) : null
    const result = await runPipeline(
      definition,
      store,
      { clock, random, emit, dataDir: workspace.dataDir },
      run,
      signal,
    )
    emit(stopped(signal.aborted ? 'told to stop' : `--until ${run.until}`))
    // Told to stop, a run has no last pass that would have had to succeed: its failures are in the log and in the counts.
    return { failures: signal.aborted ? [] : result.failures, summary: summary.snapshot() }
  } catch (thrown) {
    const error = toWeirError(thrown)
    emit(stopped(`${error.code}: ${error.message}`))
    throw thrown
  }
}

const serveWords = {
  host: '`host` under `registry: { embedded: { serve } }`',
  port: '`port` under `registry: { embedded: { serve } }`',
  token: '`token`',
}

/** The registry over HTTP, where weir.yaml asks for it. Of several runs of a workspace the first one serves: the others go on without. */
async function serveRegistry(
  { registry, dataDir }: WorkspaceDefinition,
  pipeline: string,
  emit: Emit,
  clock: Clock,
): Promise<AsyncDisposable | null> {
  if (registry.kind !== 'embedded' || registry.serve === undefined) return null
  const warn = (what: string) => (thrown: unknown) => {
    const { code, message, hint } = toWeirError(thrown)
    emit({ type: 'warning', pipeline, code, message: `${what}: ${message}`, ...(hint ? { hint } : {}) })
  }
  const { serveEmbeddedRegistry } = await import('./registry-serving.ts')
  try {
    const onError = warn('A request to the registry failed')
    const server = await serveEmbeddedRegistry({ dataDir, serve: registry.serve, clock, words: serveWords, onError })
    emit({ type: 'warning', pipeline, code: 'info', message: `The schema registry answers at ${server.url}` })
    return server
  } catch (thrown) {
    if (codeOf(thrown) !== 'listen.failed') throw thrown
    warn('The registry is not served by this run')(thrown)
    return null
  }
}

/** Watches the log until it is disposed. */
function watchOver(log: EventLog, definition: PipelineDefinition, emit: Emit, clock: Clock): AsyncDisposable {
  const over = new AbortController()
  const { pipeline, topic, onBrokerDown } = definition
  const watching = watchReachability(
    { log, pipeline, topic: topic.name, spools: onBrokerDown === 'spool', emit, clock },
    over.signal,
  )
  return {
    async [Symbol.asyncDispose]() {
      over.abort()
      await watching
    },
  }
}
