// Fetching from several leaders at once. The first leader with data ends the call; what the others have not answered yet stays on its way and
// is the answer of the next call that asks them for the same, so that a quiet leader never holds up a busy one and no answer is lost.
import type { FetchedPartition, FetchRequest, PartitionOffset, TopicPartition } from './client.ts'
import { abortable } from './connections.ts'
import { type Lane, label } from './lane.ts'
import { withoutLeader } from './lane-transactions.ts'
import type { Address } from './messages/cluster.ts'
import { fetch } from './messages/fetch.ts'
import { BrokerRefusal } from './refusal.ts'

/** One leader's fetch. I10: a lane holds at most one answer per leader. */
interface Pending {
  /** What was asked; a call that asks for something else does not take its answer. */
  readonly asked: string
  readonly stop: AbortController
  readonly settled: Promise<unknown>
  outcome: { readonly partitions: FetchedPartition[] } | { readonly failure: unknown } | null
}

export class Fetcher {
  readonly #lane: Lane
  readonly #pending = new Map<string, Pending>()

  constructor(lane: Lane) {
    this.#lane = lane
  }

  /** As KafkaClient.fetch promises it. A leader that fails while others answer is told as partitions without a leader. */
  async fetch(request: FetchRequest, signal: AbortSignal): Promise<FetchedPartition[]> {
    signal.throwIfAborted()
    const abort = () => {
      for (const each of this.#pending.values()) each.stop.abort(signal.reason)
    }
    signal.addEventListener('abort', abort, { once: true })
    try {
      const byLeader = await abortable(this.#lane.byLeader(request.partitions), signal)
      signal.throwIfAborted()
      const leaderless: FetchedPartition[] = []
      const asked = new Map<string, { readonly pending: Pending; readonly partitions: readonly PartitionOffset[] }>()
      for (const [leader, partitions] of byLeader)
        if (!leader) leaderless.push(...partitions.map(each => refused(each, withoutLeader(each, leader))))
        else asked.set(`${leader.host}:${leader.port}`, { pending: this.#ask(leader, partitions, request), partitions })
      for (const key of this.#pending.keys()) if (!asked.has(key)) this.#pending.delete(key)
      await firstWithNews([...asked.values()].map(each => each.pending))
      signal.throwIfAborted()
      return [...leaderless, ...this.#take(asked)]
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }

  #ask(leader: Address, partitions: readonly PartitionOffset[], { partitions: _, ...limits }: FetchRequest): Pending {
    const key = `${leader.host}:${leader.port}`
    const asked = JSON.stringify([limits, partitions.map(each => [each.topic, each.partition, String(each.offset)])])
    const known = this.#pending.get(key)
    if (known?.asked === asked && !(known.outcome && 'failure' in known.outcome)) return known
    const stop = new AbortController()
    const timeoutMs = limits.maxWaitMs + this.#lane.options.requestTimeoutMs
    const answer = this.#lane.askLeader(
      leader,
      partitions,
      fetch,
      { ...limits, partitions },
      { timeoutMs, signal: stop.signal },
    )
    const pending: Pending = {
      asked,
      stop,
      outcome: null,
      settled: answer.then(
        ({ error, partitions: answers }) => {
          pending.outcome =
            error === 0
              ? { partitions: answers.map(each => this.#fetched(each)) }
              : { failure: new BrokerRefusal(error, fetch.name, partitions.map(label).join(', ')) }
        },
        failure => {
          pending.outcome = { failure }
        },
      ),
    }
    this.#pending.set(key, pending)
    return pending
  }

  #fetched({ error, ...partition }: Omit<FetchedPartition, 'refusal'> & { readonly error: number }): FetchedPartition {
    this.#lane.checkLeader({ topic: partition.topic, error })
    return { ...partition, refusal: error === 0 ? null : new BrokerRefusal(error, fetch.name, label(partition)) }
  }

  /** What has been answered; the rest stays. */
  #take(asked: ReadonlyMap<string, { pending: Pending; partitions: readonly PartitionOffset[] }>): FetchedPartition[] {
    const taken: FetchedPartition[] = []
    let failures = 0
    let failure: unknown
    for (const [key, { pending, partitions }] of asked) {
      const { outcome } = pending
      if (outcome === null) continue
      if (this.#pending.get(key) === pending) this.#pending.delete(key)
      if ('partitions' in outcome) taken.push(...outcome.partitions)
      else {
        failures++
        failure = outcome.failure
        taken.push(...partitions.map(each => refused(each, withoutLeader(each, null))))
      }
    }
    if (failures > 0 && failures === asked.size) throw failure
    return taken
  }
}

/** Resolves when one has records or a refusal to tell, or all have answered. */
async function firstWithNews(all: readonly Pending[]): Promise<void> {
  const waiting = new Set(all)
  while (waiting.size > 0) {
    await Promise.race([...waiting].map(each => each.settled))
    for (const each of waiting) {
      if (each.outcome === null) continue
      waiting.delete(each)
      if ('failure' in each.outcome) continue
      if (each.outcome.partitions.some(partition => partition.refusal || partition.bytes.length > 0)) return
    }
  }
}

function refused({ topic, partition }: TopicPartition, refusal: BrokerRefusal): FetchedPartition {
  const none = { highWatermark: -1n, lastStableOffset: -1n, logStartOffset: -1n, aborted: [], bytes: Buffer.alloc(0) }
  return { topic, partition, refusal, ...none }
}
