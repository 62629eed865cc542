import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { WeirError } from '../../src/core/errors.ts'
import { compileExpression } from '../../src/mapping/expression.ts'
import { compileMapping } from '../../src/mapping/mapping.ts'
import { createDecode } from '../../src/pipeline/decode.ts'
import { letterVariables, readLetters, readMarks, type Selection } from '../../src/pipeline/letters.ts'
import { TopicMarks } from '../../src/pipeline/marks.ts'
import {
  discard,
  type ReplayConsumer,
  type ReplayOptions,
  type ReplayOutcome,
  replay,
} from '../../src/pipeline/replay.ts'
import { keeping, registry, type StageWorld, schemaText, scripted, stageWorld } from '../support/stage-world.ts'

const letterText = readFileSync(new URL('../../schemas/dead-letter.avsc', import.meta.url), 'utf8')
const decode = createDecode(registry, letterText)
const signal = new AbortController().signal
const strict = { id: 'this.id', rating: 'double(this.rating)' }
/** Today's mapping: also takes items whose rating is called stars. */
const mended = { id: 'this.id', rating: 'has(this.rating) ? double(this.rating) : double(this.stars)' }

const noSource = {
  endless: false,
  splits: async () => [],
  read: () => {
    throw new Error('a replay fetches nothing')
  },
  reparse: (raw: Uint8Array) => [JSON.parse(Buffer.from(raw).toString())],
  describeCursor: String,
  [Symbol.asyncDispose]: async () => {},
}

async function letters(world: StageWorld, selection: Selection = { states: ['open'] }) {
  const found = []
  for await (const stored of readLetters(world.log, 't_dlq', decode, await readMarks(world.log, 't_dlq'), selection))
    found.push(stored)
  return found
}

async function again(
  world: StageWorld,
  map: Record<string, string>,
  more: Partial<ReplayOptions> = {},
  selection: Selection = {},
): Promise<ReplayOutcome[]> {
  const { encode } = world.producerOptions(noSource)
  const options: ReplayOptions = {
    pipeline: 'p',
    log: world.log,
    deadLetterTopic: 't_dlq',
    topic: 't',
    producer: { source: noSource, encode, mapping: compileMapping(map, schemaText) },
    consumer: () => Promise.reject(new Error('no consumer here')),
    dryRun: false,
    maxAttempts: 3,
    emit: event => void world.events.push(event),
    clock: systemClock,
    random: () => 0.5,
    ...more,
  }
  const chosen = readLetters(world.log, 't_dlq', decode, await readMarks(world.log, 't_dlq'), selection)
  const outcomes: ReplayOutcome[] = []
  for await (const outcome of replay(chosen, options, signal)) outcomes.push(outcome)
  return outcomes
}

const some = [
  { id: 'a', rating: 1 },
  { id: 'b', stars: 2 },
  { id: 'c', stars: 'many' },
  { id: 'd', rating: 4 },
]
const results = (outcomes: readonly ReplayOutcome[]) => outcomes.map(outcome => outcome.result)

describe('replaying dead letters of the producer', () => {
  test('I8: runs the mapping of today, and twice gives one record', async () => {
    await using world = await stageWorld()
    await world.produce(scripted([some]))
    expect(results(await again(world, mended))).toEqual(['passed', 'failed'])
    expect(results(await again(world, mended))).toEqual(['skipped', 'failed'])
    expect((await world.records()).map(record => record.id).sort()).toEqual(['a', 'b', 'd'])
    expect((await letters(world)).map(letter => letter.attempts)).toEqual([3])
  })

  test('I8: two replays at the same time give one record', async () => {
    await using world = await stageWorld()
    await world.produce(scripted([some]))
    const both = await Promise.all([again(world, mended), again(world, mended)])
    expect(both.map(results).sort()).toEqual([
      ['passed', 'failed'],
      ['skipped', 'failed'],
    ])
    expect(await world.records()).toHaveLength(3)
  })

  test('the record keeps its identity and names its dead letter', async () => {
    await using world = await stageWorld()
    await world.produce(scripted([some]))
    await again(world, mended)
    const headers = (await world.raw('t')).map(record =>
      Object.fromEntries(record.headers.map(([name, value]) => [name, Buffer.from(value).toString()])),
    )
    expect(headers).toContainEqual({ 'weir-id': 'p/s/1', 'weir-replayed-from': 't_dlq/0/0' })
  })

  test('a dry run tells what would pass and changes nothing', async () => {
    await using world = await stageWorld()
    await world.produce(scripted([some]))
    const outcomes = await again(world, mended, { dryRun: true })
    expect(results(outcomes)).toEqual(['passed', 'failed'])
    expect(outcomes[1]!.error?.code).toMatch(/^map\./)
    expect(await world.records()).toHaveLength(2)
    expect(results(await again(world, mended))).toEqual(['passed', 'failed'])
  })

  test('a letter that keeps failing is left alone after its attempts', async () => {
    await using world = await stageWorld()
    await world.produce(scripted([some]))
    for (const expected of ['failed', 'failed', 'skipped', 'skipped'])
      expect((await again(world, strict))[1]!.result).toBe(expected)
    expect((await again(world, strict, { maxAttempts: 10 }))[1]!.result).toBe('failed')
    expect(await world.letters()).toHaveLength(2)
  })

  test('discarded letters are left out of lists and replays', async () => {
    await using world = await stageWorld()
    await world.produce(scripted([some]))
    const deps = {
      log: world.log,
      deadLetterTopic: 't_dlq',
      pipeline: 'p',
      emit: () => {},
      clock: systemClock,
      random: () => 0.5,
    }
    const chosen = readLetters(world.log, 't_dlq', decode, new TopicMarks(), { ids: ['0/0'] })
    expect(await discard(chosen, deps, signal)).toBe(1)
    expect((await letters(world)).map(letter => letter.id)).toEqual(['0/1'])
    expect(results(await again(world, mended))).toEqual(['skipped', 'failed'])
    expect((await letters(world, {})).map(letter => letter.state)).toEqual(['discarded', 'open'])
  })
})

