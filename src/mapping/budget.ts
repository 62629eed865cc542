// What one evaluation may cost. CEL has no loops without end, but lists inside lists over a large item multiply; this bounds the product (I10).

/** One unit is about a quarter of a microsecond: a whole budget takes a fraction of a second. */
const unitsPerEvaluation = 1_000_000
/** Longest text, and most items of a list, that an expression may build. */
export const maxTextLength = 4 * 1024 * 1024
export const maxListLength = 100_000

/** A function of an expression cannot do its work. The message names no values: they are payload. */
export class Failure extends Error {
  readonly hint: string | undefined

  constructor(message: string, hint?: string) {
    super(message)
    this.name = 'Failure'
    this.hint = hint
  }
}

let left = unitsPerEvaluation

/** Starts an evaluation. Evaluations are synchronous and never nested. */
export function startBudget(): void {
  left = unitsPerEvaluation
}

/** @throws Failure when the budget is used up */
export function spend(units: number): void {
  left -= units
  if (left < 0)
    throw new Failure(
      'the expression does more work than one record may cost',
      'Avoid lists inside lists and work on very long texts; cut them first.',
    )
}

/** Pays for a look at each argument. */
export function spendOn(args: readonly unknown[]): void {
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]
    if (typeof arg === 'string') {
      if (arg.length > 256) spend(arg.length >> 8)
    } else if (typeof arg === 'object' && arg !== null) {
      const size = Array.isArray(arg) || arg instanceof Uint8Array ? arg.length : 0
      if (size > 16) spend(size >> 4)
    }
  }
}

/** Pays for searching `needle` in `text`, whose worst case is the product of both lengths. */
export function spendSearch(text: string, needle: string): void {
  spend((text.length >> 8) + Math.floor((text.length * needle.length) / 4096))
}

/** Keeps what an expression builds within bounds. @throws Failure */
export function bounded<T>(value: T): T {
  if (typeof value === 'string' && value.length > maxTextLength)
    throw new Failure(`the expression builds a text of more than ${maxTextLength} characters`)
  if (Array.isArray(value) && value.length > maxListLength)
    throw new Failure(`the expression builds a list of more than ${maxListLength} items`)
  return value
}
