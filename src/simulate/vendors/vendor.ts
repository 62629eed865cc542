// What a simulated vendor is made of: its faults, its limits and its endpoints. One file a vendor; what they share stands beside them.
import type { IncomingHttpHeaders } from 'node:http'
import type { Clock } from '../../core/clock.ts'
import type { ServedEntry, VendorEntry } from './entry.ts'
import type { FaultKinds, Faults } from './faults.ts'
import type { Jobs } from './jobs.ts'
import type { VendorSettings } from './settings.ts'
import type { Shop } from './shop.ts'

export interface Call {
  /** From 1, in the order they came. */
  readonly number: number
  readonly method: string
  /** With the query, as it came. */
  readonly target: string
  readonly path: string
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  /** Where the caller found us: http://127.0.0.1:4505. */
  readonly origin: string
}

/** An item of an answer, for the journal; `first` is known once it is served. */
export type Fact = Omit<ServedEntry, 'event' | 'call' | 'first'>

export interface Answer {
  /** May be one that HTTP does not know, such as 613. */
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string | Buffer
  /** What it carries: journaled when it was handed over whole. */
  readonly facts?: readonly Fact[]
  /** Jobs it names for the first time. */
  readonly jobs?: readonly string[]
}

export interface Route {
  readonly method: 'GET' | 'POST'
  /** As fastify writes them: /v1/queries/:id. */
  readonly path: string
  /** Answers to anyone, at any rate, and never fails: robots.txt, a token's own address. */
  readonly open?: true
  handle(call: Call): Answer | Promise<Answer>
}

export interface OpenVendor {
  readonly routes: readonly Route[]
  /** What a wrong or missing key hears; null: the call may pass. */
  refuse(call: Call): Answer | null
  /** The answer of a call fault, in the vendor's words; null: it has none, a plain one will do; undefined: it means nothing to this call. */
  trouble(kind: string, call: Call): Answer | null | undefined
  /** At more calls than the limit. */
  throttled(call: Call, waitMs: number): Answer
  /** At more calls at once than `atOnce`; left out where it counts jobs, or nothing. */
  busy?(call: Call): Answer
  notFound(call: Call): Answer
  /** `GET /` with a query, where the vendor has that; without a query it is the page for a person. */
  home?(call: Call): Answer
}

export interface VendorSpec {
  readonly name: string
  /** One line for the list of commands. */
  readonly summary: string
  /** A few calls to try; `{url}`, `{user}` and `{key}` are filled in. */
  readonly tries: readonly string[]
  /** How `user` and `key` are meant; an absent one is not asked for. */
  readonly login: { readonly user?: string; readonly key?: string }
  readonly faults: FaultKinds
  /** null: none is known. */
  readonly limit: { readonly calls: number; readonly windowMs: number } | null
  /** Jobs or calls at once; null: none is known. */
  readonly atOnce: number | null
  /** How long results are kept; null: there are no jobs. */
  readonly keepMs: number | null
  /** Settings beyond the common ones that mean something here. */
  readonly extras: readonly ('credits' | 'tokenLifeMs' | 'locale' | 'markup' | 'robots' | 'wall' | 'webhooks')[]
  open(desk: Desk): OpenVendor
}

/** What a vendor works with. */
export interface Desk {
  readonly settings: VendorSettings
  readonly shop: Shop
  readonly clock: Clock
  readonly faults: Faults
  readonly jobs: Jobs
  /** Jobs or calls at once that are in force; null: no limit. */
  readonly atOnce: number | null
  note(entry: VendorEntry): void
  /** Bills a call that is no job. False: the money is gone, and nothing was billed. */
  charge(call: Call, params: unknown, cost: number): boolean
  /** Takes from the credits without a line in the journal: for jobs, which have their own. */
  spend(units?: number): boolean
  /** What is left; null: no end to it. */
  readonly credits: number | null
  readonly spent: number
  /** Journals what a webhook handed over. */
  pushed(facts: readonly Fact[]): void
  /** Does something later, unless the vendor closes first. */
  later(ms: number, act: () => Promise<void>): void
  /** Counts in `counts` of the simulation. */
  count(what: string): void
}

export const json = (status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Answer => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(value),
})

export const text = (status: number, body: string, headers: Readonly<Record<string, string>> = {}): Answer => ({
  status,
  headers: { 'content-type': 'text/plain', ...headers },
  body,
})

export const html = (status: number, body: string, headers: Readonly<Record<string, string>> = {}): Answer => ({
  status,
  headers: { 'content-type': 'text/html;charset=UTF-8', ...headers },
  body,
})

/** The JSON of a call's body; undefined when it is none. */
export function jsonBody(call: Call): unknown {
  try {
    return JSON.parse(call.body.toString('utf8'))
  } catch {
    return undefined
  }
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const asinPattern = /\b(?:dp|product-reviews|gp\/product|customer-reviews)\/([A-Z0-9]{10})(?=[/?#]|$)|^([A-Z0-9]{10})$/

/** The ASIN of a product's address, or of itself; null: there is none. */
export function asinOf(given: string): string | null {
  const match = asinPattern.exec(given)
  return match?.[1] ?? match?.[2] ?? null
}
