// What the journal of a simulated vendor says, a line an event: enough for an auditor to prove that nothing served was lost or kept twice,
// and that no job was paid for twice.

/** An item of an answer that was handed over whole. */
export interface ServedEntry {
  readonly event: 'served'
  /** Number of the call that got it; 0: it was pushed. */
  readonly call: number
  /** The job whose result it is part of; null: there was none. */
  readonly job: string | null
  /** `review`, `signal` (counts of a product), or `error` (a record that only says what went wrong). */
  readonly what: 'review' | 'signal' | 'error'
  readonly asin: string
  /** The true id of the review, also where the item does not show it; '' for what is no review. */
  readonly id: string
  /** 1 for the first; edits count up. Votes change without one. */
  readonly version: number
  /** The fault of the item; null: it is as it should be. */
  readonly fault: string | null
  /** True: a careful reader refuses it. */
  readonly refused: boolean
  /** True when this version had not been served before. */
  readonly first: boolean
  /** SHA-256 of the item as it stood in the answer, hex. */
  readonly sha256: string
}

export type VendorEntry =
  | ServedEntry
  /** A job was accepted, and is paid for from here on, whether or not its answer arrives. */
  | {
      readonly event: 'job'
      readonly call: number
      readonly job: string
      readonly asins: readonly string[]
      /** What was asked for, as the vendor understood it. */
      readonly params: unknown
      readonly cost: number
    }
  /** The answer that names these jobs was handed over whole: the client can know them. */
  | { readonly event: 'told'; readonly call: number; readonly jobs: readonly string[] }
  /** How the job came out: `ready`, `failed`, `expired`. */
  | { readonly event: 'ended'; readonly job: string; readonly state: string }
  /** A call without a job was billed. */
  | { readonly event: 'charged'; readonly call: number; readonly params: unknown; readonly cost: number }
  /** A fault was put in: of a call, or of a job. */
  | { readonly event: 'fault'; readonly call: number; readonly job: string | null; readonly kind: string }
