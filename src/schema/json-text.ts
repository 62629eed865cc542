// JSON text of schemas: read under caps with whole numbers kept exactly, printed without whitespace in a stable order.
import { WeirError } from '../core/errors.ts'

export const maxSchemaBytes = 1024 * 1024
/** JSON nesting; 64 nested types need about 200. */
const maxJsonDepth = 256

/** Whole numbers that a double cannot hold exactly come out as bigint. @throws schema.invalid */
export function parseSchemaJson(text: string): unknown {
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
  let json: unknown
  try {
    json = JSON.parse(text, exactNumbers)
  } catch (error) {
    throw new WeirError('schema.invalid', 'the schema is not JSON', {
      at: placeOf(error, text),
      hint: 'Check for trailing commas, comments and unquoted names: JSON has none of these.',
    })
  }
  checkDepth(json)
  return json
}

function exactNumbers(this: unknown, _key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
  const source = context?.source
  return source !== undefined && /^-?\d{1,400}$/.test(source) ? BigInt(source) : value
}

/** V8 names the position in its message; the message itself may quote the text, so only the position is kept. */
function placeOf(error: unknown, text: string): string {
  const found = /position (\d+)/.exec(error instanceof Error ? error.message : '')
  const position = found ? Number(found[1]) : text.length
  const before = text.slice(0, position).split('\n')
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`
}

function checkDepth(json: unknown): void {
  const stack: [value: unknown, depth: number][] = [[json, 0]]
  for (let entry = stack.pop(); entry; entry = stack.pop()) {
    const [value, depth] = entry
    if (typeof value !== 'object' || value === null) continue
    if (depth >= maxJsonDepth)
      throw new WeirError('schema.invalid', `the schema nests deeper than ${maxJsonDepth} levels of JSON`, {
        at: '/',
        hint: 'Give nested records a name and refer to them by it.',
      })
    for (const child of Object.values(value)) stack.push([child, depth + 1])
  }
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
