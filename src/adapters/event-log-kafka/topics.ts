// Topics on a cluster: made once, checked ever after. The number of partitions is never changed, so a key stays where it is (I3).
import type { Clock } from '../../core/clock.ts'
import { WeirError } from '../../core/errors.ts'
import type { TopicInfo, TopicSpec } from '../../pipeline/ports.ts'
import type { KafkaClient, TopicMetadata } from './client.ts'
import { cursorTopicPrefix } from './cursor-topic.ts'
import { endsOf, keyOf, patiently } from './ends.ts'
import { toLogError } from './log-errors.ts'
import { BrokerRefusal } from './refusal.ts'
import type { TopicTable } from './topic-table.ts'

/** What topics are asked and made with. */
export interface TopicParts {
  readonly client: KafkaClient
  readonly clock: Clock
  readonly topics: TopicTable
  /** Replicas of a topic that is made; null: the broker's default. */
  readonly replicationFactor: number | null
}

export interface EnsuredTopic {
  readonly info: TopicInfo
  readonly created: boolean
  /** What an operator should know of the topic: one sentence each, no failure. */
  readonly notes: readonly string[]
}

/** Settings of a topic by name, as the broker tells them; empty where they may not be read. */
type Configs = ReadonlyMap<string, string>

/** The broker limits batches; a batch of one record carries this much besides its key, value and headers, unless it has very many headers. */
const batchOverheadBytes = 1024
const leastBatchBytes = 1024 * 1024
/** INVALID_PARTITIONS, INVALID_REPLICATION_FACTOR, INVALID_REPLICA_ASSIGNMENT, INVALID_CONFIG: it will be refused again. */
const unfit: readonly number[] = [37, 38, 39, 40]
const toldWithinMs = 2_000
/** The broker's own default, where settings may not be read. */
const defaultBatchBytes = 1_048_588

/**
 * Makes the topic, or checks that the one there fits and brings its limits up to date.
 * `retentionBytes` is for the topic, Kafka's `retention.bytes` for a partition: each gets an even share, rounded up.
 * Kafka limits batches, not records: `max.message.bytes` is what one record of `maxRecordBytes` needs, at least 1 MiB; weir itself keeps to `maxRecordBytes`.
 * A topic whose settings this user may not read or change is taken as it is, with a note.
 * @throws log.topic_conflict, log.unavailable, log.denied
 */
export async function ensureTopic(parts: TopicParts, spec: TopicSpec): Promise<EnsuredTopic> {
  const { topics } = parts
  topics.limit(spec.name, spec.maxRecordBytes)
  const [there] = await metadataOf(parts, spec.name)
  const made = there === undefined && (await create(parts, spec))
  if (made) return { info: await madeInfo(parts, spec), created: true, notes: await notesOf(parts, spec.name) }
  const [found] = there === undefined ? await metadataOf(parts, spec.name) : [there]
  if (found === undefined)
    throw new WeirError('log.unavailable', `Topic ${spec.name} is being made or removed by another process.`, {
      at: spec.name,
      hint: 'It settles by itself; the same call may be made again.',
    })
  checkPartitions(found, spec)
  const refused = await updateLimits(parts, spec)
  topics.forget(spec.name)
  return {
    info: await infoOf(parts, found),
    created: false,
    notes: [...(refused === null ? [] : [refused]), ...(await notesOf(parts, spec.name))],
  }
}

/** null when there is no such topic. @throws log.unavailable, log.denied */
export async function topicInfo(parts: TopicParts, name: string): Promise<TopicInfo | null> {
  const [found] = await metadataOf(parts, name)
  return found === undefined ? null : infoOf(parts, found)
}

/** All topics by name, but those in which weir keeps its cursors. @throws log.unavailable, log.denied */
export async function allTopics(parts: TopicParts): Promise<readonly TopicInfo[]> {
  const { client, clock } = parts
  const all = await patiently(clock, 'the list of topics', () => client.metadata(null))
  const shown = all.filter(({ topic }) => !topic.startsWith(cursorTopicPrefix))
  return infosOf(
    parts,
    shown.sort((a, b) => (a.topic < b.topic ? -1 : 1)),
  )
}

/**
 * What keeps a topic from surviving the loss of a broker, in words for an operator; nothing when it survives, or when the cluster has one broker.
 * `brokers`: how many lead or could lead something, as far as the metadata tells.
 */
