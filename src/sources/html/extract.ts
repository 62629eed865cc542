// What a definition takes out of a page. Selectors are compiled once; a page is then one walk over the list of its elements for each.
import { WeirError } from '../../core/errors.ts'
import { type HtmlElement, parseHtml, refused } from './document.ts'
import { compileSelector, type Selector } from './selector.ts'
import type { FieldConfig, HtmlConfig } from './spec.ts'
import { visibleText } from './visible-text.ts'

/** More would be no page of items. */
const maxItems = 10_000
const maxValues = 1000

export type HtmlValue = string | boolean | null | readonly HtmlValue[] | { readonly [name: string]: HtmlValue }
export type HtmlRecord = { readonly [name: string]: HtmlValue }

/** An item: its values, and where its element begins and ends in the text of the page. */
export interface HtmlItem {
  readonly fields: HtmlRecord
  readonly start: number
  readonly end: number
  /** The page ended before the element did: the page was cut off. */
  readonly isCut: boolean
}

export interface HtmlPage {
  readonly page: HtmlRecord
  readonly items: readonly HtmlItem[]
  /** False when none of the required elements is there. */
  readonly isExpected: boolean
  /** What `<meta name="robots">` says, or a meta element of another name that was asked for. */
  readonly robots: string
}

export interface HtmlExtractor {
  /** @throws source.html_refused */
  page(text: string): HtmlPage
  /** The fields of an item out of the text of its element. @throws source.html_refused, source.item_shape */
  item(text: string): HtmlRecord
}

/** Where values are looked for: in the whole page, or inside one element. */
interface Scope {
  readonly text: string
  readonly elements: readonly HtmlElement[]
  readonly root: HtmlElement | null
  /** Items: one inside another, as where a tag was never closed, is an item of its own and no part of the other. */
  readonly others: ReadonlySet<HtmlElement>
}

const none: ReadonlySet<HtmlElement> = new Set()

/** Looks for a value; undefined where there is none. */
type Take = (scope: Scope) => HtmlValue | undefined

/**
 * @param robot name of a meta element that counts as `robots` does
 * @throws config.invalid when a selector cannot be read
 */
export function createExtractor(config: HtmlConfig, robot = 'robots'): HtmlExtractor {
  const required = selectorsOf(config.require)
  const items = selectorsOf(config.item)
  const itemFields = takeRecord(config.fields)
  const pageFields = takeRecord(config.page ?? {})
  const robotNames = new Set(['robots', robot.toLowerCase()])
  return {
    page(text) {
      const { elements } = parseHtml(text)
      const page: Scope = { text, elements, root: null, others: none }
      const found = firstFound(items, selector => matches(selector, page, maxItems, 'items'))
      const others = new Set(found)
      return {
        page: pageFields(page),
        items: found.map(element => ({
          fields: alone(element, () => itemFields({ text, elements, root: element, others })),
          start: element.start,
          end: Math.min(element.end, text.length),
          isCut: element.isCut,
        })),
        isExpected: required.some(selector => elements.some(element => selector(element))),
        robots: elements.filter(isRobots).map(contentOf).join(','),
      }
    },
    item(text) {
      const { elements } = parseHtml(text)
      const [root] = elements
      if (root === undefined)
        throw new WeirError('source.item_shape', 'The bytes hold no HTML element', {
          hint: 'An item of a page is one.',
        })
      const selector = items.find(each => each(root))
      const others = new Set(selector === undefined ? [] : elements.filter(element => selector(element)))
      return itemFields({ text, elements, root, others })
    },
  }

  function isRobots(element: HtmlElement): boolean {
    return element.name === 'meta' && robotNames.has(element.attribute('name')?.trim().toLowerCase() ?? '')
  }
}

const contentOf = (element: HtmlElement) => element.attribute('content') ?? ''

/** Fields are looked for as if the element were all there is: its bytes alone must give the same item again. */
function alone<T>(element: HtmlElement, use: () => T): T {
  const { parent } = element
  element.parent = null
  try {
    return use()
  } finally {
    element.parent = parent
  }
}

