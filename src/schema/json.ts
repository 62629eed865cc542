// Decoded values for people and NDJSON: plain JSON, nothing that JSON.stringify would refuse or lose.

const maxDepth = 100

/**
 * A decoded value as JSON can hold it: bigints become numbers when these are exact, else strings; bytes become base64;
 * NaN and the infinities become the strings "NaN", "Infinity", "-Infinity". Gives the same object back when nothing needs changing.
 */
export function toJson(value: unknown): unknown {
  return convert(value, 0)
}

function convert(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      return Number.isFinite(value) ? value : String(value)
    case 'bigint':
      return value >= -9007199254740991n && value <= 9007199254740991n ? Number(value) : value.toString()
    case 'object':
      if (value === null) return null
      if (depth > maxDepth) return '...'
      if (value instanceof Uint8Array) return base64(value)
      if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString()
      return Array.isArray(value) ? convertList(value, depth) : convertObject(value as Record<string, unknown>, depth)
    default:
      return null
  }
}

function convertList(list: readonly unknown[], depth: number): readonly unknown[] {
  let result: unknown[] | undefined
  for (let i = 0; i < list.length; i++) {
    const item = list[i]
    const converted = convert(item, depth + 1)
    if (converted === item && !result) continue
    result ??= list.slice(0, i)
    result.push(converted)
  }
  return result ?? list
}

function convertObject(object: Record<string, unknown>, depth: number): Record<string, unknown> {
  let result: Record<string, unknown> | undefined
  const keys = Object.keys(object)
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!
    const item = object[key]
    const converted = convert(item, depth + 1)
    if (converted === item && !result) continue
    // A copy with the hidden class of the original; where a key would be the prototype's, one without a prototype.
    result ??= keys.includes('__proto__') ? Object.assign(Object.create(null), object) : { ...object }
    result![key] = converted
  }
  return result ?? object
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

/** The JSON text of a decoded value, on one line: what NDJSON files and `--json` print. */
export function toJsonText(value: unknown): string {
  return JSON.stringify(toJson(value))
}
