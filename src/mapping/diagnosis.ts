// Errors of the CEL library in our words: where in the expression, what is wrong, what to write instead. What an evaluation says
// about data is kinds and places; the library's own texts may quote values, so they are used only where they name types.
import { WeirError } from '../core/errors.ts'
import { closest } from '../core/suggest.ts'
import { Failure } from './budget.ts'
import { functionNames, signaturesOf, type Variables } from './environment.ts'
import { isNode } from './syntax.ts'

interface CelError {
  readonly code?: unknown
  readonly summary?: unknown
  readonly range?: { readonly start: number; readonly end: number }
  readonly node?: unknown
}

function fields(error: unknown): { code: string; summary: string; start: number | undefined; node: unknown } {
  const { code, summary, range, node } = (typeof error === 'object' && error !== null ? error : {}) as CelError
  const start = range?.start ?? (isNode(node) ? (node.pos ?? node.start) : undefined)
  return { code: String(code ?? ''), summary: typeof summary === 'string' ? summary : '', start, node }
}

/** `column 7`, or `line 2, column 7` in an expression of several lines. */
export function placeOf(node: { readonly start: number; readonly pos?: number } | number, text: string): string {
  const offset = typeof node === 'number' ? node : (node.pos ?? node.start)
  const lines = text.slice(0, offset).split('\n')
  const column = `column ${lines.at(-1)!.length + 1}`
  return text.includes('\n') ? `line ${lines.length}, ${column}` : column
}

export function compileError(error: unknown, text: string, vars: Variables): WeirError {
  const { code, summary, start, node } = fields(error)
  const at = start === undefined ? undefined : placeOf(start, text)
  const { message, hint } = explainCompile(code, summary, node, vars)
  return new WeirError('config.expression', message, { ...(at ? { at } : {}), ...(hint ? { hint } : {}) })
}

interface Explanation {
  readonly message: string
  readonly hint?: string
}

function explainCompile(code: string, summary: string, node: unknown, vars: Variables): Explanation {
  if (code === 'unknown_variable') {
    const name = isNode(node) ? String(node.args) : ''
    const names = Array.isArray(vars) ? (vars as readonly string[]) : Object.keys(vars)
    const close = closest(name, names)
    return {
      message: `there is no variable ${name} here`,
      hint: close
        ? `Did you mean ${close}?`
        : `Fields of the item are written this.${name}; variables here: ${names.join(', ')}.`,
    }
  }
  if (code === 'no_matching_overload' && isNode(node)) return explainCall(node.op === 'rcall', node.args, summary)
  if (code === 'no_such_overload')
    return {
      message: summary.replace('no such overload: ', 'types do not go together: ').replace(/dyn<([\w.]+)>/g, '$1'),
      hint: summary.includes('optional')
        ? 'Say what stands for a missing value: default(this.?x, ...).'
        : 'Convert one side: string(...), double(...), int(...) or number(...).',
    }
  if (code === 'incompatible_ternary_branches')
    return { message: lowerFirst(summary), hint: 'Convert one branch: string(...), double(...) or int(...).' }
  if (code === 'limit_exceeded')
    return { message: 'the expression is too large or nests too deep', hint: 'Split it into several fields.' }
  if (code === 'reserved_identifier')
    return { message: lowerFirst(summary), hint: 'Write this["name"] for a field whose name is reserved.' }
  if (code === 'invalid_macro_argument')
    return { message: lowerFirst(summary), hint: 'has() takes a field, such as has(this.title).' }
  return {
    message: summary === '' ? 'the expression cannot be compiled' : lowerFirst(summary),
    hint: 'See the reference of the mapping language; texts stand in quotes, fields are written this.name.',
  }
}

function explainCall(method: boolean, args: unknown, summary: string): Explanation {
  const name = String((args as unknown[])[0])
  const signatures = signaturesOf(name)
  if (signatures.length === 0) {
    const close = closest(name, functionNames())
    return {
      message: `there is no ${method ? 'method' : 'function'} ${name}`,
      hint: close ? `Did you mean ${close}?` : 'The reference of the mapping language lists all functions.',
    }
  }
  const given = (/'(.*)'$/.exec(summary)?.[1] ?? name).replace(/dyn<([\w.]+)>/g, '$1')
  return { message: `${given} is not possible`, hint: `It is called as ${signatures.slice(0, 4).join(', ')}.` }
}

/** What went wrong while evaluating, without data. */
export function evaluationError(error: unknown, text: string): WeirError {
  if (error instanceof WeirError) return error
  if (error instanceof Failure)
    return new WeirError('map.failed', `${quote(text)}: ${error.message}`, error.hint ? { hint: error.hint } : {})
  const { code, summary, start, node } = fields(error)
  const place = start === undefined || start === 0 ? '' : ` at ${placeOf(start, text)}`
  const { message, hint } = explainEvaluation(code, summary, node, error)
  return new WeirError('map.failed', `${quote(text)}${place}: ${message}`, { ...(hint ? { hint } : {}) })
}

function explainEvaluation(code: string, summary: string, node: unknown, error: unknown): Explanation {
  switch (code) {
    case 'no_such_key': {
      const key = isNode(node) && (node.op === '.' || node.op === '.?') ? String((node.args as unknown[])[1]) : null
      return key === null
        ? { message: 'there is no such field or item', hint: 'Write [?key] instead of [key] where it may be missing.' }
        : {
            message: `there is no field ${key}`,
            hint: `Write .?${key} instead of .${key} where it may be missing: it gives null then.`,
          }
    }
    case 'no_matching_overload':
      return {
        message: `${/'(.*)'$/.exec(summary)?.[1] ?? 'the call'} is not possible: a value has another type than expected`,
        hint: 'Convert it first with string(...), number(...) or default(..., ...).',
      }
    case 'no_such_overload':
      return {
        message: summary.replace('no such overload: ', 'types do not go together: ').replace(/dyn<([\w.]+)>/g, '$1'),
        hint: 'Convert one side: string(...), double(...), int(...) or number(...).',
      }
    case 'invalid_condition_type':
    case 'invalid_logical_operand':
      return { message: 'a condition is not true or false', hint: 'Compare explicitly, such as this.count > 0.' }
    case 'index_out_of_bounds':
    case 'index_out_of_range':
      return { message: 'an index is out of range', hint: 'Use part(...) or [?index], which give null there.' }
  }
  const known = plainReasons[code]
  if (known) return { message: known }
  if (error instanceof RangeError) return { message: 'a value is out of range' }
  return { message: code === '' ? 'the expression failed' : `the expression failed (${code.replaceAll('_', ' ')})` }
}

const plainReasons: Record<string, string | undefined> = Object.assign(Object.create(null), {
  int_conversion_error: 'the value cannot become an int',
  uint_conversion_error: 'the value cannot become a uint',
  double_conversion_error: 'the value cannot become a double',
  bool_conversion_error: 'the value cannot become a bool',
  numeric_overflow: 'a number does not fit 64 bits',
  division_by_zero: 'division by zero',
  modulo_by_zero: 'division by zero',
  optional_value_missing: 'an optional value is missing',
  invalid_timestamp: 'the value is not a timestamp',
  invalid_duration: 'the value is not a duration',
})

function quote(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return (line.length > 80 ? `${line.slice(0, 77)}...` : line).toWellFormed()
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}
