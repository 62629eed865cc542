// The syntax tree of the CEL library, as far as weir looks into it, and a walk over all of its nodes.

export interface CelNode {
  readonly op: string
  args: unknown
  readonly pos: number
  readonly start: number
  readonly end: number
  readonly meta: {
    check?: (checker: Checker, node: CelNode, context: unknown) => CelType
    evaluate?: (evaluator: Evaluator, node: CelNode, context: Context) => unknown
    /** What a macro such as `list.map` stands for. */
    alternate?: CelNode
    /** A macro evaluated by itself: has, bind, or, orValue. */
    macro?: Macro
  }
  checkedType?: CelType
  /** What evaluates the node once its operands are there. Set when types are checked. */
  handle?: (...args: unknown[]) => unknown
  setMeta(key: string, value: unknown): CelNode
}

export interface Macro {
  macroHasProps?: CelNode[]
  evaluate: (evaluator: Evaluator, macro: Macro, context: Context) => unknown
}

export interface CelType {
  readonly kind: string
  readonly name: string
}

export interface Checker {
  readonly dynType: CelType
  readonly nullType: CelType
  check(node: CelNode, context: unknown): CelType
}

export interface Evaluator {
  run(node: CelNode, context: Context): unknown
  createError(code: string, message: string, node: CelNode): Error
}

export interface Context {
  getValue(name: string): unknown
}

export interface Comprehension {
  readonly iterable: CelNode
  readonly init: CelNode
  readonly step: CelNode
}

export function isNode(value: unknown): value is CelNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'meta' in value
}

/** Calls `visit` for every node once, what macros expand to included. */
export function walk(root: CelNode, visit: (node: CelNode) => void): void {
  const seen = new Set<CelNode>()
  const stack: unknown[] = [root]
  while (stack.length > 0) {
    const value = stack.pop()
    if (Array.isArray(value)) {
      for (const item of value) stack.push(item)
      continue
    }
    if (!isNode(value) || seen.has(value)) continue
    seen.add(value)
    visit(value)
    const { args, meta } = value
    if (value.op === 'comprehension') {
      const { iterable, init, step } = args as Comprehension
      stack.push(iterable, init, step)
    } else stack.push(args)
    if (meta.alternate) stack.push(meta.alternate)
  }
}
