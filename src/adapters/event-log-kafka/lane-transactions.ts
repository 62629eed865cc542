// The calls of a transaction. I1: what a broker answered is told as it is, what it did not answer is told as not known; EndTxn is sent
// once (L2), on the coordinator that the transaction has used so far.
import { WeirError } from '../../core/errors.ts'
import type { KafkaClient, ProduceRefusal, TopicPartition } from './client.ts'
import { accept, acceptAll, answersFor, type Lane, label } from './lane.ts'
import type { Address } from './messages/cluster.ts'
import { produce } from './messages/produce.ts'
import {
  addOffsetsToTxn,
  addPartitionsToTxn,
  endTxn,
  initProducerId,
  txnOffsetCommit,
} from './messages/transactions.ts'
import { BrokerRefusal, refusals } from './refusal.ts'

type TransactionCalls = Pick<
  KafkaClient,
  'initProducer' | 'addPartitions' | 'addOffsets' | 'produce' | 'commitOffsetsInTransaction' | 'endTransaction'
>

/** While the coordinator writes the markers of the transaction before. */
const passing = ['CONCURRENT_TRANSACTIONS'] as const
/** Share of the request's deadline that the leader may wait for its replicas: the answer is still to arrive. */
const replicationShare = 0.8

export function transactionCalls(lane: Lane): TransactionCalls {
  return {
    async initProducer(transactionalId, { transactionTimeoutMs, current, deadlineMs }) {
      let before: BrokerRefusal | null = null
      try {
        return await lane.atCoordinatorWaiting(
          ['transaction', transactionalId],
          passing,
          deadlineMs,
          async coordinator => {
            const request = { transactionalId, transactionTimeoutMs, current }
            const answer = await lane.ask(coordinator, initProducerId, request)
            if (answer.error === refusals.CONCURRENT_TRANSACTIONS)
              before = new BrokerRefusal(answer.error, initProducerId.name, transactionalId)
            accept(answer.error, initProducerId, transactionalId)
            return { transactionalId, producerId: answer.producerId, epoch: answer.epoch }
          },
        )
      } catch (thrown) {
        const isFenced = thrown instanceof BrokerRefusal && thrown.is('INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED')
        throw isFenced && current !== null && before !== null ? before : thrown
      }
    },

    addPartitions: (producer, partitions, deadlineMs) =>
      lane.atCoordinatorWaiting(['transaction', producer.transactionalId], passing, deadlineMs, async coordinator => {
        const outcomes = await lane.ask(coordinator, addPartitionsToTxn, { producer, partitions })
        acceptAll(partitions, outcomes, addPartitionsToTxn)
      }),

    addOffsets: (producer, group, deadlineMs) =>
      lane.atCoordinatorWaiting(['transaction', producer.transactionalId], passing, deadlineMs, async coordinator => {
        accept(await lane.ask(coordinator, addOffsetsToTxn, { producer, group }), addOffsetsToTxn, group)
      }),

    async produce(producer, batches) {
      const { transactionalId } = producer
      const timeoutMs = Math.floor(lane.options.requestTimeoutMs * replicationShare)
      const asked = [...(await lane.byLeader(batches))].map(async ([leader, those]): Promise<ProduceRefusal[]> => {
        if (!leader) return those.map(each => ({ ...place(each), refusal: withoutLeader(each, leader), records: [] }))
        const answers = await lane.askLeader(leader, those, produce, { transactionalId, timeoutMs, batches: those })
        const refused = answersFor(those, answers, produce).filter(each => each.error !== 0)
        return refused.map(each => {
          lane.checkLeader(each)
          const refusal = new BrokerRefusal(each.error, produce.name, label(each))
          return { ...place(each), refusal, records: each.records }
        })
      })
      return await allOf(asked)
    },

    commitOffsetsInTransaction: (producer, member, offsets) =>
      lane.atCoordinator('group', member.group, async coordinator => {
        const outcomes = await lane.ask(coordinator, txnOffsetCommit, { producer, member, offsets })
        acceptAll(offsets, outcomes, txnOffsetCommit)
      }),

    endTransaction: async (producer, commit) => {
      const { transactionalId } = producer
      const end = async (coordinator: Address) =>
        accept(await lane.ask(coordinator, endTxn, { producer, commit }), endTxn, transactionalId)
      if (!commit) return await lane.atCoordinator('transaction', transactionalId, end)
      const coordinator = lane.routes.coordinator('transaction', transactionalId)
      if (!coordinator)
        throw new WeirError('log.unavailable', `the coordinator of ${transactionalId} has moved: EndTxn was not sent`)
      await lane.withCoordinator('transaction', transactionalId, () => end(coordinator))
    },
  }
}

const place = ({ topic, partition }: TopicPartition): TopicPartition => ({ topic, partition })

/** What all of them answered, once each has settled: nothing stays on its way behind a failure. @throws the first failure */
export async function allOf<T>(asked: readonly Promise<T[]>[]): Promise<T[]> {
  const settled = await Promise.allSettled(asked)
  return settled.flatMap(each => {
    if (each.status === 'rejected') throw each.reason
    return each.value
  })
}

/** What a broker would say of a partition that nobody can be asked about. */
export function withoutLeader(of: TopicPartition, leader: null | undefined): BrokerRefusal {
  const code = leader === null ? refusals.LEADER_NOT_AVAILABLE : refusals.UNKNOWN_TOPIC_OR_PARTITION
  return new BrokerRefusal(code, 'Metadata', label(of))
}
