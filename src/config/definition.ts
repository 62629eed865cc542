// A definition as the rest of weir sees it: checked, units parsed, variables resolved. config/ makes these from YAML; app/ builds a running pipeline from them.
import type { Secret } from '../core/secret.ts'
import type { FetchSettings } from '../fetch/settings.ts'

/** How often the source is polled; null: one pass. */
export type Schedule = { readonly everyMs: number } | { readonly cron: string } | null

export interface SourceDefinition {
  /** The connector's key in the catalogue. */
  readonly connector: string
  /** The vendor file whose parameters gave the config: its name, or its path as written; null without one. */
  readonly vendor: string | null
  /** Checked against the connector's own spec; durations are milliseconds, sizes bytes, secrets Secret. */
  readonly config: unknown
  readonly schedule: Schedule
  /** Splits polled at the same time. */
  readonly concurrency: number
  /** The cluster that the source reads from, where its connector names one. */
  readonly cluster?: ClusterDefinition
  /** Records say in headers where they come from, where the connector can tell. */
  readonly provenance: boolean
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

/** Pages of the source kept as they came. */
export interface RawDefinition {
  readonly topic: string
  /** Of one record: the largest page with what stands around it. */
  readonly maxRecordBytes: number
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
  /** null: pages are not kept. */
  readonly raw: RawDefinition | null
  readonly consume: readonly ConsumeDefinition[]
  readonly shutdownTimeoutMs: number
  /** What the producer does while a cluster cannot be reached (I6): wait, or store in the embedded broker and forward later. */
  readonly onBrokerDown: 'wait' | 'spool'
}

/** A secret that may be rotated: read anew for every login, so that a changed `${file:...}` works without a restart. */
export type LiveSecret = () => Promise<Secret> | Secret

/** How a broker or a registry proves who it is, and weir to it. PEM texts; null takes the machine's authorities, or no client certificate. */
export interface TlsDefinition {
  readonly ca: string | null
  readonly cert: string | null
  readonly key: LiveSecret | null
  /** Name the certificate must carry; null: the host of the address. */
  readonly serverName: string | null
  /** False accepts any certificate (`insecure: true`), and is warned about at each start. */
  readonly verify: boolean
}

export type SaslDefinition =
  | {
      readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
      readonly username: string
      readonly password: LiveSecret
    }
  | { readonly mechanism: 'oauthbearer'; readonly token: OauthDefinition }

/** Where an OAUTHBEARER token comes from: a file that something else renews, or a token endpoint (client credentials). */
export type OauthDefinition =
  | { readonly kind: 'secret'; readonly token: LiveSecret }
  | {
      readonly kind: 'endpoint'
      readonly url: string
      readonly clientId: string
      readonly clientSecret: LiveSecret
      readonly scope: string | null
    }

export interface KafkaBrokerDefinition {
  readonly kind: 'kafka'
  /** host:port, at least one. */
  readonly brokers: readonly string[]
  readonly driver: 'kafkajs' | 'platformatic'
  readonly clientId: string
  readonly tls: TlsDefinition | null
  readonly sasl: SaslDefinition | null
  /** Replicas of a topic that weir creates; null: the broker's default. */
  readonly replicationFactor: number | null
  readonly compression: 'none' | 'gzip' | 'zstd'
  readonly transactionTimeoutMs: number
  readonly sessionTimeoutMs: number
  readonly requestTimeoutMs: number
}

/** A cluster beside that of the workspace, to read from. */
export interface ClusterDefinition {
  readonly broker: KafkaBrokerDefinition
  readonly registry: HttpRegistryDefinition | null
}

export interface HttpRegistryDefinition {
  readonly kind: 'http'
  readonly url: string
  readonly auth: { readonly username: string; readonly password: LiveSecret } | { readonly bearer: LiveSecret } | null
  readonly tls: TlsDefinition | null
  readonly timeoutMs: number
}

/** The registry in the file of the embedded store. */
export interface EmbeddedRegistryDefinition {
  readonly kind: 'embedded'
  /** Where it answers over HTTP beside a running pipeline; absent: nowhere. */
  readonly serve?: RegistryServeDefinition
}

export interface RegistryServeDefinition {
  readonly host: string
  readonly port: number
  readonly token: LiveSecret | null
  readonly readToken: LiveSecret | null
}

/** What all pipelines of a workspace share: weir.yaml, then WEIR_BROKER, WEIR_REGISTRY, --data on top. */
export interface WorkspaceDefinition {
  /** Absolute path of weir.yaml, or null when there is none. */
  readonly file: string | null
  readonly broker: { readonly kind: 'embedded' } | KafkaBrokerDefinition
  readonly registry: EmbeddedRegistryDefinition | HttpRegistryDefinition
  /** Absolute path of the folder of the embedded store. */
  readonly dataDir: string
}
