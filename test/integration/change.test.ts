// What records of a source say besides their values, in the topic: what is an edit, and where each comes from.
import { describe, expect, test } from 'vitest'
import { compileDeletedKey } from '../../src/mapping/deleted-key.ts'
import { compileExpression } from '../../src/mapping/expression.ts'
import { createEncode } from '../../src/pipeline/encode.ts'
import { processVariables } from '../../src/pipeline/process.ts'
import { compileEncoder } from '../../src/schema/codec.ts'
import { openHttpSource } from '../support/open-http.ts'
import { scriptedGuard } from '../support/scripted-guard.ts'
import { keeping, type StageWorld, schemaText, stageWorld } from '../support/stage-world.ts'

interface Served {
  readonly id: string
  readonly rating?: number
  readonly text?: string
}

/** A list that a test changes, polled into the topic. */
function shop(world: StageWorld, cursor: object, more: object = {}) {
  const shelf: { items: Served[] } = { items: [] }
  const guard = scriptedGuard(() => ({ body: shelf.items }))
  const written = { request: { url: 'https://shop.example/list' }, records: 'body', cursor, ...more }
  return {
    shelf,
    async poll(options: Parameters<StageWorld['produce']>[1] = {}) {
      const { source, events } = openHttpSource(written, guard, { origin: 'shop@1' })
      await world.produce(source, options)
      return events
    },
  }
}

const headersIn = async (world: StageWorld, topic = 't') =>
  (await world.raw(topic)).map(({ headers }) =>
    Object.fromEntries(headers.map(([name, value]) => [name, Buffer.from(value).toString()])),
  )

const byVersion = { mode: 'membership', id: 'this.id', version: 'this' }

describe('edits and provenance', () => {
  test('I2: an edit is a record that says so, what is unchanged is a counted drop', async () => {
    await using world = await stageWorld()
    const { shelf, poll } = shop(world, byVersion)
    shelf.items = [
      { id: 'a', rating: 1 },
      { id: 'b', rating: 2 },
    ]
    await poll()
    shelf.items[0] = { id: 'a', rating: 5 }
    await poll()
    expect((await headersIn(world)).map(headers => headers['weir-change'])).toEqual([undefined, undefined, 'edited'])
    expect(world.events).toContainEqual({ type: 'records_dropped', pipeline: 'p', reason: 'unchanged', count: 1 })
    expect((await world.records()).map(({ rating }) => rating)).toEqual([1, 2, 5])
  })

  test('records and the letters of one answer carry where they come from', async () => {
    await using world = await stageWorld()
    const { shelf, poll } = shop(world, byVersion)
    shelf.items = [{ id: 'a', rating: 1 }, { id: 'b' }]
    await poll()
    const [headers] = await headersIn(world)
    expect(headers).toEqual({
      'weir-id': expect.any(String),
      'weir-source': 'shop@1',
      'weir-url': 'https://shop.example/list',
      'weir-fetched-at': expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      'weir-response': expect.stringMatching(/^[0-9a-f]{64}$/),
    })
    const [letter] = await world.letters()
    const kept = letter!.original_headers.map(({ name, value }) => [name, Buffer.from(value).toString()])
    expect(Object.fromEntries(kept)).toEqual({ ...headers, 'weir-id': undefined })
  })

  test('I2: what the headers cost counts: a record that is too large with them is a dead letter', async () => {
    await using world = await stageWorld({ maxRecordBytes: 1000 })
    const { shelf, poll } = shop(world, byVersion)
    shelf.items = [{ id: 'x'.repeat(300), rating: 1 }]
    await poll()
    expect((await world.letters()).map(letter => letter.error_code)).toEqual(['encode.too_large'])
  })
})

describe('deletions', () => {
  const byList = { ...byVersion, deletes: 'tombstone' }
  const encode = createEncode({
    encoder: compileEncoder(schemaText),
    schemaId: 1,
    key: compileExpression('record.id', ['record', 'this', 'split']),
    deletedKey: compileDeletedKey('this.id', { id: 'this.id' }, 'record.id', schemaText),
    maxRecordBytes: 100_000,
  })

  test('I1: an item that is gone is a tombstone of its key, once; every sink sees it and no step does', async () => {
    await using world = await stageWorld()
    const { shelf, poll } = shop(world, byList)
    shelf.items = [
      { id: 'a', rating: 1 },
      { id: 'b', rating: 2 },
    ]
    await poll({ encode })
    shelf.items = [{ id: 'b', rating: 2 }]
    await poll({ encode })
    await poll({ encode })
    const gone = (await world.raw('t')).filter(record => record.value === null)
    expect(gone.map(record => Buffer.from(record.key!).toString())).toEqual(['a'])
    expect((await headersIn(world)).map(headers => headers['weir-change'])).toContain('deleted')
    const { got, sink } = keeping()
    const steps = [{ kind: 'filter', expression: compileExpression('record.rating > 1.0', processVariables) } as const]
    await world.consume(sink, { steps })
    expect(got.map(({ value }) => value)).toEqual(expect.arrayContaining([null, { id: 'b', rating: 2 }]))
    expect(got).toHaveLength(2)
  })
})
