// What the embedded event log promises, for `weir lint --explain`.
import type { Claim } from '../../core/guarantee.ts'

/** Storing what a source gave. */
export const storing: Claim = {
  guarantee: 'exactly_once',
  why: 'Records, dead letters and cursor are stored in one SQL transaction, which also checks that no other process has taken over.',
  proof: {
    file: 'test/fault/kill.test.ts',
    test: 'I1 I2 I3 I5: killed at 100 random moments, every item is once in the topic or once in the dead letters',
  },
}

/** Writing records and the offsets of those they came from. */
export const passingOn: Claim = {
  guarantee: 'exactly_once',
  why: 'Offsets and written records are stored in one SQL transaction.',
  proof: { file: 'test/contract/event-log/consume.ts', test: 'I1: offsets and appended records are one transaction' },
}
