import { expect, test } from 'vitest'
import { keyText, log } from '../../../src/sinks/log.ts'
import { createSinkWorld, reviewAt, reviews } from '../../support/sink-world.ts'

const signal = new AbortController().signal

test('a record becomes one event, its value plain JSON', async () => {
  const { deps, events } = createSinkWorld('.')
  const sink = await log.open({}, deps)
  await sink.deliver!({ ...reviews(0, 0, 2), records: [reviewAt(4, 2, { seen: 2n ** 60n })], nextOffset: 5n }, signal)
  expect(events).toEqual([
    {
      type: 'record_logged',
      pipeline: 'reviews',
      group: 'readers',
      topic: 'reviews',
      partition: 2,
      offset: '4',
      key: 'k1',
      value: { id: 'r2-4', rating: 5, seen: '1152921504606846976', text: 'text\n4 é' },
    },
  ])
})

test('picked fields come in the order asked for, null where a record has none', async () => {
  const { deps, events } = createSinkWorld('.')
  const sink = await log.open({ fields: ['rating', 'missing', 'id', '__proto__'] }, deps)
  await sink.deliver!(reviews(4, 5), signal)
  const { value } = events[0] as { value: object }
  expect(Object.entries(value).slice(0, 3)).toEqual([
    ['rating', 5],
    ['missing', null],
    ['id', 'r0-4'],
  ])
})

test('a key is text, or base64 where it is not UTF-8', () => {
  expect([
    keyText(null),
    keyText(new Uint8Array()),
    keyText(Buffer.from('é')),
    keyText(new Uint8Array([0xff])),
  ]).toEqual([null, '', 'é', 'base64:/w=='])
})
