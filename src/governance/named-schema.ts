// Schema text to a tree of types with their names resolved, as Avro Java 1.12 does it, but with all problems and their places instead of
// the first one. A name may be used before its definition.
import { WeirError } from '../core/errors.ts'
import { parseSchemaJson } from '../schema/json-text.ts'
import type { SchemaProblem } from './problem.ts'
import type { NamedSchema, ReferencedSchema } from './schema-tree.ts'
import { TreeBuilder } from './tree-builder.ts'

export interface ReadSchema {
  /** null when something in it is not usable. */
  readonly schema: NamedSchema | null
  /** Errors only. Empty for a valid schema. */
  readonly problems: readonly SchemaProblem[]
}

/** Reads a schema. References must stand in the order in which they need each other. Never throws. */
export function readNamedSchema(text: string, references: readonly ReferencedSchema[] = []): ReadSchema {
  const builder = new TreeBuilder()
  for (const reference of references) {
    const json = jsonOf(reference.text, reference.name, builder)
    if (json !== undefined) builder.add(json, reference.name)
  }
  const json = jsonOf(text, null, builder)
  if (json === undefined) return { schema: null, problems: builder.problems }
  const root = builder.add(json, null)
  if (root === null || builder.isBroken) return { schema: null, problems: builder.problems }
  return { schema: { text, json, root, types: builder.types }, problems: builder.problems }
}

/** The schema. @throws schema.invalid with the first problem and its JSON pointer */
export function parseNamedSchema(text: string, references: readonly ReferencedSchema[] = []): NamedSchema {
  const { schema, problems } = readNamedSchema(text, references)
  const [first] = problems
  if (first === undefined && schema !== null) return schema
  throw schemaError(first!, problems.length - 1)
}

/** A schema that a registry has taken, which may be older than a rule of today. @throws schema.invalid when it cannot be compared at all */
export function parseStoredSchema(text: string, references: readonly ReferencedSchema[] = []): NamedSchema {
  const { schema, problems } = readNamedSchema(text, references)
  if (schema) return schema
  throw schemaError(problems[0]!)
}

/** A problem as an error. `more`: how many others there are. */
function schemaError({ message, pointer, reference, hint }: SchemaProblem, more = 0): WeirError {
  const where = reference === null ? '' : `In the referenced schema ${reference}: `
  const others = more > 0 ? ` (and ${more} more)` : ''
  return new WeirError('schema.invalid', `${where}${message}${others}`, { at: pointer === '' ? '/' : pointer, hint })
}

function jsonOf(text: string, reference: string | null, builder: TreeBuilder): unknown {
  try {
    return parseSchemaJson(text, builder.fractions)
  } catch (error) {
    if (!(error instanceof WeirError)) throw error
    const place = error.at === undefined || error.at === '/' ? '' : ` (${error.at})`
    builder.refuse({
      severity: 'error',
      code: 'not_readable',
      pointer: '',
      reference,
      message: `${capital(error.message)}${place}.`,
      hint: error.hint ?? '',
    })
    return undefined
  }
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
