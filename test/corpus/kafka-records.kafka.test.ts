// Set K, its first half: odd records that other programs write, in topics, among the cursors and among the dead letters, on a real broker.
// Good records stand between the odd ones: each of those is delivered, whatever its neighbour is. kafka/expect.json holds the cases.
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Admin, type IHeaders, Kafka as KafkaJs, logLevel, type Producer } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cursorTopicOf } from '../../src/adapters/event-log-kafka/cursor-topic.ts'
import { bucketOf } from '../../src/core/murmur2.ts'
import { createOffice } from '../../src/pipeline/dead-letter.ts'
import { runDeadLetterStage } from '../../src/pipeline/dead-letter-stage.ts'
import { createDecode } from '../../src/pipeline/decode.ts'
import { readLetters, readMarks } from '../../src/pipeline/letters.ts'
import type { DecodedRecord, Delivery, LogRecord } from '../../src/pipeline/ports.ts'
import { systemClock } from '../../src/core/clock.ts'
import { WeirError } from '../../src/core/errors.ts'
import { compileEncoder } from '../../src/schema/codec.ts'
import { openKafkaLog } from '../support/kafka-log.ts'
import { describeWith } from '../support/services/for-tests.ts'
import type { Kafka } from '../support/services/kafka.ts'
import { keeping, registry, schemaText, scripted, type StageWorld, stageWorld } from '../support/stage-world.ts'

interface Case {
  readonly case: string
  readonly in: 'record' | 'cursor' | 'letter' | 'answer'
  /** By a consumer to its sink. */
  readonly delivered?: 'yes' | 'dead' | 'passed over'
  /** By a consumer to another topic with limits of its own; omitted: as `delivered`. */
  readonly copied?: 'dead'
  readonly outcome?: string
  readonly code?: string
  readonly says?: string
}

interface Message {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers?: IHeaders
  readonly timestamp?: string
}

const cases: readonly Case[] = JSON.parse(readFileSync(join(import.meta.dirname, 'kafka/expect.json'), 'utf8'))
const of = (place: Case['in']) => cases.filter(each => each.in === place)
const encoder = compileEncoder(schemaText, { maxBytes: 8 * 1024 * 1024 })
const valueOf = (id: string): Buffer => Buffer.from(encoder.encode({ id, rating: 3 }, 1))
const message = (id: string, more: Partial<Message> = {}): Message => ({ key: Buffer.from(id), value: valueOf(id), ...more })
const largeBytes = 3 * 1024 * 1024
const notUtf8 = Buffer.from([0xff, 0xfe, 0x80])

/** Records written as they are. Transactions are made apart. */
const odd: Readonly<Record<string, Message>> = {
  'null value': message('odd', { value: null }),
  'null key': message('odd', { key: null }),
  'empty key': message('odd', { key: Buffer.alloc(0) }),
  '1,000 headers': message('odd', { headers: Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`h${i}`, `${i}`])) }),
  'header 1 MB': message('odd', { headers: { large: Buffer.alloc(1024 * 1024, 7) } }),
  'header duplicate': message('odd', { headers: { twice: ['a', 'b'] } }),
  'header not UTF-8': message('odd', { headers: { 'weir-id': notUtf8 } }),
  'value not Avro': message('odd', { value: Buffer.concat([Buffer.from('0000000001', 'hex'), Buffer.alloc(9, 0xff)]) }),
  'other magic': message('odd', { value: Buffer.concat([Buffer.from('0100000001', 'hex'), Buffer.from('06616263', 'hex')]) }),
  'timestamp -1': message('odd', { timestamp: '-1' }),
  'timestamp +2 h': message('odd', { timestamp: String(Date.now() + 7_200_000) }),
  'record too large': message(`odd${'x'.repeat(largeBytes)}`, { key: Buffer.from('odd') }),
}

