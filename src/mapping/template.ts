// Text with {{ CEL }} parts: URLs, headers, bodies. The literal parts may hold secrets, so no message quotes them.
import { WeirError } from '../core/errors.ts'
import { compileExpression, type Expression, type Variables } from './expression.ts'

export interface Template {
  readonly text: string
  /** False when there is no {{ }} in it: `render` always gives the same text. */
  readonly dynamic: boolean
  /** @throws map.failed, also where a part is null, missing, a list or a map */
  render(vars: Readonly<Record<string, unknown>>): string
}

const maxTemplateLength = 64 * 1024
const maxParts = 100

/** @throws config.expression; `at` is the column in the template */
export function compileTemplate(text: string, vars: Variables): Template {
  if (text.length > maxTemplateLength)
    throw new WeirError('config.expression', `the template is longer than ${maxTemplateLength} characters`)
  const parts: (string | Expression)[] = []
  let at = 0
  for (;;) {
    const open = text.indexOf('{{', at)
    if (open === -1) break
    if (parts.length >= maxParts * 2)
      throw new WeirError('config.expression', `the template has more than ${maxParts} parts`)
    if (open > at) parts.push(text.slice(at, open))
    const close = endOfPart(text, open + 2)
    if (close === -1)
      throw new WeirError('config.expression', 'a {{ is never closed', {
        at: `column ${open + 1}`,
        hint: "Close it with }}; for a literal {{ write {{ '{{' }}.",
      })
    parts.push(compilePart(text.slice(open + 2, close), open + 2, vars))
    at = close + 2
  }
  if (at < text.length || parts.length === 0) parts.push(text.slice(at))
  const dynamic = parts.some(part => typeof part !== 'string')
  if (!dynamic) return { text, dynamic, render: () => text }
  return {
    text,
    dynamic,
    render(values) {
      let result = ''
      for (const part of parts) result += typeof part === 'string' ? part : textOf(part.evaluate(values), part)
      return result
    },
  }
}

/** The }} that ends a part: not one inside a string or a map literal. */
function endOfPart(text: string, from: number): number {
  let depth = 0
  for (let i = from; i < text.length; i++) {
    const char = text[i]!
    if (char === '"' || char === "'") {
      i = endOfString(text, i)
      if (i === -1) return -1
    } else if (char === '{') depth++
    else if (char === '}') {
      if (depth > 0) depth--
      else return text[i + 1] === '}' ? i : -1
    }
  }
  return -1
}

function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    if (text[i] === '\\') i++
    else if (text[i] === text[start]) return i
  }
  return -1
}

function compilePart(part: string, offset: number, vars: Variables): Expression {
  const lead = part.length - part.trimStart().length
  try {
    return compileExpression(part.trim(), vars)
  } catch (error) {
    if (!(error instanceof WeirError)) throw error
    const column = /^column (\d+)$/.exec(error.at ?? '')?.[1]
    throw new WeirError(error.code, error.message, {
      at: `column ${offset + lead + Number(column ?? 1)}`,
      ...(error.hint ? { hint: error.hint } : {}),
    })
  }
}

function textOf(value: unknown, part: Expression): string {
  switch (typeof value) {
    case 'string':
      return value
    case 'bigint':
    case 'number':
    case 'boolean':
      return String(value)
  }
  if (value instanceof Date && !Number.isNaN(value.getTime())) return value.toISOString()
  const kind =
    value === null || value === undefined
      ? 'null'
      : Array.isArray(value)
        ? 'a list'
        : value instanceof Uint8Array
          ? 'bytes'
          : 'a map'
  throw new WeirError('map.failed', `{{ ${part.text} }} gives ${kind}, which is no text`, {
    hint: 'Use default(..., "") or string(...) or json(...).',
  })
}
