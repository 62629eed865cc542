// The parameters put into a part of a vendor file. Values stay values: in an expression they become literals (a duration its milliseconds),
// in a template they cannot bring a {{ }} of their own, in an address they are escaped. Where each came from is kept, so that a mistake is
// told at its place.
import { isObject } from '../../core/json-text.ts'
import { parseDuration } from '../../core/units.ts'
import { segment } from '../problem.ts'
import { branchOf, fieldShape, type Shape, scalarShapes } from '../shape.ts'
import { celLiteral } from './literal.ts'
import { referencesIn, unescaped, wholeReference } from './references.ts'
import type { Parameter } from './spec.ts'

/** The value of a parameter, variables resolved; undefined when it is left out. */
export interface Given {
  readonly type: Parameter['type']
  readonly value: unknown
  /** True when no log or error may show it. */
  readonly secret: boolean
}

export type GivenParameters = ReadonlyMap<string, Given>

/** What stands at a pointer of the expanded part. */
export interface Made {
  /** Pointer in the vendor file. */
  readonly at: string
  /** The parameters its value is made of. */
  readonly parameters: readonly string[]
  readonly secret: boolean
}

export interface ParameterProblem {
  readonly parameter: string
  readonly message: string
  readonly hint: string
}

export interface Expanded {
  readonly value: unknown
  /** By pointer of the expanded part. */
  readonly made: ReadonlyMap<string, Made>
  readonly problems: readonly ParameterProblem[]
}

interface Work {
  readonly given: GivenParameters
  readonly made: Map<string, Made>
  readonly problems: ParameterProblem[]
}

const dropped = Symbol('dropped')

/**
 * @param at pointer of `part` in the vendor file; every reference in it is known to be good
 * @param root pointer that the expanded part gets
 */
export function expandPart(part: unknown, shape: Shape, at: string, given: GivenParameters, root = ''): Expanded {
  const work: Work = { given, made: new Map(), problems: [] }
  const value = expand(part, shape, at, root, work)
  return { value: value === dropped ? undefined : value, made: work.made, problems: work.problems }
}

function expand(value: unknown, shape: Shape | undefined, at: string, to: string, work: Work): unknown {
  if (typeof value === 'string') return expandText(value, shape, at, to, work)
  work.made.set(to, { at, parameters: [], secret: false })
  const meant = branchFor(shape, value)
  if (Array.isArray(value)) {
    const result: unknown[] = []
    value.forEach((item, i) => {
      const made = expand(item, meant?.items, at + segment(i), to + segment(result.length), work)
      if (made !== dropped) result.push(made)
    })
    return result
  }
  if (!isObject(value)) return value
  const result: Record<string, unknown> = {}
  let isCut = false
  for (const [key, field] of Object.entries(value)) {
    const made = expand(field, meant && fieldShape(meant, key), at + segment(key), to + segment(key), work)
    if (made === dropped) isCut = true
    else result[key] = made
  }
  // A map that was only there for what is left out goes with it.
  return isCut && Object.keys(result).length === 0 ? dropped : result
}

function branchFor(shape: Shape | undefined, value: unknown): Shape | undefined {
  if (!shape?.anyOf) return shape
  const branch = shape.anyOf[branchOf(shape.anyOf, value)]
  return branch?.anyOf ? branchFor(branch, value) : branch
}

/** How a text is read at this place. */
type TextKind = { readonly form: 'expression' | 'template' | 'plain'; readonly typed: boolean; readonly isUrl: boolean }

function kindOf(shape: Shape | undefined, to: string): TextKind {
  const meant = scalarShapes(shape ?? {})
  const asText = meant.find(each => each.type === 'string' && each.const === undefined)
  // Where any value is allowed, such as in a body, texts may be templates.
  const anything = meant.length > 0 && meant.every(each => each.type === undefined && each.const === undefined)
  const form =
    asText?.weir === 'expression' ? 'expression' : asText?.weir === 'template' || anything ? 'template' : 'plain'
  return { form, typed: asText === undefined || anything, isUrl: form === 'template' && /(^|_|\/)url$/.test(to) }
}

