// What a source that lists everything has listed: what was there before and is missing in a whole pass is gone. Ids are kept in full here, because
// the key of a tombstone is made of them. An item that cannot be told from others may be the one that is missed: then nothing is said.
import { WeirError } from '../../core/errors.ts'
import type { Item } from '../../core/record.ts'
import type { Known } from './known.ts'
import type { OrderKey } from './order-key.ts'
import type { SplitState } from './state.ts'

/** Longer ids are known by their hash alone, which gives no key. */
const maxIdLength = 1000

type Keys = 'listed' | 'seen' | 'blurred' | 'stirred'

export interface Listing {
  see(name: string, id: OrderKey): void
  /** Something of the pass is new or edited. */
  stir(): void
  /** True when the pass has told a change: the next one must not use its positions again. */
  readonly isStirred: boolean
  /** An item of the pass has no identity. */
  blur(): void
  /** Forgets the versions met first that the pass has not seen, down to `limit`. @throws source.cursor_refused when it has seen more than `keep` */
  prune(known: Known, limit: number, keep: number): void
  /** So many of those that were not seen in the pass; they are forgotten. Only when all of it was read. */
  takeMissing(known: Known, limit: number): readonly OrderKey[]
  /** True when `takeMissing` has nothing to say because some item had no identity. */
  readonly isBlurred: boolean
  during(): Pick<SplitState, Keys>
  after(): Pick<SplitState, Keys>
}

export function openListing(state: SplitState): Listing {
  const listed: Known = new Map(state.listed)
  const seen: Known = new Map(state.seen)
  let { blurred, stirred } = state
  return {
    see(name, id) {
      listed.delete(name)
      if (typeof id !== 'string' || id.length <= maxIdLength) seen.set(name, id)
    },
    stir() {
      stirred = true
    },
    get isStirred() {
      return stirred
    },
    blur() {
      blurred = true
    },
    prune(known, limit, keep) {
      if (seen.size > keep)
        throw new WeirError(
          'source.cursor_refused',
          `The source lists more than ${keep} items: what is missing cannot be known`,
          {
            hint: 'Raise `cursor: { keep }`, or leave `deletes` out.',
          },
        )
      for (const name of known.keys()) {
        if (known.size <= limit) break
        if (seen.has(name)) continue
        known.delete(name)
        listed.delete(name)
      }
    },
    takeMissing(known, limit) {
      const taken: OrderKey[] = []
      if (blurred) return taken
      for (const [name, id] of listed) {
        if (taken.length === limit) break
        taken.push(id)
        stirred = true
        listed.delete(name)
        known.delete(name)
      }
      return taken
    },
    get isBlurred() {
      return blurred && listed.size > 0
    },
    during: () => ({ listed, seen, blurred, stirred }),
    after: () => ({ listed: new Map([...listed, ...seen]), seen: new Map(), blurred: false, stirred: false }),
  }
}

/** `this.review.id` to its names; undefined for any other expression. */
export function idPathOf(expression: string): readonly string[] | undefined {
  const match = /^\s*this((?:\.[A-Za-z_]\w*)+)\s*$/.exec(expression)
  return match?.[1]?.slice(1).split('.')
}

/** What is left of an item that is gone: its id, where it was. */
export function goneItem(path: readonly string[], id: OrderKey, passes: number): Item {
  const value = path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), id)
  const text = String(id)
  return {
    value,
    raw: Buffer.from(JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? String(each) : each))),
    position: `${text}@deleted#${passes}`,
    change: 'deleted',
  }
}
