// A broker's refusal as the event log tells it: a code of core/errors.ts, and what an operator does about it.
import { type Code, type RecordPlace, WeirError } from '../../core/errors.ts'
import { BrokerRefusal, refusals } from './refusal.ts'

const codeOf: Readonly<Partial<Record<number, Code>>> = {
  [refusals.OFFSET_OUT_OF_RANGE]: 'log.offset_out_of_range',
  [refusals.UNKNOWN_TOPIC_OR_PARTITION]: 'log.topic_unknown',
  [refusals.MESSAGE_TOO_LARGE]: 'log.record_too_large',
  [refusals.RECORD_LIST_TOO_LARGE]: 'log.record_too_large',
  [refusals.INVALID_TOPIC_EXCEPTION]: 'log.invalid',
  [refusals.POLICY_VIOLATION]: 'log.invalid',
  [refusals.INVALID_RECORD]: 'log.invalid',
  [refusals.NOT_ENOUGH_REPLICAS]: 'log.not_replicated',
  [refusals.NOT_ENOUGH_REPLICAS_AFTER_APPEND]: 'log.not_replicated',
  [refusals.TOPIC_AUTHORIZATION_FAILED]: 'log.denied',
  [refusals.GROUP_AUTHORIZATION_FAILED]: 'log.denied',
  [refusals.CLUSTER_AUTHORIZATION_FAILED]: 'log.denied',
  [refusals.TRANSACTIONAL_ID_AUTHORIZATION_FAILED]: 'log.denied',
  [refusals.INVALID_TIMESTAMP]: 'log.timestamp_refused',
  [refusals.ILLEGAL_GENERATION]: 'log.fenced',
  [refusals.UNKNOWN_MEMBER_ID]: 'log.fenced',
  [refusals.FENCED_INSTANCE_ID]: 'log.fenced',
  [refusals.INVALID_PRODUCER_EPOCH]: 'log.fenced',
  [refusals.PRODUCER_FENCED]: 'log.fenced',
}

const hints: Readonly<Partial<Record<Code, string>>> = {
  'log.not_replicated':
    'Fewer replicas are in sync than `min.insync.replicas` of the topic asks for: see to the brokers.',
  'log.topic_unknown': 'See that the name is right and that the topic has not been deleted.',
  'log.record_too_large': 'Raise `max.message.bytes` of the topic, or send smaller records.',
  'log.timestamp_refused':
    "The topic takes only times near now: see that this machine's clock is right, and the `message.timestamp.*` settings of the topic.",
}

/** What a code says that stands for more than its name tells. */
const meanings: Readonly<Partial<Record<number, string>>> = {
  [refusals.CONCURRENT_TRANSACTIONS]:
    ': the broker is still ending the transaction before; one of its partitions may have no leader or too few replicas in sync',
}

const contentHint = 'A compacted topic takes only records with a key; some brokers also check values against a schema.'

/** What an access rule must allow for each API, by the kind of resource that is refused; where it is none of these, what is usual (Describe is part of it). */
const operations: Readonly<
  Record<'topic' | 'group' | 'cluster' | 'transactional id', Readonly<Record<string, string>>>
> = {
  topic: {
    Produce: 'Write',
    AddPartitionsToTxn: 'Write',
    Metadata: 'Describe',
    ListOffsets: 'Describe',
    CreateTopics: 'Create',
    DescribeConfigs: 'DescribeConfigs',
    IncrementalAlterConfigs: 'AlterConfigs',
  },
  group: { OffsetFetch: 'Describe', DescribeGroups: 'Describe' },
  cluster: { CreateTopics: 'Create', ListGroups: 'Describe', InitProducerId: 'IdempotentWrite' },
  'transactional id': {},
}

const resources: Readonly<Partial<Record<number, readonly [kind: keyof typeof operations, usual: string]>>> = {
  [refusals.TOPIC_AUTHORIZATION_FAILED]: ['topic', 'Read'],
  [refusals.GROUP_AUTHORIZATION_FAILED]: ['group', 'Read'],
  [refusals.CLUSTER_AUTHORIZATION_FAILED]: ['cluster', 'ClusterAction'],
  [refusals.TRANSACTIONAL_ID_AUTHORIZATION_FAILED]: ['transactional id', 'Write'],
}

/**
 * The refusal as a WeirError of the log; `at`: the place it is of, `records`: those to blame. Codes that nobody has named, and those that
 * pass by, are log.unavailable.
 */
export function toLogError(refusal: BrokerRefusal, at?: string, records?: readonly RecordPlace[]): WeirError {
  const code = codeOf[refusal.code] ?? 'log.unavailable'
  const hint = accessHint(refusal) ?? (refusal.is('INVALID_RECORD') ? contentHint : hints[code])
  return new WeirError(code, `${refusal.message}${meanings[refusal.code] ?? ''}`, {
    ...(at && { at }),
    ...(hint && { hint }),
    ...(records && { records }),
    cause: refusal,
  })
}

function accessHint({ code, api, subject }: BrokerRefusal): string | undefined {
  const resource = resources[code]
  if (!resource) return undefined
  const [kind, usual] = resource
  const operation = operations[kind][api] ?? usual
  const name = kind === 'cluster' ? 'the cluster' : `${kind} ${subject.replace(/\[\d+\]$/, '')}`
  return `Allow ${operation} on ${name} to the user that weir logs in as (an access rule of the broker).`
}

/** What the work gives; a broker's refusal comes out as the event log tells it. `at`: what the refusal is about. */
export async function asLogErrors<T>(at: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (thrown) {
    throw thrown instanceof BrokerRefusal ? toLogError(thrown, at) : thrown
  }
}
