// The faults a vendor can have, each with the share it happens at: of calls, of jobs, of items. Drawn from the seed, so a run repeats.
import { WeirError } from '../../core/errors.ts'
import { chance } from '../chance.ts'
import type { ShopReview } from './shop.ts'

/** What a fault befalls. An item keeps its fault for as long as its version lives; a call and a job have theirs once. */
export type Scope = 'call' | 'job' | 'item'

export interface FaultKind {
  readonly scope: Scope
  readonly doc: string
  /** Left out of `faults`, which is all kinds at once: it takes long, or a client rightly gives up for good. */
  readonly asked?: true
  /** For jobs: it ends without a result. */
  readonly ends?: true
  /** For items: a record that a careful reader refuses; without it the item is odd and still a review. */
  readonly refused?: true
  /** For items: what becomes of it. */
  readonly change?: (item: Item, review: ShopReview) => unknown
}

export type Item = Readonly<Record<string, unknown>>
export type FaultKinds = Readonly<Record<string, FaultKind>>

/** What every vendor's calls can suffer; the bodies of the statuses are the vendor's own. */
export const callFaults = {
  '500': { scope: 'call', doc: 'an internal error' },
  '503': { scope: 'call', doc: 'overloaded' },
  '429': { scope: 'call', doc: 'told to slow down, as at the limit' },
  html: { scope: 'call', doc: 'a maintenance page with status 200' },
  drop: { scope: 'call', doc: 'the connection ends before the call is heard' },
  reset: { scope: 'call', doc: 'the call is done, and its answer breaks off in the middle' },
  truncated: { scope: 'call', doc: 'the call is done, and half of the answer comes as if it were all' },
  slow: { scope: 'call', doc: 'the answer takes --slow', asked: true },
} as const satisfies FaultKinds

/** What every vendor's jobs can suffer. */
export const jobFaults = {
  failed: { scope: 'job', doc: 'the job fails', ends: true },
  stuck: { scope: 'job', doc: 'the job stays pending' },
  expired: { scope: 'job', doc: 'the result is gone before it is fetched' },
} as const satisfies FaultKinds

/** Damages of items whose stars are under `rating`. */
export function ratingFaults(rating: string): FaultKinds {
  const refused = { scope: 'item', refused: true } as const
  return {
    rating_missing: { ...refused, doc: 'no stars', change: ({ [rating]: _, ...item }) => item },
    rating_null: { ...refused, doc: 'stars are null', change: item => ({ ...item, [rating]: null }) },
    rating_text: { ...refused, doc: 'stars are a word', change: item => ({ ...item, [rating]: 'five' }) },
    not_an_object: {
      ...refused,
      doc: 'a text in the place of the item',
      change: (_, { id, version }) => `review ${id} (${version}) could not be read`,
    },
  }
}

/** An item fault that leaves a review a review: a field is another value, or is gone when the value is undefined. */
export function oddity(doc: string, field: string, value: (given: unknown, review: ShopReview) => unknown): FaultKind {
  return { scope: 'item', doc, change: (item, review) => ({ ...item, [field]: value(item[field], review) }) }
}

export interface Faults {
  /** The fault of this one, or null; the same for the same words. */
  draw(scope: Scope, ...words: readonly (string | number)[]): string | null
  /** Changes the shares from now on. @throws usage.invalid */
  set(share: number, each?: Readonly<Record<string, number>>): void
  /** The next call or job has this fault. @throws usage.invalid */
  next(kind: string): void
}

interface Shares {
  readonly share: number
  readonly each: Readonly<Record<string, number>>
}

/** @throws usage.invalid */
export function createFaults(kinds: FaultKinds, seed: number, first: Shares): Faults {
  let table = tableOf(kinds, first)
  const waiting: Record<Scope, string[]> = { call: [], job: [], item: [] }
  return {
    draw(scope, ...words) {
      const asked = waiting[scope].shift()
      if (asked !== undefined) return asked
      let left = chance(seed, scope, ...words)
      for (const [kind, share] of table[scope]) {
        if (left < share) return kind
        left -= share
      }
      return null
    },
    set(share, each = {}) {
      table = tableOf(kinds, { share, each })
    },
    next(kind) {
      checkKind(kinds, kind)
      waiting[kinds[kind]!.scope].push(kind)
    },
  }
}

function tableOf(kinds: FaultKinds, { share, each }: Shares): Record<Scope, (readonly [string, number])[]> {
  checkShare('faults', share)
  for (const [kind, part] of Object.entries(each)) {
    checkKind(kinds, kind)
    checkShare(`fault ${kind}`, part)
  }
  const of = (scope: Scope) => {
    const own = Object.entries(kinds).filter(([, kind]) => kind.scope === scope)
    const common = own.filter(([, kind]) => kind.asked === undefined).length
    const rows = own.map(([name, { asked }]) => [name, each[name] ?? (asked ? 0 : share / common)] as const)
    const sum = rows.reduce((total, [, part]) => total + part, 0)
    if (sum > 1 + 1e-9) throw invalid(`fault: the kinds of a ${scope} come to more than 100%`, 'Ask for less.')
    return rows
  }
  return { call: of('call'), job: of('job'), item: of('item') }
}

function checkShare(name: string, share: number): void {
  if (!(share >= 0 && share <= 1)) throw invalid(`${name} cannot be ${share}`, 'It is a share from 0 to 1.')
}

function checkKind(kinds: FaultKinds, kind: string): void {
  if (!Object.hasOwn(kinds, kind))
    throw invalid(`fault has no kind ${JSON.stringify(kind)}`, `Known here: ${Object.keys(kinds).join(', ')}.`)
}

const invalid = (what: string, hint: string) =>
  new WeirError('usage.invalid', `${what} at the simulated vendor`, { at: 'fault', hint })
