// A definition as the rest of weir sees it: checked, units parsed, variables resolved. config/ makes these from YAML; app/ builds a running pipeline from them.
import type { FetchSettings } from '../fetch/settings.ts'

/** How often the source is polled; null: one pass. */
export type Schedule = { readonly everyMs: number } | { readonly cron: string } | null

export interface SourceDefinition {
  /** The connector's key in the catalogue. */
  readonly connector: string
  /** Checked against the connector's own spec; durations are milliseconds, sizes bytes, secrets Secret. */
  readonly config: unknown
  readonly schedule: Schedule
  /** Splits polled at the same time. */
  readonly concurrency: number
}

export interface TopicDefinition {
  readonly name: string
  /** CEL over `record` and `this`; null: records without a key. */
  readonly key: string | null
  /** Absolute path of the .avsc file. */
  readonly schemaFile: string
  readonly schemaText: string
  readonly subject: string
  readonly partitions: number
  readonly retentionMs: number | null
  readonly retentionBytes: number | null
  readonly maxRecordBytes: number
}

export interface DeadLetterDefinition {
  readonly topic: string
  readonly stopAfter: { readonly records: number; readonly perMs: number } | null
  readonly retentionMs: number | null
}

export type ProcessStep = { readonly filter: string } | { readonly map: Readonly<Record<string, string>> }

export interface ConsumeDefinition {
  readonly group: string
  readonly start: 'earliest' | 'latest'
  readonly outOfRange: 'stop' | 'earliest'
  readonly process: readonly ProcessStep[]
  readonly sink: { readonly connector: string; readonly config: unknown }
  readonly retry: { readonly attempts: number; readonly minMs: number; readonly maxMs: number }
  readonly batch: { readonly records: number; readonly bytes: number }
}

export interface PipelineDefinition {
  /** Absolute path of the file it came from, and its folder. */
  readonly file: string
  readonly baseDir: string
  readonly pipeline: string
  readonly description: string | null
  readonly owner: string | null
  readonly source: SourceDefinition
  readonly fetch: FetchSettings
  /** Field of the record to CEL over `this`, `split`, `now`; null: the connector's own mapping, else fields of the same name. */
  readonly map: Readonly<Record<string, string>> | null
  readonly topic: TopicDefinition
  readonly deadLetter: DeadLetterDefinition
  readonly consume: readonly ConsumeDefinition[]
  readonly shutdownTimeoutMs: number
}

/** What all pipelines of a workspace share: weir.yaml, then WEIR_BROKER, WEIR_REGISTRY, --data on top. */
export interface WorkspaceDefinition {
  /** Absolute path of weir.yaml, or null when there is none. */
  readonly file: string | null
  readonly broker: { readonly kind: 'embedded' }
  readonly registry: { readonly kind: 'embedded' }
  /** Absolute path of the folder of the embedded store. */
  readonly dataDir: string
}