export function replicationNotes(
  { topic, partitions }: TopicMetadata,
  configs: ReadonlyMap<string, string>,
  brokers: number,
): readonly string[] {
  const replicas = Math.min(...partitions.map(each => each.replicas))
  const inSync = Number(configs.get('min.insync.replicas') ?? Number.NaN)
  const notes: string[] = []
  if (brokers > 1 && replicas === 1)
    notes.push(
      `Topic ${topic} has one replica of each partition: what a lost broker held is lost with it. Three is usual.`,
    )
  if (replicas > 1 && inSync === 1)
    notes.push(
      `Topic ${topic} has min.insync.replicas 1: a record counts as stored while one broker has it. ${replicas > 2 ? 2 : replicas} is safe.`,
    )
  if (replicas > 1 && inSync >= replicas)
    notes.push(
      `Topic ${topic} has min.insync.replicas ${inSync} of ${replicas} replicas: it takes no writes while one broker is away.`,
    )
  const lagging = partitions.filter(each => each.inSync < each.replicas).length
  if (lagging > 0) notes.push(`Topic ${topic} has ${lagging} of ${partitions.length} partitions with replicas behind.`)
  return notes
}

function metadataOf({ client, clock }: TopicParts, name: string): Promise<readonly TopicMetadata[]> {
  return patiently(clock, `topic ${name}`, () => client.metadata([name]))
}

/** @returns false when another process made it first */
async function create({ client, clock, replicationFactor }: TopicParts, spec: TopicSpec): Promise<boolean> {
  try {
    await client.createTopic({
      name: spec.name,
      partitions: spec.partitions,
      replicationFactor,
      configs: {
        'cleanup.policy': 'delete',
        'compression.type': 'producer',
        'message.timestamp.type': 'CreateTime',
        ...limitsOf(spec),
      },
    })
    return true
  } catch (thrown) {
    if (!(thrown instanceof BrokerRefusal)) throw thrown
    if (unfit.includes(thrown.code))
      throw new WeirError(
        'log.invalid',
        `The cluster can not make topic ${spec.name} as it is defined: ${thrown.message}`,
        {
          at: spec.name,
          hint: 'See `partitions` and the limits of the topic, and whether the cluster has as many brokers as `replication_factor` asks for.',
          cause: thrown,
        },
      )
    if (!thrown.is('TOPIC_ALREADY_EXISTS')) throw toLogError(thrown, `topic ${spec.name}`)
    // The one who makes it has not finished; its leaders are known in a moment.
    await clock.sleep(100)
    return false
  }
}

function limitsOf(spec: TopicSpec): Record<string, string> {
  const { partitions, retentionMs, retentionBytes, maxRecordBytes } = spec
  return {
    'retention.ms': String(retentionMs ?? -1),
    'retention.bytes': String(retentionBytes === null ? -1 : Math.ceil(retentionBytes / partitions)),
    'max.message.bytes': String(Math.max(leastBatchBytes, maxRecordBytes + batchOverheadBytes)),
  }
}

function checkPartitions({ partitions }: TopicMetadata, spec: TopicSpec): void {
  if (partitions.length === spec.partitions) return
  const more = spec.partitions > partitions.length
  throw new WeirError(
    'log.topic_conflict',
    `Topic ${spec.name} has ${partitions.length} partitions, not ${spec.partitions}.`,
    {
      at: spec.name,
      hint: `Write \`partitions: ${partitions.length}\`, or choose another topic: ${
        more ? 'with more partitions keys would move' : 'Kafka cannot take partitions away'
      }.`,
    },
  )
}

/** @returns why the limits stay as they are, or null when they are as the definition says */
async function updateLimits({ client, clock }: TopicParts, spec: TopicSpec): Promise<string | null> {
  try {
    const configs = await configsOf({ client }, spec.name)
    const differing = Object.entries(limitsOf(spec)).filter(([name, value]) => configs.get(name) !== value)
    if (differing.length === 0) return null
    const wanted = Object.fromEntries(differing)
    await patiently(clock, `topic ${spec.name}`, () => client.setTopicConfigs(spec.name, wanted))
    await untilTold(client, clock, spec.name, wanted)
    return null
  } catch (thrown) {
    const error = thrown instanceof BrokerRefusal ? toLogError(thrown, `topic ${spec.name}`) : thrown
    if (!(error instanceof WeirError) || error.retry) throw error
    return `Topic ${spec.name} keeps its own retention and limits: ${error.message}`
  }
}