function takeRecord(fields: Readonly<Record<string, FieldConfig>>): (scope: Scope) => HtmlRecord {
  const takes = Object.entries(fields).map(([name, field]) => [name, takeField(field)] as const)
  return scope => {
    const record: Record<string, HtmlValue> = {}
    for (const [name, take] of takes) record[name] = take(scope)
    return record
  }
}

type Step = Exclude<FieldConfig, string | readonly string[]>

const stepOf = (written: FieldConfig): Step =>
  typeof written === 'string' || Array.isArray(written) ? { css: written } : (written as Step)

/** The value of a field: of its alternatives the first that has one. */
function takeField(written: FieldConfig): (scope: Scope) => HtmlValue {
  const step = stepOf(written)
  const takes = [step, ...(step.or ?? []).map(stepOf)].map(takeStep)
  const none: HtmlValue = step.all === true ? [] : step.exists === true ? false : null
  return scope => {
    for (const take of takes) {
      const value = take(scope)
      if (value !== undefined) return value
    }
    return none
  }
}

function takeStep(step: Step): Take {
  const value = valueIn(step)
  const selectors = step.css === undefined ? undefined : selectorsOf(step.css)
  if (selectors === undefined)
    return scope => {
      const own = scope.root === null ? undefined : value(scope.root, scope)
      return step.all === true && own !== undefined ? [own] : own
    }
  if (step.all === true)
    return scope => {
      const values = firstFound(selectors, selector =>
        matches(selector, scope, maxValues, 'values of a field').flatMap(element => value(element, scope) ?? []),
      )
      return values.length === 0 ? undefined : values
    }
  return scope => {
    for (const selector of selectors)
      for (const element of foundIn(scope, selector)) {
        const found = value(element, scope)
        if (found !== undefined) return found
      }
    return undefined
  }
}

function valueIn(step: Step): (element: HtmlElement, scope: Scope) => HtmlValue | undefined {
  if (step.exists === true) return () => true
  if (step.fields !== undefined) {
    const inner = takeRecord(step.fields)
    return (element, scope) => inner({ ...scope, root: element })
  }
  const { attr } = step
  if (attr !== undefined) return element => element.attribute(attr.toLowerCase())?.trim() || undefined
  if (step.html === true) return ({ start, end }, { text }) => text.slice(start, end)
  const excluded = anyOf(step.exclude)
  const breaks = anyOf(step.breaks)
  return (element, { others }) => {
    const left = others.size === 0 ? excluded : (each: HtmlElement) => others.has(each) || excluded?.(each) === true
    return visibleText(element, { excluded: left, breaks }) ?? undefined
  }
}

/** Elements of the scope in the order of the page. */
function* foundIn({ root, elements, others }: Scope, selector: Selector): Generator<HtmlElement> {
  const last = root === null ? elements.length - 1 : root.last
  for (let i = root === null ? 0 : root.index + 1; i <= last; i++) {
    const element = elements[i]!
    if (others.has(element)) i = element.last
    else if (selector(element)) yield element
  }
}

/** All of them. @throws source.html_refused when there are more than `most` */
function matches(selector: Selector, scope: Scope, most: number, what: string): HtmlElement[] {
  const found: HtmlElement[] = []
  for (const element of foundIn(scope, selector)) {
    if (found.length >= most) throw refused(`it has more than ${most} ${what}`)
    found.push(element)
  }
  return found
}

function firstFound<T>(selectors: readonly Selector[], find: (selector: Selector) => readonly T[]): readonly T[] {
  for (const selector of selectors) {
    const found = find(selector)
    if (found.length > 0) return found
  }
  return []
}

const selectorsOf = (css: string | readonly string[]) => (typeof css === 'string' ? [css] : css).map(compileSelector)

function anyOf(css: string | readonly string[] | undefined): Selector | undefined {
  if (css === undefined) return undefined
  const selectors = selectorsOf(css)
  return element => selectors.some(selector => selector(element))
}
