// The calls to one queue. The SDK is loaded with the first of them.
import type { ReceiveMessageCommandOutput, SQSClient } from '@aws-sdk/client-sqs'
import { clientOptions } from '../../aws/client.ts'
import { guardedHandler } from '../../aws/handler.ts'
import { asFetchError } from '../../aws/trouble.ts'
import type { FetchGuard } from '../../fetch/guard.ts'
import type { RawMessage } from './message.ts'
import type { SqsConfig } from './spec.ts'

/** Of one call for several messages. */
const perCall = 10

export interface Queue extends Disposable {
  readonly name: string
  /** Up to ten messages, invisible to others from now on; none when none came within the time. @throws fetch.* */
  receive(waitMs: number, signal: AbortSignal): Promise<readonly RawMessage[]>
  /** Removes messages for good. @returns how many could not be. @throws fetch.* */
  remove(receipts: readonly string[], signal: AbortSignal): Promise<number>
  /** From now on they are invisible for this time; 0 gives them back. @returns how many could not be changed. @throws fetch.* */
  hide(receipts: readonly string[], ms: number, signal: AbortSignal): Promise<number>
}

export function openQueue(config: SqsConfig, name: string, guard: () => FetchGuard): Queue {
  const { queue_url: QueueUrl, visibility_timeout } = config
  let opening: Promise<{ sdk: typeof import('@aws-sdk/client-sqs'); client: SQSClient }> | undefined
  const open = () =>
    (opening ??= import('@aws-sdk/client-sqs').then(sdk => ({
      sdk,
      // The queue is called where the definition says, whatever host stands in its address.
      client: new sdk.SQSClient({ ...clientOptions(config, guardedHandler(guard)), useQueueUrlAsEndpoint: false }),
    })))
  const call = async <T>(work: (opened: Awaited<ReturnType<typeof open>>) => Promise<T>, signal: AbortSignal) => {
    try {
      return await work(await open())
    } catch (thrown) {
      throw signal.aborted ? signal.reason : asFetchError(thrown, name)
    }
  }
  const eachTen = async (
    receipts: readonly string[],
    work: (ten: readonly string[]) => Promise<{ readonly Failed?: readonly unknown[] | undefined }>,
  ): Promise<number> => {
    const tens = Array.from({ length: Math.ceil(receipts.length / perCall) }, (_, n) =>
      receipts.slice(n * perCall, (n + 1) * perCall),
    )
    const answers = await Promise.all(tens.map(work))
    return answers.reduce((sum, { Failed = [] }) => sum + Failed.length, 0)
  }
  return {
    name,
    receive: (waitMs, signal) =>
      call(async ({ sdk, client }) => {
        const { Messages = [] }: ReceiveMessageCommandOutput = await client.send(
          new sdk.ReceiveMessageCommand({
            QueueUrl,
            MaxNumberOfMessages: perCall,
            WaitTimeSeconds: Math.floor(waitMs / 1000),
            VisibilityTimeout: Math.ceil(visibility_timeout / 1000),
            MessageSystemAttributeNames: ['All'],
            MessageAttributeNames: ['All'],
          }),
          { abortSignal: signal },
        )
        return Messages
      }, signal),
    remove: (receipts, signal) =>
      eachTen(receipts, ten =>
        call(
          ({ sdk, client }) =>
            client.send(
              new sdk.DeleteMessageBatchCommand({
                QueueUrl,
                Entries: ten.map((ReceiptHandle, n) => ({ Id: String(n), ReceiptHandle })),
              }),
              { abortSignal: signal },
            ),
          signal,
        ),
      ),
    hide: (receipts, ms, signal) =>
      eachTen(receipts, ten =>
        call(
          ({ sdk, client }) =>
            client.send(
              new sdk.ChangeMessageVisibilityBatchCommand({
                QueueUrl,
                Entries: ten.map((ReceiptHandle, n) => ({
                  Id: String(n),
                  ReceiptHandle,
                  VisibilityTimeout: Math.ceil(ms / 1000),
                })),
              }),
              { abortSignal: signal },
            ),
          signal,
        ),
      ),
    [Symbol.dispose]() {
      void opening?.then(({ client }) => client.destroy()).catch(() => {})
    },
  }
}
