// What a mapping reads of an item, as paths: for those who watch whether it is still there.
import { parseSchema } from '../schema/parse.ts'

/** Each path with those above it: `this.author.?name` reads `author` and `author.name`. null: fields of the same names as the schema's. */
export function pathsRead(map: Readonly<Record<string, string>> | null, schemaText: string): readonly string[] {
  if (map === null) return parseSchema(schemaText).root.fields.map(({ name }) => name)
  const paths = new Set<string>()
  for (const text of Object.values(map)) {
    const bare = text.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/gs, '""')
    for (const [, chain] of bare.matchAll(/(?<![\w.?])this((?:\s*\.\s*\??\s*[A-Za-z_]\w*)+)/g)) {
      let path = ''
      for (const [name] of chain!.matchAll(/[A-Za-z_]\w*/g)) paths.add((path = path === '' ? name : `${path}.${name}`))
    }
  }
  return [...paths]
}
