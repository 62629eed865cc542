// What ajv found, said for people: what was expected, what is there, what to write. Values that may be secret are never quoted (I9).
import type { ErrorObject } from 'ajv'
import { isObject } from '../core/json-text.ts'
import { closest, suggestion } from '../core/suggest.ts'
import { formatBytes } from '../core/units.ts'
import { type Found, lastOf, segment } from './problem.ts'
import type { Reading } from './resolve.ts'
import type { Shape } from './shape.ts'

/** One mistake as a problem of the definition. */
export function complaintOf(error: ErrorObject, base: string, reading: Reading): Found {
  const pointer = base + error.instancePath
  const shape = (error.parentSchema ?? {}) as Shape
  const { params } = error
  switch (error.keyword) {
    case 'additionalProperties':
      return unknownField(String(params['additionalProperty']), pointer, shape)
    case 'required':
      return missingField(String(params['missingProperty']), pointer, shape)
    case 'propertyNames':
      return { code: 'config.invalid', message: 'This key has a form it cannot have.', pointer, on: 'key' }
    case 'if':
    case 'not':
      return { code: 'config.invalid', message: `${nameOf(pointer)} has a value it cannot have.`, pointer }
    default:
      return wrongValue(shape, error, pointer, reading)
  }
}

function unknownField(key: string, pointer: string, shape: Shape): Found {
  const known = Object.keys(shape.properties ?? {})
  const patterned = known.length === 0 && shape.patternProperties
  return {
    code: 'config.unknown_field',
    message: patterned
      ? `\`${key}\` cannot be the name of a field here.`
      : `\`${key}\` is not a field of ${pointer === '' ? 'this file' : nameOf(pointer)}.`,
    pointer: pointer + segment(key),
    on: 'key',
    hint: patterned ? 'Use letters, digits and _; start with a letter or _.' : suggestion(key, known),
  }
}

function missingField(key: string, pointer: string, shape: Shape): Found {
  const field = shape.properties?.[key]
  return {
    code: 'config.missing_field',
    message: `${pointer === '' ? 'The file' : nameOf(pointer)} needs \`${key}\`: ${lower(field?.description ?? expected(field ?? {}))}`,
    pointer,
    on: 'key',
    hint: `Add \`${key}: ${exampleOf(field ?? {})}\`.`,
  }
}

function wrongValue(shape: Shape, error: ErrorObject, pointer: string, reading: Reading): Found {
  const value = error.data
  const message =
    limitMessage(error, pointer) ??
    `${nameOf(pointer)} must be ${expected(shape)}, got ${got(value, shape, pointer, reading)}.`
  const hint = hintFor(shape, value, pointer, reading)
  return { code: 'config.invalid', message, pointer, ...(hint ? { hint } : {}) }
}

function limitMessage(error: ErrorObject, pointer: string): string | undefined {
  const limit = Number(error.params['limit'])
  const name = nameOf(pointer)
  const entries = (n: number, one: string, many: string) => `${n} ${n === 1 ? one : many}`
  switch (error.keyword) {
    case 'minLength':
      return limit === 1
        ? `${name} is empty.`
        : `${name} must have at least ${entries(limit, 'character', 'characters')}.`
    case 'maxLength':
      return `${name} has ${String(error.data).length} characters; at most ${limit} are allowed.`
    case 'minItems':
      return limit === 1 ? `${name} is an empty list.` : `${name} needs at least ${entries(limit, 'entry', 'entries')}.`
    case 'maxItems':
      return `${name} has ${(error.data as unknown[]).length} entries; at most ${limit} are allowed.`
    case 'minProperties':
      return limit === 1 ? `${name} has no fields.` : `${name} needs at least ${entries(limit, 'field', 'fields')}.`
    case 'maxProperties':
      return `${name} has ${Object.keys(error.data as object).length} fields; at most ${limit} are allowed.`
    case 'uniqueItems':
      return `${name} holds the same entry twice.`
    default:
      return undefined
  }
}

/** What a field wants, in words. */
export function expected(shape: Shape): string {
  switch (shape.weir) {
    case 'duration':
      return `a duration such as ${String(shape.default ?? '30s')}`
    case 'size':
      return `a size such as ${String(shape.default ?? '64kb')}`
    case 'share':
      return `a share such as ${String(shape.default ?? '50%')}`
    case 'expression':
      return 'a CEL expression'
    case 'path':
      return 'a file path'
    case 'address':
      return `an address such as ${String(shape.examples?.[0])}`
    case 'name':
      return `a name${allowed(shape.pattern)}`
  }
  if (shape.const !== undefined) return quote(shape.const)
  if (shape.enum) return `one of ${shape.enum.map(quote).join(', ')}`
  if (shape.anyOf) {
    const consts = shape.anyOf.filter(branch => branch.const !== undefined)
    if (consts.length === shape.anyOf.length) return `one of ${consts.map(branch => quote(branch.const)).join(', ')}`
    return [...new Set(shape.anyOf.map(expected))].join(', or ')
  }
  if (shape.type === 'integer') return `a whole number${range(shape)}`
  if (shape.type === 'number') return `a number${range(shape)}`
  if (shape.type === 'boolean') return 'true or false'
  if (shape.type === 'array') return 'a list'
  if (shape.type === 'object') return shape.properties ? objectWords(shape) : 'fields (key: value)'
  if (shape.type === 'null') return 'nothing'
  return `text${allowed(shape.pattern)}`
}

function objectWords(shape: Shape): string {
  const names = shape.required?.length ? shape.required : Object.keys(shape.properties ?? {})
  return names.length > 0 && names.length <= 3 ? `fields {${names.join(', ')}}` : 'fields (key: value)'
}

const quote = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))
const lower = (text: string) => text.slice(0, 1).toLowerCase() + text.slice(1)

