// A cluster kept in memory, in the words of the ports: one bucket a pipeline, one owner at a time by epoch. It can be away, refuse, and leave
// commits in doubt that land late, at the latest when the next epoch begins. Chance decides, from a seed.
import { type Code, WeirError } from '../../src/core/errors.ts'
import type { OutRecord } from '../../src/core/record.ts'
import type { Bucket, EventLog, ProducerOptions, StoredCursor, Transaction } from '../../src/pipeline/ports.ts'

export type Chance = () => number

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
export function chanceOf(seed: number): Chance {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** How often a call goes wrong, of 1. */
export interface Trouble {
  /** The cluster goes away for a stretch of calls. */
  readonly away: number
  /** A commit is in doubt. */
  readonly doubt: number
}

const words = (code: Code) => new WeirError(code, `the model says ${code}`)

export class ModelCluster {
  readonly records: { readonly topic: string; readonly record: OutRecord }[] = []
  readonly cursors = new Map<string, StoredCursor>()
  readonly #chance: Chance
  #trouble: Trouble
  #epoch = 0
  #owner: ProducerOptions | null = null
  #awayFor = 0
  #late: Transaction | null = null

  constructor(chance: Chance, trouble: Trouble) {
    this.#chance = chance
    this.#trouble = trouble
  }

  /** From now on all goes well. */
  heal(): void {
    this.#trouble = { away: 0, doubt: 0 }
    this.#awayFor = 0
  }

  /** The log as a process sees it. Joining takes the bucket from whoever has it: `ask` first, or without a word. */
  log(ask: () => boolean): EventLog {
    return {
      kind: 'model',
      joinProducers: async (options: ProducerOptions) => {
        const before = this.#owner
        if (before !== null && ask()) await before.revoked(0)
        this.#owner = options
        const bucket = this.#bucketOf(options)
        options.assigned(bucket)
        return {
          settled: async () => true,
          [Symbol.asyncDispose]: async () => {
            if (this.#owner === options) this.#owner = null
          },
        }
      },
      [Symbol.asyncDispose]: async () => {},
    } as unknown as EventLog
  }

  /** A new epoch: what was in doubt has landed by now, or never will. */
  #bucketOf(options: ProducerOptions): Bucket {
    this.#settle()
    const epoch = ++this.#epoch
    const fence = (): void => {
      if (this.#owner !== options || this.#epoch !== epoch) {
        const error = words('log.fenced')
        if (this.#owner !== options) options.lost(0, error)
        throw error
      }
    }
    return {
      number: 0,
      epoch: BigInt(epoch),
      cursors: new Map(this.cursors),
      transact: async transaction => {
        this.#reach()
        fence()
        if (this.#late !== null) throw words('log.outcome_unknown')
        if (this.#chance() < this.#trouble.doubt) {
          const kept = copied(transaction)
          if (this.#chance() < 0.4) this.#write(kept)
          else this.#late = kept
          throw words('log.outcome_unknown')
        }
        this.#write(copied(transaction))
      },
      renew: async () => {
        this.#reach()
        fence()
        return this.#bucketOf(options)
      },
    }
  }

  #reach(): void {
    if (this.#awayFor === 0 && this.#chance() < this.#trouble.away) this.#awayFor = 1 + Math.floor(this.#chance() * 25)
    if (this.#awayFor > 0) {
      this.#awayFor--
      throw words('log.unavailable')
    }
  }

  #settle(): void {
    if (this.#late !== null && this.#chance() < 0.5) this.#write(this.#late)
    this.#late = null
  }

  #write({ appends, cursors }: Transaction): void {
    for (const { topic, records } of appends) for (const record of records) this.records.push({ topic, record })
    for (const { split, value } of cursors)
      if (value === null) this.cursors.delete(split)
      else this.cursors.set(split, { split, value, updatedAtMs: 0 })
  }
}

/** The memory of a transaction is the caller's again once it is answered. */
function copied({ appends, cursors }: Transaction): Transaction {
  return structuredClone({ appends, cursors })
}
