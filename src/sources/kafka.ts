// The `kafka` source: a bridge from a topic of any cluster. One split a partition, its cursor the next offset, stored with the records and not in
// a consumer group: so each record is here once, whatever dies (I1, I13). Committed records only.
import { WeirError } from '../core/errors.ts'
import type { LogRecord } from '../core/record.ts'
import type { Problem } from '../core/spec.ts'
import type { Source, SourceBatch, Split, TopicInfo } from '../pipeline/ports.ts'
import type { Cluster } from './kafka/cluster.ts'
import { itemOf, recordOf } from './kafka/items.ts'
import { type KafkaConfig, kafkaSpec } from './kafka/spec.ts'
import { asSource, sourceError } from './kafka/trouble.ts'
import { defineSource, type SourceDeps } from './source.ts'

const cursorVersion = 1
/** What is known of the topic is asked anew after this time. */
const freshMs = 1_000

export const kafka = defineSource({
  name: 'kafka',
  summary: 'Reads a topic of a Kafka cluster, this one or another: JSON, Avro, text or bytes.',
  config: kafkaSpec,
  cluster: true,
  examples: [
    {
      title: 'JSON from another cluster',
      config: { brokers: ['redpanda.example.com:9092'], topic: 'raw_reviews', tls: true },
    },
    {
      title: 'Avro, with a login, from what comes from now on',
      config: {
        brokers: ['kafka-0:9093', 'kafka-1:9093'],
        tls: true,
        sasl: { scram_sha_256: { username: 'weir', password: '${KAFKA_PASSWORD}' } },
        topic: 'reviews',
        from: 'latest',
        format: 'avro',
        registry: { url: 'https://registry.example.com' },
      },
    },
  ],
  replayable: true,
  claim: ({ out_of_range }) => ({
    guarantee: 'exactly_once',
    why: 'Each partition is a split whose cursor is the next offset, stored in the transaction of the records; only committed records are read.',
    while:
      out_of_range === 'stop'
        ? 'the topic is not made anew under the same name'
        : 'the topic keeps its records until they are read: what is gone is told and passed over',
    proof: {
      file: 'test/unit/sources/kafka.test.ts',
      test: 'I13: going on from the cursor of any batch gives exactly the rest',
    },
  }),
  lint: lintKafka,
  open: (config, deps) => new KafkaSource(config, deps),
})

function lintKafka({ format, registry }: KafkaConfig): readonly Problem[] {
  if (format === 'avro' && registry === undefined)
    return [
      {
        severity: 'error',
        code: 'config.missing_field',
        message: 'Avro values name their schema by an id: a `registry` must say what it is.',
        pointer: '',
        hint: 'Add `registry: { url: … }` beside `topic`.',
      },
    ]
  if (format !== 'avro' && registry !== undefined)
    return [
      {
        severity: 'warning',
        code: 'config.warning',
        message: `\`registry\` has no use with \`format: ${format}\`.`,
        pointer: '/registry',
        hint: 'Write `format: avro`, or remove it.',
      },
    ]
  return []
}

type Partition = TopicInfo['partitionInfo'][number]

class KafkaSource implements Source {
  readonly endless = false
  readonly #config: KafkaConfig
  readonly #deps: SourceDeps
  /** Partitions there were when this process first looked: `latest` is for them. */
  #atFirst: ReadonlySet<number> | undefined
  #known: { readonly partitions: readonly Partition[]; readonly askedMs: number } | undefined

  constructor(config: KafkaConfig, deps: SourceDeps) {
    this.#config = config
    this.#deps = deps
  }

  async splits(): Promise<readonly Split[]> {
    const { topic } = this.#config
    const partitions = await this.#partitions(true)
    this.#atFirst ??= new Set(partitions.map(({ partition }) => partition))
    return partitions.map(({ partition }) => ({
      id: `${topic}/${partition}`,
      vars: { topic, partition: BigInt(partition) },
    }))
  }

  async *read(split: Split, cursor: string | null, signal: AbortSignal): AsyncGenerator<SourceBatch, void> {
    const number = Number(split.id.slice(split.id.lastIndexOf('/') + 1))
    let next = cursor === null ? null : nextOf(cursor)
    const at = await this.#partition(number, next)
    if (next === null) {
      next = this.#startOf(at)
      // Where it begins is kept at once: after a crash the end would be another one.
      if (next > at.earliest) yield { items: [], cursor: cursorAt(next) }
    }
    if (next < at.earliest || next > at.latest) next = this.#outOfRange(split, next, at)
    try {
      const { log } = await this.#cluster()
      const { topic } = this.#config
      for await (const records of log.browse(topic, { partition: number, from: { offset: next }, signal })) {
        if (signal.aborted) return
        // A hole may be what an aborted transaction left, or what retention took while we looked away.
        if (records[0]!.offset > next) {
          const now = await this.#partition(number, null)
          if (now.earliest > next) next = this.#outOfRange(split, next, now)
        }
        next = records.at(-1)!.offset + 1n
        yield await this.#batch(records, next)
      }
    } catch (thrown) {
      throw sourceError(thrown)
    }
    // Behind the last record may stand markers and aborted records: they are passed too.
    if (!signal.aborted && next < at.latest) yield { items: [], cursor: cursorAt(at.latest) }
  }

