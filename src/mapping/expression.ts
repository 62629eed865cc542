// One CEL expression: compiled once with its variables, evaluated for each record. Compile errors say where and what to write instead;
// evaluation errors never carry data. Only own members of data are seen, and the work of one evaluation is bounded (I10).
import { WeirError } from '../core/errors.ts'
import { bound, ownMember, relaxNulls } from './bounds.ts'
import { startBudget } from './budget.ts'
import { compileError, evaluationError } from './diagnosis.ts'
import { environmentFor, maxExpressionLength, type Variables } from './environment.ts'
import { unwrap } from './optional.ts'
import { checkPatterns } from './patterns.ts'
import type { CelNode } from './syntax.ts'

export type { Variables } from './environment.ts'

export interface Expression {
  readonly text: string
  /** The CEL type it was inferred to have: `string`, `double`, `int`, `bool`, `null`, `dyn`, `list`, `map`, ...; `dyn<string>`: a string or null. */
  readonly type: string
  /** The value of an expression that is only a literal; undefined for others. */
  readonly constant?: unknown
  /** True for a plain path such as `this.a.b`, where failing can only mean that a field is missing. */
  readonly isPath: boolean
  /**
   * A missing optional comes out as null, an int as bigint, a double as number, a timestamp as Date, a duration as milliseconds.
   * @throws map.failed; the message names places in the expression, never values
   */
  evaluate(vars: Readonly<Record<string, unknown>>): unknown
}

interface Parsed {
  (vars: object): unknown
  readonly ast: CelNode
  check(): { valid: true; type: string } | { valid: false; error: unknown }
}

/** @throws config.expression with the place in the text and a hint */
export function compileExpression(text: string, vars: Variables): Expression {
  if (text.length > maxExpressionLength)
    throw new WeirError('config.expression', `the expression is longer than ${maxExpressionLength} characters`, {
      hint: 'Split it into several fields, or do the work in the source.',
    })
  if (text.trim() === '')
    throw new WeirError('config.expression', 'the expression is empty', {
      hint: 'Write a CEL expression, such as this.id.',
    })
  const environment = environmentFor(vars)
  let parsed: Parsed
  try {
    parsed = environment.parse(text) as unknown as Parsed
    relaxNulls(parsed.ast)
  } catch (error) {
    throw compileError(error, text, vars)
  }
  const checked = parsed.check()
  if (!checked.valid) throw compileError(checked.error, text, vars)
  checkPatterns(parsed.ast, text)
  const path = pathOf(parsed.ast)
  if (path) return { text, type: checked.type, isPath: true, evaluate: evaluatePath(path, parsed.ast, text) }
  bound(parsed.ast)
  return {
    text,
    type: checked.type,
    isPath: false,
    ...(parsed.ast.op === 'value' ? { constant: parsed.ast.args } : {}),
    evaluate(values) {
      startBudget()
      try {
        return plain(parsed(values))
      } catch (error) {
        throw evaluationError(error, text)
      }
    },
  }
}

interface Step {
  readonly key: string
  readonly optional: boolean
  readonly node: CelNode
}

interface Path {
  readonly root: string
  readonly steps: readonly Step[]
}

/** `this.a.b` and `this.?a.?b`: most of every mapping, read without the evaluator. */
function pathOf(ast: CelNode): Path | null {
  const steps: Step[] = []
  let node = ast
  while (node.op === '.' || node.op === '.?') {
    const [left, key] = node.args as [CelNode, string]
    steps.unshift({ key, optional: node.op === '.?', node })
    node = left
  }
  if (node.op !== 'id' || node.meta.alternate) return null
  return { root: node.args as string, steps }
}

function evaluatePath({ root, steps }: Path, ast: CelNode, text: string): Expression['evaluate'] {
  const missing = (node: CelNode) => evaluationError({ code: 'no_such_key', node }, text)
  if (steps.length === 1 && !steps[0]!.optional) {
    const { key, node } = steps[0]!
    return vars => {
      const value = ownMember(vars[root], key)
      if (value === undefined) throw missing(node)
      return value
    }
  }
  return vars => {
    let value = vars[root]
    if (value === undefined) throw missing(ast)
    let optional = false
    for (let i = 0; i < steps.length; i++) {
      const { key, node, optional: softly } = steps[i]!
      optional ||= softly
      value = ownMember(value, key)
      if (value !== undefined) continue
      if (optional) return null
      throw missing(node)
    }
    return value
  }
}

/** Values of CEL that other rooms should not need to know. */
function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const prototype = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === null || value instanceof Date || value instanceof Uint8Array)
    return value
  const inner = unwrap(value)
  if (inner !== value) return plain(inner)
  // Unsigned ints and durations give a bigint and milliseconds; a type gives its name.
  const primitive: unknown = value.valueOf()
  if (typeof primitive === 'bigint' || typeof primitive === 'number') return primitive
  return 'name' in value && typeof value.name === 'string' ? value.name : null
}
