// A line of a definition as it may be shown on a terminal: no secret, no control character, no endless line (I9).
import { maskActing } from '../core/printable.ts'
import { redact } from '../core/secret.ts'

const maxShown = 160
const secretKey =
  /(["']?[\w.-]*(?:pass+w\w*|pas+word|passphrase|pwd|secret|token|bearer|api[_-]?key|access[_-]?key|credential|authorization|cookie)[\w.-]*["']?\s*[:=]\s*)(?!\s)("(?:[^"\\]|\\.)*"?|'[^']*'?|\{\{.*?\}\}|(?:\$\{[^}]*\}|[^,{}[\]#])+)/gi
/** Names of headers and parameters whose value is a secret. */
export const secretName =
  /^(x-)?(authorization|cookie|.*(passw(or)?d|secret|api[-_]?key|access[-_]?token|auth[-_]?token))$/i
const userinfo = /(:\/\/)([^/\s@"'${}]+)(@)/g

export interface Shown {
  readonly excerpt: string
  readonly caret: number
  readonly length: number
}

/** Masks a line for showing, and moves the caret with what is masked. `column` from 0. */
export function maskLine(line: string, column: number, length: number): Shown {
  const near = cut(line, column, length)
  const ranges: [number, number][] = []
  for (const match of near.excerpt.matchAll(secretKey)) {
    const start = match.index + match[1]!.length
    const value = match[2]!.trimEnd()
    if (!isVariable(value)) ranges.push([start, start + value.length])
  }
  for (const match of near.excerpt.matchAll(userinfo)) {
    const start = match.index + match[1]!.length
    ranges.push([start, start + match[2]!.length])
  }
  return finish(maskRanges(near, ranges))
}

const isVariable = (value: string) => /^["']?\$?\$?\{[^}]*\}?["']?$/.test(value) || /^(?:null|~|""|'')$/.test(value)

function maskRanges(shown: Shown, ranges: readonly [number, number][]): Shown {
  let { excerpt, caret, length } = shown
  let free = excerpt.length
  for (const [start, end] of [...ranges].sort((a, b) => b[0] - a[0])) {
    if (end > free) continue
    free = start
    excerpt = `${excerpt.slice(0, start)}***${excerpt.slice(end)}`
    const shrink = end - start - 3
    if (caret >= end) caret -= shrink
    else if (caret >= start) [caret, length] = [start, 3]
    else if (caret + length >= end) length -= shrink
  }
  return { excerpt, caret, length }
}

/** Secrets known by value go last: they may stand anywhere. */
function finish(shown: Shown): Shown {
  const before = redact(shown.excerpt.slice(0, shown.caret))
  const whole = redact(shown.excerpt)
  const excerpt = maskActing(whole)
  // When the line up to the caret is masked the same way alone, the caret moves with it; else it goes to the start of the mask.
  const caret = whole.startsWith(before) ? before.length : Math.max(0, whole.indexOf('***'))
  return { excerpt, caret, length: Math.max(1, Math.min(shown.length, excerpt.length - caret)) }
}

function cut(line: string, column: number, length: number): Shown {
  if (line.length <= maxShown) return { excerpt: line, caret: column, length: Math.max(1, length) }
  const start = Math.max(0, Math.min(column - 40, line.length - maxShown))
  const end = Math.min(line.length, start + maxShown)
  const [head, tail] = [start > 0 ? '…' : '', end < line.length ? '…' : '']
  return {
    excerpt: `${head}${line.slice(start, end)}${tail}`,
    caret: column - start + head.length,
    length: Math.max(1, Math.min(length, end - column)),
  }
}