function allowed(pattern: string | undefined): string {
  if (pattern === undefined) return ''
  const letters = /^\^(?:\[a-zA-Z0-9\])?\[([^\]]+)\][+*]\$$/.exec(pattern)?.[1]
  return letters === 'a-zA-Z0-9._-' ? ' of letters, digits, dot, _ and -' : ` that matches ${pattern}`
}

function range(shape: Shape): string {
  const least = shape.minimum ?? shape.exclusiveMinimum
  const most = shape.maximum ?? shape.exclusiveMaximum
  const from = shape.minimum === undefined && shape.exclusiveMinimum !== undefined ? 'above' : 'of at least'
  const to = shape.maximum === undefined && shape.exclusiveMaximum !== undefined ? 'below' : 'at most'
  if (least !== undefined && most !== undefined && from !== 'above' && to !== 'below')
    return ` from ${least} to ${most}`
  return [least === undefined ? '' : ` ${from} ${least}`, most === undefined ? '' : ` ${to} ${most}`].join('')
}

/** What stands there, in words. The text of secrets and of variables is left out. */
function got(value: unknown, shape: Shape, pointer: string, reading: Reading): string {
  const resolved = reading.resolved.get(pointer)
  if (resolved) return `another value from ${resolved.names.map(name => `\${${name}}`).join(', ')}`
  if (value === null) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (isObject(value)) {
    const keys = Object.keys(value)
    return keys.length > 0 && keys.length <= 3 ? `fields {${keys.join(', ')}}` : 'fields (key: value)'
  }
  const kind = typeof value === 'string' ? 'the text' : typeof value === 'number' ? 'the number' : ''
  if (shape.weir === 'secret' || shape.weir === 'template') return kind || 'true or false'
  const text = typeof value === 'string' ? value.slice(0, 60) : String(value)
  return `${kind} ${text}`.trim()
}

/** Spellings of other YAML versions and languages that mean something else here. */
function hintFor(shape: Shape, value: unknown, pointer: string, reading: Reading): string | undefined {
  const wants = shape.weir ?? shape.type
  if (reading.resolved.has(pointer)) return 'Set the variable to a value of this form.'
  if (typeof value === 'number' || typeof value === 'boolean') {
    if (wants === 'duration') return `Give it a unit: ${String(value)}s, ${String(value)}ms.`
    if (wants === 'size') return `Give it a unit: ${String(value)}kb, ${String(value)}mb.`
    if (wants === 'share') return `Give it a percent sign: ${String(value)}%.`
    if (shape.type === 'string') return 'Put it in quotes to make it text.'
  }
  if (typeof value === 'string') {
    if (wants === 'boolean' && /^(yes|no|on|off|y|n)$/i.test(value))
      return `Write ${/^(yes|on|y)$/i.test(value) ? 'true' : 'false'}: in YAML 1.2, ${value} is text.`
    if (wants === 'integer' || wants === 'number') return numberHint(value, pointer, reading)
    if (wants === 'array') return 'Put it in brackets: [ … ].'
    const choices = shape.anyOf?.map(branch => branch.const) ?? shape.enum
    const near =
      choices &&
      closest(
        value,
        choices.filter(choice => typeof choice === 'string'),
      )
    if (near) return `Did you mean ${near}?`
    if (wants === 'duration') return 'Units are ms, s, m, h, d: 500ms, 30s, 1h30m.'
    if (wants === 'size') return 'Units are b, kb, mb, gb: 64kb, 16mb.'
  }
  if (value === null) return 'Write a value, or remove the field.'
  const choices = Object.keys(shape.properties ?? {})
  if (isObject(value) && Object.keys(value).length === 0 && choices.length > 0)
    return `Write one of: ${choices.join(', ')}.`
  if (shape.anyOf && isObject(value)) {
    const known = shape.anyOf.flatMap(branch => Object.keys(branch.properties ?? {}))
    const near = Object.keys(value)
      .map(key => closest(key, known))
      .find(word => word !== undefined)
    if (near) return `Did you mean ${near}?`
  }
  return shape.description
}

function numberHint(text: string, pointer: string, reading: Reading): string {
  if (/^[-+]?\d[\d_]*_[\d_]*$/.test(text)) return `Write it without underscores: ${text.replaceAll('_', '')}.`
  if (/^[-+]?\.?(nan|inf|infinity)$/i.test(text)) return 'Only finite numbers are allowed.'
  if (/^[-+]?[\d.]+$/.test(text) && reading.problems.places.get(pointer)?.plain === false)
    return 'Remove the quotes: in quotes it is text.'
  return 'Write digits only.'
}

/** A field by its name; entries of lists with their number. */
export function nameOf(pointer: string): string {
  const last = lastOf(pointer)
  if (!/^\d+$/.test(last)) return `\`${last}\``
  return `Entry ${Number(last) + 1} of \`${lastOf(pointer.slice(0, pointer.lastIndexOf('/')))}\``
}

function exampleOf(shape: Shape): string {
  const example = shape.default ?? shape.examples?.[0]
  if (typeof example === 'string' || typeof example === 'number' || typeof example === 'boolean') return String(example)
  return shape.type === 'array' ? '[…]' : shape.type === 'object' ? '{…}' : '…'
}

const durations = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'm'],
  [1000, 's'],
  [1, 'ms'],
] as const

/** A number with the unit of its kind, as it is written in YAML. */
export function withUnit(value: number, shape: Shape): string {
  if (shape.weir === 'size') return formatBytes(value)
  if (shape.weir !== 'duration') return `${Number((value * 100).toFixed(4))}%`
  const [unit, name] = value === 0 ? [1, 'ms'] : durations.find(([ms]) => value % ms === 0)!
  return `${value / unit}${name}`
}
