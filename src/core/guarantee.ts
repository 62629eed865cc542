// What a part of a pipeline promises about records, and what shows it. Each part declares its claims where it is declared itself;
// app/guarantee.ts joins them into what `weir lint --explain` prints.

export type Guarantee = 'exactly_once' | 'at_least_once'

/** A test that fails when the claim does not hold. */
export interface Proof {
  /** Path from the project's root. */
  readonly file: string
  /** Its name, as written in the file. */
  readonly test: string
}

export interface Claim {
  readonly guarantee: Guarantee
  /** One sentence. */
  readonly why: string
  /** What it hangs on that weir cannot see to, completing `as long as …`. */
  readonly while?: string
  /** null: no test shows it yet. */
  readonly proof: Proof | null
}
