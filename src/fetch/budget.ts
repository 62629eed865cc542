// How often something was done in the period that ends now: never more than the budget in any period, wherever it begins. Moments are
// kept in spans of a thousandth of the period, and a span counts until its last moment is out of it; so memory does not grow with the budget.

export interface Budget {
  /** The moment from which one more fits in; in the past when it does now. */
  freeAt(requests: number): number
  /** Counts one at this moment, which is not before the one counted last. */
  spend(now: number): void
}

interface Span {
  readonly first: number
  last: number
  count: number
}

export function createBudget(periodMs: number): Budget {
  const spans: Span[] = []
  const widthMs = periodMs / 1000
  return {
    freeAt(requests) {
      // From the newest back: the span with the n-th last call must be out of the period.
      let left = requests
      for (let i = spans.length - 1; i >= 0; i--) {
        left -= spans[i]!.count
        if (left <= 0) return spans[i]!.last + periodMs
      }
      return 0
    },
    spend(now) {
      const newest = spans.at(-1)
      if (newest && now - newest.first < widthMs) {
        newest.last = now
        newest.count++
      } else spans.push({ first: now, last: now, count: 1 })
      while (spans[0]!.last + periodMs <= now) spans.shift()
    },
  }
}
