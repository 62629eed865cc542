// The contract of the event log, in the port's words only: every adapter runs this very suite. What an adapter lacks is a named skip.
import { describe } from 'vitest'
import type { EventLog } from '../../src/pipeline/ports.ts'
import { appendContract } from './event-log/append.ts'
import { browseContract } from './event-log/browse.ts'
import { consumeContract } from './event-log/consume.ts'
import { groupContract } from './event-log/groups.ts'
import { ownershipContract } from './event-log/ownership.ts'
import { retentionContract } from './event-log/retention.ts'
import { topicContract } from './event-log/topics.ts'

/** What an adapter can do, or what tests can bring about with it. */
export interface EventLogFeatures {
  /** `freeze` stands a connection's background work still, as SIGSTOP does to a process. */
  readonly freeze: boolean
  /** Retention works within seconds. */
  readonly quickRetention: boolean
  /** Only records take offsets, so lag and ends count records. Kafka's transaction markers take offsets too. */
  readonly denseOffsets: boolean
}

/** One process's view of the log. */
export interface Connection {
  readonly log: EventLog
  /** From now on nothing happens by itself in this connection; calls made on it still go out. */
  freeze(): void
  /** Ends it, as SIGCONT does. */
  thaw(): void
}

/** A log for one test: empty, or at least without the names that start with `prefix`. Its end closes every connection. */
export interface EventLogPlace extends AsyncDisposable {
  /** Goes before every topic, pipeline and group of the test. */
  readonly prefix: string
  /** Opens the log as another process would. */
  connect(): Promise<Connection>
}

export type OpenPlace = () => Promise<EventLogPlace>

export function eventLogContract(adapter: string, has: EventLogFeatures, open: OpenPlace): void {
  describe(`event log: ${adapter}`, () => {
    topicContract(open)
    appendContract(open)
    ownershipContract(has, open)
    consumeContract(has, open)
    groupContract(has, open)
    browseContract(open)
    retentionContract(has, open)
  })
}
