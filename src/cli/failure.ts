// How an error leaves the process: code, what, where with the line shown, what to do next. Never a stack trace unless
// WEIR_DEBUG=1 asks for one, never a secret (I9).
import { prettyProblem } from '../config/format.ts'
import { type LocatedProblem, problemsOf } from '../config/problem.ts'
import { toWeirError, type WeirError } from '../core/errors.ts'
import { redact } from '../core/secret.ts'
import { type Paint, plain, printable, printableLines } from './terminal.ts'

export interface FailureStyle {
  readonly json: boolean
  readonly paint: Paint
  /** Adds the stack of a defect. */
  readonly debug: boolean
  /** Where relative paths in `at` start. */
  readonly cwd: string
}

/** The text for stderr, line ends included. */
export function failureText(thrown: unknown, style: FailureStyle): string {
  const error = toWeirError(thrown)
  const problems = problemsOf(thrown)
  const text = style.json
    ? jsonText(error, problems)
    : problems
      ? problems.map(p => prettyProblem(p, { colour: style.paint !== plain, cwd: style.cwd })).join('\n')
      : peopleText(error, style)
  return redact(style.debug ? `${text}${stackText(thrown)}` : text)
}

function jsonText(error: WeirError, problems: readonly LocatedProblem[] | undefined): string {
  const { code, message, at, hint } = error
  const all = problems?.map(({ caret: _caret, length: _length, excerpt: _excerpt, ...problem }) => problem)
  return `${JSON.stringify({ error: { code, message, at, hint, problems: all } })}\n`
}

function peopleText(error: WeirError, { paint }: FailureStyle): string {
  const lines = [`${paint('red', `error[${error.code}]`)} ${printableLines(error.message)}`]
  if (error.at) lines.push(`  ${paint('dim', 'at:')} ${printable(error.at, 500)}`)
  if (error.hint)
    for (const [i, line] of printableLines(error.hint).split('\n').entries())
      lines.push(i === 0 ? `  ${paint('dim', 'hint:')} ${line}` : `        ${line}`)
  if (error.code === 'internal')
    lines.push(
      `  ${paint('dim', 'hint:')} This is a defect in weir. Run it again with WEIR_DEBUG=1 and report what it says.`,
    )
  return `${lines.join('\n')}\n`
}

function stackText(thrown: unknown): string {
  const parts: string[] = []
  for (let e = thrown, depth = 0; e instanceof Error && depth < 8; e = e.cause, depth++)
    parts.push(printableLines(e.stack ?? e.message))
  return parts.length > 0 ? `${parts.join('\ncaused by: ')}\n` : ''
}