/** Brokers hear of new settings a moment after the one who set them. */
async function untilTold(
  client: KafkaClient,
  clock: Clock,
  name: string,
  wanted: Readonly<Record<string, string>>,
): Promise<void> {
  const endMs = clock.monotonic() + toldWithinMs
  while (clock.monotonic() < endMs) {
    const configs = await configsOf({ client }, name)
    if (Object.entries(wanted).every(([setting, value]) => configs.get(setting) === value)) return
    await clock.sleep(20)
  }
}

async function notesOf(parts: TopicParts, name: string): Promise<readonly string[]> {
  const { client } = parts
  const all = await client.metadata(null).catch(() => [])
  const found = all.find(({ topic }) => topic === name)
  if (found === undefined) return []
  const configs = await readableConfigs(client, [name])
  return [
    ...policyNotes(name, configs.get(name)),
    ...replicationNotes(found, configs.get(name) ?? new Map(), brokersIn(all)),
  ]
}

function policyNotes(name: string, configs: Configs | undefined): string[] {
  const policy = configs?.get('cleanup.policy') ?? 'delete'
  return policy.includes('compact')
    ? [`Topic ${name} is compacted (cleanup.policy ${policy}): of each key only the newest record stays.`]
    : []
}

/** Brokers that the metadata shows at work: those that lead partitions, and at least as many as a partition has replicas. */
export function brokersIn(all: readonly TopicMetadata[]): number {
  const partitions = all.flatMap(each => each.partitions)
  const leaders = new Set(partitions.flatMap(({ leader }) => (leader === null ? [] : [leader])))
  return Math.max(leaders.size, ...partitions.map(each => each.replicas))
}

async function infoOf(parts: TopicParts, found: TopicMetadata): Promise<TopicInfo> {
  return (await infosOf(parts, [found]))[0]!
}

/** What was just made, without waiting for its settings to spread through the cluster. */
async function madeInfo(parts: TopicParts, spec: TopicSpec): Promise<TopicInfo> {
  const partitionInfo = Array.from({ length: spec.partitions }, (_, partition) => ({
    partition,
    earliest: 0n,
    latest: 0n,
  }))
  parts.topics.forget(spec.name)
  return { ...spec, partitionInfo, bytes: null }
}

async function infosOf(parts: TopicParts, found: readonly TopicMetadata[]): Promise<readonly TopicInfo[]> {
  const { client, clock, topics } = parts
  const places = found.flatMap(({ topic, partitions }) => partitions.map(({ partition }) => ({ topic, partition })))
  const [ends, configs] = await Promise.all([
    endsOf(client, clock, places),
    readableConfigs(
      client,
      found.map(({ topic }) => topic),
    ),
  ])
  return found.map(({ topic, partitions }) => {
    const settings: Configs = configs.get(topic) ?? new Map()
    const retentionBytes = limitIn(settings, 'retention.bytes')
    return {
      name: topic,
      partitions: partitions.length,
      retentionMs: limitIn(settings, 'retention.ms'),
      retentionBytes: retentionBytes === null ? null : retentionBytes * partitions.length,
      maxRecordBytes: topics.limitOf(topic) ?? limitIn(settings, 'max.message.bytes') ?? defaultBatchBytes,
      partitionInfo: partitions
        .map(({ partition }) => {
          const { earliest, latest } = ends.get(keyOf({ topic, partition })) ?? { earliest: 0n, latest: 0n }
          return { partition, earliest, latest }
        })
        .sort((a, b) => a.partition - b.partition),
      bytes: null,
    }
  })
}

/** A limit as a number; null where there is none. */
function limitIn(configs: Configs, name: string): number | null {
  const value = Number(configs.get(name) ?? -1)
  return Number.isSafeInteger(value) && value >= 0 ? value : null
}

async function configsOf({ client }: Pick<TopicParts, 'client'>, name: string): Promise<Configs> {
  return (await client.topicConfigs([name])).get(name) ?? new Map()
}

async function readableConfigs(client: KafkaClient, names: readonly string[]): Promise<ReadonlyMap<string, Configs>> {
  if (names.length === 0) return new Map()
  try {
    return await client.topicConfigs(names)
  } catch (thrown) {
    if (thrown instanceof BrokerRefusal) return new Map()
    throw thrown
  }
}
