// What the `kafka` source needs of the cluster it reads from. The cluster is another one than that of the pipeline, or the same; app/ opens it.
import type { WeirError } from '../../core/errors.ts'
import type { LogRecord } from '../../core/record.ts'
import type { EventLog } from '../../pipeline/ports.ts'

export type AvroValue = { readonly value: Readonly<Record<string, unknown>> | null } | { readonly error: WeirError }

export interface Cluster {
  /** Committed records only. Errors are log.*, as those of the pipeline's own log. */
  readonly log: Pick<EventLog, 'topic' | 'browse'>
  /**
   * By offset, what the values of records of one partition hold under the schemas they were written with; null values are left out.
   * Rejects when the registry gives no answer (registry.*): no record is bad for that.
   */
  avro(records: readonly LogRecord[]): Promise<ReadonlyMap<bigint, AvroValue>>
}
