// The CEL environment: the library's own functions, ours (functions/), arithmetic that mixes int and double, limits on expressions.
// Built once, on first use; one clone per set of variables.
import { Environment } from '@marcbachmann/cel-js'
import { Failure } from './budget.ts'
import { mappingFunctions } from './functions/catalogue.ts'
import type { MappingFunction } from './functions/function.ts'
import { unwrap } from './optional.ts'

/** Names alone (of any type), or names with their CEL type. */
export type Variables = readonly string[] | Readonly<Record<string, string>>

export const maxExpressionLength = 8192

let base: Environment | undefined
const clones = new Map<string, Environment>()
const maxClones = 64

export function environmentFor(vars: Variables): Environment {
  const declared = Array.isArray(vars)
    ? (vars as readonly string[]).map(name => [name, 'dyn'] as const)
    : Object.entries(vars as Readonly<Record<string, string>>)
  const key = declared
    .map(([name, type]) => `${name}:${type}`)
    .sort()
    .join(';')
  const known = clones.get(key)
  if (known) return known
  base ??= build()
  const environment = base.clone()
  for (const [name, type] of declared) environment.registerVariable(name, type)
  if (clones.size >= maxClones) clones.delete(clones.keys().next().value!)
  clones.set(key, environment)
  return environment
}

/** Every function name an expression may call, for suggestions. */
export function functionNames(): readonly string[] {
  base ??= build()
  return [...new Set(base.getDefinitions().functions.map(fn => fn.name))]
}

/** The ways a function may be called, for messages. */
export function signaturesOf(name: string): readonly string[] {
  base ??= build()
  return base
    .getDefinitions()
    .functions.filter(fn => fn.name === name && !/\bnull\b|optional</.test(fn.signature))
    .map(fn => fn.signature.replace(/dyn<([\w.]+)>/g, '$1'))
}

function build(): Environment {
  const environment = new Environment({
    enableOptionalTypes: true,
    homogeneousAggregateLiterals: false,
    limits: { maxAstNodes: 1000, maxDepth: 48, maxListElements: 200, maxMapEntries: 200, maxCallArguments: 16 },
  })
  registerArithmetic(environment)
  for (const fn of mappingFunctions) registerFunction(environment, fn)
  // Only their types count: bounds.ts evaluates every `matches`.
  for (const receiver of ['null', 'optional'])
    environment.registerFunction(`${receiver}.matches(string): bool`, () => false, { async: false })
  return environment
}

/** JSON numbers are doubles and literals like 2 are ints: `this.votes + 1` must mean what it says. */
function registerArithmetic(environment: Environment): void {
  const mixed: Record<string, (a: number, b: number) => number> = {
    '+': (a, b) => a + b,
    '-': (a, b) => a - b,
    '*': (a, b) => a * b,
    '/': (a, b) => a / b,
    '%': (a, b) => a % b,
  }
  for (const [operator, apply] of Object.entries(mixed)) {
    environment.registerOperator(`double ${operator} int: double`, (a: number, b: bigint) => apply(a, Number(b)))
    environment.registerOperator(`int ${operator} double: double`, (a: bigint, b: number) => apply(Number(a), b))
  }
  environment.registerOperator('double % double: double', (a: number, b: number) => a % b)
}

/** The library has a method of this name already: bytes.json(). */
const ownMethods = new Set(['json'])

function registerFunction(environment: Environment, fn: MappingFunction): void {
  const run = fn.run as (...args: unknown[]) => unknown
  const types = fn.parameters.map(parameter => parameter.type)
  const [head, ...rest] = types
  const call = types.includes('dyn')
    ? (...args: unknown[]) => {
        for (let i = 0; i < args.length; i++) args[i] = unwrap(args[i])
        if (fn.nullGivesNull && args[0] === null) return null
        return run(...args)
      }
    : run
  // `dyn<string>` is a string to lint, and looked at again when evaluated: null may come instead.
  const returns = fn.nullGivesNull && fn.returns !== 'dyn' ? `dyn<${fn.returns}>` : fn.returns
  const register = (first: string, handler: (...args: unknown[]) => unknown) => {
    environment.registerFunction(`${fn.name}(${[first, ...rest].join(', ')}): ${returns}`, handler, { async: false })
    const taken = ownMethods.has(fn.name) || (fn.name === 'trim' && first === 'string')
    if (!taken && fn.name !== 'default' && fn.name !== 'coalesce')
      environment.registerFunction(`${first}.${fn.name}(${rest.join(', ')}): ${returns}`, handler, { async: false })
  }
  register(head!, call)
  if (head === 'dyn' || !fn.nullGivesNull) return
  register('null', () => null)
  register('optional', (first, ...others) => {
    const value = unwrap(first)
    if (value === null) return null
    if (!fits(value, head!)) throw new Failure(`${fn.name} takes a ${head}`)
    return call(value, ...others)
  })
}

function fits(value: unknown, type: string): boolean {
  return type === 'list' ? Array.isArray(value) : typeof value === type
}
