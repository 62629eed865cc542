// What the Kafka event log promises, for `weir lint --explain`. Loads no client.
import type { Claim } from '../../core/guarantee.ts'

const readers = 'who reads the topics reads committed records only (isolation.level=read_committed), as weir does'

/** Storing what a source gave. */
export const storing: Claim = {
  guarantee: 'exactly_once',
  why: 'Records, dead letters and cursor are one producer transaction; after any doubt about its end a new epoch begins and the cursor is read back.',
  while: readers,
  proof: {
    file: 'test/contract/event-log/append.ts',
    test: 'I1: records of several topics and cursors become visible together',
  },
}

/** Writing records and the offsets of those they came from. */
export const passingOn: Claim = {
  guarantee: 'exactly_once',
  why: 'Offsets and written records are one producer transaction, under the generation of the group.',
  while: readers,
  proof: { file: 'test/contract/event-log/consume.ts', test: 'I1: offsets and appended records are one transaction' },
}
