// An Avro type for what sampled values look like. Only what all of them say: text stays text, and what it looks like is a remark.
import type { ItemShape } from './item-shape.ts'
import { wordsOf } from './likeness.ts'
import type { NamingRule, NamingStyle } from './policy.ts'

export interface InferredType {
  /** The type as JSON, without null. */
  readonly type: unknown
  /** What a person should know of it. */
  readonly remarks: readonly string[]
}

/** What names are given by, and which are taken. */
export interface Naming {
  readonly rule: NamingRule
  /** Names of types in the schema; those that are given are added. */
  readonly taken: Set<string>
  /** The tag of a field that looks personal; null for one that does not. */
  readonly tagOf: (name: string, shape: ItemShape) => string | null
}

/** The type, or why none can be inferred. @param name of the field, which a nested record is named after */
export function inferType(shape: ItemShape, name: string, naming: Naming): InferredType | string {
  if (shape.seen === 0) return 'no sample has a value'
  if (shape.kinds.length > 1) return `the samples do not agree: ${shape.kinds.join(', ')}`
  if (shape.booleans > 0) return plain('boolean')
  if (shape.texts > 0) return { type: 'string', remarks: textRemarks(shape.someTexts) }
  if (shape.lists > 0) return listType(shape, name, naming)
  if (shape.objects > 0) return objectType(shape, name, naming)
  if (shape.fractions > 0) return plain('double')
  if (shape.isHuge) return 'whole numbers of more than 64 bits have no Avro type; map them as text: string(…)'
  return { type: shape.isLong ? 'long' : 'int', remarks: timeRemarks(shape) }
}

const plain = (type: unknown): InferredType => ({ type, remarks: [] })

function listType({ items }: ItemShape, name: string, naming: Naming): InferredType | string {
  if (!items || items.seen === 0) return 'no sample has an item in the list'
  const inner = inferType(items, name, naming)
  if (typeof inner === 'string') return `items of the list: ${inner}`
  return { type: { type: 'array', items: items.nulls > 0 ? ['null', inner.type] : inner.type }, remarks: inner.remarks }
}

/** A record whose fields may all be null, or a map where the keys are data. */
function objectType(shape: ItemShape, name: string, naming: Naming): InferredType | string {
  if (shape.hasOtherKeys) return mapType(shape, name, naming)
  if (shape.fields.size === 0) return 'the object has no fields in any sample'
  const { types } = naming.rule
  const own = freeName(styled([name], types === 'any' ? 'PascalCase' : types), naming.taken)
  const remarks: string[] = []
  const fields = [...shape.fields].flatMap(([key, inner]) => {
    const inferred = inferType(inner, key, naming)
    if (typeof inferred === 'string') {
      remarks.push(`${key} is left out: ${inferred}`)
      return []
    }
    remarks.push(...inferred.remarks.map(remark => `${key}: ${remark}`))
    // The names must stay as they are: the mapping takes the object whole.
    if (!/^[A-Za-z_]\w*$/.test(key)) {
      remarks.push(`${key} is left out: it is no name for Avro`)
      return []
    }
    return [fieldFor(key, key, inferred.type, naming.tagOf(key, inner))]
  })
  if (fields.length === 0) return `no field of the object has a type: ${remarks.join('; ')}`
  return { type: { type: 'record', name: own, doc: docStub(name), fields }, remarks }
}

function mapType(shape: ItemShape, name: string, naming: Naming): InferredType | string {
  const types = [...shape.fields.values()].map(inner =>
    inferType(inner, name, { ...naming, taken: new Set(naming.taken) }),
  )
  const texts = new Set(types.map(each => JSON.stringify(typeof each === 'string' ? null : each.type)))
  const [first] = types
  if (texts.size !== 1 || first === undefined || typeof first === 'string')
    return 'its keys look like data, and its values are not of one type'
  return { type: { type: 'map', values: first.type }, remarks: ['its keys look like data, so it is a map'] }
}

/** A field that may be null, and is where nothing was written. */
export function fieldFor(
  name: string,
  path: string,
  type: unknown,
  tag: string | null,
): Readonly<Record<string, unknown>> {
  const tags = tag === null ? {} : { 'confluent:tags': [tag] }
  return { name, type: ['null', type], default: null, doc: docStub(path), ...tags }
}

/** What a doc says until a person knows better. */
const docStub = (path: string): string =>
  `As the source gives it at ${path}. Say what it holds, its unit, and what null means.`

function textRemarks(texts: readonly string[]): readonly string[] {
  if (texts.length === 0) return []
  const all = (pattern: RegExp) => texts.every(text => pattern.test(text.trim()))
  if (all(/^[+-]?\d{1,9}$/)) return ['all texts are whole numbers: int(…) would make them int']
  if (all(/^[+-]?\d{1,15}(\.\d{1,15})?$/)) return ['all texts are numbers: double(…) would make them double']
  if (all(/^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?$/))
    return ['all texts look like times: a long with logicalType timestamp-millis would hold them, if the zone is known']
  if (all(/^\d{4}-\d{2}-\d{2}$/)) return ['all texts look like dates: an int with logicalType date would hold them']
  if (all(/^(true|false)$/i)) return ['all texts are true or false']
  return []
}

/** Seconds or milliseconds since 1970 in this century. */
function timeRemarks({ isLong, integers }: ItemShape): readonly string[] {
  return isLong && integers > 0
    ? ['large whole numbers may be times: logicalType timestamp-millis, if they are milliseconds']
    : []
}

/** Words as one name of a style; Avro's characters only. */
export function styled(parts: readonly string[], style: NamingStyle): string {
  if (style === 'any') return valid(parts.join('_').replace(/\W+/g, '_'))
  const words = parts.flatMap(part => wordsOf(part)).map(word => word.replace(/[^a-z0-9]+/g, ''))
  const known = words.filter(word => word !== '')
  const large = (word: string) => word.charAt(0).toUpperCase() + word.slice(1)
  switch (style) {
    case 'snake_case':
      return valid(known.join('_'))
    case 'UPPER_SNAKE_CASE':
      return valid(known.join('_').toUpperCase())
    case 'PascalCase':
      return valid(known.map(large).join(''))
    case 'camelCase':
      return valid(known.map((word, i) => (i === 0 ? word : large(word))).join(''))
  }
}

const valid = (name: string) => (/^[A-Za-z_]/.test(name) ? name : `_${name}`)

function freeName(name: string, taken: Set<string>): string {
  let free = name
  for (let number = 2; taken.has(free); number++) free = `${name}${number}`
  taken.add(free)
  return free
}