await describeWith(['own-kafka'], 'odd records', startKafka => {
  let kafka: Kafka
  let admin: Admin
  let producer: Producer
  let client: KafkaJs
  beforeAll(async () => {
    kafka = await startKafka()
    client = new KafkaJs({ brokers: [kafka.bootstrap], logLevel: logLevel.NOTHING })
    admin = client.admin()
    producer = client.producer()
    await Promise.all([admin.connect(), producer.connect()])
  }, 120_000)
  afterAll(async () => {
    await Promise.all([admin?.disconnect(), producer?.disconnect()])
    await kafka?.[Symbol.asyncDispose]()
  })

  const world = async (): Promise<{ readonly stages: StageWorld; readonly prefix: string } & AsyncDisposable> => {
    const prefix = `k${randomBytes(5).toString('hex')}-`
    const stages = await stageWorld({ open: () => openKafkaLog(kafka.bootstrap), prefix, maxRecordBytes: 8 * 1024 * 1024 })
    return { stages, prefix, [Symbol.asyncDispose]: () => stages[Symbol.asyncDispose]() }
  }
  const write = (topic: string, messages: readonly Message[], partition = 0) =>
    producer.send({
      topic,
      messages: messages.map(({ timestamp, headers, ...each }) => ({
        ...each,
        ...{ partition },
        ...(timestamp && { timestamp }),
        ...(headers && { headers }),
      })),
    })
  /** A transaction of one record, ended one way or the other. */
  const transact = async (topic: string, id: string, how: 'commit' | 'abort') => {
    const transactional = client.producer({ transactionalId: randomBytes(6).toString('hex'), maxInFlightRequests: 1, idempotent: true })
    await transactional.connect()
    const transaction = await transactional.transaction()
    await transaction.send({ topic, messages: [{ ...message(id), partition: 0 }] })
    await transaction[how]()
    await transactional.disconnect()
  }

  describe('in a topic', () => {
    /** All cases in one partition, each behind a good record; what became of them under each of two consumers. */
    const consumeAll = async () => {
      const kept = await world()
      const { stages, prefix } = kept
      const topic = `${prefix}t`
      const target = `${prefix}target`
      await admin.alterConfigs({
        validateOnly: false,
        resources: [
          {
            type: 2,
            name: topic,
            configEntries: [
              { name: 'message.timestamp.after.max.ms', value: '9223372036854775807' },
              { name: 'max.message.bytes', value: '9000000' },
            ],
          },
        ],
      })
      await stages.log.ensureTopic({ name: target, partitions: 1, retentionMs: null, retentionBytes: null, maxRecordBytes: 2 * 1024 * 1024 })
      /** Between the good records before and behind it: where markers of transactions stand is the broker's business. */
      const places = new Map<string, { from: bigint; to: bigint }>()
      let last: { from: bigint; to: bigint } | undefined
      const good = async (id: string) => {
        const [written] = await write(topic, [message(id)])
        const offset = BigInt(written!.baseOffset!)
        if (last) last.to = offset
        return (last = { from: offset + 1n, to: offset + 1n })
      }
      for (const [i, { case: name }] of of('record').entries()) {
        places.set(name, await good(`good${i}`))
        if (odd[name]) await write(topic, [odd[name]])
        else await transact(topic, 'odd', name === 'aborted txn' ? 'abort' : 'commit')
      }
      await good('good-last')

      const { got, sink } = keeping()
      await stages.consume(sink)
      const keptLetters = await stages.letters()
      await stages.consume(copyTo(target), { group: `${prefix}copy` })
      return { kept, stages, target, places, got, keptLetters, letters: await stages.letters() }
    }
    let all: Awaited<ReturnType<typeof consumeAll>>
    beforeAll(async () => {
      all = await consumeAll()
    }, 60_000)
    afterAll(() => all?.kept[Symbol.asyncDispose]())

    const deliveredIn = ({ from, to }: { from: bigint; to: bigint }): DecodedRecord[] =>
      all.got.filter(({ log }) => log.partition === 0 && from <= log.offset && log.offset < to)
    const goods = [...of('record').map((_, i) => `good${i}`), 'good-last']

    test('every good record is delivered and copied, once, in order; nothing is left to read', async () => {
      const idsIn = (values: readonly unknown[]) =>
        values.flatMap(value => (value as { id: string } | null)?.id ?? []).filter(id => id.startsWith('good'))
      expect(idsIn(all.got.map(({ value }) => value))).toEqual(goods)
      const { decoded } = await createDecode(registry, schemaText)(await all.stages.raw(all.target))
      expect(idsIn(decoded.map(({ value }) => value))).toEqual(goods)
      for (const { lag } of await all.stages.log.groups()) expect(lag).toBe(0n)
    })

    test.each(of('record'))('$case', async ({ case: name, delivered, copied = delivered, code, says }) => {
      const place = all.places.get(name)!
      const letter = (letters: typeof all.letters, group: string) =>
        letters.find(
          ({ original_offset: at, consumer_group }) => place.from <= at! && at! < place.to && consumer_group!.endsWith(group),
        )
      // With a marker behind it: the record of a committed transaction.
      const records = deliveredIn(place)
      expect(place.to - place.from).toBeGreaterThan(0n)
      expect(records).toHaveLength(delivered === 'yes' || name === 'control record' ? 1 : 0)
      const [record] = records
      expect(letter(all.keptLetters, 'g') !== undefined).toBe(delivered === 'dead')
      const dead = letter(all.letters, 'copy')
      expect(dead !== undefined).toBe(copied === 'dead')
      if (dead) {
        expect(dead).toMatchObject({ error_code: code, error_message: expect.stringMatching(new RegExp(says!, 's')) })
        expect(dead.error_hint).toBeTruthy()
        const original = odd[name]!
        expect(Buffer.compare(dead.original, original.value!)).toBe(0)
        expect(Buffer.compare(dead.original_key!, original.key!)).toBe(0)
      }
      if (record && odd[name]) expectSame(record.log, odd[name])
    })
  })

  describe('among the cursors', () => {
    const values: Readonly<Record<string, (pipeline: string) => string | null>> = {
      'tombstone on cursor': () => null,
      'cursor record garbage': () => '{"v":1,"pipe',
      'cursor from newer version': pipeline => JSON.stringify({ v: 2, pipeline, split: 's', cursor: '1', since: 'later' }),
      'cursor of other pipeline': () => JSON.stringify({ v: 1, pipeline: 'other', split: 's', cursor: '1' }),
    }
    test.each(of('cursor'))('$case', async ({ case: name, outcome, code, says }) => {
      await using w = await world()
      const { stages, prefix } = w
      const pipeline = `${prefix}p`
      const topic = cursorTopicOf(pipeline)
      await stages.produce(scripted([[{ id: 'a', rating: 1 }]]))
      expect(await stages.log.cursors(pipeline)).toMatchObject([{ split: 's', value: '1' }])
      const value = values[name]!(pipeline)
      const partition = bucketOf('s', 2)
      await write(topic, [{ key: Buffer.from('s'), value: value === null ? null : Buffer.from(value) }], partition)

      const more = scripted([[{ id: 'a', rating: 1 }], [{ id: 'b', rating: 2 }]])
      const done = stages.produce(more).then(
        () => null,
        error => error,
      )
      if (outcome === 'removed') {
        expect(await stages.log.cursors(pipeline)).toEqual([])
        expect(await done).toBeNull()
        expect((await stages.records()).map(({ id }) => id)).toEqual(['a', 'a', 'b'])
        return
      }
      const expected = { code, message: expect.stringMatching(new RegExp(says!)), at: expect.stringMatching(`^${topic}/${partition}/\\d+$`) }
      const error = await done
      expect(error).toBeInstanceOf(WeirError)
      expect(error).toMatchObject(expected)
      expect(error.hint).toBeTruthy()
      await expect(stages.log.cursors(pipeline)).rejects.toMatchObject(expected)
      expect((await stages.records()).map(({ id }) => id)).toEqual(['a'])
    })
  })

  describe('among the dead letters', () => {
    test('DLQ record without headers', async () => {
      await using w = await world()
      const { stages, prefix } = w
      const topic = `${prefix}t_dlq`
      await stages.produce(scripted([[{ id: 'a' }]]))
      const [stored] = await stages.raw(topic)
      await write(topic, [
        { key: null, value: Buffer.from(stored!.value!) },
        { key: null, value: Buffer.from('no letter at all') },
        { key: null, value: null },
      ])
      const listed = []
      const decode = createDecode(registry, null)
      for await (const each of readLetters(stages.log, topic, decode, await readMarks(stages.log, topic), {})) listed.push(each)
      expect(listed.map(({ letter, state }) => [letter.error_code, state])).toEqual([
        ['map.failed', 'open'],
        ['map.failed', 'open'],
      ])
      const seen: unknown[] = []
      await runDeadLetterStage(
        {
          ...{ log: stages.log, pipeline: `${prefix}p`, topic, enough: () => true, clock: systemClock, random: () => 0.5 },
          emit: event => void (event.type === 'dead_letter_seen' && seen.push([event.stage, event.code, event.identity])),
        },
        new AbortController().signal,
      )
      expect(seen).toEqual([
        ['map', 'map.failed', `${prefix}p/s/0`],
        ['', '', ''],
        ['', '', ''],
        ['', '', ''],
      ])
    })

    test('DLQ of a DLQ', async () => {
      await using w = await world()
      const { stages, prefix } = w
      const topic = `${prefix}t_dlq`
      await stages.produce(scripted([[{ id: 'a' }, { id: 'b', rating: 1 }]]))
      const [stored] = await stages.raw(topic)
      // A pipeline whose topic is the dead-letter topic of another: what it cannot deliver has a letter of its own, in its own topic, and that is all.
      const office = await officeOf(stages, `${topic}_dlq`)
      const rejecting = {
        deliver: async () => {
          throw new WeirError('sink.rejected', 'no letters here')
        },
      }
      for (let round = 0; round < 2; round++)
        await stages.consume(rejecting, { topic, office, group: `${prefix}of-dlq`, decode: createDecode(registry, null) })
      expect(await stages.raw(topic)).toHaveLength(1)
      const { decoded } = await createDecode(registry, null)(await stages.raw(`${topic}_dlq`))
      expect(decoded.map(({ value }) => value)).toMatchObject([
        { error_code: 'sink.rejected', stage: 'deliver', original_topic: topic, original_offset: 0n },
      ])
      expect(Buffer.compare(decoded[0]!.value!['original'] as Buffer, stored!.value!)).toBe(0)
      expect(decoded[0]!.value!['original_headers']).toHaveLength(stored!.headers.length)
    })
  })
})

