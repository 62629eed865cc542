// How far the types of a schema lead from one to the next, names followed.
import type { SchemaType } from './schema-tree.ts'

/** True when walking the types depth first, each once, goes deeper than `most`. Does not recurse itself. */
export function pathsAreLong(root: SchemaType, most: number): boolean {
  const seen = new Set<SchemaType>([root])
  const path = [innerTypes(root)]
  for (let top = path.at(-1); top; top = path.at(-1)) {
    const { done, value } = top.next()
    if (done) path.pop()
    else if (!seen.has(value)) {
      seen.add(value)
      path.push(innerTypes(value))
      if (path.length > most) return true
    }
  }
  return false
}

function* innerTypes(type: SchemaType): Generator<SchemaType, undefined> {
  if (type.kind === 'array') yield type.items
  if (type.kind === 'map') yield type.values
  if (type.kind === 'union') yield* type.branches
  if (type.kind === 'record') for (const field of type.fields.values()) yield field.type
  return undefined
}
