// JSON text of schemas: read under caps with whole numbers kept exactly, printed without whitespace in a stable order.
import { WeirError } from '../core/errors.ts'
import { nestsDeeperThan } from '../core/json-scan.ts'

export const maxSchemaBytes = 1024 * 1024
/** JSON nesting; 64 nested types need about 200. */
const maxJsonDepth = 256

/** Keys, by the object or list that holds them, whose number is written with a point or an exponent. */
export type Fractions = WeakMap<object, Set<string>>

const hasFractions = /\d(?:\.\d|[eE][+-]?\d)/
const hasLongDigits = /\d{16}/

/**
 * Whole numbers that a double cannot hold exactly come out as bigint. `fractions` learns which numbers are not written as whole ones.
 * @throws schema.invalid
 */
export function parseSchemaJson(text: string, fractions?: Fractions): unknown {
  if (text.length > maxSchemaBytes || Buffer.byteLength(text) > maxSchemaBytes)
    throw new WeirError('schema.invalid', `the schema is larger than ${maxSchemaBytes} bytes`, {
      at: '/',
      hint: 'Split the record, or move long documentation elsewhere.',
    })
  if (text.trim() === '')
    throw new WeirError('schema.invalid', 'the schema is empty', {
      at: '/',
      hint: 'Write an Avro record: {"type": "record", "name": "...", "fields": [...]}.',
    })
  if (nestsDeeperThan(text, maxJsonDepth))
    throw new WeirError('schema.invalid', `the schema nests deeper than ${maxJsonDepth} levels of JSON`, {
      at: '/',
      hint: 'Give nested records a name and refer to them by it.',
    })
  let json: unknown
  try {
    const isPlain = !hasLongDigits.test(text) && !(fractions && hasFractions.test(text))
    json = isPlain ? JSON.parse(text) : JSON.parse(text, exactNumbers(fractions))
  } catch (error) {
    throw new WeirError('schema.invalid', 'the schema is not JSON', {
      at: placeOf(error, text),
      hint: 'Check for trailing commas, comments and unquoted names: JSON has none of these.',
    })
  }
  return json
}

type Reviver = (this: object, key: string, value: unknown, context?: { source?: string }) => unknown

function exactNumbers(fractions: Fractions | undefined): Reviver {
  return function (this: object, key, value, context) {
    if (typeof value !== 'number') return value
    const source = context?.source
    if (source === undefined) return value
    if (fractions && !/^-?\d+$/.test(source)) {
      const keys = fractions.get(this)
      if (keys) keys.add(key)
      else fractions.set(this, new Set([key]))
    }
    return !Number.isSafeInteger(value) && /^-?\d{1,400}$/.test(source) ? BigInt(source) : value
  }
}

/** V8 names the position in its message; the message itself may quote the text, so only the position is kept. */
function placeOf(error: unknown, text: string): string {
  const found = /position (\d+)/.exec(error instanceof Error ? error.message : '')
  const position = found ? Number(found[1]) : text.length
  const before = text.slice(0, position).split('\n')
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`
}

/** Attributes in the order a reader expects them; others follow, sorted. */
const order = [
  'type',
  'name',
  'namespace',
  'doc',
  'aliases',
  'fields',
  'symbols',
  'items',
  'values',
  'size',
  'default',
  'order',
  'logicalType',
  'precision',
  'scale',
]
const rank = new Map(order.map((key, index) => [key, index]))

/** The same JSON with attributes in a stable order. A `default` keeps its order: it is data. */
export function ordered(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(ordered)
  if (typeof json !== 'object' || json === null) return json
  const source = json as Record<string, unknown>
  const keys = Object.keys(source).sort((a, b) => {
    const left = rank.get(a) ?? order.length
    const right = rank.get(b) ?? order.length
    return left - right || (a < b ? -1 : 1)
  })
  const result: Record<string, unknown> = Object.create(null)
  for (const key of keys) result[key] = key === 'default' ? source[key] : ordered(source[key])
  return result
}

/** Whitespace-free JSON text; bigints as digits. */
export function printJson(json: unknown): string {
  if (typeof json === 'bigint') return json.toString()
  if (Array.isArray(json)) return `[${json.map(printJson).join(',')}]`
  if (typeof json !== 'object' || json === null) return JSON.stringify(json)
  const parts = Object.entries(json).map(([key, value]) => `${JSON.stringify(key)}:${printJson(value)}`)
  return `{${parts.join(',')}}`
}
