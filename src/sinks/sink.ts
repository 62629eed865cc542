// The contract of a sink connector; index.ts is the plain map.
import type { Clock } from '../core/clock.ts'
import type { Emit } from '../core/event.ts'
import type { Claim, Guarantee } from '../core/guarantee.ts'
import type { Problem, Static, TSchema } from '../core/spec.ts'
import type { EventLog, SchemaRegistry, Sink } from '../pipeline/ports.ts'

export interface SinkDeps {
  readonly pipeline: string
  readonly group: string
  readonly clock: Clock
  readonly emit: Emit
  readonly baseDir: string
  readonly log: EventLog
  readonly registry: Pick<SchemaRegistry, 'byId' | 'register'>
}

export interface SinkConnector<S extends TSchema = TSchema> {
  readonly name: string
  readonly summary: string
  readonly config: S
  readonly examples: readonly { readonly title: string; readonly config: Record<string, unknown> }[]
  /** What it gives when the process may die at any instant: shown by lint and the docs. */
  readonly guarantee: Guarantee
  /** Why, for records as they come, and what holds for dead letters that are replayed into it. */
  readonly claims: { readonly delivering: Claim; readonly replaying: Claim }
  /** Mistakes that the schema of the config cannot express. `baseDir` is the folder of the definition. Never connects, never reads. */
  lint?(config: Static<S>, baseDir: string): readonly Problem[]
  /** The fields of the record that it takes; null, or without this: all of them. */
  takes?(config: Static<S>): readonly string[] | null
  open(config: Static<S>, deps: SinkDeps): Promise<Sink>
}

/** Keeps the config's static type while defining a connector. */
export function defineSink<S extends TSchema>(connector: SinkConnector<S>): SinkConnector<S> {
  return connector
}
