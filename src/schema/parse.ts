// Avro schema text to a checked schema. Limits first: size, nesting, number of fields; then the rules of the specification.
import { WeirError } from '../core/errors.ts'
import { ordered, parseSchemaJson, printJson } from './json-text.ts'
import { acceptsNull, type RecordNode, singleBranch } from './tree.ts'
import { SchemaWalk } from './walk.ts'

/** A field of the root record. */
export interface SchemaField {
  readonly name: string
  /** The type as JSON, as written. */
  readonly type: unknown
  readonly doc: string | null
  readonly hasDefault: boolean
  /** The default as JSON; undefined when there is none. Whole numbers beyond 2^53 are bigint. */
  readonly default: unknown
  /** True when null is one of its types. */
  readonly nullable: boolean
  /** The logical type of the field, or of the one non-null branch of its union. */
  readonly logicalType: string | null
}

export interface ParsedSchema {
  /** The schema as JSON, attributes in a stable order, unknown ones kept. Whole numbers beyond 2^53 are bigint. */
  readonly json: unknown
  /** Namespace and name of the root record. */
  readonly fullName: string
  readonly fields: readonly SchemaField[]
  /** The root record as checked nodes. */
  readonly root: RecordNode
  /** What is allowed but ignored, such as a logical type that does not fit its type. */
  readonly warnings: readonly string[]
}

const remembered = new Map<string, ParsedSchema>()
const maxRemembered = 64
/** Larger texts are parsed again: remembering them would cost more memory than time. */
const maxRememberedLength = 64 * 1024

/** Checks an Avro schema whose root is a record. @throws schema.invalid with the JSON pointer and a hint */
export function parseSchema(text: string): ParsedSchema {
  const known = remembered.get(text)
  if (known) return known
  const json = ordered(parseSchemaJson(text))
  const walk = new SchemaWalk()
  const root = walk.root(json)
  if (root.kind !== 'record')
    throw new WeirError(
      'schema.invalid',
      `the schema is ${root.kind === 'union' ? 'a union' : root.kind}, not a record`,
      {
        at: '/',
        hint: 'The value of a topic is a record: {"type": "record", "name": "...", "fields": [...]}.',
      },
    )
  const written = fieldsOf(json)
  const fields = root.fields.map((field, index): SchemaField => {
    const single = singleBranch(field.node)
    return {
      name: field.name,
      type: written[index]!['type'],
      doc: field.doc,
      hasDefault: field.hasDefault,
      default: field.default,
      nullable: acceptsNull(field.node),
      logicalType: single && 'logicalType' in single ? single.logicalType : null,
    }
  })
  const parsed: ParsedSchema = { json, fullName: root.fullName, fields, root, warnings: walk.warnings }
  if (text.length > maxRememberedLength) return parsed
  if (remembered.size >= maxRemembered) remembered.delete(remembered.keys().next().value!)
  remembered.set(text, parsed)
  return parsed
}

/** The schema as whitespace-free JSON in a stable order, doc, defaults and aliases kept: the identity of a schema. @throws schema.invalid */
export function canonicalText(text: string): string {
  return printJson(parseSchema(text).json)
}

function fieldsOf(json: unknown): readonly Record<string, unknown>[] {
  let record = json as Record<string, unknown>
  while (typeof record['type'] === 'object') record = record['type'] as Record<string, unknown>
  return record['fields'] as Record<string, unknown>[]
}
