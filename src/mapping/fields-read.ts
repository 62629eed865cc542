// Which fields of a record an expression reads, from its syntax tree: what a change of the schema would reach.
import { environmentFor, type Variables } from './environment.ts'
import { type CelNode, isNode } from './syntax.ts'

/** Names from the record downwards: `['author', 'name']`. Empty: the whole record. */
type Path = readonly string[]

/** What a name stands for: a part of the record, or nothing of it. */
type Scope = ReadonlyMap<string, Path | null>

/** Macros that name a variable for the items of what they are called on. */
const overItems = new Set(['all', 'exists', 'exists_one', 'existsOne', 'map', 'filter'])

/**
 * Paths of the record in `variable` that the expression reads, such as `author.name`, each once; null: it takes the whole record.
 * What lies in a list or behind a computed name counts as the list itself. Parts of macros that are not reached at run time count too.
 * @throws what the parser throws for text that is no CEL
 */
export function fieldsRead(text: string, vars: Variables, variable: string): readonly string[] | null {
  const { ast } = environmentFor(vars).parse(text) as unknown as { readonly ast: CelNode }
  const found = new Set<string>()
  let whole = false
  const read = (path: Path): void => {
    if (path.length === 0) whole = true
    else found.add(path.join('.'))
  }
  visit(ast, new Map([[variable, []]]), read)
  return whole ? null : [...found]
}

function visit(value: unknown, scope: Scope, read: (path: Path) => void): void {
  if (Array.isArray(value)) {
    for (const item of value) visit(item, scope, read)
    return
  }
  if (!isNode(value)) return
  const path = pathOf(value, scope)
  if (path) {
    read(path.names)
    // A computed name or index may read more.
    for (const inner of path.computed) visit(inner, scope, read)
    return
  }
  if (value.op === 'rcall') visitCall(value, scope, read)
  else visit(value.args, scope, read)
}

function visitCall(node: CelNode, scope: Scope, read: (path: Path) => void): void {
  const [name, receiver, args] = node.args as [string, CelNode, readonly CelNode[]]
  if (name === 'bind' && receiver.op === 'id' && receiver.args === 'cel' && args.length === 3) {
    const bound = pathOf(args[1]!, scope)
    if (bound === null || bound.computed.length > 0) visit(args[1], scope, read)
    visit(args[2], new Map([...scope, [String(args[0]!.args), bound?.names ?? null]]), read)
    return
  }
  visit(receiver, scope, read)
  const macro = overItems.has(name) && args.length >= 2 && args[0]!.op === 'id'
  // The items belong to the list, which is read as a whole.
  visit(macro ? args.slice(1) : args, macro ? new Map([...scope, [String(args[0]!.args), null]]) : scope, read)
}

interface Found {
  readonly names: Path
  readonly computed: readonly CelNode[]
}

/** The part of the record that a chain of names stands for; null for what is no such chain. */
function pathOf(node: CelNode, scope: Scope): Found | null {
  switch (node.op) {
    case 'id': {
      const names = scope.get(node.args as string)
      return names ? { names, computed: [] } : null
    }
    case '.':
    case '.?': {
      const [left, key] = node.args as [CelNode, string]
      const found = pathOf(left, scope)
      return found && (found.computed.length > 0 ? found : { names: [...found.names, key], computed: [] })
    }
    case '[]':
    case '[?]': {
      const [left, index] = node.args as [CelNode, CelNode]
      const found = pathOf(left, scope)
      if (!found) return null
      if (index.op === 'value' && typeof index.args === 'string' && found.computed.length === 0)
        return { names: [...found.names, index.args], computed: [] }
      return { names: found.names, computed: [...found.computed, index] }
    }
    case 'in': {
      const [key, left] = node.args as [CelNode, CelNode]
      const found = pathOf(left, scope)
      return found && key.op === 'value' && typeof key.args === 'string' && found.computed.length === 0
        ? { names: [...found.names, key.args], computed: [] }
        : null
    }
    default:
      return null
  }
}
