// What every client of the SDK is made with. The SDK signs and names things; weir carries the calls, tries again and keeps the time,
// so one call of the SDK is one call over the network. The SDK itself is imported where a client is made, and only then.
import { reveal } from '../core/secret.ts'
import type { AwsHandler } from './handler.ts'
import type { AwsConfig } from './spec.ts'

/** Where a command of the SDK can be sent. */
export interface Sender<Command, Answer> {
  send(command: Command, options: { readonly abortSignal: AbortSignal }): Promise<Answer>
}

export function clientOptions({ region, endpoint, credentials }: AwsConfig, handler: AwsHandler) {
  return {
    region,
    maxAttempts: 1,
    requestHandler: handler,
    userAgentAppId: 'weir',
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined
      ? {}
      : {
          credentials: async () => ({
            accessKeyId: reveal(credentials.access_key_id),
            secretAccessKey: reveal(credentials.secret_access_key),
            ...(credentials.session_token === undefined ? {} : { sessionToken: reveal(credentials.session_token) }),
          }),
        }),
  }
}
