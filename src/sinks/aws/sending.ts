// Records to a service that takes many in one call and may refuse some of them: calls within its limits, what was refused in passing once more,
// and of records that must keep their order only one in a call, the next when it is taken. A delivery that comes again is not begun anew.
import type { Clock } from '../../core/clock.ts'
import { WeirError } from '../../core/errors.ts'
import type { DecodedRecord } from '../../pipeline/ports.ts'

export interface Entry {
  readonly record: DecodedRecord
  /** Those with the same order one after the other; null: none is kept. */
  readonly order: string | null
  readonly bytes: number
}

/** What became of one record of a call. `again`: it may be taken later. */
export type Result = 'taken' | { readonly again: string } | { readonly rejected: string }

export interface Sending<E extends Entry> {
  readonly name: string
  readonly maxCount: number
  readonly maxBytes: number
  /** One call; a result for each entry, in order. @throws sink.failed */
  readonly call: (batch: readonly E[], signal: AbortSignal) => Promise<readonly Result[]>
  readonly clock: Clock
}

/** Calls in a row that may bring nothing before the delivery is given back. */
const maxFruitless = 5
const firstWaitMs = 100
const longestWaitMs = 5_000

export interface Sender<E extends Entry> {
  /**
   * Resolves once all are taken. Those that will never be are told when the others are. What was taken is left out when it is given again.
   * @throws sink.failed, sink.rejected, the signal's reason
   */
  send(entries: readonly (E | WeirError)[], signal: AbortSignal): Promise<void>
}

export function createSender<E extends Entry>({ name, maxCount, maxBytes, call, clock }: Sending<E>): Sender<E> {
  const taken = new WeakSet<DecodedRecord>()
  return {
    async send(entries, signal) {
      let refusal = entries.find(entry => entry instanceof WeirError)
      let pending = entries.filter((entry): entry is E => !(entry instanceof WeirError) && !taken.has(entry.record))
      for (let fruitless = 0; pending.length > 0; ) {
        signal.throwIfAborted()
        const batch = next(pending, maxCount, maxBytes)
        const results = await call(batch, signal)
        const over = new Set<E>()
        let again: string | undefined
        batch.forEach((entry, n) => {
          const result = results[n] ?? { again: 'no answer' }
          if (result !== 'taken' && 'again' in result) {
            again = result.again
            return
          }
          over.add(entry)
          if (result === 'taken') taken.add(entry.record)
          else refusal ??= rejected(entry.record, `${name} refuses the record: ${result.rejected}`)
        })
        pending = pending.filter(entry => !over.has(entry))
        fruitless = over.size > 0 ? 0 : fruitless + 1
        if (again === undefined) continue
        if (fruitless >= maxFruitless)
          throw new WeirError('sink.failed', `${name} took none of ${batch.length} records: ${again}`, {
            hint: 'It is tried again; if it goes on so, see to the limits of the service.',
          })
        await clock.sleep(Math.min(firstWaitMs * 2 ** fruitless, longestWaitMs), signal)
      }
      if (refusal) throw refusal
    },
  }
}

function next<E extends Entry>(pending: readonly E[], maxCount: number, maxBytes: number): readonly E[] {
  const batch: E[] = []
  const orders = new Set<string>()
  let bytes = 0
  for (const entry of pending) {
    if (entry.order !== null && orders.has(entry.order)) continue
    if (batch.length > 0 && bytes + entry.bytes > maxBytes) break
    batch.push(entry)
    bytes += entry.bytes
    if (entry.order !== null) orders.add(entry.order)
    if (batch.length === maxCount) break
  }
  return batch
}

/** The record will never be taken: a dead letter. */
export function rejected({ log }: DecodedRecord, message: string, hint?: string): WeirError {
  const at = `${log.topic}/${log.partition}@${log.offset}`
  return new WeirError('sink.rejected', message, { at, ...(hint === undefined ? {} : { hint }) })
}
