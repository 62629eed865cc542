// SIGNATURES ONLY for now: being filled in.
import { WeirError } from '../core/errors.ts'

/** The variables an expression may use: names (of any type), or names with their CEL type. */
export type Variables = readonly string[] | Readonly<Record<string, string>>

export interface Expression {
  readonly text: string
  /** The CEL type it was inferred to have: `string`, `double`, `int`, `bool`, `dyn`, `list<dyn>`, ... */
  readonly type: string
  /** @throws map.failed */
  evaluate(vars: Readonly<Record<string, unknown>>): unknown
}

/** @throws config.expression with the place in the text and a hint */
export function compileExpression(text: string, vars: Variables): Expression {
  throw new WeirError('internal', `not built yet ${text.length} ${Object.keys(vars).length}`)
}