function expandText(text: string, shape: Shape | undefined, at: string, to: string, work: Work): unknown {
  const kind = kindOf(shape, to)
  const { found } = referencesIn(text, kind.form)
  if (found.length === 0) {
    work.made.set(to, { at, parameters: [], secret: false })
    return unescaped(text)
  }
  const parameters = [...new Set(found.map(({ name }) => name))]
  const values = parameters.map(name => work.given.get(name))
  work.made.set(to, { at, parameters, secret: values.some(each => each?.secret) })
  if (kind.form !== 'expression' && found.some(each => each.where === 'text' && isLeftOut(work, each.name)))
    return dropped
  const whole = wholeReference(text)
  if (whole !== undefined && kind.form !== 'expression') return wholeValue(whole, kind, shape, work)
  let result = ''
  let end = 0
  for (const each of found) {
    result += unescaped(text.slice(end, each.start))
    const piece = pieceOf(each.name, each.where === 'text' ? kind : undefined, result, text[each.end], work)
    if (piece === undefined) return dropped
    result += piece
    end = each.end
  }
  return result + unescaped(text.slice(end))
}

const isLeftOut = ({ given }: Work, name: string) => given.get(name)?.value === undefined

/** A field that is a parameter and nothing else takes the value as it is; where only text can stand, as text. */
function wholeValue(name: string, kind: TextKind, shape: Shape | undefined, work: Work): unknown {
  const { value } = work.given.get(name)!
  if (typeof value === 'string' && kind.form === 'template' && bringsTemplate(value))
    return refuse(work, name, 'holds {{, which would be read as an expression.', 'Remove it from the value.')
  if (isObject(value) && !takesObject(shape))
    return refuse(work, name, 'names a file, where only values can stand.', 'Write the values out as a list.')
  if (kind.typed || Array.isArray(value) || isObject(value) || typeof value === 'string') return value
  return String(value)
}

const takesObject = (shape: Shape | undefined): boolean =>
  shape?.anyOf ? shape.anyOf.some(takesObject) : shape?.type === 'object'

/** `kind` undefined: inside an expression. */
function pieceOf(
  name: string,
  kind: TextKind | undefined,
  before: string,
  after: string | undefined,
  work: Work,
): string | undefined {
  const { value, type } = work.given.get(name)!
  if (kind === undefined) {
    const literal = celLiteral(
      type === 'duration' && typeof value === 'string' ? parseDuration(value) : (value ?? null),
    )
    if (literal !== undefined) return literal
    refuse(work, name, 'names a file, where only values can stand.', 'Write the values out as a list.')
    return undefined
  }
  if (typeof value === 'object') {
    refuse(work, name, 'is a list, and stands inside a text.', 'Give the list a field of its own.')
    return undefined
  }
  const piece = kind.isUrl && type !== 'address' ? inPath(String(value)) : textPiece(value, type, after)
  const joined = before.slice(-1) + piece + (after === '{' ? after : '')
  if (kind.form !== 'template' || !bringsTemplate(joined)) return piece
  refuse(work, name, 'holds {{, which would be read as an expression.', 'Remove it from the value.')
  return undefined
}

/** Escaped, so that it cannot reach past its place in an address; a path keeps its slashes. */
const inPath = (text: string) => text.split('/').map(encodeURIComponent).join('/')

/** An address before a path ends without a slash, whether or not the user wrote one. */
function textPiece(value: unknown, type: Parameter['type'], after: string | undefined): string {
  const text = String(value)
  return type === 'address' && after === '/' ? text.replace(/\/+$/, '') : text
}

const bringsTemplate = (text: string) => text.includes('{{')

function refuse(work: Work, parameter: string, what: string, hint: string): typeof dropped {
  work.problems.push({ parameter, message: `\`${parameter}\` ${what}`, hint })
  return dropped
}
