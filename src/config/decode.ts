// A checked value as code sees it: units parsed, secrets wrapped, defaults filled in, expressions compiled once to find their mistakes.
import { demoKey } from '../core/demo-login.ts'
import { toWeirError } from '../core/errors.ts'
import { isObject } from '../core/json-text.ts'
import { remember, Secret } from '../core/secret.ts'
import { maxDurationMs, parseDuration, parseShare, parseSize } from '../core/units.ts'
import { compileExpression } from '../mapping/expression.ts'
import { compileTemplate } from '../mapping/template.ts'
import { nameOf, withUnit } from './complaint.ts'
import { secretName } from './excerpt.ts'
import { lastOf, segment } from './problem.ts'
import type { Reading } from './resolve.ts'
import { branchOf, defaultable, fieldShape, type Shape, typeFits } from './shape.ts'

/**
 * The value of a field. Never throws: mistakes go to the problems, and what has one comes out undefined or as written,
 * so that the rest can still be looked at.
 */
export function decodeValue(value: unknown, shape: Shape, pointer: string, reading: Reading): unknown {
  if (value === undefined) {
    if (shape.default !== undefined) return decodeValue(shape.default, shape, pointer, reading)
    return shape.type === 'object' && defaultable(shape) ? decodeObject({}, shape, pointer, reading) : undefined
  }
  if (reading.lost.has(pointer)) return undefined
  if (shape.anyOf) {
    const meant = shape.anyOf[branchOf(shape.anyOf, value)]
    return meant ? decodeValue(value, meant, pointer, reading) : undefined
  }
  if (shape.weirSlot && !shape.properties) return value
  if (shape.weir) return typeof value === 'string' ? decodeText(value, shape, pointer, reading) : undefined
  if (!fits(value, shape)) return undefined
  if (Array.isArray(value)) {
    const { items } = shape
    return items ? value.map((item, i) => decodeValue(item, items, pointer + segment(i), reading)) : value
  }
  return isObject(value) ? decodeObject(value, shape, pointer, reading) : value
}

/** What has another type than its field was complained about; nothing after this sees it. */
function fits(value: unknown, shape: Shape): boolean {
  if (shape.const !== undefined) return shape.const === value
  if (shape.type === undefined) return true
  if (Array.isArray(value)) return shape.type === 'array'
  return isObject(value) ? shape.type === 'object' : typeFits(shape, value)
}

function decodeObject(value: Record<string, unknown>, shape: Shape, pointer: string, reading: Reading): unknown {
  const result: Record<string, unknown> = {}
  for (const [key, field] of Object.entries(shape.properties ?? {})) {
    const written = Object.hasOwn(value, key) ? value[key] : undefined
    // An optional object of defaults stays away when it is left out: leaving it out means something.
    if (written === undefined && field.default === undefined && !shape.weirFilled?.includes(key)) continue
    const decoded = decodeValue(written, field, pointer + segment(key), reading)
    if (decoded !== undefined) result[key] = decoded
  }
  for (const [key, field] of Object.entries(value)) {
    if (shape.properties && Object.hasOwn(shape.properties, key)) continue
    const known = fieldShape(shape, key)
    result[key] = known ? decodeValue(field, known, pointer + segment(key), reading) : field
  }
  return result
}

function decodeText(text: string, shape: Shape, pointer: string, reading: Reading): unknown {
  switch (shape.weir) {
    case 'duration':
    case 'size':
    case 'share':
      return decodeUnit(text, shape, pointer, reading)
    case 'secret':
      return decodeSecret(text, pointer, reading)
    case 'template':
      return decodeTemplate(text, shape, pointer, reading)
    case 'expression':
      compile(text, () => compileExpression(text, shape.weirVars ?? []), pointer, reading)
      return text
    default:
      return text
  }
}

function decodeUnit(text: string, shape: Shape, pointer: string, reading: Reading): number | undefined {
  if (shape.pattern !== undefined && !new RegExp(shape.pattern, 'u').test(text)) return undefined
  const parse = shape.weir === 'duration' ? parseDuration : shape.weir === 'size' ? parseSize : parseShare
  const value = parse(text)
  const most = shape.weirMax ?? (shape.weir === 'duration' ? maxDurationMs : undefined)
  const refuse = (what: string, limit: number) => {
    reading.problems.add({
      code: 'config.invalid',
      message: `${nameOf(pointer)} must be ${what} ${withUnit(limit, shape)}.`,
      pointer,
      ...(shape.description ? { hint: shape.description } : {}),
    })
    return undefined
  }
  if (value === undefined) return refuse('at most', most ?? (shape.weir === 'size' ? Number.MAX_SAFE_INTEGER : 1))
  if (shape.weirMin !== undefined && value < shape.weirMin) return refuse('at least', shape.weirMin)
  if (most !== undefined && value > most) return refuse('at most', most)
  return value
}

/** Who one is, is no secret; all else in a secret field is. */
const isIdentity = (pointer: string) =>
  /^(user(name)?|client_id|access_key_id|name|header|param)$/.test(lastOf(pointer))

function decodeSecret(text: string, pointer: string, reading: Reading): string | Secret {
  const resolved = reading.resolved.get(pointer)
  if (resolved && resolved.outside.length > 0) return new Secret(text)
  if (isIdentity(pointer)) return text
  warnLiteral(text, pointer, reading)
  return new Secret(text)
}

function warnLiteral(text: string, pointer: string, reading: Reading): void {
  for (const line of text.split('\n')) remember(line.trim())
  if (text === demoKey) return
  reading.problems.add({
    code: 'config.warning',
    message: `${nameOf(pointer)} holds a secret in plain text.`,
    pointer,
    hint: 'Write ${NAME} and set NAME in the environment, or ${file:/run/secrets/name}.',
  })
}

function decodeTemplate(text: string, shape: Shape, pointer: string, reading: Reading): string | Secret {
  compile(text, () => compileTemplate(text, shape.weirVars ?? []), pointer, reading)
  if (/(^|_)url$/.test(lastOf(pointer))) reading.urls.set(pointer, text)
  if (reading.resolved.get(pointer)?.outside.length) return new Secret(text)
  if (text !== '' && !text.includes('{{') && secretName.test(lastOf(pointer))) {
    warnLiteral(text, pointer, reading)
    return new Secret(text)
  }
  return text
}

function compile(text: string, work: () => unknown, pointer: string, reading: Reading): void {
  try {
    work()
  } catch (thrown) {
    const error = toWeirError(thrown, 'config.expression')
    const column = Number(/^column (\d+)$/.exec(error.at ?? '')?.[1])
    const span = column > 0 ? reading.problems.spanIn(pointer, text, column) : undefined
    reading.problems.add({
      ...(span ? { span } : {}),
      code: error.code === 'config.expression' ? error.code : 'config.expression',
      message: `${nameOf(pointer)}: ${error.message}${error.at && !span ? ` (${error.at})` : ''}`,
      pointer,
      hint: error.hint ?? 'Expressions are CEL; the reference lists the functions there are.',
    })
  }
}
