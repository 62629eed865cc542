// A mapping: one expression per field of the schema, compiled once; gives records ready for the encoder, all of one shape.
// Fields without an expression get their default, null where the schema has null, and ingestion_timestamp the time of ingestion.
import { WeirError } from '../core/errors.ts'
import { closest } from '../core/suggest.ts'
import { parseSchema } from '../schema/parse.ts'
import { acceptsNull, type FieldNode, type RecordNode } from '../schema/tree.ts'
import { ownMember } from './bounds.ts'
import { type Coercer, compileCoercer, Misfit } from './coerce.ts'
import { defaultOf } from './default.ts'
import { compileExpression, type Expression } from './expression.ts'

/** What the expressions of a mapping see. */
export interface MappingVars {
  /** The item as the source gave it. */
  readonly this: unknown
  /** The variables of the split it came from. */
  readonly split: Readonly<Record<string, unknown>>
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** The variables of a mapping and their CEL types. */
export const mappingVariables = { this: 'dyn', split: 'map<string, dyn>', now: 'double' } as const

export interface Mapping {
  /** The record for the encoder, fields in the order of the schema. @throws map.failed, map.missing (`at` is `/<field>`) */
  apply(vars: MappingVars): Record<string, unknown>
}

/** @throws map.failed, map.missing */
type Produce = (vars: MappingVars) => unknown

/**
 * @param only the fields of the schema that are wanted; omitted: all
 * @throws config.expression, config.mapping (`at` starts with `/<field>`), schema.invalid
 */
export function compileMapping(
  map: Readonly<Record<string, string>>,
  schemaText: string,
  only?: ReadonlySet<string>,
): Mapping {
  const whole = parseSchema(schemaText).root
  const root = only ? { ...whole, fields: whole.fields.filter(({ name }) => only.has(name)) } : whole
  const known = new Set(root.fields.map(field => field.name))
  for (const name of Object.keys(map)) if (!known.has(name)) throw unknownField(name, root)
  return mappingOf(root, field => {
    if (Object.hasOwn(map, field.name)) return fromExpression(compileField(field.name, map[field.name]!), field)
    const produce = withoutExpression(field)
    if (produce) return produce
    throw new WeirError('config.mapping', `the required field ${field.name} has no expression`, {
      at: `/${field.name}`,
      hint: `Add ${field.name} to the mapping, or give the field a default in the schema.`,
    })
  })
}

/** For a pipeline without a mapping: fields of the same name from `this`. @throws schema.invalid */
export function identityMapping(schemaText: string): Mapping {
  return mappingOf(parseSchema(schemaText).root, field => {
    const coerce = compileCoercer(field.node)
    const otherwise = withoutExpression(field)
    const { name } = field
    return vars => {
      const value = ownMember(vars.this, name)
      return value === undefined && otherwise ? otherwise(vars) : coerced(coerce, value, name)
    }
  })
}

/** The expression of a field. @throws config.expression with the field in `at` */
export function compileField(name: string, text: string): Expression {
  try {
    return compileExpression(text, mappingVariables)
  } catch (error) {
    if (!(error instanceof WeirError)) throw error
    throw new WeirError(error.code, `${name}: ${error.message}`, {
      at: error.at === undefined ? `/${name}` : `/${name}, ${error.at}`,
      ...(error.hint ? { hint: error.hint } : {}),
    })
  }
}

/** What a field without an expression gets; null when it is required. */
export function withoutExpression(field: FieldNode): Produce | null {
  if (field.hasDefault) return defaultOf(field.node, field.default)
  if (isIngestionTime(field)) return vars => vars.now
  return acceptsNull(field.node) ? () => null : null
}

function isIngestionTime(field: FieldNode): boolean {
  return (
    field.name === 'ingestion_timestamp' && field.node.kind === 'long' && field.node.logicalType === 'timestamp-millis'
  )
}

export function unknownField(name: string, root: RecordNode): WeirError {
  const names = root.fields.map(field => field.name)
  const close = closest(name, names)
  const shown = name.length > 64 ? `${name.slice(0, 61)}...` : name
  return new WeirError('config.mapping', `the schema ${root.fullName} has no field ${shown}`, {
    at: `/${shown}`,
    hint: close
      ? `Did you mean ${close}?`
      : `Its fields are ${names.slice(0, 12).join(', ')}${names.length > 12 ? ', ...' : ''}.`,
  })
}

function fromExpression(expression: Expression, field: FieldNode): Produce {
  const coerce = compileCoercer(field.node)
  const required = !acceptsNull(field.node)
  const { name } = field
  return vars => {
    let value: unknown
    try {
      value = expression.evaluate(vars as unknown as Record<string, unknown>)
    } catch (error) {
      throw failed(error, name, required && expression.isPath)
    }
    return coerced(coerce, value, name)
  }
}

function coerced(coerce: Coercer, value: unknown, name: string): unknown {
  try {
    return coerce(value)
  } catch (error) {
    if (!(error instanceof Misfit)) throw error
    throw new WeirError(error.missing ? 'map.missing' : 'map.failed', `${name}: ${error.message}`, {
      at: `/${name}${error.path}`,
      hint: error.hint,
    })
  }
}

function failed(error: unknown, name: string, missing: boolean): unknown {
  if (!(error instanceof WeirError)) return error
  return new WeirError(missing ? 'map.missing' : error.code, error.message, {
    at: `/${name}`,
    ...(error.hint ? { hint: error.hint } : {}),
    cause: error,
  })
}

function mappingOf(root: RecordNode, produceOf: (field: FieldNode) => Produce): Mapping {
  const names = root.fields.map(field => field.name)
  const produces = root.fields.map(produceOf)
  const count = names.length
  // Copies of one object have one hidden class, which keeps the encoder fast.
  const blank: Record<string, unknown> = {}
  for (const name of names) blank[name] = null
  return {
    apply(vars) {
      const record = { ...blank }
      for (let i = 0; i < count; i++) record[names[i]!] = produces[i]!(vars)
      return record
    },
  }
}
