// A cluster that does what the test says, call by call: one bucket, its transactions and cursors in memory.
import { type Code, WeirError } from '../../src/core/errors.ts'
import type { Bucket, EventLog, ProducerOptions, StoredCursor, Transaction } from '../../src/pipeline/ports.ts'

/** What the next transaction comes to; a code alone: proven not written. */
export type Outcome = 'written' | 'doubt, written' | 'doubt, not written' | Code

export interface ObedientCluster {
  readonly log: EventLog
  /** Values of the records in the cluster, in order. */
  readonly values: string[]
  readonly cursors: Map<string, StoredCursor>
  /** Outcomes of the coming transactions; when there are none, `otherwise`. */
  readonly script: Outcome[]
  otherwise: Outcome
  /** What `renew` throws; null: it works. */
  renewing: Code | null
  transactions: number
  renewals: number
  /** Gives the bucket to whoever joined, as after a rebalance. */
  give(): void
  revoke(): Promise<void>
  lose(code: Code): void
}

const refusal = (code: Code) => new WeirError(code, `the cluster says ${code}`)

export function obedientCluster(): ObedientCluster {
  const joined: ProducerOptions[] = []
  let epoch = 0n
  const write = ({ appends, cursors }: Transaction): void => {
    for (const { records } of appends)
      for (const { value } of records) cluster.values.push(Buffer.from(value!).toString())
    for (const { split, value } of cursors)
      if (value === null) cluster.cursors.delete(split)
      else cluster.cursors.set(split, { split, value, updatedAtMs: 0 })
  }
  const bucket = (): Bucket => ({
    number: 0,
    epoch: ++epoch,
    cursors: new Map(cluster.cursors),
    transact: async transaction => {
      cluster.transactions++
      const outcome = cluster.script.shift() ?? cluster.otherwise
      if (outcome === 'written' || outcome === 'doubt, written') write(transaction)
      if (outcome === 'written') return
      throw refusal(outcome.startsWith('doubt') ? 'log.outcome_unknown' : (outcome as Code))
    },
    renew: async () => {
      cluster.renewals++
      if (cluster.renewing !== null) throw refusal(cluster.renewing)
      return bucket()
    },
  })
  const cluster: ObedientCluster = {
    log: {
      kind: 'obedient',
      joinProducers: async (options: ProducerOptions) => {
        joined.push(options)
        options.assigned(bucket())
        return { settled: async () => true, [Symbol.asyncDispose]: async () => {} }
      },
      [Symbol.asyncDispose]: async () => {},
    } as unknown as EventLog,
    values: [],
    cursors: new Map(),
    script: [],
    otherwise: 'written',
    renewing: null,
    transactions: 0,
    renewals: 0,
    give: () => joined.at(-1)!.assigned(bucket()),
    revoke: () => joined.at(-1)!.revoked(0),
    lose: code => joined.at(-1)!.lost(0, refusal(code)),
  }
  return cluster
}
