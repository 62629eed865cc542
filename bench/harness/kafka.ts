// One Kafka and one registry for all programs of a bar, with the settings a broker has when nobody hurries it; a topic of its own for every
// run, and the truth about it: its records read back, committed ones only.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import avsc from 'avsc'
import { Kafka, logLevel } from 'kafkajs'
import { stringify } from 'yaml'
import { loadDefinition } from '../../src/app/definitions.ts'
import { openBroker } from '../../src/app/open.ts'
import { prepareBroker } from '../../src/app/preparing.ts'
import { findWorkspace } from '../../src/config/workspace.ts'
import { systemClock } from '../../src/core/clock.ts'
import { startApicurio } from '../../test/support/services/apicurio.ts'
import { startKafka } from '../../test/support/services/kafka.ts'
import { findKcat, readCommitted } from '../../test/support/services/kcat.ts'
import { MissingService } from '../../test/support/services/missing.ts'
import {
  type Build,
  type Counted,
  cache,
  fileIntake,
  freshFolder,
  type Intake,
  removeFolder,
  reviewMapping,
  reviewTopic,
  schemaPath,
  writePipeline,
} from './scene.ts'

export type Driver = 'kafkajs' | 'platformatic'
/** Each build and client that is measured. */
export const weirs: readonly { readonly build: Build; readonly driver: Driver }[] = [
  { build: 'dist', driver: 'kafkajs' },
  { build: 'src', driver: 'kafkajs' },
  { build: 'dist', driver: 'platformatic' },
]
export type Codec = 'none' | 'gzip' | 'zstd'
/** What the values of a topic are. */
export type Format = 'avro' | 'json'

export interface KafkaScene extends AsyncDisposable {
  readonly bootstrap: string
  /** Confluent-compatible, without a slash at its end. */
  readonly registry: string
  /** Makes topic, dead-letter topic and schema as `weir prepare` does; whoever writes to the topic finds them there. */
  prepare(topic: string): Promise<void>
  /** Removes the topic with what belongs to it. */
  remove(topic: string): Promise<void>
  /** The ends of all partitions together, markers of transactions included: grows with the work. */
  ends(topic: string): Promise<number>
  /** Committed records, and how many different reviews they are. */
  count(topic: string, format: Format): Promise<Counted>
  /** Committed records as librdkafka counts them; null where there is no kcat. */
  countByKcat(topic: string): Promise<number | null>
}

/** What startKafka sets so that tests run quickly, as a broker has it by itself. */
const calm = {
  'offsets.topic.num.partitions': 50,
  'transaction.state.log.num.partitions': 50,
  'num.network.threads': 3,
  'num.io.threads': 8,
  'log.initial.task.delay.ms': 30_000,
  'log.retention.check.interval.ms': 300_000,
  'log.cleaner.backoff.ms': 15_000,
  'log.cleaner.min.cleanable.ratio': 0.5,
  'log.cleaner.dedupe.buffer.size': 134_217_728,
  'offsets.retention.check.interval.ms': 600_000,
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': 10_000,
  'transaction.remove.expired.transaction.cleanup.interval.ms': 3_600_000,
}
/** As Kafka's own start script: all compilers, G1, a gigabyte. */
const fullJvm = ['-Xmx1g', '-XX:TieredStopAtLevel=4', '-XX:-UseSerialGC', '-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20']

/** @throws MissingService without Java, or when broker or registry cannot be fetched */
export async function openKafka(): Promise<KafkaScene> {
  await using stack = new AsyncDisposableStack()
  const { bootstrap } = stack.use(await startKafka({ properties: calm, jvm: fullJvm }))
  const { url: registry } = stack.use(await startApicurio())
  const kafka = new Kafka({ brokers: [bootstrap], clientId: 'bench', logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  stack.defer(() => admin.disconnect())
  const folder = freshFolder('kafka-scene')
  stack.defer(() => removeFolder(folder))
  writeWorkspace(folder, { bootstrap, registry }, 'kafkajs', 'none')
  const workspace = findWorkspace(folder, {})
  const kcat = ifThere(findKcat)
  const opened = stack.move()
  return {
    bootstrap,
    registry,
    async prepare(topic) {
      const path = writeProducer(folder, topic, fileIntake(join(cache, 'nothing.ndjson')))
      await prepareBroker([await loadDefinition(path, {})], workspace, systemClock)
    },
    async remove(topic) {
      const own = [topic, `${topic}_dlq`, `weir.cursors.${pipelineOf(topic)}`]
      const there = await admin.listTopics()
      await admin.deleteTopics({ topics: own.filter(name => there.includes(name)) })
    },
    async ends(topic) {
      const partitions = await admin.fetchTopicOffsets(topic)
      return partitions.reduce((sum, { high }) => sum + Number(high), 0)
    },
    async count(topic, format) {
      await using broker = await openBroker(workspace)
      const idOf = format === 'avro' ? idInAvro() : idInJson
      const ids = new Set<string>()
      let lines = 0
      for (let partition = 0; partition < reviewTopic.partitions; partition++)
        for await (const page of broker.log.browse(topic, { partition, from: 'earliest' }))
          for (const { value } of page) {
            lines++
            ids.add(idOf(Buffer.from(value!.buffer, value!.byteOffset, value!.length)))
          }
      return { lines, ids: ids.size }
    },
    async countByKcat(topic) {
      if (kcat === null) return null
      return (await kcat(readCommitted(bootstrap, topic, '%o\n'))).toString().split('\n').length - 1
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

function ifThere<T>(find: () => T): T | null {
  try {
    return find()
  } catch (error) {
    if (error instanceof MissingService) return null
    throw error
  }
}

function idInAvro(): (value: Buffer) => string {
  const type = avsc.Type.forSchema(JSON.parse(readFileSync(schemaPath, 'utf8')))
  return value => (type.fromBuffer(value.subarray(5)) as { review_id: string }).review_id
}

function idInJson(value: Buffer): string {
  const { user_id, timestamp } = JSON.parse(value.toString('utf8')) as { user_id: string; timestamp: number }
  return `${user_id}-${timestamp}`
}

const pipelineOf = (topic: string): string => `bench-${topic}`

/** weir.yaml of a folder. */
export function writeWorkspace(
  folder: string,
  { bootstrap, registry }: { readonly bootstrap: string; readonly registry: string },
  driver: Driver,
  compression: Codec,
): void {
  mkdirSync(folder, { recursive: true })
  const workspace = { broker: { kafka: { brokers: [bootstrap], driver, compression } }, registry: { url: registry } }
  writeFileSync(join(folder, 'weir.yaml'), stringify(workspace))
}

/** A pipeline, of a name that no run had before, from what the intake reads to the topic. */
export function writeProducer(folder: string, topic: string, intake: Intake): string {
  return writePipeline(
    folder,
    {
      pipeline: pipelineOf(topic),
      ...intake,
      map: reviewMapping,
      topic: { ...reviewTopic, name: topic },
    },
    `${topic}.yaml`,
  )
}

/** A pipeline that only reads the topic, into `out.ndjson` of the folder. */
export function writeConsumer(folder: string, topic: string, group: string): string {
  return writePipeline(folder, {
    pipeline: pipelineOf(topic),
    source: { file: { paths: ['nothing.ndjson'] } },
    map: reviewMapping,
    topic: { ...reviewTopic, name: topic },
    consume: [{ group, sink: { file: { path: 'out.ndjson' } } }],
  })
}
