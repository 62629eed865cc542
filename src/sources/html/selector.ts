// CSS selectors, compiled once. A selector is a test of one element; what it is asked of is a stretch of the list of all elements.
import { _compileUnsafe, type Options } from 'css-select'
import { WeirError } from '../../core/errors.ts'
import type { HtmlElement, HtmlNode } from './document.ts'

export type Selector = (element: HtmlElement) => boolean

type Adapter = NonNullable<Options<HtmlNode, HtmlElement>['adapter']>

const adapter: Adapter = {
  isTag: (node): node is HtmlElement => typeof node !== 'string',
  getAttributeValue: (element, name) => element.attribute(name),
  hasAttrib: (element, name) => element.attribute(name) !== undefined,
  getChildren: node => (typeof node === 'string' ? [] : node.children),
  getName: element => element.name,
  getParent: element => element.parent,
  getSiblings: node => (typeof node === 'string' ? [node] : (node.parent?.children ?? [node])),
  getText: rawText,
  removeSubsets: nodes => nodes,
}

/** @throws config.invalid */
export function compileSelector(css: string): Selector {
  try {
    if (css.trim() === '') throw new Error('it is empty')
    return _compileUnsafe(css, { adapter, relativeSelector: false }) as Selector
  } catch (error) {
    throw new WeirError('config.invalid', `\`${css.slice(0, 100)}\` is no CSS selector: ${(error as Error).message}`, {
      hint: 'Write one as in a style sheet: [data-hook="review-title"] > span.',
      cause: error,
    })
  }
}

/** All text inside, as it stands, scripts too. No recursion: the depth is the page's choice. */
export function rawText(node: HtmlNode): string {
  if (typeof node === 'string') return node
  const parts: string[] = []
  const rest: HtmlNode[] = [...node.children].reverse()
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    if (typeof next === 'string') parts.push(next)
    else for (let i = next.children.length - 1; i >= 0; i--) rest.push(next.children[i]!)
  }
  return parts.join('')
}
