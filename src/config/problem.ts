// Mistakes with their place: what was found in one file, each shown with its line. Secrets never stand in a shown line (I9).
import { WeirError } from '../core/errors.ts'
import { maskActing } from '../core/printable.ts'
import { redact } from '../core/secret.ts'
import type { Problem } from '../core/spec.ts'
import { maskLine } from './excerpt.ts'

/** A mistake with the line it stands on. Line and column count from 1; column and length in UTF-16 units. */
export interface LocatedProblem extends Problem {
  readonly file: string
  readonly line: number
  readonly column: number
  /** The line as it may be shown: secrets masked, control characters replaced. null when there is no text. */
  readonly excerpt: string | null
  /** Where in `excerpt` the caret goes, from 0, and how many there are. */
  readonly caret: number
  readonly length: number
}

/** Offsets of a value in its text, and of the key it has in its parent. `end` is exclusive. */
export interface Place {
  readonly start: number
  readonly end: number
  readonly key: { readonly start: number; readonly end: number } | null
  /** False when a scalar stands in quotes or as a block. */
  readonly plain: boolean
}

export type Places = Map<string, Place>

export interface Found {
  readonly code: Problem['code']
  readonly message: string
  readonly pointer: string
  readonly hint?: string | undefined
  /** What the caret points at; default value. */
  readonly on?: 'key' | 'value'
  /** Offsets where the pointer has no place of its own. */
  readonly span?: { readonly start: number; readonly end: number } | undefined
  /** Default: warning for config.warning, error for all others. */
  readonly severity?: Problem['severity']
}

/** More mistakes than this in one file help nobody. */
const maxProblems = 100

/** Collects the problems of one file. */
export class Problems {
  readonly file: string
  readonly places: Places = new Map()
  readonly #text: string | null
  readonly #strict: boolean
  readonly #found: Found[] = []
  readonly #seen = new Set<string>()
  readonly #others: Problems[] = []

  constructor(file: string, text: string | null, strict: boolean) {
    this.file = file
    this.#text = text
    this.#strict = strict
  }

  /** Adds a problem; the same code at the same spot is kept once. */
  add(found: Found): void {
    const { start } = this.#spanOf(found)
    const mark = `${found.code} ${start}${found.on === 'key' ? '' : ` ${found.message}`}`
    if (this.#seen.has(mark) || this.#found.length >= maxProblems) return
    this.#seen.add(mark)
    this.#found.push(found)
  }

  /** Problems of a file that this one names: told after its own, and as grave. */
  attach(other: Problems): void {
    this.#others.push(other)
  }

  /** What was found in this file, in the order it was found. */
  get found(): readonly Found[] {
    return this.#found
  }

  get failed(): boolean {
    return this.#found.some(found => this.#severityOf(found) === 'error') || this.#others.some(({ failed }) => failed)
  }

  /** True when an error about this very value is known already. */
  failedAt(pointer: string, on: Found['on']): boolean {
    return on !== 'key' && this.#found.some(f => f.pointer === pointer && f.on !== 'key' && f.severity !== 'warning')
  }

  /** True when an error stands at the pointer or below it. */
  failedUnder(pointer: string): boolean {
    return this.#found.some(
      f => this.#severityOf(f) === 'error' && (f.pointer === pointer || f.pointer.startsWith(`${pointer}/`)),
    )
  }

  /** Offsets of a column (from 1) of a scalar that stands on one line just as it is; undefined for others. */
  spanIn(pointer: string, scalar: string, column: number): Found['span'] {
    const place = this.places.get(pointer)
    if (!place || this.#text === null || scalar.includes('\n')) return undefined
    const start = place.plain ? place.start : place.start + 1
    if (this.#text.slice(start, start + scalar.length) !== scalar || column < 1 || column > scalar.length + 1)
      return undefined
    return { start: start + column - 1, end: start + column }
  }

  /** Everything found, in the order of the file. Call it last: secrets learned late are masked too. */
  list(): readonly LocatedProblem[] {
    const own = this.#found.map(found => this.#locate(found)).sort((a, b) => a.line - b.line || a.column - b.column)
    return [...own, ...this.#others.flatMap(other => other.list())]
  }

  #severityOf(found: Found): Problem['severity'] {
    if (this.#strict) return 'error'
    return found.severity ?? (found.code === 'config.warning' ? 'warning' : 'error')
  }

  #spanOf(found: Found): { readonly start: number; readonly end: number } {
    if (found.span) return found.span
    for (let pointer = found.pointer; ; pointer = pointer.slice(0, pointer.lastIndexOf('/'))) {
      const place = this.places.get(pointer)
      if (place && pointer === found.pointer) return found.on === 'key' && place.key ? place.key : place
      if (place) return place.key ?? { start: place.start, end: place.start + 1 }
      if (pointer === '') return { start: 0, end: 1 }
    }
  }

  #locate(found: Found): LocatedProblem {
    const { start, end } = this.#spanOf(found)
    const common = {
      severity: this.#severityOf(found),
      code: found.code,
      message: maskActing(redact(found.message)),
      pointer: found.pointer,
      ...(found.hint ? { hint: maskActing(redact(found.hint)) } : {}),
      file: this.file,
    }
    if (this.#text === null) return { ...common, line: 1, column: 1, excerpt: null, caret: 0, length: 1 }
    const at = Math.min(start, this.#text.length)
    const lineStart = at === 0 ? 0 : this.#text.lastIndexOf('\n', at - 1) + 1
    const nextBreak = this.#text.indexOf('\n', lineStart)
    const lineEnd = nextBreak === -1 ? this.#text.length : nextBreak
    let line = 1
    for (let i = this.#text.indexOf('\n'); i !== -1 && i < at; i = this.#text.indexOf('\n', i + 1)) line++
    const column = at - lineStart
    const shown = maskLine(this.#text.slice(lineStart, lineEnd).replace(/\r$/, ''), column, Math.min(end, lineEnd) - at)
    return { ...common, line, column: column + 1, ...shown }
  }
}

/** A definition that cannot be used, with everything that is wrong in it. */
export class DefinitionError extends WeirError {
  readonly problems: readonly LocatedProblem[]

  constructor(problems: readonly LocatedProblem[]) {
    const errors = problems.filter(p => p.severity === 'error')
    const first = errors[0] ?? problems[0]!
    super(first.code, errors.length > 1 ? `${first.message} (and ${errors.length - 1} more)` : first.message, {
      at: `${first.file}:${first.line}:${first.column}`,
      ...(first.hint ? { hint: first.hint } : {}),
    })
    this.problems = problems
  }
}

/** The problems behind a thrown value, when it is a definition that cannot be used. */
export function problemsOf(thrown: unknown): readonly LocatedProblem[] | undefined {
  for (let e = thrown, depth = 0; e instanceof Error && depth < 16; e = e.cause, depth++)
    if (e instanceof DefinitionError) return e.problems
  return undefined
}

/** One segment of a JSON pointer. */
export const segment = (key: string | number) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`
/** The last segment of a pointer as written in YAML; `` for the root. */
export const lastOf = (pointer: string) =>
  pointer
    .slice(pointer.lastIndexOf('/') + 1)
    .replaceAll('~1', '/')
    .replaceAll('~0', '~')
