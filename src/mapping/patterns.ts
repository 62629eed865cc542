// Patterns written in an expression are compiled with it, so that a wrong one is found by lint and not by the first record.
import { WeirError } from '../core/errors.ts'
import { Failure, startBudget } from './budget.ts'
import { placeOf } from './diagnosis.ts'
import { compilePattern } from './functions/regex.ts'
import { type CelNode, isNode, walk } from './syntax.ts'

const takesPattern = new Set(['matches', 'regex_match', 'regex_find', 'regex_replace'])

/** @throws config.expression */
export function checkPatterns(root: CelNode, text: string): void {
  startBudget()
  walk(root, node => {
    if (node.op !== 'call' && node.op !== 'rcall') return
    const [name, ...rest] = node.args as [string, ...unknown[]]
    if (!takesPattern.has(name)) return
    const args = node.op === 'call' ? (rest[0] as unknown[]) : [rest[0], ...(rest[1] as unknown[])]
    const pattern = args[1]
    if (!isNode(pattern) || pattern.op !== 'value' || typeof pattern.args !== 'string') return
    try {
      compilePattern(pattern.args)
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      throw new WeirError('config.expression', error.message, {
        at: placeOf(pattern, text),
        ...(error.hint ? { hint: error.hint } : {}),
      })
    }
  })
}
