// The key of a record whose item is gone: only its id is left, so the key must be made of that, and of the split, alone.
import { WeirError } from '../core/errors.ts'
import { compileExpression } from './expression.ts'
import { compileMapping } from './mapping.ts'

/** `item` holds the id alone, where it was. @throws key.failed, map.failed */
export type DeletedKey = (item: unknown, split: Readonly<Record<string, unknown>>) => unknown

/**
 * @param id the expression of the id, a path such as `this.id`
 * @param map of the pipeline; null: fields of the same name
 * @throws config.conflict when more than the id goes into the key, config.expression, config.mapping
 */
export function compileDeletedKey(
  id: string,
  map: Readonly<Record<string, string>> | null,
  key: string,
  schemaText: string,
): DeletedKey {
  const names = new Set<string>()
  for (const chain of chainsOf('record', key)) names.add(chain.split('.')[1] ?? refuse('the whole record', id))
  requireOnly(id, key, '')
  const used: Record<string, string> = {}
  for (const name of names) {
    const text = map === null ? `this.${name}` : map[name]
    if (text === undefined) refuse(`\`record.${name}\`, which has no expression`, id)
    requireOnly(id, text, ` (through \`record.${name}\`)`)
    if (chainsOf('now', text).length > 0) refuse(`the time, through \`record.${name}\``, id)
    used[name] = text
  }
  const mapping = names.size === 0 ? null : compileMapping(used, schemaText, names)
  const expression = compileExpression(key, ['record', 'this', 'split'])
  return (item, split) =>
    expression.evaluate({ record: mapping ? mapping.apply({ this: item, split, now: 0 }) : {}, this: item, split })
}

function requireOnly(id: string, text: string, how: string): void {
  const path = id.trim()
  for (const chain of chainsOf('this', text))
    if (chain !== path && !chain.startsWith(`${path}.`)) refuse(`\`${chain}\`${how}`, id)
}

/** Each use of a variable with the names after it: `this.a.b`, `this`. */
function chainsOf(variable: string, expression: string): readonly string[] {
  const bare = expression.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/gs, '""')
  const pattern = new RegExp(`(?<![\\w.?])${variable}\\b((?:\\s*\\.\\s*\\??\\s*[A-Za-z_]\\w*)*)`, 'g')
  return [...bare.matchAll(pattern)].map(([, names]) => variable + names!.replace(/[\s?]/g, ''))
}

function refuse(what: string, id: string): never {
  throw new WeirError('config.conflict', `The key of a deleted item cannot be known: the key uses ${what}.`, {
    hint: `Only \`${id.trim()}\` and \`split\` are left of an item that is gone: make the key of them, or leave \`deletes\` out.`,
  })
}
