// Everything that is wrong or doubtful in a schema text, with lines: what `weir schema check` and a refusal by the registry tell.
import { linesOf } from './json-lines.ts'
import { readNamedSchema } from './named-schema.ts'
import type { SchemaProblem } from './problem.ts'
import type { ReferencedSchema } from './schema-tree.ts'
import { warningsOf } from './warnings.ts'

export interface PlacedProblem extends SchemaProblem {
  /** From 1, in the text that the problem is in. */
  readonly line: number
}

/** In the order of lines, those of references first. Warnings only for a schema without errors. Never throws. */
export function schemaProblems(text: string, references: readonly ReferencedSchema[] = []): readonly PlacedProblem[] {
  const { schema, problems } = readNamedSchema(text, references)
  const found = schema && problems.length === 0 ? warningsOf(schema) : problems
  return [...new Set(found.map(each => each.reference))].flatMap(reference => {
    const own = reference === null ? text : (references.find(each => each.name === reference)?.text ?? '')
    const here = found.filter(each => each.reference === reference)
    const pointers = here.filter(each => each.code !== 'not_readable').map(each => each.pointer)
    const lines = pointers.length > 0 ? linesOf(own, pointers) : null
    const placed = here.map(each => ({ ...each, line: lines?.get(each.pointer) ?? lineOfFault(each) }))
    return placed.sort((a, b) => a.line - b.line)
  })
}

/** A text that is not JSON has its place in the message. */
function lineOfFault({ message }: SchemaProblem): number {
  return Number(/\(line (\d+), column \d+\)/.exec(message)?.[1] ?? 1)
}
