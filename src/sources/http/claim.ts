// What the `http` source promises, by the kind of its cursor, for `weir lint --explain`.
import type { Claim } from '../../core/guarantee.ts'
import { formatDuration } from '../../core/units.ts'
import type { HttpConfig } from './spec.ts'

const killed = { file: 'test/fault/http-kill.test.ts', test: 'killed at 30 random moments' }

const jobProof = {
  file: 'test/property/http-job.property.test.ts',
  test: 'I1 I13: a job is submitted once a pass where it can be looked up, and every item arrives once',
}

/** What reaches the topic, and, with a job, how often it is paid for. */
export function claimOf(config: HttpConfig): Claim {
  const claim = claimOfItems(config)
  const { job } = config
  if (job === undefined) return claim
  const once = job.find
    ? 'A job whose submission was cut short is looked up by its tag, so each poll pays for one.'
    : 'Without `find`, a job whose submission was cut short is submitted again, and may be paid for twice; its items still come once.'
  const listed = job.find ? `the source lists a job within ${formatDuration(job.find.settle)} of taking it` : undefined
  const conditions = [claim.while, listed].filter(each => each !== undefined)
  return {
    ...claim,
    why: `${claim.why} ${claim.guarantee === 'at_least_once' ? once.replace('; its items still come once', '') : once}`,
    ...(conditions.length > 0 ? { while: conditions.join(', and ') } : {}),
    proof: claim.guarantee === 'exactly_once' ? jobProof : claim.proof,
  }
}

function claimOfItems({ cursor }: HttpConfig): Claim {
  if (cursor === undefined)
    return {
      guarantee: 'at_least_once',
      why: 'Without `cursor` nothing is remembered between polls: each appends everything that the source serves again.',
      proof: {
        file: 'test/unit/sources/http/read.test.ts',
        test: 'without a cursor every poll yields everything, at positions of its own',
      },
    }
  if (cursor.mode === 'membership')
    return {
      guarantee: 'exactly_once',
      why: `The ids of the last ${cursor.keep} items are the cursor; what has one of them is left out.`,
      while: `no item comes again after ${cursor.keep} others were seen${
        cursor.deletes === 'tombstone'
          ? ', and the source lists all of its items in every poll: what is missing is told as deleted'
          : ''
      }`,
      proof: {
        file: 'test/property/http-cursor.property.test.ts',
        test: 'I13: by membership, edits noticed by version',
      },
    }
  if (cursor.lookback > 0)
    return {
      guarantee: 'exactly_once',
      why: `Each poll reads the last ${formatDuration(cursor.lookback)} again; what was there before is known by its id and its time, and left out.`,
      while: `no item comes more than ${formatDuration(cursor.lookback)} late: such a one is not read`,
      proof: killed,
    }
  return {
    guarantee: 'exactly_once',
    why: 'Each poll reads from the newest item stored on; ties with it are known by their ids.',
    while: 'no item comes late, with a time before the newest one stored: such a one is not read',
    proof: {
      file: 'test/property/http-cursor.property.test.ts',
      test: 'I13: without lookback, where nothing is late',
    },
  }
}
