// Kinesis of the stand-in: shards by hash of the key, splitting and merging, iterators that grow old, the limits of calls.
import { createHash } from 'node:crypto'
import { AwsError, type StandInContext } from './stand-in.ts'

interface Stored {
  readonly sequence: bigint
  readonly key: string
  readonly data: string
  readonly atMs: number
}

interface Shard {
  readonly id: string
  readonly parents: readonly string[]
  readonly from: bigint
  readonly to: bigint
  readonly begins: bigint
  ends: bigint | null
  records: Stored[]
}

interface Stream {
  readonly name: string
  readonly shards: Shard[]
}

interface Iterator {
  readonly stream: string
  readonly shard: string
  /** The first sequence number that is wanted. */
  readonly next: string
  readonly madeMs: number
}

const maxHash = 2n ** 128n - 1n
const iteratorMs = 300_000
/** How long records are kept. */
const retentionMs = 24 * 60 * 60 * 1000
const shardsPerPage = 3
const firstSequence = 49_590_338_271_490_256_608_559_692_538_361_571_095_921_575_989_136_588_898n

export function kinesisService({ now }: StandInContext) {
  const streams = new Map<string, Stream>()
  let sequence = firstSequence

  const streamOf = (name: unknown): Stream => {
    const stream = streams.get(String(name))
    if (!stream) throw new AwsError('ResourceNotFoundException', `Stream ${name} not found.`)
    return stream
  }
  const shardOf = (stream: Stream, id: unknown): Shard => {
    const shard = stream.shards.find(each => each.id === id)
    if (!shard) throw new AwsError('ResourceNotFoundException', `Could not find shard ${id} in stream ${stream.name}.`)
    return shard
  }
  const addShard = (stream: Stream, from: bigint, to: bigint, parents: readonly string[] = []) =>
    void stream.shards.push({
      id: `shardId-${String(stream.shards.length).padStart(12, '0')}`,
      parents,
      from,
      to,
      begins: ++sequence,
      ends: null,
      records: [],
    })
  const close = (shard: Shard) => {
    if (shard.ends !== null) throw new AwsError('InvalidArgumentException', `Shard ${shard.id} is not open.`)
    shard.ends = ++sequence
  }
  const put = (stream: Stream, key: unknown, data: unknown) => {
    if (typeof key !== 'string' || key.length < 1 || key.length > 256 || typeof data !== 'string')
      throw new AwsError('ValidationException')
    if (Buffer.byteLength(key) + Buffer.from(data, 'base64').length > 1024 * 1024)
      throw new AwsError('ValidationException')
    const hash = BigInt(`0x${createHash('md5').update(key).digest('hex')}`)
    const shard = stream.shards.find(each => each.ends === null && each.from <= hash && hash <= each.to)!
    shard.records.push({ sequence: ++sequence, key, data, atMs: now() })
    return { SequenceNumber: String(sequence), ShardId: shard.id }
  }
  const tokenOf = (iterator: Iterator) => Buffer.from(JSON.stringify(iterator)).toString('base64')
  const rangeOf = ({ from, to }: Shard) => ({ StartingHashKey: String(from), EndingHashKey: String(to) })

  const actions: Record<string, (input: Record<string, unknown>) => unknown> = {
    CreateStream(input) {
      const name = String(input['StreamName'])
      const count = BigInt(Number(input['ShardCount'] ?? 1))
      const stream: Stream = { name, shards: [] }
      streams.set(name, stream)
      const width = (maxHash + 1n) / count
      for (let n = 0n; n < count; n++) addShard(stream, n * width, n === count - 1n ? maxHash : (n + 1n) * width - 1n)
      return {}
    },
    DescribeStreamSummary: input => ({
      StreamDescriptionSummary: { StreamName: streamOf(input['StreamName']).name, StreamStatus: 'ACTIVE' },
    }),
    ListShards(input) {
      const token = input['NextToken'] as string | undefined
      if (token !== undefined && input['StreamName'] !== undefined) throw new AwsError('InvalidArgumentException')
      const [name, from] =
        token === undefined ? [input['StreamName'], 0] : JSON.parse(Buffer.from(token, 'base64').toString())
      const { shards } = streamOf(name)
      const end = from + shardsPerPage
      return {
        Shards: shards.slice(from, end).map(shard => ({
          ShardId: shard.id,
          ...(shard.parents[0] ? { ParentShardId: shard.parents[0] } : {}),
          ...(shard.parents[1] ? { AdjacentParentShardId: shard.parents[1] } : {}),
          HashKeyRange: rangeOf(shard),
          SequenceNumberRange: {
            StartingSequenceNumber: String(shard.begins),
            ...(shard.ends === null ? {} : { EndingSequenceNumber: String(shard.ends) }),
          },
        })),
        ...(end < shards.length ? { NextToken: Buffer.from(JSON.stringify([name, end])).toString('base64') } : {}),
      }
    },
    GetShardIterator(input) {
      const stream = streamOf(input['StreamName'])
      const shard = shardOf(stream, input['ShardId'])
      const asked = String(input['StartingSequenceNumber'] ?? '')
      const place = (): bigint => {
        switch (input['ShardIteratorType']) {
          case 'TRIM_HORIZON':
            return 0n
          case 'LATEST':
            return sequence + 1n
          case 'AT_TIMESTAMP': {
            const ms = Number(input['Timestamp']) * 1000
            if (!(ms <= now())) throw new AwsError('InvalidArgumentException', 'The timestamp is in the future.')
            return shard.records.find(each => each.atMs >= ms)?.sequence ?? sequence + 1n
          }
          case 'AT_SEQUENCE_NUMBER':
          case 'AFTER_SEQUENCE_NUMBER':
            if (!/^\d+$/.test(asked) || BigInt(asked) < shard.begins || BigInt(asked) > (shard.ends ?? sequence))
              throw new AwsError('InvalidArgumentException', 'StartingSequenceNumber is invalid.')
            return BigInt(asked) + (input['ShardIteratorType'] === 'AT_SEQUENCE_NUMBER' ? 0n : 1n)
          default:
            throw new AwsError('InvalidArgumentException')
        }
      }
      return { ShardIterator: tokenOf({ stream: stream.name, shard: shard.id, next: String(place()), madeMs: now() }) }
    },
    GetRecords(input) {
      let iterator: Iterator
      try {
        iterator = JSON.parse(Buffer.from(String(input['ShardIterator']), 'base64').toString())
      } catch {
        throw new AwsError('InvalidArgumentException', 'Invalid ShardIterator.')
      }
      if (now() - iterator.madeMs > iteratorMs) throw new AwsError('ExpiredIteratorException', 'Iterator expired.')
      const shard = shardOf(streamOf(iterator.stream), iterator.shard)
      // As Kinesis does it: what is gone is not told, reading goes on behind it.
      shard.records = shard.records.filter(each => each.atMs > now() - retentionMs)
      const limit = Number(input['Limit'] ?? 10_000)
      if (limit < 1 || limit > 10_000) throw new AwsError('InvalidArgumentException')
      const left = shard.records.filter(each => each.sequence >= BigInt(iterator.next))
      const page = left.slice(0, limit)
      const isEnd = shard.ends !== null && left.length <= limit
      const next = page.length > 0 ? page.at(-1)!.sequence + 1n : BigInt(iterator.next)
      return {
        Records: page.map(each => ({
          SequenceNumber: String(each.sequence),
          PartitionKey: each.key,
          Data: each.data,
          ApproximateArrivalTimestamp: each.atMs / 1000,
        })),
        MillisBehindLatest: left.length > limit ? Math.max(1, now() - left[limit]!.atMs) : 0,
        ...(isEnd ? {} : { NextShardIterator: tokenOf({ ...iterator, next: String(next), madeMs: now() }) }),
      }
    },
    PutRecord: input => put(streamOf(input['StreamName']), input['PartitionKey'], input['Data']),
    PutRecords(input) {
      const records = input['Records'] as readonly Record<string, unknown>[]
      if (records.length < 1 || records.length > 500) throw new AwsError('ValidationException')
      const bytes = (each: Record<string, unknown>) =>
        Buffer.from(String(each['Data']), 'base64').length + Buffer.byteLength(String(each['PartitionKey']))
      if (records.reduce((sum, each) => sum + bytes(each), 0) > 5 * 1024 * 1024)
        throw new AwsError('InvalidArgumentException')
      const stream = streamOf(input['StreamName'])
      return { FailedRecordCount: 0, Records: records.map(each => put(stream, each['PartitionKey'], each['Data'])) }
    },
    SplitShard(input) {
      const stream = streamOf(input['StreamName'])
      const shard = shardOf(stream, input['ShardToSplit'])
      const middle = BigInt(String(input['NewStartingHashKey']))
      close(shard)
      addShard(stream, shard.from, middle - 1n, [shard.id])
      addShard(stream, middle, shard.to, [shard.id])
      return {}
    },
    MergeShards(input) {
      const stream = streamOf(input['StreamName'])
      const [one, two] = [shardOf(stream, input['ShardToMerge']), shardOf(stream, input['AdjacentShardToMerge'])]
      if (one.to + 1n !== two.from && two.to + 1n !== one.from) throw new AwsError('InvalidArgumentException')
      close(one)
      close(two)
      const [from, to] = one.from < two.from ? [one.from, two.to] : [two.from, one.to]
      addShard(stream, from, to, [one.id, two.id])
      return {}
    },
  }
  return (action: string, input: Record<string, unknown>): unknown => {
    const work = actions[action]
    if (!work) throw new AwsError('UnknownOperationException')
    return work(input)
  }
}
