// Variables put into a definition, guided by its spec: what a field is decides whether the value becomes a secret, a number or plain text.
import { isObject } from '../core/json-text.ts'
import { remember } from '../core/secret.ts'
import { type Problems, segment } from './problem.ts'
import { branchOf, fieldShape, type Shape, scalarShapes } from './shape.ts'
import { hasVariable, type Resolved, resolveVariables, type VariableSource } from './variables.ts'

/** What is known about the values of one definition while it is read. */
export interface Reading {
  readonly problems: Problems
  readonly variables: VariableSource
  /** How a variable that is not set counts. */
  readonly unset: 'error' | 'warning'
  /** By pointer: values that came, at least in part, from variables. */
  readonly resolved: Map<string, Resolved>
  /** Addresses in the definition, by pointer: checked when it is known what may be called. */
  readonly urls: Map<string, string>
  /** Values that could not be had: nothing more is said about them. */
  readonly lost: Set<string>
}

/** Kinds whose values are no secret wherever they come from: they stand in file names, topic lists, metrics and errors. */
const openKinds = new Set<string | undefined>(['name', 'path', 'address', 'duration', 'size', 'share'])

/** A copy of the value with its variables resolved. Empty YAML values become empty maps and lists where those are expected. */
export function resolveValue(value: unknown, shape: Shape | undefined, pointer: string, reading: Reading): unknown {
  const meant = shape?.anyOf ? (shape.anyOf[branchOf(shape.anyOf, value)] ?? shape) : shape
  if (meant?.anyOf && meant !== shape) return resolveValue(value, meant, pointer, reading)
  if (meant?.weirSlot && !meant.properties) return value
  if (typeof value === 'string') return hasVariable(value) ? resolveText(value, shape, pointer, reading) : value
  if (Array.isArray(value))
    return value.map((item, i) => resolveValue(item, meant?.items, pointer + segment(i), reading))
  if (isObject(value)) {
    const result: Record<string, unknown> = {}
    for (const [key, field] of Object.entries(value)) {
      const known = meant && fieldShape(meant, key)
      const raw = !known && meant?.weirSlot
      result[key] = raw ? field : resolveValue(field, known, pointer + segment(key), reading)
    }
    return result
  }
  // Refused already: an alias, a tag or a number that is none.
  if (value === null && reading.problems.failedAt(pointer, 'value')) reading.lost.add(pointer)
  else if (value === null && meant?.type === 'object') return {}
  else if (value === null && meant?.type === 'array') return []
  return value
}

function resolveText(text: string, shape: Shape | undefined, pointer: string, reading: Reading): unknown {
  const meant = scalarShapes(shape ?? {})
  const asText = meant.find(s => s.type === 'string' && s.const === undefined && s.enum === undefined)
  const kind = asText?.weir
  // Where any value is allowed, such as in a body that is sent as JSON, texts may be templates too.
  const anything = meant.every(s => s.type === undefined && s.const === undefined && s.enum === undefined)
  const mayRender = kind === 'template' || anything
  const lose = (message: string, hint: string, severity?: 'error' | 'warning') => {
    reading.problems.add({ code: 'config.variable', message, pointer, hint, ...(severity ? { severity } : {}) })
    reading.lost.add(pointer)
    return text
  }
  if (kind === 'expression')
    return lose('A variable (${…}) cannot stand in an expression.', 'Compare with a field of the record instead.')
  if (mayRender && /\{\{(?:(?!\}\}).)*\$\{/s.test(text))
    return lose('A variable (${…}) cannot stand inside {{ }}.', 'Put it before or after the {{ }} part.')
  const resolved = resolveVariables(text, reading.variables)
  if (!('text' in resolved)) {
    for (const failure of resolved)
      lose(failure.message, failure.hint, failure.unset && reading.unset === 'warning' ? 'warning' : undefined)
    return text
  }
  if (mayRender && resolved.outside.some(value => value.includes('{{')))
    return lose('A variable holds {{, which would be read as an expression.', 'Remove it from the value.')
  reading.resolved.set(pointer, resolved)
  if (resolved.nested)
    reading.problems.add({
      code: 'config.warning',
      message: `The value of ${resolved.names.join(', ')} holds \${…} itself; it is used as it stands.`,
      pointer,
      hint: 'Variables are resolved once; write the value out.',
    })
  if (asText || anything) {
    if (!openKinds.has(kind)) for (const value of resolved.outside) remember(value)
    return resolved.text
  }
  return asScalar(resolved.text, meant)
}

/** The text as YAML would read it, where a number or true and false are expected. */
function asScalar(text: string, meant: readonly Shape[]): unknown {
  const wanted = new Set(meant.map(shape => shape.type))
  const trimmed = text.trim()
  if (wanted.has('boolean') && (trimmed === 'true' || trimmed === 'false')) return trimmed === 'true'
  const isNumber = /^[-+]?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?$/.test(trimmed)
  if ((wanted.has('integer') || wanted.has('number')) && isNumber && Number.isFinite(Number(trimmed)))
    return Number(trimmed)
  return text
}
