// Functions for values that may be missing or empty.
import { Failure, spend } from '../budget.ts'
import { define } from './function.ts'

function firstPresent(...values: unknown[]): unknown {
  for (const value of values) if (value !== null && value !== undefined) return value
  return null
}

const value = { name: 'value', type: 'dyn' }
const coalesceDoc = 'The first argument that is there and not null; null when none is.'

const coalesce = (names: readonly string[]) =>
  define({
    name: 'coalesce',
    group: 'Missing values',
    parameters: names.map(name => ({ name, type: 'dyn' })),
    returns: 'dyn',
    doc: coalesceDoc,
    nullGivesNull: false,
    examples:
      names.length === 3
        ? [{ expression: 'coalesce(this.?title, this.?headline, "none")', this: { headline: 'Good' }, gives: 'Good' }]
        : [],
    run: firstPresent,
  })

export const missingFunctions = [
  define({
    name: 'default',
    group: 'Missing values',
    parameters: [value, { name: 'fallback', type: 'dyn' }],
    returns: 'dyn',
    doc: 'The value, or `fallback` when it is missing or null.',
    nullGivesNull: false,
    examples: [
      { expression: 'default(this.?votes, 0)', this: {}, gives: 0 },
      { expression: 'default(this.?votes, 0)', this: { votes: null }, gives: 0 },
      { expression: 'default(this.?votes, 0)', this: { votes: 7 }, gives: 7 },
    ],
    run: firstPresent,
  }),
  coalesce(['a', 'b', 'c']),
  coalesce(['a', 'b']),
  coalesce(['a', 'b', 'c', 'd']),
  coalesce(['a', 'b', 'c', 'd', 'e']),
  define({
    name: 'blank_to_null',
    group: 'Missing values',
    parameters: [value],
    returns: 'dyn',
    doc: 'Null for a text that is empty or only blanks; anything else as it is.',
    nullGivesNull: true,
    examples: [
      { expression: 'blank_to_null(this.name)', this: { name: '  ' }, gives: null },
      { expression: 'blank_to_null(this.name)', this: { name: ' Ann ' }, gives: ' Ann ' },
    ],
    run: (given: unknown) => (typeof given === 'string' && given.trim() === '' ? null : given),
  }),
  define({
    name: 'null_if',
    group: 'Missing values',
    parameters: [value, { name: 'unwanted', type: 'dyn' }],
    returns: 'dyn',
    doc: 'Null when the value equals `unwanted`, such as "N/A"; else the value.',
    nullGivesNull: true,
    examples: [{ expression: 'null_if(this.name, "N/A")', this: { name: 'N/A' }, gives: null }],
    run: (given: unknown, unwanted: unknown) => (equal(given, unwanted) ? null : given),
  }),
  define({
    name: 'first',
    group: 'Missing values',
    parameters: [{ name: 'items', type: 'list' }],
    returns: 'dyn',
    doc: 'The first item of a list; null when it is empty.',
    nullGivesNull: true,
    examples: [
      { expression: 'first(this.images)', this: { images: ['a', 'b'] }, gives: 'a' },
      { expression: 'first(this.images)', this: { images: [] }, gives: null },
    ],
    run: (items: readonly unknown[]) => items[0] ?? null,
  }),
]

/** Equality of CEL over plain values: 1 and 1.0 are equal. */
export function equal(a: unknown, b: unknown, depth = 0): boolean {
  if (a === b) return true
  if (typeof a === 'bigint' || typeof b === 'bigint')
    // biome-ignore lint/suspicious/noDoubleEquals: bigint and number compare by value
    return (typeof a === 'number' || typeof b === 'number') && (a as never) == (b as never)
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (depth > 100) throw new Failure('values nest too deep to be compared')
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false
    spend(1 + a.length)
    return a.every((item, index) => equal(item, b[index], depth + 1))
  }
  if (Array.isArray(b)) return false
  if (a instanceof Date || b instanceof Date)
    return a instanceof Date && b instanceof Date && a.getTime() === b.getTime()
  if (a instanceof Uint8Array || b instanceof Uint8Array) {
    if (!(a instanceof Uint8Array && b instanceof Uint8Array)) return false
    spend(1 + (a.length >> 8))
    return Buffer.compare(a, b) === 0
  }
  return equalMaps(a as Record<string, unknown>, b as Record<string, unknown>, depth)
}

function equalMaps(a: Record<string, unknown>, b: Record<string, unknown>, depth: number): boolean {
  const keys = Object.keys(a)
  if (keys.length !== Object.keys(b).length) return false
  spend(1 + keys.length)
  return keys.every(key => Object.hasOwn(b, key) && equal(a[key], b[key], depth + 1))
}
