// Kafka's frames: cut out of the stream, their headers read, answers paired with the requests they answer.
import type { Direction } from './flow.ts'

export interface KafkaFrame {
  readonly direction: Direction
  /** Of an answer: of the request it answers; -1 where none is known. */
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
  /** All of it, its length first. */
  readonly bytes: Buffer
}

/** The frames of one connection. Each call takes what has arrived and gives the frames that are whole now. */
export interface FrameReader {
  request(bytes: Buffer): KafkaFrame[]
  answer(bytes: Buffer): KafkaFrame[]
}

export function frameReader(): FrameReader {
  const asked = new Map<number, { readonly apiKey: number; readonly apiVersion: number }>()
  const requests = cutter(12)
  const answers = cutter(8)
  return {
    request: bytes =>
      requests(bytes).map(frame => {
        const header = { apiKey: frame.readInt16BE(4), apiVersion: frame.readInt16BE(6) }
        const correlationId = frame.readInt32BE(8)
        asked.set(correlationId, header)
        return { direction: 'request', ...header, correlationId, bytes: frame }
      }),
    answer: bytes =>
      answers(bytes).map(frame => {
        const correlationId = frame.readInt32BE(4)
        const header = asked.get(correlationId) ?? { apiKey: -1, apiVersion: -1 }
        asked.delete(correlationId)
        return { direction: 'answer', ...header, correlationId, bytes: frame }
      }),
  }
}

/** Cuts a stream into frames of a 4-byte length and so many bytes, each of at least `leastBytes` in all. */
function cutter(leastBytes: number): (bytes: Buffer) => Buffer[] {
  let rest: Buffer[] = []
  let held = 0
  /** Of the frame that is not whole yet; 0 while its length is not known. */
  let needed = 0
  return bytes => {
    rest.push(bytes)
    held += bytes.length
    if (held < Math.max(4, needed)) return []
    let joined = rest.length === 1 ? rest[0]! : Buffer.concat(rest)
    const frames: Buffer[] = []
    for (needed = 0; joined.length >= 4; joined = joined.subarray(needed)) {
      needed = 4 + joined.readInt32BE(0)
      if (needed < leastBytes || needed > 1 << 30)
        throw new Error('what goes through this proxy is not the Kafka protocol')
      if (joined.length < needed) break
      frames.push(joined.subarray(0, needed))
    }
    if (joined.length < 4) needed = 0
    rest = joined.length > 0 ? [joined] : []
    held = joined.length
    return frames
  }
}

/** From which version on an API is flexible: compact lengths, tagged fields, also in the header of its answers. */
const flexibleFrom: Readonly<Record<number, number>> = {
  0: 9,
  8: 8,
  10: 3,
  11: 6,
  12: 4,
  13: 4,
  14: 4,
  22: 2,
  24: 3,
  25: 3,
  26: 3,
  28: 3,
}
const topicsFirst = new Set([0])
const topicsAfterThrottle = new Set([8, 24, 28])

/**
 * Where in the frame an answer carries its (first) error code: Produce, OffsetCommit, FindCoordinator up to v3, JoinGroup, Heartbeat, LeaveGroup,
 * SyncGroup, InitProducerId, AddPartitionsToTxn up to v3, AddOffsetsToTxn, EndTxn, TxnOffsetCommit, in versions that begin with the throttle time.
 */
export function errorPosition({ direction, apiKey, apiVersion, bytes }: KafkaFrame): number {
  const first = flexibleFrom[apiKey]
  if (direction !== 'answer' || first === undefined || (apiKey === 24 && apiVersion > 3))
    throw new Error(`no known error code in a ${direction} of api ${apiKey} v${apiVersion}`)
  const flexible = apiVersion >= first
  const start = flexible ? 9 : 8
  if (topicsFirst.has(apiKey)) return inTopics(bytes, start, flexible)
  return topicsAfterThrottle.has(apiKey) ? inTopics(bytes, start + 4, flexible) : start + 4
}

/** topics [ name, partitions [ index, error … */
function inTopics(bytes: Buffer, start: number, flexible: boolean): number {
  if (!flexible) return start + 4 + 2 + bytes.readInt16BE(start + 4) + 4 + 4
  // Fewer than 127 topics, names and partitions: each length is one byte.
  return start + 1 + bytes[start + 1]! + 1 + 4
}
