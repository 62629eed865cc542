// The calls that tell how transactions stand. Asking harms nobody; a broker that does not speak them, or does not let us ask, tells nothing.
import type { KafkaClient, TopicPartition } from './client.ts'
import { accept, type Lane, label } from './lane.ts'
import { allOf, withoutLeader } from './lane-transactions.ts'
import { describeProducers, describeTransactions } from './messages/transaction-states.ts'
import { refusalIn, refusals } from './refusal.ts'

type EndingCalls = Pick<KafkaClient, 'openIn' | 'decisionOf'>

const decisions: Readonly<Record<string, 'commit' | 'abort'>> = {
  PrepareCommit: 'commit',
  CompleteCommit: 'commit',
  // Whoever begins the next epoch ends it so.
  Ongoing: 'abort',
  PrepareAbort: 'abort',
  PrepareEpochFence: 'abort',
  CompleteAbort: 'abort',
}
const none: readonly number[] = [refusals.TRANSACTIONAL_ID_NOT_FOUND, refusals.TRANSACTIONAL_ID_AUTHORIZATION_FAILED]

export function endingCalls(lane: Lane): EndingCalls {
  return {
    async openIn(producerId, partitions) {
      const asked = [...(await lane.byLeader(partitions))].map(async ([leader, those]): Promise<TopicPartition[]> => {
        // A broker that has just started may not know of a topic yet.
        if (!leader) throw withoutLeader(those[0]!, null)
        const answers = await spoken(lane.askLeader(leader, those, describeProducers, those), [])
        return answers.flatMap(({ error, topic, partition, open }) => {
          lane.checkLeader({ topic, error })
          if (error === refusals.UNKNOWN_TOPIC_OR_PARTITION) throw withoutLeader({ topic, partition }, null)
          if (error !== refusals.TOPIC_AUTHORIZATION_FAILED && !isRedpandas(topic, error))
            accept(error, describeProducers, label({ topic, partition }))
          return error === 0 && open.includes(producerId) ? [{ topic, partition }] : []
        })
      })
      return await allOf(asked)
    },

    decisionOf: (transactionalId, deadlineMs) =>
      lane.atCoordinatorWaiting(['transaction', transactionalId], [], deadlineMs, async coordinator => {
        const [told] = await spoken(lane.ask(coordinator, describeTransactions, [transactionalId]), [])
        if (told === undefined || none.includes(told.error)) return null
        accept(told.error, describeTransactions, transactionalId)
        return decisions[told.state] ?? null
      }),
  }
}

/** Redpanda has no answer for a topic of its own. */
function isRedpandas(topic: string, error: number): boolean {
  return topic.startsWith('__') && error === refusals.UNKNOWN_SERVER_ERROR
}

/** What is answered, or `otherwise` by a broker that does not speak it. */
async function spoken<T>(answer: Promise<T>, otherwise: T): Promise<T> {
  return await answer.catch(thrown => {
    if (refusalIn(thrown)?.is('UNSUPPORTED_VERSION')) return otherwise
    throw thrown
  })
}
