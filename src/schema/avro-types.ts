// Checked nodes to avsc types: ours (avro-scalars.ts, avro-containers.ts) where avsc's lose data; names in full throughout.
import avro from 'avsc'
import { WeirError } from '../core/errors.ts'
import { type AvroType, type AvroTypeConstructor, nullObject } from './avro-base.ts'
import { NamedUnion, PlainMap, PlainRecord, Union } from './avro-containers.ts'
import { Bytes, Double, Enum, Fixed, Float, Long, MillisLong, RepairedText, Text } from './avro-scalars.ts'
import { isAmbiguous, type RecordNode, type SchemaNode } from './tree.ts'

export type { AvroType } from './avro-base.ts'

interface Made {
  readonly make: (options: unknown) => AvroType
}

/** The avsc type of a record. Types of two calls share nothing. @throws schema.invalid */
export function toAvroType(root: RecordNode, repairText = false): AvroType {
  const defined = new Set<string>()
  const typeHook = (schema: unknown, options: unknown) =>
    typeof schema === 'object' && schema !== null && 'make' in schema ? (schema as Made).make(options) : undefined
  try {
    return avro.Type.forSchema(
      toSchema(root, defined, repairText ? RepairedText : Text) as never,
      { typeHook } as never,
    ) as unknown as AvroType
  } catch (error) {
    throw new WeirError('schema.invalid', 'the schema cannot be compiled', { cause: error })
  }
}

/** The node in avsc's terms: our types by a hook, names in full, each definition once. */
function toSchema(node: SchemaNode, defined: Set<string>, TextType: AvroTypeConstructor): unknown {
  switch (node.kind) {
    case 'null':
    case 'boolean':
    case 'int':
      return node.kind
    case 'long':
      return made(isMillis(node.logicalType) ? MillisLong : Long, undefined)
    case 'float':
      return made(Float, undefined)
    case 'double':
      return made(Double, undefined)
    case 'string':
      return made(TextType, undefined)
    case 'bytes':
      return made(Bytes, undefined)
    case 'array':
      return { type: 'array', items: toSchema(node.items, defined, TextType) }
    case 'map':
      return made(PlainMap, { type: 'map', values: toSchema(node.values, defined, TextType) })
    case 'union':
      return made(
        isAmbiguous(node) ? NamedUnion : Union,
        node.branches.map(branch => toSchema(branch, defined, TextType)),
      )
  }
  if (defined.has(node.fullName)) return node.fullName
  defined.add(node.fullName)
  const name = { name: node.fullName, namespace: '', aliases: node.aliases }
  if (node.kind === 'enum')
    return made(Enum, {
      type: 'enum',
      ...name,
      symbols: node.symbols,
      ...(node.default === null ? {} : { default: node.default }),
    })
  if (node.kind === 'fixed') return made(Fixed, { type: 'fixed', ...name, size: node.size })
  const fields = node.fields.map(field => ({
    name: field.name,
    aliases: field.aliases,
    type: toSchema(field.node, defined, TextType),
    ...(field.hasDefault ? { default: toDefault(field.default, field.node) } : {}),
  }))
  return made(PlainRecord, { type: 'record', ...name, fields })
}

function made(Type: AvroTypeConstructor, schema: unknown): Made {
  return { make: options => new Type(schema, options) }
}

function isMillis(logicalType: string | null): boolean {
  return logicalType === 'timestamp-millis' || logicalType === 'local-timestamp-millis'
}

/** Whole numbers beyond 2^53 stay bigint only where a long takes them. */
function toDefault(value: unknown, node: SchemaNode): unknown {
  switch (node.kind) {
    case 'float':
    case 'double':
      return typeof value === 'bigint' ? Number(value) : value
    case 'array':
      return (value as unknown[]).map(item => toDefault(item, node.items))
    case 'map':
      return nullObject(Object.entries(value as object).map(([key, item]) => [key, toDefault(item, node.values)]))
    case 'union':
      return toDefault(value, node.branches[0]!)
    case 'record':
      return nullObject(
        node.fields
          .filter(field => Object.hasOwn(value as object, field.name))
          .map(field => [field.name, toDefault((value as Record<string, unknown>)[field.name], field.node)]),
      )
    default:
      return value
  }
}
