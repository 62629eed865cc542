// Decoded values in words, by what their type means: 12.34 and not the bytes of 1234, a date and not a number of days.
import { toJsonText } from '../schema/json.ts'
import { logicalType, type TypeOutline } from './outline.ts'
import { branchOf } from './union-value.ts'

const maxText = 200

/** The leaves of a record, by field path in words. Lists and maps are one leaf. */
export function leavesOf(value: unknown, type: TypeOutline, path: string): ReadonlyMap<string, string> {
  const leaves = new Map<string, string>()
  const visit = (value: unknown, type: TypeOutline, path: string): void => {
    const [chosen, inner] = chosenBranch(value, type)
    if (chosen?.kind === 'record' && typeof inner === 'object' && inner !== null && chosen.fields.length > 0)
      for (const field of chosen.fields)
        visit((inner as Record<string, unknown>)[field.name], field.type, `${path}.${field.name}`)
    else leaves.set(path, cut(textOf(inner, chosen)))
  }
  visit(value, type, path)
  return leaves
}

const cut = (text: string) => (text.length > maxText ? `${text.slice(0, maxText - 1)}…` : text)

/** True for two texts of a leaf that are the same number, date or time, though one has more zeros: 0.00 and 0.000. */
export function meansTheSame(a: string, b: string): boolean {
  return a === b || (isNumeric.test(a) && isNumeric.test(b) && withoutZeros(a) === withoutZeros(b))
}

const isNumeric = /^-?\d[\d:T-]*(\.\d+)?Z?$/
const withoutZeros = (text: string) => text.replace(/(\.\d*?)0+(?=Z?$)/, '$1').replace(/\.(?=Z?$)/, '')

/** The branch that a value is of, and the value without its branch name. */
function chosenBranch(value: unknown, type: TypeOutline): readonly [TypeOutline | null, unknown] {
  if (type.kind !== 'union') return [type, value]
  const found = branchOf(value, type)
  return found ? [found.branch, found.value] : [null, value]
}

function textOf(value: unknown, type: TypeOutline | null): string {
  const logical = type ? logicalType(type) : null
  if (logical === 'decimal' && value instanceof Uint8Array) return decimalText(value, Number(type!.json['scale'] ?? 0))
  // A logical type on another type than its own means nothing.
  if (logical !== null && (Number.isInteger(value) || typeof value === 'bigint'))
    return timeText(value as number | bigint, logical) ?? String(value)
  if (typeof value === 'bigint') return String(value)
  if (type?.kind === 'array' && Array.isArray(value))
    return `[${value.map(item => innerText(item, type.inner!)).join(',')}]`
  if (type?.kind === 'map' && typeof value === 'object' && value !== null)
    return `{${Object.entries(value)
      .map(([key, item]) => `${toJsonText(key)}:${innerText(item, type.inner!)}`)
      .join(',')}}`
  return toJsonText(value ?? null)
}

/** Of an item or a value, which may be a record: its fields by what their types mean too. */
function innerText(value: unknown, type: TypeOutline): string {
  const [chosen, inner] = chosenBranch(value, type)
  if (chosen?.kind !== 'record' || typeof inner !== 'object' || inner === null) return textOf(inner, chosen)
  const fields = chosen.fields.map(
    field => `${toJsonText(field.name)}:${innerText((inner as Record<string, unknown>)[field.name], field.type)}`,
  )
  return `{${fields.join(',')}}`
}

function decimalText(bytes: Uint8Array, scale: number): string {
  const unscaled =
    bytes.length === 0 ? 0n : BigInt.asIntN(bytes.length * 8, BigInt(`0x${Buffer.from(bytes).toString('hex')}`))
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString()
  if (!Number.isInteger(scale) || scale <= 0 || scale > 1000) return unscaled.toString()
  const padded = digits.padStart(scale + 1, '0')
  return `${unscaled < 0n ? '-' : ''}${padded.slice(0, -scale)}.${padded.slice(-scale)}`
}

const dayMs = 86_400_000
const perMilli: Readonly<Record<string, bigint>> = { millis: 1n, micros: 1_000n, nanos: 1_000_000n }

/** A date or time as ISO 8601; null for other logical types and for what is beyond the years that dates can hold. */
function timeText(value: number | bigint, logical: string): string | null {
  const whole = BigInt(value)
  if (logical === 'date') return isoOf(Number(whole) * dayMs)?.replace(/T.*/, '') ?? null
  const [, kind, unit] = /^(time|timestamp|local-timestamp)-(millis|micros|nanos)$/.exec(logical) ?? []
  if (kind === undefined) return null
  const per = perMilli[unit!]!
  const ms = whole / per - (whole % per < 0n ? 1n : 0n)
  const rest = whole - ms * per
  const iso = isoOf(Number(ms))
  if (iso === null) return null
  const digits = unit === 'millis' ? '' : rest.toString().padStart(unit === 'micros' ? 3 : 6, '0')
  const text = iso.replace('Z', `${digits}Z`)
  return kind === 'time'
    ? text.replace(/.*T/, '').replace('Z', '')
    : kind === 'timestamp'
      ? text
      : text.replace('Z', '')
}

function isoOf(ms: number): string | null {
  const date = new Date(ms)
  return Number.isNaN(date.getTime()) ? null : date.toISOString()
}
