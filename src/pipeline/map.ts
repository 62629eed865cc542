// Producer, second step: items to records of the topic's schema. An item that fails leaves the batch, the rest goes on (I5).
import { codeOf, toWeirError, WeirError } from '../core/errors.ts'
import type { StageName } from '../core/event.ts'
import { failpoint } from '../core/failpoint.ts'
import type { Item } from '../core/record.ts'
import type { Mapping } from '../mapping/mapping.ts'

/** A record with the item it came from. */
export interface MappedItem {
  readonly item: Item
  readonly record: Record<string, unknown>
}

/** An item that cannot go on, and why. */
export interface ItemFailure {
  readonly item: Item
  readonly stage: StageName
  readonly error: WeirError
}

export interface MappedBatch {
  readonly mapped: readonly MappedItem[]
  readonly failures: readonly ItemFailure[]
}

/** Maps the items in order; of one that is gone there is nothing to map. `split` and `now` (ms) are what expressions see beside `this`. */
export function mapItems(
  mapping: Mapping,
  items: readonly Item[],
  split: Readonly<Record<string, unknown>>,
  now: number,
): MappedBatch {
  failpoint('map.before')
  const mapped: MappedItem[] = []
  const failures: ItemFailure[] = []
  const vars = { this: undefined as unknown, split, now }
  for (const item of items) {
    if (item.error) {
      failures.push({ item, stage: 'source', error: item.error })
      continue
    }
    if (item.change === 'deleted') {
      mapped.push({ item, record: {} })
      continue
    }
    vars.this = item.value
    try {
      mapped.push({ item, record: mapping.apply(vars) })
    } catch (error) {
      failures.push({ item, stage: 'map', error: asItemError(error, 'map.failed') })
    }
  }
  return { mapped, failures }
}

/**
 * An error about one item, with the code of the step it failed in; a defect of ours counts as the item's failure too, so that it is kept and seen.
 * A mapping error inside another step (a key, a filter) takes that step's code.
 */
export function asItemError(
  error: unknown,
  step: 'map.failed' | 'encode.invalid' | 'key.failed' | 'filter.failed' | 'decode.invalid',
): WeirError {
  const code = codeOf(error)
  if (code !== 'internal' && (code !== 'map.failed' || step === 'map.failed')) return toWeirError(error)
  const { message, at, hint } = toWeirError(error)
  return new WeirError(step, message, {
    cause: error,
    ...(at === undefined ? {} : { at }),
    ...(hint === undefined ? {} : { hint }),
  })
}
