// Jobs of a vendor. pending → ready → expired, or pending → failed, or pending for good. A job moves on by being asked after (so that tests
// need no time), by its webhook's delay, and its result expires by the clock.
// What was collected stays: each fetch of the result gets the same versions.
import { chance } from '../chance.ts'
import type { VendorEntry } from './entry.ts'
import type { FaultKinds, Faults } from './faults.ts'
import type { VendorSettings } from './settings.ts'
import type { Look, Shop } from './shop.ts'
import type { Call } from './vendor.ts'

export type JobState = 'pending' | 'ready' | 'failed' | 'expired'

export interface Job {
  readonly id: string
  readonly number: number
  readonly asins: readonly string[]
  /** As the vendor understood what was asked. */
  readonly params: Readonly<Record<string, unknown>>
  readonly acceptedMs: number
  readonly fault: string | null
  /** How often it was asked after while it was pending. */
  readonly polls: number
  readonly state: JobState
  readonly endedMs: number | null
  /** The wall clock then, or when it was accepted. */
  readonly stampMs: number
  /** By product, as it was when the job became ready; a product that does not exist is absent. */
  readonly found: ReadonlyMap<string, Look>
}

export interface Jobs {
  /** Pending ones. */
  readonly running: number
  readonly all: readonly Job[]
  accept(call: Call, order: Order): Job
  /** The job as it is now; null: there is none of that id. */
  look(id: string): Job | null
  /** As `look`, and counts as asking after it: a pending job comes nearer to its end. */
  poll(id: string): Job | null
  /** Ends a pending job now, as its fault has it. */
  finish(id: string): void
}

export interface Order {
  readonly asins: readonly string[]
  readonly params: Readonly<Record<string, unknown>>
  readonly cost: number
  /** Writes the id of a job from its number. */
  readonly id: (number: number) => string
}

interface Making extends Omit<Job, 'polls' | 'state' | 'endedMs' | 'stampMs' | 'found'> {
  polls: number
  state: JobState
  endedMs: number | null
  stampMs: number
  found: Map<string, Look>
}

/** A stuck job counts as running for so long; then the vendor gives it up. */
const stuckMs = 15 * 60_000

export function createJobs(
  { clock, readyAfter }: Pick<VendorSettings, 'clock' | 'readyAfter'>,
  keepMs: number,
  shop: Shop,
  kinds: FaultKinds,
  faults: Faults,
  note: (entry: VendorEntry) => void,
): Jobs {
  const jobs = new Map<string, Making>()

  const end = (job: Making, state: JobState) => {
    job.state = state
    if (job.endedMs === null) job.stampMs = clock.now()
    job.endedMs ??= clock.monotonic()
    note({ event: 'ended', job: job.id, state })
  }
  const finish = (job: Making) => {
    if (job.state !== 'pending' || job.fault === 'stuck') return
    if (job.fault !== null && kinds[job.fault]?.ends) return end(job, 'failed')
    for (const asin of job.asins) {
      const look = shop.look(asin)
      if (look !== null) job.found.set(asin, look)
    }
    end(job, 'ready')
    if (job.fault === 'expired') end(job, 'expired')
  }
  const age = (job: Making): Making => {
    const nowMs = clock.monotonic()
    if (job.state === 'pending' && job.fault === 'stuck' && nowMs - job.acceptedMs > stuckMs) end(job, 'failed')
    if (job.state === 'ready' && nowMs - job.endedMs! > keepMs) end(job, 'expired')
    return job
  }
  const look = (id: string): Making | null => {
    const job = jobs.get(id)
    return job === undefined ? null : age(job)
  }

  return {
    get running() {
      return [...jobs.values()].filter(job => age(job).state === 'pending').length
    },
    get all() {
      return [...jobs.values()].map(age)
    },
    accept(call, { asins, params, cost, id: idOf }) {
      const number = jobs.size + 1
      const id = idOf(number)
      const fault = faults.draw('job', number)
      const acceptedMs = clock.monotonic()
      jobs.set(id, {
        ...{ id, number, asins, params, acceptedMs, fault },
        ...{ polls: 0, state: 'pending', endedMs: null, stampMs: clock.now(), found: new Map() },
      })
      note({ event: 'job', call: call.number, job: id, asins, params, cost })
      if (fault !== null) note({ event: 'fault', call: call.number, job: id, kind: fault })
      return jobs.get(id)!
    },
    look,
    poll(id) {
      const job = look(id)
      if (job?.state === 'pending' && ++job.polls > readyAfter) finish(job)
      return job
    },
    finish(id) {
      const job = look(id)
      if (job !== null) finish(job)
    },
  }
}

/** Letters and digits that look like an id, the same for the same seed and words. */
export function idText(alphabet: string, length: number, seed: number, ...words: readonly (string | number)[]): string {
  return Array.from({ length }, (_, n) => alphabet[Math.floor(chance(seed, 'id', ...words, n) * alphabet.length)]).join(
    '',
  )
}

export const lowerDigits = '0123456789abcdefghijklmnopqrstuvwxyz'
export const mixedDigits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