/** Key, value, headers and time as they were written. */
function expectSame(log: LogRecord, { key, value, headers = {}, timestamp }: Message): void {
  expect(log.key === null ? null : Buffer.from(log.key)).toEqual(key)
  expect(log.value === null ? null : Buffer.from(log.value)).toEqual(value)
  if (timestamp !== undefined) expect(log.timestampMs).toBe(Number(timestamp))
  const written = Object.entries(headers).flatMap(([name, one]) =>
    (Array.isArray(one) ? one : [one]).map(each => [name, Buffer.from(each as Buffer | string).toString('hex')]),
  )
  expect(log.headers.map(([name, bytes]) => [name, Buffer.from(bytes).toString('hex')])).toEqual(written)
}

/** An office that writes to a topic of its own. */
async function officeOf({ log }: StageWorld, topic: string) {
  const maxRecordBytes = 1024 * 1024
  await log.ensureTopic({ name: topic, partitions: 1, retentionMs: null, retentionBytes: null, maxRecordBytes })
  const letterText = readFileSync(join(import.meta.dirname, '../../schemas/dead-letter.avsc'), 'utf8')
  return createOffice({ topic, encoder: compileEncoder(letterText), schemaId: 2, maxRecordBytes, emit: () => {} })
}

/** As the topic sink does. */
const copyTo = (topic: string) => ({
  guarantee: 'exactly_once' as const,
  prepare: async ({ records }: Delivery) => [
    {
      topic,
      records: records.map(({ log: { key, value, headers, timestampMs } }) => ({ key, value, headers, timestampMs })),
    },
  ],
})
