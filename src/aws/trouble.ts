// What goes wrong in a call of AWS, in weir's codes. The text of the service is not taken over: it may quote what was sent (I9).
import { type Code, WeirError, weirErrorOf } from '../core/errors.ts'
import { isObject } from '../core/json-text.ts'

const throttling =
  /^(Throttl\w*|RequestThrottled\w*|TooManyRequests\w*|\w*ThroughputExceeded\w*|LimitExceeded\w*|OverLimit|SlowDown|KMSThrottling\w*|RequestLimitExceeded|KmsThrottled)$/
const keyNames =
  /^(AccessDenied\w*|UnrecognizedClient\w*|InvalidClientTokenId|InvalidAccessKeyId|SignatureDoesNotMatch|InvalidSignature\w*|IncompleteSignature\w*|MissingAuthenticationToken\w*|ExpiredToken\w*|NotAuthorized|OptInRequired|InvalidSecurity)$/
const missing = /^(QueueDoesNotExist|AWS\.SimpleQueueService\.NonExistentQueue|ResourceNotFound\w*|InvalidAddress)$/

export const isThrottling = (status: number, name: string | undefined): boolean =>
  status === 429 || (name !== undefined && throttling.test(name))

/** The name of the error in an answer: `com.amazonaws.sqs#QueueDoesNotExist` is `QueueDoesNotExist`. STS, which gives keys, answers in XML. */
export function errorName(headers: Readonly<Record<string, string>>, body: Uint8Array): string | undefined {
  const named = headers['x-amzn-errortype'] ?? typeOf(body)
  return /^(?:[\w.-]*#)?([\w.]{1,100})(?:[:,].*)?$/.exec(named ?? '')?.[1]
}

function typeOf(body: Uint8Array): string | undefined {
  if (body.byteLength > 64 * 1024) return undefined
  const text = Buffer.from(body).toString()
  const inXml = /^\s*<ErrorResponse[\s>][\s\S]*?<Code>([\w.]+)<\/Code>/.exec(text)
  if (inXml) return inXml[1]
  try {
    const answer: unknown = JSON.parse(text)
    const type = isObject(answer) ? (answer['__type'] ?? answer['code']) : undefined
    return typeof type === 'string' ? type : undefined
  } catch {
    return undefined
  }
}

export const nameOf = (thrown: unknown): string =>
  thrown instanceof Error && /^[\w.]{1,100}$/.test(thrown.name) ? thrown.name : 'Error'

interface Found {
  readonly code: Code
  readonly what: string
  readonly hint: string
}

/** A failed call as that of a source: fetch.*. `at`: the queue or the shard. */
export function asFetchError(thrown: unknown, at: string): WeirError {
  const known = weirErrorOf(thrown)
  if (known) return known
  const { code, what, hint } = find(thrown)
  return new WeirError(code, what, { at, hint })
}

/** A failed call as that of a sink: sink.failed, which is tried again. */
export function asSinkError(thrown: unknown, at: string): WeirError {
  const known = weirErrorOf(thrown)
  if (known?.code.startsWith('sink.')) return known
  const slow = 'Raise `timeout` of the sink if the service is known to be slow.'
  const { what, hint } = known
    ? { what: `${known.message} (${known.code})`, hint: known.code === 'fetch.timeout' ? slow : known.hint }
    : find(thrown)
  return new WeirError('sink.failed', what, { at, ...(hint === undefined ? {} : { hint }), cause: known })
}

function find(thrown: unknown): Found {
  const name = nameOf(thrown)
  if (/CredentialsProvider|TokenProvider/.test(name))
    return {
      code: 'fetch.fatal',
      what: 'No keys were found to sign with',
      hint: 'Set `credentials`, or give this process keys or a role where the SDK of AWS looks.',
    }
  const status = (thrown as { $metadata?: { httpStatusCode?: number } })?.$metadata?.httpStatusCode
  if (status === undefined || status < 400 || name === 'SyntaxError')
    return {
      code: 'fetch.body_invalid',
      what: 'The answer of the service cannot be understood',
      hint: 'See whether a proxy answers in its place; the cursor stays where it is.',
    }
  const what = `The service refuses the call: ${name}`
  if (isThrottling(status, name)) return { code: 'fetch.throttled', what, hint: 'It is asked again later.' }
  if (/Skewed|RequestExpired/.test(name))
    return { code: 'fetch.status', what, hint: 'The clock of this machine is wrong: set it right.' }
  if (keyNames.test(name)) return { code: 'fetch.fatal', what, hint: 'Check the keys and what they are allowed to do.' }
  if (missing.test(name)) return { code: 'fetch.fatal', what, hint: 'Check the name, the region and the account.' }
  return { code: 'fetch.fatal', what, hint: 'Look at the name of the error in the documentation of AWS.' }
}
