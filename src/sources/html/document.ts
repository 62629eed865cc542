// A page as a tree, built by htmlparser2 within limits: size, depth, elements, attributes of a tag. All elements also stand in one list in
// the order of the page, so that what is inside an element is a stretch of that list, and no search needs recursion.
import { Parser } from 'htmlparser2'
import { WeirError } from '../../core/errors.ts'
import { formatBytes } from '../../core/units.ts'

/** Larger pages are refused before they are parsed. */
export const maxHtmlBytes = 5 * 1024 * 1024
/** Closing what is open takes time that grows with the depth. */
const maxDepth = 512
/** Finding an attribute among many takes time that grows with their number. */
const maxAttributes = 1000
/** An element takes some 200 bytes of memory; large shop pages have 10,000. */
const maxElements = 200_000

/** A run of text is a string. */
export type HtmlNode = HtmlElement | string

export class HtmlElement {
  readonly name: string
  /** Null at the root, and for an item while its fields are looked for: selectors see nothing outside it. */
  parent: HtmlElement | null
  /** Names and values in turn; of names that repeat the first counts. */
  readonly attributes: string[] = []
  readonly children: HtmlNode[] = []
  /** Its place in the list of all elements; what it holds stands from the next place to `last`. */
  readonly index: number
  last: number
  /** Where its text begins and ends in the page. */
  readonly start: number
  end: number
  /** The page ended before it did. */
  isCut = false

  constructor(name: string, parent: HtmlElement | null, index: number, start: number) {
    this.name = name
    this.parent = parent
    this.index = index
    this.last = index
    this.start = start
    this.end = start
  }

  attribute(name: string): string | undefined {
    const { attributes } = this
    for (let i = 0; i < attributes.length; i += 2) if (attributes[i] === name) return attributes[i + 1]
    return undefined
  }
}

export interface HtmlDocument {
  readonly elements: readonly HtmlElement[]
}

/** @throws source.html_refused when the page passes a limit */
export function parseHtml(text: string): HtmlDocument {
  return new TreeParser().document(text)
}

/** Never called with one callback missing: htmlparser2 would build an object of attributes for each tag if `onopentag` were there. */
class TreeParser extends Parser {
  readonly #elements: HtmlElement[] = []
  readonly #open: HtmlElement[] = []
  /** The tag whose attributes come. Null for one that HTML leaves out, such as a form inside a form. */
  #tag: HtmlElement | null = null
  #ending = false

  constructor() {
    super({
      onopentagname: name => this.#opened(name),
      onattribute: (name, value) => this.#attributed(name, value),
      onclosetag: (_, isImplied) => this.#closed(isImplied),
      ontext: text => void this.#open.at(-1)?.children.push(text),
    })
  }

  document(text: string): HtmlDocument {
    this.write(text)
    this.#ending = true
    this.end()
    return { elements: this.#elements }
  }

  override onopentagname(start: number, end: number): void {
    this.#tag = null
    super.onopentagname(start, end)
  }

  override onclosetag(start: number, end: number): void {
    this.#tag = null
    super.onclosetag(start, end)
  }

  #opened(name: string): void {
    if (this.#open.length >= maxDepth) throw refused(`its elements stand more than ${maxDepth} deep in each other`)
    if (this.#elements.length >= maxElements) throw refused(`it has more than ${maxElements} elements`)
    const parent = this.#open.at(-1) ?? null
    const element = new HtmlElement(name, parent, this.#elements.length, this.startIndex)
    this.#elements.push(element)
    parent?.children.push(element)
    this.#open.push(element)
    this.#tag = element
  }

  #attributed(name: string, value: string): void {
    if (this.#tag === null) return
    if (this.#tag.attributes.length >= 2 * maxAttributes)
      throw refused(`a tag has more than ${maxAttributes} attributes`)
    this.#tag.attributes.push(name, value)
  }

  #closed(isImplied: boolean): void {
    const element = this.#open.pop()
    if (element === undefined) return
    element.last = this.#elements.length - 1
    element.isCut = this.#ending
    // What another tag closes ends before it; an element that holds nothing, such as an image, ends with its own tag.
    const isClosedByAnother = isImplied && this.#tag !== element
    if (this.#ending) element.end = Number.MAX_SAFE_INTEGER
    else element.end = isClosedByAnother ? this.startIndex : this.endIndex + 1
  }
}

/** Why a page is not read: a limit it passes. */
export function refused(why: string): WeirError {
  return new WeirError('source.html_refused', `The page is not read: ${why}`, {
    hint: 'No page for people is like this; look at what the address serves.',
  })
}

/** @throws source.html_refused */
export function refuseLarge(bytes: number): void {
  if (bytes > maxHtmlBytes)
    throw refused(`it has ${formatBytes(bytes)}, at most ${formatBytes(maxHtmlBytes)} are taken`)
}
