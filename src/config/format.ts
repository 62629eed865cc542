// Problems as text: for people with the line shown, for programs as JSON, for GitHub as annotations on the lines of a change.
import { relative } from 'node:path'
import type { LocatedProblem } from './problem.ts'

export const lintFormats = ['pretty', 'json', 'github'] as const
export type LintFormat = (typeof lintFormats)[number]

export interface FormatOptions {
  readonly format: LintFormat
  readonly colour: boolean
  /** Shown paths are relative to it. */
  readonly cwd: string
  /** How many files were checked, for the closing line. */
  readonly files: number
}

/** The text to print, with a line end, or empty when there is nothing to say. */
export function formatProblems(problems: readonly LocatedProblem[], options: FormatOptions): string {
  if (options.format === 'json') return `${JSON.stringify(toJson(problems, options), null, 2)}\n`
  if (options.format === 'github') return problems.map(problem => `${annotation(problem, options.cwd)}\n`).join('')
  return `${problems.map(problem => `${prettyProblem(problem, options)}\n`).join('')}${closing(problems, options)}\n`
}

function toJson(problems: readonly LocatedProblem[], { cwd, files }: FormatOptions) {
  return {
    files,
    errors: problems.filter(p => p.severity === 'error').length,
    warnings: problems.filter(p => p.severity === 'warning').length,
    problems: problems.map(({ severity, code, message, hint, file, line, column, pointer }) => ({
      severity,
      code,
      message,
      hint: hint ?? null,
      file: shown(file, cwd),
      line,
      column,
      pointer,
    })),
  }
}

const codes = { red: 31, yellow: 33, green: 32, blue: 34, dim: 2, bold: 1 } as const
const painter = (colour: boolean) => (style: keyof typeof codes, text: string) =>
  colour ? `\u001b[${codes[style]}m${text}\u001b[0m` : text

/** One problem for people: severity, code, message; place; the line with a caret; what to do. */
export function prettyProblem(problem: LocatedProblem, { colour, cwd }: Pick<FormatOptions, 'colour' | 'cwd'>): string {
  const paint = painter(colour)
  const { severity, code, message, file, line, column, excerpt, caret, length, hint } = problem
  const mark = severity === 'error' ? 'red' : 'yellow'
  const gutter = String(line).length
  const bar = paint('blue', '|')
  const lines = [
    `${paint(mark, `${severity}[${code}]`)}${paint('bold', `: ${message}`)}`,
    `${' '.repeat(gutter)}${paint('blue', '-->')} ${shown(file, cwd)}:${line}:${column}`,
  ]
  if (excerpt !== null)
    lines.push(
      `${paint('blue', String(line))} ${bar} ${excerpt}`,
      `${' '.repeat(gutter)} ${bar} ${' '.repeat(caret)}${paint(mark, '^'.repeat(Math.max(1, length)))}`,
    )
  if (hint) lines.push(`${' '.repeat(gutter)} ${paint('blue', '=')} ${hint}`)
  return `${lines.join('\n')}\n`
}

function closing(problems: readonly LocatedProblem[], { files, colour }: FormatOptions): string {
  const paint = painter(colour)
  const errors = problems.filter(p => p.severity === 'error').length
  const warnings = problems.length - errors
  const checked = count(files, 'file')
  if (problems.length === 0) return paint('green', `${checked} checked, nothing wrong.`)
  const found = [errors > 0 ? count(errors, 'error') : '', warnings > 0 ? count(warnings, 'warning') : '']
  return paint(errors > 0 ? 'red' : 'yellow', `${checked} checked: ${found.filter(Boolean).join(', ')}.`)
}

const count = (n: number, what: string) => `${n} ${what}${n === 1 ? '' : 's'}`

/** https://docs.github.com/actions: `::error file=…,line=…,col=…,title=…::message`, with %, CR, LF (and : , in properties) escaped. */
function annotation({ severity, code, message, hint, file, line, column }: LocatedProblem, cwd: string): string {
  const data = (text: string) => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
  const property = (text: string) => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
  const text = data(hint ? `${message} ${hint}` : message)
  return `::${severity} file=${property(shown(file, cwd))},line=${line},col=${column},title=${property(code)}::${text}`
}

function shown(file: string, cwd: string): string {
  const short = relative(cwd, file)
  return short !== '' && !short.startsWith('..') ? short : file
}