test('letters are chosen by code, family, stage, id, key, time and expression', async () => {
  await using world = await stageWorld()
  await world.produce(scripted([some]))
  const where = (text: string) => compileExpression(text, letterVariables)
  const counts = await Promise.all(
    [
      {},
      { codes: ['map.*'] },
      { codes: ['encode.*'] },
      { stages: ['map'] },
      { stages: ['deliver'] },
      { ids: ['0/1'] },
      { key: 'nobody' },
      { sinceMs: Date.now() + 60_000 },
      { untilMs: Date.now() + 60_000 },
      { where: where('original.contains("many")') },
      { where: where('letter.attempts > 1') },
      { limit: 1 },
    ].map(async selection => (await letters(world, selection)).length),
  )
  expect(counts).toEqual([2, 2, 0, 2, 0, 1, 0, 0, 2, 1, 0, 1])
})

test('a letter of a consumer goes to that consumer again, once', async () => {
  await using world = await stageWorld()
  await world.produce(
    scripted([
      [
        { id: 'a', rating: 1 },
        { id: 'b', rating: 2 },
      ],
    ]),
  )
  const steps = [
    {
      kind: 'filter' as const,
      expression: compileExpression('record.rating < 2.0 || record.missing == 1', [
        'record',
        'key',
        'topic',
        'timestamp',
      ]),
    },
  ]
  const first = keeping()
  await world.consume(first.sink, { steps })
  expect(first.got).toHaveLength(1)
  const { got, sink } = keeping()
  const opened: string[] = []
  const consumer = async (group: string): Promise<ReplayConsumer> => {
    opened.push(group)
    return {
      sink: { guarantee: 'at_least_once', exclusive: false, [Symbol.asyncDispose]: async () => {}, ...sink },
      decode: createDecode(registry, schemaText),
      steps: [],
    }
  }
  expect(results(await again(world, strict, { consumer }))).toEqual(['passed'])
  expect(results(await again(world, strict, { consumer }))).toEqual(['skipped'])
  expect([opened, got.map(record => record.value!['id'])]).toEqual([['g'], ['b']])
})

const consumerOf = (deliver: NonNullable<ReplayConsumer['sink']['deliver']>): ReplayConsumer => ({
  sink: { guarantee: 'at_least_once', exclusive: false, [Symbol.asyncDispose]: async () => {}, deliver },
  decode: createDecode(registry, schemaText),
  steps: [],
})

test('a letter whose sink was tried often before it was written can still be replayed', async () => {
  await using world = await stageWorld()
  await world.produce(scripted([[{ id: 'a', rating: 1 }]]))
  const down = async () => {
    throw new WeirError('sink.failed', 'not now')
  }
  await world.consume({ deliver: down }, { retry: { attempts: 20, minMs: 1, maxMs: 1 } })
  const { got, sink } = keeping()
  const consumer = async () => consumerOf(sink.deliver!)
  expect(results(await again(world, strict, { consumer, maxAttempts: 5 }))).toEqual(['passed'])
  expect(got).toHaveLength(1)
})

test('a letter that fails in replays is left alone after as many runs as allowed', async () => {
  await using world = await stageWorld()
  await world.produce(scripted([[{ id: 'c', stars: 'many' }]]))
  const runs = []
  for (let i = 0; i < 4; i++) runs.push(...results(await again(world, mended, { maxAttempts: 3 })))
  expect(runs).toEqual(['failed', 'failed', 'skipped', 'skipped'])
})

test('a sink that cannot be opened ends the replay and is no failed try of any letter', async () => {
  await using world = await stageWorld()
  await world.produce(
    scripted([
      [
        { id: 'a', rating: 1 },
        { id: 'b', stars: 2 },
      ],
    ]),
  )
  await world.consume({
    deliver: async () => {
      throw new WeirError('sink.rejected', 'never')
    },
  })
  const locked = new WeirError('sink.locked', 'the pipeline is running')
  await expect(again(world, strict, { consumer: () => Promise.reject(locked) })).rejects.toMatchObject({
    code: 'sink.locked',
  })
  // The letter before it had its try, and that is kept.
  expect((await letters(world)).map(letter => letter.attempts)).toEqual([2, 1])
})

test('I10: large letters are replayed in small transactions', async () => {
  await using world = await stageWorld()
  const value = (i: number) => ({ id: `x${i}`, stars: 1, filler: 'x'.repeat(150_000) })
  await world.produce(scripted([Array.from({ length: 60 }, (_, i) => value(i))]))
  let largest = 0
  let held = 0
  async function* counted() {
    for await (const stored of readLetters(world.log, 't_dlq', decode, new TopicMarks(), {})) {
      held += stored.letter.original.length
      largest = Math.max(largest, held)
      yield stored
    }
  }
  const { encode } = world.producerOptions(noSource)
  for await (const outcome of replay(
    counted(),
    {
      pipeline: 'p',
      log: world.log,
      deadLetterTopic: 't_dlq',
      topic: 't',
      producer: { source: noSource, encode, mapping: compileMapping(mended, schemaText) },
      consumer: () => Promise.reject(new Error('no consumer here')),
      dryRun: false,
      maxAttempts: 3,
      emit: () => {},
      clock: systemClock,
      random: () => 0.5,
    },
    signal,
  )) {
    expect(outcome.result).toBe('passed')
    held -= 150_000
  }
  expect(largest).toBeLessThan(6 * 1024 * 1024)
})
