// What an operator reads when a broker refuses.
import { describe, expect, test } from 'vitest'
import { toLogError } from '../../../../src/adapters/event-log-kafka/log-errors.ts'
import { BrokerRefusal } from '../../../../src/adapters/event-log-kafka/refusal.ts'
import type { Code } from '../../../../src/core/errors.ts'

describe('a refusal has the code of the event log', () => {
  test.each<[Code, number[]]>([
    ['log.fenced', [47, 90, 22, 25, 82]],
    ['log.denied', [29, 30, 31, 53]],
    ['log.record_too_large', [10, 18]],
    ['log.timestamp_refused', [32]],
    ['log.not_replicated', [19, 20]],
    ['log.topic_unknown', [3]],
    ['log.offset_out_of_range', [1]],
    ['log.invalid', [44, 17]],
    ['log.unavailable', [5, 6, 7, 14, 15, 16, 51, -1, 999]],
  ])('%s: %j', (code, numbers) => {
    for (const number of numbers) {
      const refusal = new BrokerRefusal(number, 'Produce', 'reviews[3]')
      expect(toLogError(refusal, 'pipeline')).toMatchObject({ code, at: 'pipeline', cause: refusal })
    }
  })
})

describe('a denied refusal says what to allow', () => {
  test.each<[number, string, string, string]>([
    [29, 'Produce', 'reviews[3]', 'Allow Write on topic reviews to'],
    [29, 'AddPartitionsToTxn', 'reviews[0]', 'Allow Write on topic reviews to'],
    [29, 'Fetch', 'reviews[3]', 'Allow Read on topic reviews to'],
    [29, 'Metadata', 'reviews', 'Allow Describe on topic reviews to'],
    [29, 'CreateTopics', 'reviews', 'Allow Create on topic reviews to'],
    [30, 'JoinGroup', 'readers', 'Allow Read on group readers to'],
    [30, 'OffsetFetch', 'readers', 'Allow Describe on group readers to'],
    [53, 'InitProducerId', 'weir-1', 'Allow Write on transactional id weir-1 to'],
    [31, 'CreateTopics', 'reviews', 'Allow Create on the cluster to'],
  ])('%i of %s', (code, api, subject, hint) => {
    expect(toLogError(new BrokerRefusal(code, api, subject)).hint).toContain(hint)
  })
})

test('what the broker says of it is part of the message', () => {
  const refusal = new BrokerRefusal(44, 'CreateTopics', 'reviews', 'at most 3 partitions')
  expect(toLogError(refusal).message).toBe('CreateTopics of reviews: POLICY_VIOLATION (at most 3 partitions)')
})
