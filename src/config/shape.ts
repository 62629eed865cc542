// Reading a spec (JSON Schema made by typebox): the kind of a field, which branch of a union was meant, what may be left out.
import { isObject } from '../core/json-text.ts'
import type { FieldKind, TSchema } from '../core/spec.ts'

/** The part of JSON Schema that core/spec.ts and its users make. */
export interface Shape {
  readonly type?: string
  readonly weir?: FieldKind
  readonly weirMin?: number
  readonly weirMax?: number
  readonly weirVars?: readonly string[]
  /** True for a place that holds a connector: checked against the connector's own spec, not here. */
  readonly weirSlot?: 'source' | 'sink'
  readonly description?: string
  readonly default?: unknown
  readonly examples?: readonly unknown[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Shape[]
  readonly properties?: Readonly<Record<string, Shape>>
  readonly patternProperties?: Readonly<Record<string, Shape>>
  readonly additionalProperties?: boolean | Shape
  readonly required?: readonly string[]
  /** Fields of a relaxed shape that may be left out and are filled in then. */
  readonly weirFilled?: readonly string[]
  readonly items?: Shape
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly exclusiveMaximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly minProperties?: number
}

const relaxed = new WeakMap<object, Shape>()

/**
 * The spec as a definition has to meet it: a required field with a default, or an object that can be made of defaults alone, may be left out.
 * The same object comes back for the same spec.
 */
export function shapeOf(spec: TSchema | Shape): Shape {
  const known = relaxed.get(spec)
  if (known) return known
  const shape = relax(spec as Shape)
  relaxed.set(spec, shape)
  relaxed.set(shape, shape)
  return shape
}

function relax(spec: Shape): Shape {
  const all = (map: Readonly<Record<string, Shape>>) =>
    Object.fromEntries(Object.entries(map).map(([key, value]) => [key, shapeOf(value)]))
  const properties = spec.properties && all(spec.properties)
  return {
    ...spec,
    ...(spec.anyOf ? { anyOf: spec.anyOf.map(branch => shapeOf(branch)) } : {}),
    ...(properties ? { properties } : {}),
    ...(spec.patternProperties ? { patternProperties: all(spec.patternProperties) } : {}),
    ...(typeof spec.additionalProperties === 'object'
      ? { additionalProperties: shapeOf(spec.additionalProperties) }
      : {}),
    ...(spec.items ? { items: shapeOf(spec.items) } : {}),
    ...(spec.required && properties
      ? {
          required: spec.required.filter(key => !(properties[key] && defaultable(properties[key]))),
          weirFilled: spec.required.filter(key => properties[key] && defaultable(properties[key])),
        }
      : {}),
  }
}

/** True when leaving the field out still gives a value. Expects a relaxed shape. */
export function defaultable(shape: Shape): boolean {
  if (shape.default !== undefined) return true
  const free = shape.type === 'object' && !shape.weirSlot && !shape.required?.length && !shape.minProperties
  return free && shape.properties !== undefined
}

/** The shape of a field of an object; undefined when the object does not know it. */
export function fieldShape(shape: Shape, key: string): Shape | undefined {
  if (shape.properties && Object.hasOwn(shape.properties, key)) return shape.properties[key]
  for (const [pattern, value] of Object.entries(shape.patternProperties ?? {}))
    if (new RegExp(pattern, 'u').test(key)) return value
  return typeof shape.additionalProperties === 'object' ? shape.additionalProperties : undefined
}

/** The branch of a union that the value was meant for, by type, then by the fields it has; -1 when none fits. */
export function branchOf(branches: readonly Shape[], value: unknown): number {
  let best = -1
  let bestScore = -1
  branches.forEach((branch, index) => {
    const score = likeness(branch, value)
    if (score > bestScore) {
      best = index
      bestScore = score
    }
  })
  // Fields that no branch knows: naming all branches says more than complaining about the first.
  const unclear = bestScore === 0 && branches[best]?.type === 'object'
  return unclear && branches.filter(branch => branch.type === 'object').length > 1 ? -1 : best
}

/** -1: not of that type; more is more alike. */
function likeness(shape: Shape, value: unknown): number {
  if (shape.anyOf) return Math.max(-1, ...shape.anyOf.map(branch => likeness(branch, value)))
  if (shape.const !== undefined) return shape.const === value ? 100 : -1
  if (shape.enum) return shape.enum.includes(value) ? 100 : -1
  if (shape.type === 'object') return isObject(value) ? objectLikeness(shape, value) : -1
  if (shape.type === 'array') return Array.isArray(value) ? arrayLikeness(shape, value) : -1
  if (shape.type === undefined) return 0
  if (!typeFits(shape, value)) return -1
  return shape.pattern !== undefined && !new RegExp(shape.pattern, 'u').test(String(value)) ? 1 : 3
}

function objectLikeness(shape: Shape, value: Record<string, unknown>): number {
  let score = Object.keys(value).length === 0 ? 1 : 0
  for (const [key, field] of Object.entries(value)) {
    const known = fieldShape(shape, key)
    if (!known) continue
    if (known.const !== undefined && known.const !== field) return 0
    score += likeness(known, field) >= 0 ? 3 : 1
  }
  return score > 0 && shape.required?.every(key => Object.hasOwn(value, key)) ? score + 1 : score
}

function arrayLikeness(shape: Shape, value: readonly unknown[]): number {
  return value.length > 0 && shape.items && likeness(shape.items, value[0]) < 0 ? 1 : 2
}

/** True when a scalar has the type of the shape. */
export function typeFits(shape: Shape, value: unknown): boolean {
  if (shape.type === 'integer') return Number.isInteger(value)
  if (shape.type === 'number') return typeof value === 'number'
  if (shape.type === 'null') return value === null
  return shape.type === typeof value
}

/** The shapes a single value may have here: the branches of a union that are neither list nor object. */
export function scalarShapes(shape: Shape): readonly Shape[] {
  if (shape.anyOf) return shape.anyOf.flatMap(scalarShapes)
  return shape.type === 'object' || shape.type === 'array' ? [] : [shape]
}

/**
 * The part of a shape that decides about this value: fields that it does not have and branches of unions that it was not meant for are left out.
 * What meets the part meets the whole; what does not may still.
 */
export function partFor(value: unknown, shape: Shape): Shape {
  if (shape.anyOf) {
    const meant = shape.anyOf[branchOf(shape.anyOf, value)]
    return meant ? { ...shape, anyOf: [partFor(value, meant)] } : shape
  }
  if (Array.isArray(value))
    return shape.items && value.length === 1 ? { ...shape, items: partFor(value[0], shape.items) } : shape
  const { properties } = shape
  if (!properties || !isObject(value)) return shape
  const there = Object.keys(properties).filter(key => Object.hasOwn(value, key))
  return { ...shape, properties: Object.fromEntries(there.map(key => [key, partFor(value[key], properties[key]!)])) }
}
