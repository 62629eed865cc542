// SQS of the stand-in: standard and FIFO queues, visibility, receipts, long polling, the limits of calls for several messages.
import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { AwsError, type StandInContext } from './stand-in.ts'

interface Attribute {
  readonly DataType: string
  readonly StringValue?: string
  readonly BinaryValue?: string
}

interface Stored {
  readonly id: string
  readonly body: string
  readonly attributes: Readonly<Record<string, Attribute>>
  readonly sentMs: number
  readonly group: string | undefined
  readonly dedup: string | undefined
  readonly sequence: string | undefined
  visibleMs: number
  receives: number
  receipt: string | undefined
}

interface Queue {
  readonly name: string
  readonly fifo: boolean
  readonly contentDedup: boolean
  readonly maxBytes: number
  readonly visibilityS: number
  /** By deduplication id: when it was sent, and as what. */
  readonly sent: Map<string, { readonly ms: number; readonly stored: Stored }>
  messages: Stored[]
}

const maxCallBytes = 262_144
const account = '123456789012'
const dedupMs = 300_000
const md5 = (text: string) => createHash('md5').update(text).digest('hex')
/** The same ids for the same messages, in each stand-in anew. */
const uuidOf = (text: string) => md5(text).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
const invalidText = /[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u

type Entry = Record<string, unknown> & { readonly Id: string }

export function sqsService({ now, waitSecondMs, url, over }: StandInContext) {
  const queues = new Map<string, Queue>()
  let count = 0

  const queueOf = (address: unknown): Queue => {
    const queue = queues.get(String(address).split('/').at(-1)!)
    if (!queue) throw new AwsError('QueueDoesNotExist', 'The specified queue does not exist.')
    return queue
  }

  const sizeOf = (body: string, attributes: Readonly<Record<string, Attribute>>): number =>
    Object.entries(attributes).reduce(
      (sum, [name, { DataType, StringValue, BinaryValue }]) =>
        sum +
        Buffer.byteLength(name) +
        DataType.length +
        Buffer.byteLength(StringValue ?? '') +
        Buffer.from(BinaryValue ?? '', 'base64').length,
      Buffer.byteLength(body),
    )

  const send = (queue: Queue, entry: Record<string, unknown>) => {
    const body = String(entry['MessageBody'] ?? '')
    const attributes = (entry['MessageAttributes'] ?? {}) as Readonly<Record<string, Attribute>>
    const group = entry['MessageGroupId'] as string | undefined
    const given = entry['MessageDeduplicationId'] as string | undefined
    if (body === '') throw new AwsError('MissingParameter', 'The request must contain the parameter MessageBody.')
    if (invalidText.test(body)) throw new AwsError('InvalidMessageContents')
    if (sizeOf(body, attributes) > queue.maxBytes) throw new AwsError('InvalidParameterValue', 'too long')
    if (queue.fifo && group === undefined) throw new AwsError('MissingParameter', 'MessageGroupId')
    for (const name of [group, given])
      if (name !== undefined && !/^[\x21-\x7e]{1,128}$/.test(name)) throw new AwsError('InvalidParameterValue', name)
    const dedup = queue.fifo
      ? (given ?? (queue.contentDedup ? createHash('sha256').update(body).digest('hex') : undefined))
      : undefined
    if (queue.fifo && dedup === undefined) throw new AwsError('InvalidParameterValue', 'MessageDeduplicationId')
    const before = dedup === undefined ? undefined : queue.sent.get(dedup)
    const answer = (stored: Stored) => ({
      MessageId: stored.id,
      MD5OfMessageBody: md5(body),
      ...(stored.sequence ? { SequenceNumber: stored.sequence } : {}),
    })
    if (before && now() - before.ms < dedupMs) return answer(before.stored)
    const number = ++count
    const stored: Stored = {
      id: uuidOf(`${queue.name} ${number}`),
      body,
      attributes,
      sentMs: now(),
      group,
      dedup,
      sequence: queue.fifo ? String(10n ** 19n + BigInt(number)) : undefined,
      visibleMs: 0,
      receives: 0,
      receipt: undefined,
    }
    queue.messages.push(stored)
    if (dedup !== undefined) queue.sent.set(dedup, { ms: now(), stored })
    return answer(stored)
  }

  const take = (queue: Queue, max: number, visibilityS: number) => {
    const inFlight = new Set(queue.messages.filter(each => each.visibleMs > now()).map(each => each.group))
    const free = queue.messages.filter(each => each.visibleMs <= now() && !(queue.fifo && inFlight.has(each.group)))
    return free.slice(0, max).map(each => {
      each.visibleMs = now() + visibilityS * 1000
      each.receives++
      each.receipt = Buffer.from(`${each.id} ${each.receives}`).toString('base64')
      return {
        MessageId: each.id,
        ReceiptHandle: each.receipt,
        Body: each.body,
        MD5OfBody: md5(each.body),
        Attributes: {
          SentTimestamp: String(each.sentMs),
          ApproximateReceiveCount: String(each.receives),
          ...(each.group === undefined ? {} : { MessageGroupId: each.group }),
          ...(each.dedup === undefined ? {} : { MessageDeduplicationId: each.dedup }),
          ...(each.sequence === undefined ? {} : { SequenceNumber: each.sequence }),
        },
        ...(Object.keys(each.attributes).length > 0 ? { MessageAttributes: each.attributes } : {}),
      }
    })
  }

  const held = (queue: Queue, receipt: unknown): Stored | undefined => {
    if (typeof receipt !== 'string' || !/^[A-Za-z0-9+/]+=*$/.test(receipt)) throw new AwsError('ReceiptHandleIsInvalid')
    return queue.messages.find(each => each.receipt === receipt)
  }

  const batch = (input: Record<string, unknown>, work: (entry: Entry) => object, size = (_: Entry) => 0) => {
    const entries = input['Entries'] as readonly Entry[] | undefined
    if (!entries?.length) throw new AwsError('EmptyBatchRequest')
    if (entries.length > 10) throw new AwsError('TooManyEntriesInBatchRequest')
    if (new Set(entries.map(({ Id }) => Id)).size < entries.length) throw new AwsError('BatchEntryIdsNotDistinct')
    const queue = queueOf(input['QueueUrl'])
    if (entries.reduce((sum, entry) => sum + size(entry), 0) > Math.max(maxCallBytes, queue.maxBytes))
      throw new AwsError('BatchRequestTooLong')
    const Successful: object[] = []
    const Failed: object[] = []
    for (const entry of entries)
      try {
        Successful.push({ Id: entry.Id, ...work(entry) })
      } catch (thrown) {
        if (!(thrown instanceof AwsError)) throw thrown
        Failed.push({ Id: entry.Id, Code: thrown.type, Message: thrown.message, SenderFault: true })
      }
    return { Successful, ...(Failed.length > 0 ? { Failed } : {}) }
  }

  const actions: Record<string, (input: Record<string, unknown>, signal: AbortSignal) => unknown> = {
    CreateQueue(input) {
      const name = String(input['QueueName'])
      const attributes = (input['Attributes'] ?? {}) as Record<string, string>
      if (!queues.has(name))
        queues.set(name, {
          name,
          fifo: name.endsWith('.fifo'),
          contentDedup: attributes['ContentBasedDeduplication'] === 'true',
          maxBytes: Number(attributes['MaximumMessageSize'] ?? 262_144),
          visibilityS: Number(attributes['VisibilityTimeout'] ?? 30),
          sent: new Map(),
          messages: [],
        })
      return { QueueUrl: `${url()}/${account}/${name}` }
    },
    GetQueueAttributes(input) {
      const { messages } = queueOf(input['QueueUrl'])
      const inFlight = messages.filter(each => each.visibleMs > now()).length
      return {
        Attributes: {
          ApproximateNumberOfMessages: String(messages.length - inFlight),
          ApproximateNumberOfMessagesNotVisible: String(inFlight),
        },
      }
    },
    SendMessage: input => send(queueOf(input['QueueUrl']), input),
    SendMessageBatch: input =>
      batch(
        input,
        entry => send(queueOf(input['QueueUrl']), entry),
        entry => sizeOf(String(entry['MessageBody']), (entry['MessageAttributes'] ?? {}) as Record<string, Attribute>),
      ),
    async ReceiveMessage(input, signal) {
      const queue = queueOf(input['QueueUrl'])
      const max = Number(input['MaxNumberOfMessages'] ?? 1)
      const waitS = Number(input['WaitTimeSeconds'] ?? 0)
      if (max < 1 || max > 10 || waitS > 20) throw new AwsError('InvalidParameterValue')
      const endMs = performance.now() + waitS * waitSecondMs
      for (;;) {
        // Whoever asked may be gone: then nothing is taken, as a message would be lost to others for its visibility timeout.
        if (signal.aborted || over.aborted) return {}
        const Messages = take(queue, max, Number(input['VisibilityTimeout'] ?? queue.visibilityS))
        if (Messages.length > 0) return { Messages }
        if (performance.now() >= endMs) return {}
        await delay(5)
      }
    },
    DeleteMessageBatch: input =>
      batch(input, entry => {
        const queue = queueOf(input['QueueUrl'])
        const message = held(queue, entry['ReceiptHandle'])
        queue.messages = queue.messages.filter(each => each !== message)
        return {}
      }),
    ChangeMessageVisibilityBatch: input =>
      batch(input, entry => {
        const message = held(queueOf(input['QueueUrl']), entry['ReceiptHandle'])
        const seconds = Number(entry['VisibilityTimeout'])
        if (!(seconds >= 0 && seconds <= 43_200)) throw new AwsError('InvalidParameterValue')
        if (!message || message.visibleMs <= now()) throw new AwsError('MessageNotInflight')
        message.visibleMs = now() + seconds * 1000
        return {}
      }),
  }
  return (action: string, input: Record<string, unknown>, signal: AbortSignal): unknown => {
    const work = actions[action]
    if (!work) throw new AwsError('UnsupportedOperation')
    return work(input, signal)
  }
}
