// Makes a checked expression safe to evaluate on any data: members are own members only, equality and loops pay for their work,
// texts and lists that it builds are bounded, patterns are RE2's. It replaces how single nodes of the library's tree evaluate.
import { Optional } from '@marcbachmann/cel-js'
import { bounded, Failure, maxListLength, maxTextLength, spend, spendOn, spendSearch } from './budget.ts'
import { equal } from './functions/missing.ts'
import { matchesOrNull } from './functions/regex.ts'
import { unwrap } from './optional.ts'
import {
  type CelNode,
  type Checker,
  type Comprehension,
  type Context,
  type Evaluator,
  type Macro,
  walk,
} from './syntax.ts'

/** Before types are checked: `x ? y : null`, `x == null` and `this.?x == y` are fine whatever the types are. */
export function relaxNulls(root: CelNode): void {
  walk(root, node => {
    if (node.op !== '?:' && node.op !== '==' && node.op !== '!=') return
    const check = node.meta.check!
    const skip = node.op === '?:' ? 1 : 0
    node.setMeta('check', (checker: Checker, self: CelNode, context: unknown) => {
      const operands = (self.args as CelNode[]).slice(skip)
      const types = operands.map(operand => checker.check(operand, context))
      operands.forEach((operand, i) => {
        const type = types[i]!
        const soft = type === checker.nullType || (skip === 0 && type.kind === 'optional')
        if (soft && types[0] !== types[1]) operand.checkedType = checker.dynType
      })
      return check(checker, self, context)
    })
  })
}

/** After types are checked. */
export function bound(root: CelNode): void {
  walk(root, node => {
    switch (node.op) {
      case 'id':
        if (!node.meta.alternate) node.setMeta('evaluate', evaluateVariable)
        break
      case '.':
      case '[]':
        node.handle = (left: unknown, right: unknown, self: unknown, evaluator: unknown) =>
          left instanceof Optional
            ? optionalMember(left, right)
            : member(left, right, self as CelNode, evaluator as Evaluator)
        break
      case '.?':
      case '[?]':
        node.handle = optionalMember
        break
      case '==':
      case '!=':
        boundEquality(node)
        break
      case 'in':
        boundMembership(node)
        break
      case '+':
        boundSum(node)
        break
      case 'comprehension':
        boundLoop(node.args as Comprehension)
        break
      case 'call':
      case 'rcall':
        if (node.meta.macro?.macroHasProps) node.meta.macro.evaluate = evaluateHas
        else if (node.handle) boundCall(node)
    }
  })
}

function evaluateVariable(evaluator: Evaluator, node: CelNode, context: Context): unknown {
  const value = context.getValue(node.args as string)
  if (value !== undefined) return value
  throw evaluator.createError('unknown_variable', 'unknown variable', node)
}

/** An own member of a map, or an item of a list; undefined when there is none. */
export function ownMember(left: unknown, key: unknown): unknown {
  if (typeof left !== 'object' || left === null) return undefined
  if (Array.isArray(left)) {
    const index = typeof key === 'bigint' ? Number(key) : key
    return typeof index === 'number' && Number.isInteger(index) && index >= 0 ? left[index] : undefined
  }
  if (left instanceof Date || left instanceof Uint8Array) return undefined
  const name = typeof key === 'string' ? key : typeof key === 'bigint' || typeof key === 'number' ? String(key) : null
  if (name === null || !Object.hasOwn(left, name)) return undefined
  const value = (left as Record<string, unknown>)[name]
  return typeof value === 'function' || typeof value === 'symbol' ? undefined : value
}

function member(left: unknown, key: unknown, node: CelNode, evaluator: Evaluator): unknown {
  const value = ownMember(left, key)
  if (value !== undefined) return value
  throw evaluator.createError('no_such_key', 'no such key', node)
}

function optionalMember(left: unknown, key: unknown): unknown {
  const value = ownMember(unwrap(left), key)
  return value === undefined ? Optional.none() : Optional.of(value)
}

/** `has(this.a.b)`: false as well when `this.a` is not there. */
function evaluateHas(evaluator: Evaluator, macro: Macro, context: Context): boolean {
  const path = macro.macroHasProps!
  let value: unknown = unwrap(evaluator.run(path.at(-1)!, context))
  for (let i = path.length - 2; i >= 0; i--) {
    value = unwrap(ownMember(value, (path[i]!.args as unknown[])[1]))
    if (value === undefined) return false
  }
  return true
}

