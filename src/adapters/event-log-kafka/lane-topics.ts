// The calls of topics and their settings. Changes go to the controller, which refuses what is not its business before it does anything.
import type { KafkaClient } from './client.ts'
import { accept, type Lane } from './lane.ts'
import { offsetsAt } from './lane-reads.ts'
import { metadata } from './messages/cluster.ts'
import { latest } from './messages/fetch.ts'
import { createTopics, describeConfigs, incrementalAlterConfigs, type TopicOutcome } from './messages/topics.ts'
import type { Api } from './protocol/api.ts'
import { BrokerRefusal, refusals } from './refusal.ts'

type TopicCalls = Pick<KafkaClient, 'metadata' | 'createTopic' | 'topicConfigs' | 'setTopicConfigs'>

const notController = 41
/** While a new topic becomes known. */
const settling = ['LEADER_NOT_AVAILABLE', 'NOT_LEADER_OR_FOLLOWER', 'UNKNOWN_TOPIC_OR_PARTITION'] as const

export function topicCalls(lane: Lane): TopicCalls {
  /** Asks the controller; one that says it is none has done nothing, so the next is asked once. */
  const change = async <Request>(api: Api<Request, readonly TopicOutcome[]>, request: Request): Promise<void> => {
    let outcomes: readonly TopicOutcome[] = []
    for (let attempt = 0; attempt < 2; attempt++) {
      const controller = attempt === 0 ? lane.routes.controller : null
      if (!controller) await lane.lookUp([])
      const node = lane.routes.controller ?? lane.routes.nodes[0]
      if (!node) throw new BrokerRefusal(refusals.LEADER_NOT_AVAILABLE, metadata.name, 'the controller')
      outcomes = await lane.ask(node, api, request)
      if (!outcomes.some(each => each.error === notController)) break
    }
    for (const { error, topic, reason } of outcomes) accept(error, api, topic, reason)
  }

  const calls: TopicCalls = {
    async metadata(topics) {
      const found = await lane.lookUp(topics)
      return found.topics
        .filter(each => each.error !== refusals.UNKNOWN_TOPIC_OR_PARTITION && (topics !== null || !each.internal))
        .map(({ error, topic, partitions }) => {
          if (error !== refusals.LEADER_NOT_AVAILABLE) accept(error, metadata, topic)
          return {
            topic,
            partitions: partitions
              .map(each => ({ ...each, leader: each.leader < 0 ? null : each.leader }))
              .sort((a, b) => a.partition - b.partition),
          }
        })
    },

    async createTopic(topic) {
      const { requestTimeoutMs } = lane.options
      await change(createTopics, { ...topic, timeoutMs: requestTimeoutMs })
      await lane.waiting(settling, requestTimeoutMs, async () => {
        await knownEverywhere(lane, topic)
        await leadersLead(lane, topic)
      })
    },

    async topicConfigs(topics) {
      const described = await lane.askAny(describeConfigs, topics)
      return new Map(
        described.map(({ error, topic, reason, configs }) => {
          accept(error, describeConfigs, topic, reason)
          return [topic, configs]
        }),
      )
    },

    setTopicConfigs: (topic, configs) => change(incrementalAlterConfigs, { topic, configs }),
  }
  return calls
}

type Topic = Parameters<KafkaClient['createTopic']>[0]

/** Every broker that answers must know who leads: any of them may be the next one that is asked about the topic. */
async function knownEverywhere(lane: Lane, topic: Topic): Promise<void> {
  await lane.lookUp([topic.name])
  const answers = await Promise.allSettled(lane.routes.nodes.map(node => lane.ask(node, metadata, [topic.name])))
  for (const answer of answers) {
    if (answer.status === 'rejected') continue
    lane.routes.learn(answer.value)
    const led = answer.value.topics[0]?.partitions.filter(each => each.leader >= 0).length
    if (led !== topic.partitions) throw new BrokerRefusal(refusals.LEADER_NOT_AVAILABLE, metadata.name, topic.name)
  }
}

/** A broker is named as leader a moment before it takes writes; who may create topics may be forbidden to look (29). */
async function leadersLead(lane: Lane, { name, partitions }: Topic): Promise<void> {
  const places = Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition }))
  try {
    await offsetsAt(lane, places, latest, 'uncommitted')
  } catch (error) {
    if (!(error instanceof BrokerRefusal && error.is('TOPIC_AUTHORIZATION_FAILED'))) throw error
  }
}
