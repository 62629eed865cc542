// A message of SQS as an item: its body decoded, with its attributes and what SQS says of it. What cannot be decoded keeps its bytes (I5).
// How often it was delivered is left out: the item is the same each time it comes.
import { toWeirError, WeirError } from '../../core/errors.ts'
import { decodeUtf8, isObject, parseJson } from '../../core/json-text.ts'
import type { Item } from '../../core/record.ts'
import type { SqsConfig } from './spec.ts'

/** A message as the SDK gives it, as far as it is looked at. */
export interface RawMessage {
  readonly MessageId?: string | undefined
  readonly ReceiptHandle?: string | undefined
  readonly Body?: string | undefined
  readonly Attributes?: Readonly<Record<string, string | undefined>> | undefined
  readonly MessageAttributes?:
    | Readonly<
        Record<
          string,
          {
            readonly DataType?: string | undefined
            readonly StringValue?: string | undefined
            readonly BinaryValue?: Uint8Array | undefined
          }
        >
      >
    | undefined
}

export interface Message {
  /** What makes it known. */
  readonly identity: string
  readonly receipt: string
  readonly body: string
  readonly context: Context
}

type Attribute = readonly [name: string, kind: 'text' | 'bytes', value: string]

/** What a dead letter keeps of a message beside its body. */
interface Context {
  readonly queue: string
  readonly id: string
  /** Milliseconds since the epoch; null when SQS did not say. */
  readonly sent: number | null
  readonly group: string | null
  readonly deduplication: string | null
  readonly sequence: string | null
  readonly attributes: readonly Attribute[]
}

/** @throws source.shape: no message looks so */
export function messageOf(raw: RawMessage, queue: string, identity: SqsConfig['identity']): Message {
  const { MessageId: id, ReceiptHandle: receipt, Body: body } = raw
  if (typeof id !== 'string' || id === '' || typeof receipt !== 'string' || receipt === '' || typeof body !== 'string')
    throw shapeError(queue, 'A message without id, receipt or body')
  const given = isObject(raw.Attributes) ? raw.Attributes : {}
  const text = (name: string) => (typeof given[name] === 'string' ? (given[name] as string) : null)
  const sent = Number(text('SentTimestamp') ?? Number.NaN)
  const context: Context = {
    queue,
    id,
    sent: Number.isSafeInteger(sent) && sent >= 0 && sent <= 8.64e15 ? sent : null,
    group: text('MessageGroupId'),
    deduplication: text('MessageDeduplicationId'),
    sequence: text('SequenceNumber'),
    attributes: attributesOf(raw.MessageAttributes),
  }
  if (identity === 'message_id') return { identity: id, receipt, body, context }
  if (context.deduplication === null)
    throw shapeError(
      queue,
      'A message without deduplication id',
      'Only FIFO queues give one: use `identity: message_id`.',
    )
  return { identity: context.deduplication, receipt, body, context }
}

function shapeError(queue: string, message: string, hint = 'See whether this is SQS, or a stand-in that errs.') {
  return new WeirError('source.shape', message, { at: queue, hint })
}

function attributesOf(given: RawMessage['MessageAttributes']): Attribute[] {
  return Object.entries(given ?? {}).flatMap(([name, value]): Attribute[] => {
    if (value?.BinaryValue instanceof Uint8Array)
      return [[name, 'bytes', Buffer.from(value.BinaryValue).toString('base64')]]
    return typeof value?.StringValue === 'string' ? [[name, 'text', value.StringValue]] : []
  })
}

export function itemOf({ identity, body, context }: Message, format: SqsConfig['format']): Item {
  const place = `message ${context.id} of ${context.queue}`
  const base = {
    raw: () => Buffer.from(body),
    position: identity,
    place,
    context: JSON.stringify(context),
  }
  try {
    return { ...base, value: decodedValue(body, context, format, place) }
  } catch (thrown) {
    return { ...base, value: undefined, error: toWeirError(thrown, 'source.shape') }
  }
}

/** The value of the item a dead letter was made of. @throws source.invalid_json, source.invalid_text */
export function reparsed(raw: Uint8Array, context: string | undefined, format: SqsConfig['format']): unknown {
  const known: Context = JSON.parse(context ?? '{}')
  return decodedValue(decodeUtf8(raw), known, format, `message ${known.id} of ${known.queue}`)
}

/** What expressions see as `this`. @throws source.invalid_json */
function decodedValue(body: string, context: Context, format: SqsConfig['format'], place: string): unknown {
  const { queue, id, sent, group, deduplication, sequence, attributes } = context
  return {
    body: format === 'text' ? body : parseJson(body, { name: place, line: 1 }),
    attributes: Object.fromEntries(
      attributes.map(([name, kind, value]) => [
        name,
        kind === 'text' ? value : new Uint8Array(Buffer.from(value, 'base64')),
      ]),
    ),
    queue,
    id,
    sent: sent === null ? null : new Date(sent),
    group,
    deduplication_id: deduplication,
    sequence,
  }
}
