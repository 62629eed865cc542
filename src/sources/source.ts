// The contract of a source connector: what it is called, how it is configured, how it is opened. One connector, one file; index.ts is the plain map.
import type { Clock, Random } from '../core/clock.ts'
import type { Emit } from '../core/event.ts'
import type { Claim } from '../core/guarantee.ts'
import type { Problem, Static, TSchema } from '../core/spec.ts'
import type { FetchGuard } from '../fetch/guard.ts'
import type { Source } from '../pipeline/ports.ts'
import type { Cluster } from './kafka/cluster.ts'

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
  /** The cluster that its config names, for a connector with `cluster`; opened on first use, and again after a failure. */
  readonly cluster?: () => Promise<Cluster>
  /** Connector or vendor with version, as records name it; omitted: records do not say where they come from. */
  readonly origin?: string
  /** True: batches carry the pages they come from. Asked only of a connector with `keepsRaw`, and together with `origin`. */
  readonly keepsRaw?: boolean
  /** Paths of an item that the mapping reads: what is missed when it is gone. */
  readonly reads?: readonly string[]
  /** The stored cursors of the pipeline by split, those of other owners too: for a split that may begin only after others. @throws log.* */
  readonly cursors?: () => Promise<ReadonlyMap<string, string>>
}

export interface SourceConnector<S extends TSchema = TSchema> {
  /** The key in YAML: a noun, lower_snake. */
  readonly name: string
  readonly summary: string
  /** typebox object, built with core/spec.ts: type, check, editor schema and reference page come from it. */
  readonly config: S
  readonly examples: readonly { readonly title: string; readonly config: Record<string, unknown> }[]
  /**
   * True: its config holds the fields of a cluster, as `broker: { kafka: … }` of weir.yaml does, and perhaps a `registry`. They are checked by the
   * same rules, and `deps.cluster` opens what they name.
   */
  readonly cluster?: true
  /** Calls to a host where the definition has no `fetch.rate_limit`; omitted: what that says by itself, which suits a website. */
  readonly rate?: { readonly requests: number; readonly per: number }
  /** True when what was not stored comes again, by a stored cursor or because its sender is told: what exactly-once needs. */
  readonly replayable: boolean
  /** Why pages cannot be kept as they came (`keep_raw`) when it is configured so; null: they can. Omitted: they never can. */
  keepsRaw?(config: Static<S>): string | null
  /** What reaches the topic when it is configured so, as far as the source decides it. */
  claim(config: Static<S>): Claim
  /** The mapping used when a pipeline has none: field name to CEL. Omitted: fields of the same name. */
  readonly mapping?: Readonly<Record<string, string>>
  /**
   * Mistakes that the schema of the config cannot express; pointers start at the connector's own config. `baseDir` is the folder of the definition.
   * Never connects, never reads.
   */
  lint?(config: Static<S>, baseDir: string): readonly Problem[]
  /** The id of an item that is gone, a path such as `this.id`, where it tells of those; the key of the topic must be made of it. */
  deletedId?(config: Static<S>): string | undefined
  open(config: Static<S>, deps: SourceDeps): Source
}

/** Keeps the config's static type while defining a connector. */
export function defineSource<S extends TSchema>(connector: SourceConnector<S>): SourceConnector<S> {
  return connector
}