function isPlainObject(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype || prototype === Array.prototype
}

function boundEquality(node: CelNode): void {
  const inner = node.handle!
  const same = node.op === '=='
  node.handle = (first, second, self, evaluator) => {
    const left = unwrap(first)
    const right = unwrap(second)
    if (left === null || right === null) return (left === right) === same
    if (!isPlainObject(left) && !isPlainObject(right)) return inner(left, right, self, evaluator)
    return equal(left, right) === same
  }
}

function boundMembership(node: CelNode): void {
  const inner = node.handle!
  node.handle = (left, right, self, evaluator) => {
    if (Array.isArray(right)) {
      spend(right.length >> 2)
      return right.some(item => equal(left, item))
    }
    if (isPlainObject(right)) return ownMember(right, left) !== undefined
    return inner(left, right, self, evaluator)
  }
}

function boundSum(node: CelNode): void {
  const inner = node.handle!
  node.handle = (left, right, self, evaluator) => {
    if (Array.isArray(left) && Array.isArray(right)) {
      if (left.length + right.length > maxListLength) bounded(new Array(maxListLength + 1))
      spend((left.length + right.length) >> 3)
    }
    return bounded(inner(left, right, self, evaluator))
  }
}

function boundLoop(loop: Comprehension): void {
  const step = loop.step
  const inner = step.meta.evaluate!
  step.setMeta('evaluate', (evaluator: Evaluator, self: CelNode, context: Context) => {
    spend(1)
    return inner(evaluator, self, context)
  })
}

type Handle = (args: unknown[], second: unknown, third: unknown) => unknown

function boundCall(node: CelNode): void {
  const name = (node.args as [string])[0]
  const inner = node.handle as Handle
  const before = checks[name]
  if (node.op === 'rcall' && name === 'matches') {
    node.handle = matchesByRe2 as (...args: unknown[]) => unknown
    return
  }
  node.handle = ((args: unknown[], second: unknown, third: unknown) => {
    spendOn(args)
    if (before) before(args)
    return inner(args, second, third)
  }) as Handle as (...args: unknown[]) => unknown
}

/** `text.matches(pattern)`: the library's own takes JavaScript patterns, whose time has no bound. Missing text matches nothing. */
function matchesByRe2(args: readonly unknown[]): boolean {
  const [value, pattern] = args.map(unwrap)
  if (typeof pattern !== 'string') throw new Failure('a pattern is a text')
  return matchesOrNull(value, pattern)
}

/** Functions of the library whose time or result is not bounded by the length of their arguments. */
const checks: Record<string, ((args: readonly unknown[]) => void) | undefined> = Object.assign(Object.create(null), {
  contains: search,
  indexOf: search,
  lastIndexOf: search,
  split: ([value, separator]: readonly unknown[]) => {
    if (typeof value !== 'string' || typeof separator !== 'string') return
    search([value, separator])
    const count = separator === '' ? value.length : countParts(value, separator)
    if (count > maxListLength) throw new Failure(`the text has more than ${maxListLength} parts`)
    spend(count >> 2)
  },
  join: ([list, separator]: readonly unknown[]) => {
    if (!Array.isArray(list)) return
    let total = typeof separator === 'string' ? separator.length * list.length : 0
    for (const item of list) if (typeof item === 'string') total += item.length
    if (total > maxTextLength)
      throw new Failure(`the expression builds a text of more than ${maxTextLength} characters`)
    spend((total >> 8) + (list.length >> 2))
  },
  duration: ([value]: readonly unknown[]) => {
    if (typeof value === 'string' && value.length > 64) throw new Failure('the text is too long to be a duration')
  },
  // Time zones of timestamps are looked up by formatting, which is slow.
  ...Object.fromEntries(
    [
      'Date',
      'DayOfMonth',
      'DayOfWeek',
      'DayOfYear',
      'FullYear',
      'Hours',
      'Milliseconds',
      'Minutes',
      'Month',
      'Seconds',
    ].map(part => [
      `get${part}`,
      (args: readonly unknown[]) => {
        if (args.length > 1) spend(400)
      },
    ]),
  ),
})

function search([value, needle]: readonly unknown[]): void {
  if (typeof value === 'string' && typeof needle === 'string') spendSearch(value, needle)
}

function countParts(value: string, separator: string): number {
  let count = 1
  for (
    let at = value.indexOf(separator);
    at !== -1 && count <= maxListLength;
    at = value.indexOf(separator, at + separator.length)
  )
    count++
  return count
}
