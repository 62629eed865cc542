// The schemas that a schema refers to, found in the registry.
import type { ReferencedSchema } from '../../governance/schema-tree.ts'
import type { Sql } from '../embedded-store/store.ts'
import { refusals } from './refusal.ts'
import { oneVersion, type SchemaReference } from './rows.ts'

const maxDepth = 64
/** References that refer to many others each: all of them are read for each check. */
const maxSchemas = 1000

/** What references lead to, each after what it refers to itself. @throws 42201 for one that is not there */
export function resolve(sql: Sql, references: readonly SchemaReference[]): ReferencedSchema[] {
  const found = new Map<string, ReferencedSchema>()
  const visit = ({ name, subject, version }: SchemaReference, depth: number): void => {
    const key = `${version}/${subject}`
    if (found.has(key)) return
    if (depth > maxDepth) throw refusals.invalidSchema(`References go deeper than ${maxDepth} levels`)
    if (found.size >= maxSchemas) throw refusals.invalidSchema(`References lead to more than ${maxSchemas} schemas`)
    const stored = oneVersion(sql, subject, version === -1 ? 'latest' : version, true)
    if (stored === null)
      throw refusals.invalidSchema(`No schema reference found for subject "${subject}" and version ${version}`)
    for (const further of stored.references) visit(further, depth + 1)
    found.set(key, { name, text: stored.text })
  }
  for (const each of references) visit(each, 0)
  return [...found.values()]
}

/** In one order, each once. */
export function normalReferences(references: readonly SchemaReference[]): SchemaReference[] {
  const distinct = new Map(references.map(each => [JSON.stringify(each), each]))
  return [...distinct.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each)
}
