// Batches that the source must know to be stored before it goes on, and those that are stored even while the pipeline stops.
import { expect, test } from 'vitest'
import type { SourceBatch } from '../../src/core/record.ts'
import { items, stageWorld } from '../support/stage-world.ts'

test('I1: the source goes on past a barrier only once its cursor is stored', async () => {
  await using world = await stageWorld()
  const stored: string[] = []
  await world.produce({
    async *read(): AsyncGenerator<SourceBatch> {
      yield { items: items(0, [{ id: 'a', rating: 1 }]), cursor: '1' }
      yield { items: [], cursor: '2', barrier: true }
      for (const { value } of await world.log.cursors('p')) stored.push(value)
      yield { items: items(9, [{ id: 'b', rating: 1 }]), cursor: '3' }
    },
  })
  expect(stored).toEqual(['2'])
  expect((await world.records()).map(record => record.id).sort()).toEqual(['a', 'b'])
})

test.each([
  [true, '2'],
  [false, '1'],
])('I11: a batch that is given while the pipeline stops is stored where it is owed: %s', async (owed, last) => {
  await using world = await stageWorld()
  const stopping = new AbortController()
  await world.produce(
    {
      async *read(_split, _cursor, signal): AsyncGenerator<SourceBatch> {
        yield { items: [], cursor: '1', barrier: true }
        stopping.abort(new Error('stop'))
        yield { items: [], cursor: '2', owed }
        signal.throwIfAborted()
      },
    },
    { once: false },
    stopping.signal,
  )
  expect((await world.log.cursors('p')).map(({ value }) => value)).toEqual([last])
})
