// What expressions see of an answer, and how they are evaluated over it.
import { type Code, WeirError, weirErrorOf } from '../../core/errors.ts'
import type { HttpResponse } from '../../fetch/guard.ts'
import { compileExpression, type Expression } from '../../mapping/expression.ts'
import { answerVars } from './vars.ts'

export interface AnswerVars extends Readonly<Record<string, unknown>> {
  readonly status: bigint
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
  readonly split: unknown
  readonly page: unknown
  readonly job: unknown
}

export function answerVarsOf(
  response: HttpResponse,
  body: unknown,
  { split, page, job }: Pick<AnswerVars, 'split' | 'page' | 'job'>,
): AnswerVars {
  return { status: BigInt(response.status), headers: response.headers, body, split, page, job }
}

export function answerExpression(text: string): Expression {
  return compileExpression(text, answerVars)
}

/** The value, or null where the answer lacks a field on the way to it. @throws source.shape */
export function evaluateOptional(expression: Expression, vars: AnswerVars, at: string): unknown {
  try {
    return expression.evaluate(vars)
  } catch (error) {
    if (isMissing(error, expression)) return null
    throw shapeError(error, expression, at)
  }
}

/** @throws source.shape */
export function evaluateAnswer(expression: Expression, vars: AnswerVars, at: string): unknown {
  try {
    return expression.evaluate(vars)
  } catch (error) {
    throw shapeError(error, expression, at)
  }
}

/** True when an expression failed because a field is not there. */
function isMissing(error: unknown, expression: Expression): boolean {
  if (expression.isPath) return true
  return error instanceof WeirError && /: there is no (such )?field/.test(error.message)
}

function shapeError(error: unknown, expression: Expression, at: string): WeirError {
  const cause = weirErrorOf(error)
  const code: Code = 'source.shape'
  return new WeirError(
    code,
    `The answer does not fit \`${expression.text.slice(0, 200)}\`: ${cause?.message ?? 'it cannot be computed'}`,
    {
      at,
      hint: 'Look at an answer of the source and at the expression. If such an answer means something else, write an error rule for it.',
      cause: error,
    },
  )
}
