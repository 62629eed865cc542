// The contract of a source connector: what it is called, how it is configured, how it is opened. One connector, one file; index.ts is the plain map.
import type { Clock, Random } from '../core/clock.ts'
import type { Emit } from '../core/event.ts'
import type { Problem, Static, TSchema } from '../core/spec.ts'
import type { FetchGuard } from '../fetch/guard.ts'
import type { Source } from '../pipeline/ports.ts'

export interface SourceDeps {
  /** Name of the pipeline, for events. */
  readonly pipeline: string
  readonly clock: Clock
  readonly random: Random
  readonly emit: Emit
  /** Folder of the definition: relative paths start here, and file access stays under it unless the definition says otherwise. */
  readonly baseDir: string
  /** Wraps every call a source makes over the network; made on first use, so that a file source costs none of it. */
  readonly fetch: () => FetchGuard
}

export interface SourceConnector<S extends TSchema = TSchema> {
  /** The key in YAML: a noun, lower_snake. */
  readonly name: string
  readonly summary: string
  /** typebox object, built with core/spec.ts: type, check, editor schema and reference page come from it. */
  readonly config: S
  readonly examples: readonly { readonly title: string; readonly config: Record<string, unknown> }[]
  /** True when a stored cursor brings back the same items: what exactly-once needs. */
  readonly replayable: boolean
  /** The mapping used when a pipeline has none: field name to CEL. Omitted: fields of the same name. */
  readonly mapping?: Readonly<Record<string, string>>
  /**
   * Mistakes that the schema of the config cannot express; pointers start at the connector's own config. `baseDir` is the folder of the definition.
   * Never connects, never reads.
   */
  lint?(config: Static<S>, baseDir: string): readonly Problem[]
  open(config: Static<S>, deps: SourceDeps): Source
}

/** Keeps the config's static type while defining a connector. */
export function defineSource<S extends TSchema>(connector: SourceConnector<S>): SourceConnector<S> {
  return connector
}
