// How the Kafka event log is opened: addresses, credentials, deadlines. app/open.ts makes these from a workspace.
import type { Clock, Random } from '../../core/clock.ts'
import type { Secret } from '../../core/secret.ts'

/** Asked for anew at every login, so that a rotated secret works without a restart. */
export type Credential = () => Promise<Secret> | Secret

export interface TlsOptions {
  /** PEM; null takes the machine's authorities. */
  readonly ca: string | null
  readonly cert: string | null
  readonly key: Credential | null
  /** Name the certificate must carry; null: the host of the address. */
  readonly serverName: string | null
  readonly verify: boolean
}

export type SaslOptions =
  | {
      readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
      readonly username: string
      readonly password: Credential
    }
  | { readonly mechanism: 'oauthbearer'; readonly token: Credential }

/** What a driver needs to open a connection that is ready for requests. */
export interface ConnectionOptions {
  readonly clientId: string
  readonly tls: TlsOptions | null
  readonly sasl: SaslOptions | null
  /** Until TCP, TLS and login are done. */
  readonly connectTimeoutMs: number
  /** Until a request is answered, where the call names no other deadline. */
  readonly requestTimeoutMs: number
}

export type DriverName = 'kafkajs' | 'platformatic'
export type Compression = 'none' | 'gzip' | 'zstd'

export interface KafkaEventLogOptions extends ConnectionOptions {
  /** host:port, at least one. */
  readonly brokers: readonly string[]
  readonly driver: DriverName
  /** Replicas of a topic that is created; null: the broker's default. */
  readonly replicationFactor: number | null
  readonly compression: Compression
  /** After this long the broker itself aborts a transaction whose producer went silent. */
  readonly transactionTimeoutMs: number
  /** A member that is silent for this long loses its share. */
  readonly sessionTimeoutMs: number
  readonly clock: Clock
  readonly random: Random
}
