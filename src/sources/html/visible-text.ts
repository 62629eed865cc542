// The text of an element as a reader sees it: `<br>` is a line feed, blocks stand on lines of their own, other blanks are one space,
// characters without width and U+FFFD go, and so do scripts, styles and what is excluded. Empty text is null.
import type { HtmlElement, HtmlNode } from './document.ts'
import { rawText, type Selector } from './selector.ts'

const unseen = new Set(['script', 'style', 'noscript', 'template', 'head', 'iframe', 'object', 'svg'])

const blocks = new Set(
  'address article aside blockquote dd details div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section summary table tr ul'.split(
    ' ',
  ),
)

/** What stands for nothing: no width, replacement characters, control characters that are no blanks. */
const nothing = /[\u0000\u0003-\u0008\u000e-\u001f\u007f\u200b-\u200d\u2060\ufeff\ufffd]+/g

/** Stand for a `<br>` and for where a block begins or ends, among the line feeds of the source, which are blanks. */
const lineFeed = '\u0001'
const blockEdge = '\u0002'
const marks = /[\u0001\u0002]/
const runs = / ?[\u0001\u0002][ \u0001\u0002]*/g
/** Blanks that are not one space already: most are. */
const blanks = /\s{2,}|[^\S ]/g

export interface TextRules {
  /** Elements that are left out with all that they hold. */
  readonly excluded: Selector | undefined
  /** Elements that count as a line break. */
  readonly breaks: Selector | undefined
}

export function visibleText(element: HtmlElement, { excluded, breaks }: TextRules): string | null {
  const parts: string[] = []
  const rest: (HtmlNode | null)[] = []
  const push = ({ children }: HtmlElement) => {
    for (let i = children.length - 1; i >= 0; i--) rest.push(children[i]!)
  }
  // An element that is unseen by itself was asked for by name: the state that a script holds, a title.
  if (unseen.has(element.name)) return cleaned(withoutMarks(rawText(element)))
  push(element)
  for (let node = rest.pop(); node !== undefined; node = rest.pop()) {
    if (node === null) parts.push(blockEdge)
    else if (typeof node === 'string') parts.push(withoutMarks(node))
    else if (node.name === 'br' || breaks?.(node)) parts.push(lineFeed)
    else if (!unseen.has(node.name) && !excluded?.(node)) {
      if (blocks.has(node.name)) {
        parts.push(blockEdge)
        rest.push(null)
      }
      push(node)
    }
  }
  return cleaned(parts.join(''))
}

const withoutMarks = (text: string) =>
  marks.test(text) ? text.replaceAll(lineFeed, '').replaceAll(blockEdge, '') : text

function cleaned(text: string): string | null {
  const clean = text
    .replace(nothing, '')
    .replace(blanks, ' ')
    .replace(runs, run => '\n'.repeat(Math.max(1, run.split(lineFeed).length - 1)))
    .trim()
  return clean === '' ? null : clean
}
