// Set K, its second half: what a broker answers that no broker should, through each driver. Each ends in an answer or in one named error, soon,
// in little memory. kafka/expect.json holds the cases; those of records are in kafka-records.kafka.test.ts.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openKafkaEventLog } from '../../src/adapters/event-log-kafka/event-log.ts'
import type { DriverName } from '../../src/adapters/event-log-kafka/options.ts'
import { Writer } from '../../src/adapters/event-log-kafka/protocol/writer.ts'
import { type Clock, systemClock } from '../../src/core/clock.ts'
import type { WeirError } from '../../src/core/errors.ts'
import { cpuMs } from '../support/cpu-time.ts'
import { kafkaOptions } from '../support/kafka-log.ts'
import { frame, type HeardRequest, openTinyBroker } from '../support/tiny-broker.ts'

interface Case {
  readonly case: string
  readonly in: 'record' | 'cursor' | 'letter' | 'answer'
  readonly code?: string
  readonly says?: string
  readonly hint?: string
  readonly answered?: boolean
}

const cases: readonly Case[] = JSON.parse(readFileSync(join(import.meta.dirname, 'kafka/expect.json'), 'utf8'))
const ofAnswers = cases.filter(each => each.in === 'answer')
const drivers: readonly DriverName[] = ['kafkajs', 'platformatic']

const listed =
  'null value · null key · empty key · 1,000 headers · header 1 MB · header duplicate · header not UTF-8 · value not Avro · other magic · timestamp -1 · timestamp +2 h · record too large · tombstone on cursor · cursor record garbage · cursor from newer version · cursor of other pipeline · DLQ record without headers · DLQ of a DLQ · aborted txn · control record · error code 999 · response truncated · response length 2 GB · correlation id wrong · api version too low · metadata without leader · broker host private in metadata · throttle 1 h'

const metadata = 3
const listOffsets = 2
const describeConfigs = 32

interface Odd {
  /** Versions of Metadata that the broker says it speaks. */
  readonly metadataVersions?: readonly [number, number]
  readonly throttleMs?: number
  /** Error code of the topic in Metadata. */
  readonly topicError?: number
  readonly leader?: number
  /** Where clients are sent for node 1; default: here. */
  readonly host?: string
  readonly port?: number
  /** The frame of a Metadata answer that is about the topic, as it goes out. */
  readonly spoil?: (correlationId: number, body: Buffer) => Buffer
}

const oddities: Readonly<Record<string, Odd>> = {
  'error code 999': { topicError: 999 },
  'response truncated': { spoil: (id, body) => frame(id, body.subarray(0, body.length - 20)) },
  'response length 2 GB': { spoil: (id, body) => frame(id, body, 0x7fffffff) },
  'correlation id wrong': { spoil: (id, body) => frame(id + 77, body) },
  'api version too low': { metadataVersions: [0, 1] },
  'metadata without leader': { leader: -1 },
  'broker host private in metadata': { host: '127.0.0.9', port: 9 },
  'throttle 1 h': { throttleMs: 3_600_000 },
}

/** One node, one topic `t` of one partition that holds offsets 3 to 7. */
async function oddBroker(odd: Odd) {
  const { throttleMs = 0 } = odd
  const broker = await openTinyBroker((request, socket) => {
    const body = answerTo(request, odd, broker.port, throttleMs)
    const isAbout = request.apiKey === metadata && request.rest.includes('t', 4)
    const spoil = isAbout ? odd.spoil : undefined
    socket.write(spoil ? spoil(request.correlationId, body) : frame(request.correlationId, body))
  })
  return broker
}

function answerTo({ apiKey, rest }: HeardRequest, odd: Odd, port: number, throttleMs: number): Buffer {
  const to = new Writer()
  switch (apiKey) {
    case 18: {
      const ranges = Array.from({ length: 64 }, (_, key) => [key, 0, 20] as const)
      to.int16(0).array(ranges, ([key, min, max]) => {
        const [low, high] = (key === metadata && odd.metadataVersions) || [min, max]
        to.int16(key).int16(low).int16(high)
      })
      break
    }
    case metadata: {
      to.int32(throttleMs).array([1], node => to.int32(node).string(odd.host ?? '127.0.0.1').int32(odd.port ?? port).string(null))
      to.string('cluster').int32(1)
      to.array(rest.readInt32BE(0) === 0 ? [] : ['t'], name => {
        to.int16(odd.topicError ?? 0).string(name).boolean(false)
        const leader = odd.leader ?? 1
        to.array([0], partition => {
          to.int16(leader < 0 ? 5 : 0).int32(partition).int32(leader)
          to.array([1], id => to.int32(id)).array([1], id => to.int32(id)).array([], () => {})
        })
      })
      break
    }
    case listOffsets:
      to.int32(throttleMs).array(['t'], name =>
        to.string(name).array([0], partition => {
          const isEarliest = rest.lastIndexOf(Buffer.from('fffffffffffffffe', 'hex')) >= 0
          to.int32(partition).int16(0).int64(-1n).int64(isEarliest ? 3n : 7n).int32(-1)
        }),
      )
      break
    case describeConfigs:
      to.int32(throttleMs).array(['t'], name => to.int16(0).string(null).int8(2).string(name).array([], () => {}))
      break
    default:
      throw new Error(`this broker does not know api ${apiKey}`)
  }
  return Buffer.from(to.finish())
}

test('every listed case is there, those of answers with their oddity', () => {
  expect(cases.map(each => each.case)).toEqual(listed.split(' · '))
  expect(Object.keys(oddities)).toEqual(ofAnswers.map(each => each.case))
})

describe.each(drivers)('odd answers, %s', driver => {
  test('the broker without an oddity is understood', async () => {
    expect(await ask(driver, {})).toMatchObject({ partitionInfo: [{ partition: 0, earliest: 3n, latest: 7n }] })
  })

  test.each(ofAnswers)('$case', async ({ case: name, code, says, hint, answered }) => {
    const rssBefore = process.memoryUsage.rss()
    const cpuBefore = cpuMs()
    const started = performance.now()
    const outcome = await ask(driver, oddities[name]!)
    if (answered) expect(outcome).toMatchObject({ partitionInfo: [{ earliest: 3n, latest: 7n }] })
    else {
      expect(outcome).toMatchObject({ code, message: expect.stringMatching(new RegExp(says!, 's')) })
      if (hint) expect((outcome as WeirError).hint).toContain(hint)
      expect((outcome as WeirError).message).not.toMatch(/\n\s+at /)
    }
    // It waits and asks again while it may pass, and does so in little CPU; 1 h of throttling is not waited for.
    expect(performance.now() - started).toBeLessThan(5_000)
    expect(cpuMs() - cpuBefore).toBeLessThan(2_000)
    expect(process.memoryUsage.rss() - rssBefore).toBeLessThan(64 * 1024 * 1024)
  })
})

/** Twenty times as fast: what may pass is waited for, and these never do. */
const hastyClock: Clock = {
  ...systemClock,
  monotonic: () => systemClock.monotonic() * 20,
  sleep: (ms, signal) => systemClock.sleep(ms / 20, signal),
}

/** What becomes of a question about the topic. */
async function ask(driver: DriverName, odd: Odd): Promise<unknown> {
  await using broker = await oddBroker(odd)
  const options = kafkaOptions(`127.0.0.1:${broker.port}`, {
    ...{ driver, clock: hastyClock, connectTimeoutMs: 500, requestTimeoutMs: 500 },
  })
  try {
    await using log = await openKafkaEventLog(options)
    return await log.topic('t')
  } catch (error) {
    return error
  }
}
