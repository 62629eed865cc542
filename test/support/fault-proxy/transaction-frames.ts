// Requests of transactions as they pass a proxy: whose they are, and under which epoch.
import { apis } from '../kafka-proxy.ts'
import type { KafkaFrame } from './kafka-frames.ts'

export interface Epoch {
  readonly transactionalId: string
  readonly producerId: bigint
  /** -1 where an epoch is asked for without one at hand. */
  readonly epoch: number
}

/** Of AddPartitionsToTxn and EndTxn up to v2, InitProducerId from v3 on: the versions that weir speaks. */
export function epochOf({ bytes, apiKey, apiVersion }: KafkaFrame): Epoch {
  const clientId = bytes.readInt16BE(12)
  let at = 14 + Math.max(0, clientId)
  if (apiKey === apis.initProducerId) {
    if (apiVersion < 3) throw new Error(`InitProducerId v${apiVersion} names no epoch`)
    // An empty tag section ends the header; one byte is the length of the name, plus one.
    const end = at + 2 + bytes[at + 1]! - 1
    const transactionalId = bytes.toString('utf8', at + 2, end)
    return { transactionalId, producerId: bytes.readBigInt64BE(end + 4), epoch: bytes.readInt16BE(end + 12) }
  }
  if ((apiKey !== apis.endTxn && apiKey !== apis.addPartitionsToTxn) || apiVersion > 2)
    throw new Error(`no epoch is read from api ${apiKey} v${apiVersion}`)
  const end = at + 2 + bytes.readInt16BE(at)
  at += 2
  return {
    transactionalId: bytes.toString('utf8', at, end),
    producerId: bytes.readBigInt64BE(end),
    epoch: bytes.readInt16BE(end + 8),
  }
}

/** True when both are the same epoch of the same producer. */
export const isSameEpoch = (a: Epoch, b: Epoch): boolean =>
  a.transactionalId === b.transactionalId && a.producerId === b.producerId && a.epoch === b.epoch
