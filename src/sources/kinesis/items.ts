// Records of a shard as items: data decoded, with key, time and place beside it. What cannot be decoded keeps its bytes (I5).
import { toWeirError, WeirError } from '../../core/errors.ts'
import { decodeUtf8, parseJson } from '../../core/json-text.ts'
import type { Item } from '../../core/record.ts'
import { unpack } from './aggregated.ts'
import type { KinesisConfig } from './spec.ts'

/** A record as the SDK gives it, as far as it is looked at. */
export interface RawRecord {
  readonly SequenceNumber?: string | undefined
  readonly ApproximateArrivalTimestamp?: Date | undefined
  readonly Data?: Uint8Array | undefined
  readonly PartitionKey?: string | undefined
}

/** What a dead letter keeps of a record beside its data. */
interface Context {
  readonly stream: string
  readonly shard: string
  readonly sequence: string
  readonly key: string
  /** Milliseconds since the epoch; null when the service did not say. */
  readonly arrived: number | null
}

type Decoding = Pick<KinesisConfig, 'format' | 'deaggregate'>

export const isSequence = (value: unknown): value is string => typeof value === 'string' && /^\d{1,129}$/.test(value)

/** The items in a record: one, or those that were packed into it. @throws source.shape: no record looks so */
export function itemsOf(raw: RawRecord, stream: string, shard: string, { format, deaggregate }: Decoding): Item[] {
  const { SequenceNumber: sequence, Data: data, PartitionKey: key, ApproximateArrivalTimestamp: time } = raw
  if (!isSequence(sequence) || !(data instanceof Uint8Array) || typeof key !== 'string')
    throw new WeirError('source.shape', 'A record without sequence number, data or key', {
      at: `${stream}/${shard}`,
      hint: 'See whether this is Kinesis, or a stand-in that errs.',
    })
  const ms = time instanceof Date ? time.getTime() : Number.NaN
  const context = { stream, shard, sequence, key, arrived: Number.isNaN(ms) ? null : ms }
  const packed = deaggregate ? unpack(data) : null
  if (packed === null) return [itemOf(data, context, sequence, format)]
  return packed.map((each, n) => itemOf(each.data, { ...context, key: each.key }, `${sequence}.${n}`, format))
}

function itemOf(data: Uint8Array, context: Context, position: string, format: KinesisConfig['format']): Item {
  const place = placeOf(context)
  const base = { raw: data, position, place, context: JSON.stringify(context) }
  try {
    return { ...base, value: decodedValue(data, context, format) }
  } catch (thrown) {
    return { ...base, value: undefined, error: toWeirError(thrown, 'source.shape') }
  }
}

/** The value of the item a dead letter was made of. @throws source.invalid_json, source.invalid_text */
export function reparsed(raw: Uint8Array, context: string | undefined, format: KinesisConfig['format']): unknown {
  return decodedValue(raw, JSON.parse(context ?? '{}'), format)
}

const placeOf = ({ sequence, stream, shard }: Context) => `record ${sequence} of ${stream}/${shard}`

/** What expressions see as `this`. @throws source.invalid_json, source.invalid_text */
function decodedValue(data: Uint8Array, context: Context, format: KinesisConfig['format']): unknown {
  const { stream, shard, sequence, key, arrived } = context
  return {
    data: decode(data, format, placeOf(context)),
    key,
    arrived: arrived === null ? null : new Date(arrived),
    stream,
    shard,
    sequence,
  }
}

function decode(bytes: Uint8Array, format: KinesisConfig['format'], place: string): unknown {
  if (format === 'bytes') return bytes
  const text = decodeUtf8(bytes, place)
  return format === 'text' ? text : parseJson(text, { name: place, line: 1 })
}
