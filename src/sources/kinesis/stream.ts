// The calls to one stream. The SDK is loaded with the first of them.
import type { GetRecordsCommandOutput, GetShardIteratorCommandInput, KinesisClient } from '@aws-sdk/client-kinesis'
import { clientOptions } from '../../aws/client.ts'
import { guardedHandler } from '../../aws/handler.ts'
import { asFetchError, nameOf } from '../../aws/trouble.ts'
import { WeirError } from '../../core/errors.ts'
import type { FetchGuard } from '../../fetch/guard.ts'
import type { Bookmark } from './bookmark.ts'
import type { KinesisConfig } from './spec.ts'

export interface Shard {
  readonly id: string
  /** Those it came out of by resharding: one when that was split, two when they were merged. */
  readonly parents: readonly string[]
  /** No more records come into it. */
  readonly closed: boolean
}

export interface Stream extends Disposable {
  /** Shards whose records are still kept, parents before their children. @throws fetch.* */
  shards(signal: AbortSignal): Promise<readonly Shard[]>
  /** @throws fetch.*, source.cursor_refused */
  iterator(shard: string, from: Bookmark, signal: AbortSignal): Promise<string>
  /** null: the iterator is too old. `most` records, else as many as the definition says. @throws fetch.* */
  records(iterator: string, signal: AbortSignal, most?: number): Promise<GetRecordsCommandOutput | null>
}

const maxShards = 10_000

export function openStream(config: KinesisConfig, guard: () => FetchGuard): Stream {
  const { stream: StreamName, max_records } = config
  let opening: Promise<{ sdk: typeof import('@aws-sdk/client-kinesis'); client: KinesisClient }> | undefined
  const open = () =>
    (opening ??= import('@aws-sdk/client-kinesis').then(sdk => ({
      sdk,
      client: new sdk.KinesisClient(clientOptions(config, guardedHandler(guard))),
    })))
  const call = async <T>(
    at: string,
    work: (opened: Awaited<ReturnType<typeof open>>) => Promise<T>,
    signal: AbortSignal,
    expected: (name: string) => T | undefined = () => undefined,
  ): Promise<T> => {
    try {
      return await work(await open())
    } catch (thrown) {
      if (signal.aborted) throw signal.reason
      const value = expected(nameOf(thrown))
      if (value !== undefined) return value
      throw asFetchError(thrown, at)
    }
  }
  return {
    async shards(signal) {
      const found: Shard[] = []
      let NextToken: string | undefined
      do {
        const token = NextToken
        const answer = await call(
          StreamName,
          ({ sdk, client }) =>
            client.send(
              // A page after the first is asked for by its token alone.
              new sdk.ListShardsCommand(token === undefined ? { StreamName } : { NextToken: token }),
              { abortSignal: signal },
            ),
          signal,
        )
        for (const shard of answer.Shards ?? []) found.push(shardOf(shard, StreamName))
        if (found.length > maxShards || (answer.NextToken !== undefined && answer.NextToken === token))
          throw shapeError(StreamName, 'The list of shards does not end')
        NextToken = answer.NextToken
      } while (NextToken !== undefined)
      return parentsFirst(found)
    },
    async iterator(ShardId, { began, after }, signal) {
      const place: Pick<GetShardIteratorCommandInput, 'ShardIteratorType' | 'StartingSequenceNumber' | 'Timestamp'> =
        after !== undefined
          ? { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', StartingSequenceNumber: after }
          : began !== undefined
            ? { ShardIteratorType: 'AT_TIMESTAMP', Timestamp: new Date(began) }
            : { ShardIteratorType: 'TRIM_HORIZON' }
      const at = `${StreamName}/${ShardId}`
      const { ShardIterator } = await call(
        at,
        ({ sdk, client }) =>
          client.send(new sdk.GetShardIteratorCommand({ StreamName, ShardId, ...place }), { abortSignal: signal }),
        signal,
        name => {
          if (name === 'InvalidArgumentException' && place.ShardIteratorType !== 'TRIM_HORIZON') throw refused(at)
          return undefined
        },
      )
      if (typeof ShardIterator !== 'string') throw shapeError(at, 'No iterator was given')
      return ShardIterator
    },
    records: (ShardIterator, signal, most = max_records) =>
      call<GetRecordsCommandOutput | null | typeof expired>(
        StreamName,
        ({ sdk, client }) =>
          client.send(new sdk.GetRecordsCommand({ ShardIterator, Limit: most }), { abortSignal: signal }),
        signal,
        name => (name === 'ExpiredIteratorException' ? expired : undefined),
      ).then(answer => (answer === expired ? null : (answer as GetRecordsCommandOutput))),
    [Symbol.dispose]() {
      void opening?.then(({ client }) => client.destroy()).catch(() => {})
    },
  }
}

const expired = Symbol('expired')

function refused(at: string): WeirError {
  return new WeirError('source.cursor_refused', 'The shard does not know the place that the cursor names', {
    at,
    hint: 'The stream was made anew, or the clock of this machine is ahead: `weir cursor reset` starts over.',
  })
}

function shapeError(at: string, message: string): WeirError {
  return new WeirError('source.shape', message, { at, hint: 'See whether this is Kinesis, or a stand-in that errs.' })
}

interface ListedShard {
  readonly ShardId?: string | undefined
  readonly ParentShardId?: string | undefined
  readonly AdjacentParentShardId?: string | undefined
  readonly SequenceNumberRange?: { readonly EndingSequenceNumber?: string | undefined } | undefined
}

function shardOf(listed: ListedShard, stream: string): Shard {
  const { ShardId: id, ParentShardId, AdjacentParentShardId, SequenceNumberRange } = listed
  if (typeof id !== 'string' || !/^[a-zA-Z0-9_.-]{1,128}$/.test(id)) throw shapeError(stream, 'A shard without a name')
  return {
    id,
    parents: [ParentShardId, AdjacentParentShardId].filter(parent => typeof parent === 'string'),
    closed: SequenceNumberRange?.EndingSequenceNumber != null,
  }
}

/** Parents whose records are no longer kept are left out: nothing is there to wait for. @throws source.shape */
function parentsFirst(shards: readonly Shard[]): readonly Shard[] {
  const byId = new Map(shards.map(shard => [shard.id, shard]))
  const sorted = new Map<string, Shard>()
  let left = [...byId.values()].map(shard => ({ ...shard, parents: shard.parents.filter(id => byId.has(id)) }))
  while (left.length > 0) {
    const ready = left.filter(({ parents }) => parents.every(id => sorted.has(id)))
    if (ready.length === 0) throw shapeError(left[0]!.id, 'Shards that are parents of each other')
    for (const shard of ready) sorted.set(shard.id, shard)
    left = left.filter(({ id }) => !sorted.has(id))
  }
  return [...sorted.values()]
}
