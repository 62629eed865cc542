// What lint says about a mapping, without data: fields that are missing or unknown, types that cannot fit, numbers that would lose digits.
// An expression whose type is only known with data (dyn) raises nothing here; the record is checked when it comes.
import { WeirError } from '../core/errors.ts'
import type { Problem } from '../core/spec.ts'
import { parseSchema } from '../schema/parse.ts'
import { acceptsNull, describe, type FieldNode, type PrimitiveNode, type SchemaNode } from '../schema/tree.ts'
import { compileField, unknownField, withoutExpression } from './mapping.ts'

/** What is wrong with a mapping. Pointers are `/<field>`. @throws schema.invalid */
export function checkMapping(map: Readonly<Record<string, string>>, schemaText: string): readonly Problem[] {
  const { root } = parseSchema(schemaText)
  const problems: Problem[] = []
  const fields = new Map(root.fields.map(field => [field.name, field]))
  for (const [name, text] of Object.entries(map)) {
    const field = fields.get(name)
    if (!field) problems.push(problemOf(unknownField(name, root), name))
    else problems.push(...checkField(field, text))
  }
  for (const field of root.fields)
    if (!Object.hasOwn(map, field.name) && withoutExpression(field) === null)
      problems.push({
        severity: 'error',
        code: 'config.mapping',
        message: `the required field ${field.name} (${describe(field.node)}) has no expression`,
        pointer: `/${field.name}`,
        hint: 'Add it to the mapping, or give the field a default in the schema.',
      })
  return problems
}

function problemOf(error: WeirError, name: string): Problem {
  const place = error.at?.includes(', ') ? ` (${error.at.slice(error.at.indexOf(', ') + 2)})` : ''
  return {
    severity: 'error',
    code: error.code,
    message: `${error.message}${place}`,
    pointer: pointerTo(name),
    ...(error.hint ? { hint: error.hint } : {}),
  }
}

function pointerTo(name: string): string {
  return `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
}

function checkField(field: FieldNode, text: string): Problem[] {
  let type: string
  let constant: unknown
  try {
    const expression = compileField(field.name, text)
    type = expression.type
    constant = expression.constant
  } catch (error) {
    if (!(error instanceof WeirError)) throw error
    return [problemOf(error, field.name)]
  }
  const found = constant === undefined ? verdictOf(type, field.node) : verdictOfConstant(constant, type, field.node)
  if (!found) return []
  const { severity, reason, hint } = found
  return [
    {
      severity,
      code: severity === 'error' ? 'config.mapping' : 'config.warning',
      message: `${field.name} is ${describe(field.node)}, its expression gives ${wordFor(type)}${reason ? `: ${reason}` : ''}`,
      pointer: `/${field.name}`,
      hint,
    },
  ]
}

interface Verdict {
  readonly severity: 'error' | 'warning'
  readonly reason?: string
  readonly hint: string
}

const error = (hint: string, reason?: string): Verdict => ({ severity: 'error', hint, ...(reason ? { reason } : {}) })
const warning = (hint: string, reason?: string): Verdict => ({
  severity: 'warning',
  hint,
  ...(reason ? { reason } : {}),
})

function wordFor(type: string): string {
  const inner = /^(?:dyn|optional)<(.+)>$/.exec(type)?.[1]
  if (inner !== undefined) return wordFor(inner)
  if (type === 'google.protobuf.Timestamp') return 'a timestamp'
  if (type === 'google.protobuf.Duration') return 'a duration'
  return type === 'null' ? 'null' : type
}

function verdictOfConstant(constant: unknown, type: string, node: SchemaNode): Verdict | null {
  for (const branch of node.kind === 'union' ? node.branches : [node]) {
    if (branch.kind === 'int' && typeof constant === 'bigint' && BigInt.asIntN(32, constant) !== constant)
      return error('Use a number of at most 32 bits, or a long in the schema.', 'the number does not fit 32 bits')
    if (branch.kind === 'enum' && typeof constant === 'string' && !branch.symbols.includes(constant))
      return error(`Its symbols are ${branch.symbols.slice(0, 12).join(', ')}.`, 'the text is none of its symbols')
  }
  return verdictOf(type, node)
}

/** Null when a value of the CEL type can be a value of the node. */
function verdictOf(type: string, node: SchemaNode): Verdict | null {
  if (type.startsWith('optional<')) return verdictOf(type.slice('optional<'.length, -1), node)
  if (type === 'dyn') return null
  if (type.startsWith('dyn<')) return verdictOf(type.slice('dyn<'.length, -1), node)
  if (type === 'null')
    return acceptsNull(node)
      ? null
      : error('Give it a value, or make the field nullable in the schema.', 'the field takes no null')
  if (node.kind === 'union') {
    const verdicts = node.branches.filter(branch => branch.kind !== 'null').map(branch => verdictOf(type, branch))
    if (verdicts.some(verdict => verdict === null)) return null
    return (
      verdicts.find(verdict => verdict?.severity === 'warning') ?? verdicts[0] ?? error('The field only takes null.')
    )
  }
  return verdictOfPlain(type, node)
}

function verdictOfPlain(type: string, node: Exclude<SchemaNode, { kind: 'union' }>): Verdict | null {
  const number = type === 'int' || type === 'uint' || type === 'double'
  switch (node.kind) {
    case 'string':
      return type === 'string'
        ? null
        : error(
            type === 'google.protobuf.Timestamp'
              ? 'Use iso_date(...) or iso_time(...).'
              : 'Use string(...) or json(...).',
          )
    case 'enum':
      return type === 'string' ? null : error('An enum takes text: one of its symbols.')
    case 'boolean':
      return type === 'bool' ? null : error('Compare, such as this.x == "yes".')
    case 'int':
    case 'long':
      return verdictOfWhole(type, node)
    case 'double':
      return number ? null : error('Use number(...), stars(...) or double(...).')
    case 'float':
      if (type === 'double') return null
      return number
        ? warning(
            'Use double(...), or a double in the schema.',
            'a float holds whole numbers exactly only up to 16777216',
          )
        : error('Use number(...), stars(...) or double(...).')
    case 'bytes':
    case 'fixed':
      return type === 'bytes' ? null : error('Use bytes(...).')
    case 'array':
      return type === 'list' || type.startsWith('list<')
        ? verdictOfItems(type, node.items)
        : error('Use a list: [...].')
    case 'map':
    case 'record':
      return type === 'map' || type.startsWith('map<') ? null : error('Use a map: {"name": ...}.')
    case 'null':
      return error('The field only takes null.')
  }
}

function verdictOfWhole(type: string, node: PrimitiveNode): Verdict | null {
  if (type === 'int' || type === 'uint') return null
  const logical = node.logicalType ?? ''
  if (type === 'google.protobuf.Timestamp') {
    if (logical.includes('timestamp') || logical === 'date') return null
    return error('Use epoch_ms(...), or the logical type timestamp-millis in the schema.')
  }
  if (type === 'google.protobuf.Duration') return node.kind === 'long' ? null : error('Use a long in the schema.')
  if (type !== 'double') return error('Use whole(...), votes(...) or int(...).')
  // `now` and JSON numbers are doubles; as a timestamp they are whole milliseconds.
  if (logical.endsWith('timestamp-millis')) return null
  return error('Use round(...), int(...) to cut, or whole(...) to refuse fractions.', 'fractions would be lost')
}

function verdictOfItems(type: string, items: SchemaNode): Verdict | null {
  const inner = /^list<(.*)>$/.exec(type)?.[1]
  return inner === undefined || inner.length === 1 ? null : verdictOf(inner, items)
}