  async reparse(raw: Uint8Array, context: string | undefined): Promise<readonly unknown[]> {
    const record = recordOf(raw, context)
    const avro = this.#config.format === 'avro' ? await (await this.#cluster()).avro([record]) : undefined
    const item = itemOf(record, this.#config, avro)
    if (item.error) throw item.error
    return [item.value]
  }

  describeCursor(cursor: string): string {
    return `offset ${nextOf(cursor)} is next`
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #batch(records: readonly LogRecord[], next: bigint): Promise<SourceBatch> {
    const { format, tombstones } = this.#config
    const kept = tombstones === 'skip' ? records.filter(record => record.value !== null) : records
    const avro = format === 'avro' ? await (await this.#cluster()).avro(kept) : undefined
    const skipped = records.length - kept.length
    return {
      items: kept.map(record => itemOf(record, this.#config, avro)),
      cursor: cursorAt(next),
      ...(skipped > 0 ? { drops: { skipped } } : {}),
    }
  }

  #startOf({ partition, earliest, latest }: Partition): bigint {
    return this.#config.from === 'latest' && this.#atFirst?.has(partition) !== false ? latest : earliest
  }

  /** Where to go on when what the cursor names is not there. @throws source.cursor_refused */
  #outOfRange(split: Split, next: bigint, { earliest, latest }: Partition): bigint {
    const { emit, pipeline } = this.#deps
    const lost = next < earliest ? `${earliest - next} offsets from ${next} on are no longer kept` : undefined
    const what = lost ?? `its end is ${latest}, before the cursor ${next}: the topic was made anew, or lost records`
    if (this.#config.out_of_range === 'stop')
      throw new WeirError('source.cursor_refused', `${split.id}: ${what}`, {
        at: split.id,
        hint: 'Decide what is to be read: `out_of_range: earliest` goes on with what is left, `weir cursor set` names an offset.',
      })
    emit({
      type: 'source_notice',
      pipeline,
      split: split.id,
      code: 'source.cursor_refused',
      message: `${what}; reading goes on at ${earliest}`,
    })
    return earliest
  }

  /** `cursor`: told to be beyond the end, it is looked at once more, with what is known now. */
  async #partition(number: number, cursor: bigint | null): Promise<Partition> {
    const find = (partitions: readonly Partition[]) => partitions.find(({ partition }) => partition === number)
    let found = find(await this.#partitions(cursor === null))
    if (found === undefined || (cursor !== null && cursor > found.latest)) found = find(await this.#partitions(true))
    if (found === undefined)
      throw new WeirError('source.cursor_refused', `The topic has no partition ${number} any more`, {
        at: `${this.#config.topic}/${number}`,
        hint: 'It was made anew with fewer partitions: `weir cursor reset` starts over.',
      })
    return found
  }

  async #partitions(anew: boolean): Promise<readonly Partition[]> {
    const { topic } = this.#config
    const { clock } = this.#deps
    if (!anew && this.#known && clock.monotonic() - this.#known.askedMs < freshMs) return this.#known.partitions
    const info = await asSource(async () => (await this.#cluster()).log.topic(topic))
    if (info === null)
      throw new WeirError('fetch.fatal', `The cluster that is read from has no topic ${topic}`, {
        hint: 'See that the name is right; it is read once it is there.',
      })
    this.#known = { partitions: info.partitionInfo, askedMs: clock.monotonic() }
    return info.partitionInfo
  }

  #cluster(): Promise<Cluster> {
    const { cluster } = this.#deps
    if (!cluster) throw new WeirError('internal', 'The kafka source was opened without a cluster')
    return cluster()
  }
}

function cursorAt(next: bigint): string {
  return JSON.stringify({ v: cursorVersion, next: String(next) })
}

/** @throws cursor.invalid */
function nextOf(cursor: string): bigint {
  try {
    const { v, next } = JSON.parse(cursor)
    if (v === cursorVersion && typeof next === 'string' && /^\d{1,19}$/.test(next)) return BigInt(next)
  } catch {
    // Not JSON, or not an object: said below.
  }
  throw new WeirError('cursor.invalid', 'The stored cursor of the partition cannot be understood', {
    hint: '`weir cursor reset` starts over; `weir cursor set` takes {"v":1,"next":"<offset>"}.',
  })
}
