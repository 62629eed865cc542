// Items out of the list of an answer: identity, version, position; an item that lacks them is yielded with its error and its bytes.
import { WeirError } from '../../core/errors.ts'
import type { DropReason, Item, Split } from '../../core/record.ts'
import { formatBytes } from '../../core/units.ts'
import { compileExpression, type Expression } from '../../mapping/expression.ts'
import type { Decoded } from './decode.ts'
import { type FieldValue, fieldValue, hash, idText, type OrderKey } from './order-key.ts'
import type { CursorConfig } from './spec.ts'
import { type Tracker, versionOf } from './tracker.ts'
import { itemVars } from './vars.ts'

/** The list of one answer, and where it was in the pass. */
export interface Page {
  readonly decoded: Decoded
  readonly records: readonly unknown[]
  readonly index: number
  /** Bytes of the whole body. */
  readonly bytes: number
  /** What expressions over an item see as `job`. */
  readonly job: unknown
}

/** What identifies an item: id and version, or why it has none. */
type Identity =
  | { readonly id: string; readonly value: OrderKey; readonly field: FieldValue | undefined }
  | { readonly problem: string; readonly hint: string }

export interface Itemizer {
  /** Records and bad parts of the page together. */
  count(page: Page): number
  /**
   * The n-th item of the page, or why it is left out where the tracker knows it.
   * @param passes finished passes: makes positions unique where items have no id
   */
  item(page: Page, n: number, tracker: Tracker, split: Split, passes: number): Item | DropReason
  /** What all versions of the n-th item have in common; undefined where it has no identity. */
  idOf(page: Page, n: number, split: Split): string | undefined
  /** What tells whether the n-th item of a page that was fetched again is the same. */
  signature(page: Page, n: number, split: Split): string
}

/** @throws config.expression */
export function createItemizer(cursor: CursorConfig | undefined, maxItemBytes: number): Itemizer {
  const identify = cursor && identifier(cursor)
  const identityOf = (page: Page, n: number, split: Split) => {
    if (identify === undefined || n >= page.records.length || objectProblem(page.records[n]) !== undefined)
      return undefined
    const identity = identify(page.records[n], split, page.job)
    return 'id' in identity ? identity : undefined
  }
  return {
    count: page => page.records.length + page.decoded.bad.length,
    idOf: (page, n, split) => identityOf(page, n, split)?.id,
    item(page, n, tracker, split, passes) {
      const place = `page ${page.index + 1}, item ${n + 1}`
      const raw = () => rawItem(page, n)
      const part = page.decoded.bad[n - page.records.length]
      const context = part ? part.context : page.decoded.contextOf?.(page.records, n)
      const more = { place, ...(context === undefined ? {} : { context }) }
      const failed = (error: WeirError, bytes: Uint8Array): Item | DropReason => {
        if (identify === undefined)
          return { value: undefined, raw: bytes, position: `${passes}.${page.index}.${n}`, error, ...more }
        const { isNew, hash: name } = tracker.admitBad(bytes)
        return isNew ? { value: undefined, raw: bytes, position: `#${name}`, error, ...more } : 'duplicate'
      }
      if (part !== undefined) return failed(part.error, part.raw)
      const record = page.records[n]
      const shape = objectProblem(record)
      if (shape !== undefined) return failed(shapeError(shape, 'Check the expression in `records`.', place), raw())
      if (page.bytes > maxItemBytes) {
        const bytes = raw()
        if (bytes.byteLength > maxItemBytes) return failed(tooLarge(bytes.byteLength, maxItemBytes, place), bytes)
      }
      if (identify === undefined) return { value: record, raw, position: `${passes}.${page.index}.${n}`, ...more }
      const identity = identify(record, split, page.job)
      if ('problem' in identity) return failed(shapeError(identity.problem, identity.hint, place), raw())
      const admission = tracker.admit(identity.id, identity.field, identity.value)
      if (admission === 'duplicate' || admission === 'unchanged') return admission
      // A version that comes back after another one is another record then, and so is what was deleted and is there again.
      const text = identity.field?.text ?? ''
      const edits = text === '' ? 0 : tracker.edits(identity.id)
      const version = `${versionOf(identity.id, text)}${edits > 0 ? `~${edits}` : ''}`
      const position = cursor?.deletes === 'tombstone' ? `${version}#${passes}` : version
      return { value: record, raw, position, ...more, ...(admission === 'edited' ? { change: admission } : {}) }
    },
    signature(page, n, split) {
      const identity = identityOf(page, n, split)
      return identity ? versionOf(identity.id, identity.field?.text ?? '') : `#${hash(rawItem(page, n))}`
    },
  }
}

function rawItem(page: Page, n: number): Uint8Array {
  return page.decoded.bad[n - page.records.length]?.raw ?? page.decoded.rawOf(page.records, n)
}

function identifier(cursor: CursorConfig): (record: unknown, split: Split, job: unknown) => Identity {
  const id = compileExpression(cursor.id, itemVars)
  const { as } = cursor
  if (cursor.mode === 'membership') {
    const version = cursor.version === undefined ? undefined : compileExpression(cursor.version, itemVars)
    return (record, split, job) => {
      const vars = { this: record, split: split.vars, job }
      const value = evaluated(id, vars)
      const text = idText(value)
      if (text === undefined) return noId
      return { id: text, value: value as OrderKey, field: version && versionField(evaluated(version, vars)) }
    }
  }
  const field = compileExpression(cursor.field ?? 'null', itemVars)
  const noField: Identity = {
    problem: 'The item lacks the field that the cursor needs',
    hint: `Its \`field\` must give a ${as}; look at \`cursor\`.`,
  }
  return (record, split, job) => {
    const vars = { this: record, split: split.vars, job }
    const given = evaluated(id, vars)
    const text = idText(given)
    if (text === undefined) return noId
    const value = fieldValue(evaluated(field, vars), as)
    return value === undefined ? noField : { id: text, value: given as OrderKey, field: value }
  }
}

const noId: Identity = {
  problem: 'The item has no id',
  hint: 'Its `id` must give a text or a number; look at `cursor`.',
}

/** Any value as a short version text. */
function versionField(value: unknown): FieldValue {
  const text = hash(
    typeof value === 'string'
      ? value
      : `${typeof value}:${JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? `${each}n` : each))}`,
  )
  return { key: text, text }
}

function evaluated(expression: Expression, vars: Readonly<Record<string, unknown>>): unknown {
  try {
    return expression.evaluate(vars)
  } catch {
    return undefined
  }
}

function objectProblem(record: unknown): string | undefined {
  if (record === null || record === undefined) return 'The item is null'
  if (Array.isArray(record)) return 'The item is a list, not an object'
  return typeof record === 'object' ? undefined : `The item is a ${typeof record}, not an object`
}

function shapeError(message: string, hint: string, at: string): WeirError {
  return new WeirError('source.item_shape', message, { at, hint })
}

function tooLarge(bytes: number, max: number, at: string): WeirError {
  return new WeirError(
    'source.item_too_large',
    `The item has ${formatBytes(bytes)}, at most ${formatBytes(max)} are taken`,
    { at, hint: 'Raise `max_item` if such items are right.' },
  )
}
