// What wraps every call over the network: egress check, rate limit, breaker, retry, timeout, body cap (I4). This file holds the contract.

export interface HttpRequest {
  readonly method: string
  readonly url: string
  /** Lower-case names. Values already revealed: a request never reaches a log. */
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

export interface HttpResponse {
  readonly status: number
  /** Lower-case names; repeated headers joined with ", ". */
  readonly headers: Readonly<Record<string, string>>
  /** Where the answer came from, after redirects. */
  readonly url: string
  /** Whole body, decompressed, within its cap. */
  readonly body: Uint8Array
}

/** What the caller makes of an answer: the classes of docs/sources. */
export type Verdict =
  | { readonly class: 'ok' }
  /** Told to slow down: wait, then the same call again; no failure for the breaker. */
  | { readonly class: 'throttled'; readonly reason: string; readonly waitMs?: number }
  /** A passing fault: back off and call again. */
  | { readonly class: 'retry'; readonly reason: string; readonly waitMs?: number }
  /** Refused as a robot: no retry, the breaker of the host opens, for `waitMs` or its usual time. */
  | { readonly class: 'blocked'; readonly reason: string; readonly waitMs?: number }
  /** Refused for good: key, money, entitlement. */
  | { readonly class: 'fatal'; readonly reason: string }

export interface FetchGuard extends AsyncDisposable {
  /**
   * Makes the call until the verdict on its answer is `ok`, within attempts, deadlines and limits.
   * @throws fetch.* (I4: the caller moves no cursor and dead-letters nothing)
   */
  call(request: HttpRequest, judge: (response: HttpResponse) => Verdict, signal: AbortSignal): Promise<HttpResponse>
}
