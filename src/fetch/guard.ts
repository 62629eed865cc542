// What wraps every call over the network: egress check, rate limit, breaker, retry, timeout, body cap (I4). This file holds the contract.

export interface HttpRequest {
  readonly method: string
  readonly url: string
  /** Lower-case names. Values already revealed: a request never reaches a log. */
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /**
   * For a call that must not be carried out twice, such as one that is paid for: it is repeated only after an answer that told to slow down, never
   * when it may have been carried out. Told when an attempt goes out, and when it is proven that it did not reach the host.
   */
  readonly once?: (attempt: 'sending' | 'not_sent') => void
  /** Adds what the request needs to be known to its host, where that changes from one attempt to the next. */
  readonly signer?: Signer
}

/** Signs each attempt anew, and each redirect within the origin; nothing it adds goes to another origin. */
export interface Signer {
  /**
   * Gets ready what `sign` needs, such as a token, by calls of its own; done before a call waits for its turn, and after.
   * @throws fetch.*, which ends the call
   */
  prepare?(signal: AbortSignal): Promise<void>
  /** The request as it is sent. Its address, headers and body are final. */
  sign(request: HttpRequest): HttpRequest
  /** Told of a 401 to what it signed. True: other credentials are to be had, and the call is made once more. */
  refused?(sent: HttpRequest): boolean
  /** True for a text that `prepare` got as a secret: it must not be stored where the source repeats it. */
  issued?(text: string): boolean
}

export interface HttpResponse {
  readonly status: number
  /** Lower-case names; repeated headers joined with ", ". */
  readonly headers: Readonly<Record<string, string>>
  /** Where the answer came from, after redirects. */
  readonly url: string
  /** Whole body, decompressed, also when it is a gzip file; within its cap. */
  readonly body: Uint8Array
}

/** What the caller makes of an answer: the classes of docs/sources. */
export type Verdict = VerdictClass & {
  /** The answer asks that nothing calls its host for so long, whatever else it is. Milliseconds. */
  readonly holdMs?: number
  /** The answer says how far apart calls to its host must be, 0 for no matter; until another says otherwise. Milliseconds. */
  readonly spaceMs?: number
}

type VerdictClass =
  | { readonly class: 'ok' }
  /** Told to slow down: wait, then the same call again; no failure for the breaker. */
  | { readonly class: 'throttled'; readonly reason: string; readonly waitMs?: number }
  /** A passing fault: back off and call again. */
  | { readonly class: 'retry'; readonly reason: string; readonly waitMs?: number }
  /** Refused as a robot: no retry, the breaker of the host opens, for `waitMs` or its usual time. */
  | { readonly class: 'blocked'; readonly reason: string; readonly waitMs?: number }
  /** Refused for good: key, money, entitlement. */
  | { readonly class: 'fatal'; readonly reason: string }

/** What an answer means. What it throws ends the call. */
export type Judge = (response: HttpResponse) => Verdict | Promise<Verdict>

export interface FetchGuard extends AsyncDisposable {
  /**
   * Makes the call until the verdict on its answer is `ok`, within attempts, deadlines and limits. A verdict may take its time, as that on a
   * page does; the deadline of the call is not that of its verdict.
   * @throws fetch.* (I4: the caller moves no cursor and dead-letters nothing)
   */
  call(request: HttpRequest, judge: Judge, signal: AbortSignal): Promise<HttpResponse>
}
