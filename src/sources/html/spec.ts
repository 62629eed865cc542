// The `html:` part of a source: what to take out of a page, as CSS selectors.
import { fields, type Static, Type } from '../../core/spec.ts'

const css = (description: string) =>
  Type.Union(
    [
      Type.String({ minLength: 1, maxLength: 500 }),
      Type.Array(Type.String({ minLength: 1, maxLength: 500 }), { minItems: 1, maxItems: 20 }),
    ],
    { description },
  )

const taking = {
  css: Type.Optional(
    css(
      'A CSS selector, or several: the first that gives a value counts. Omitted: the item itself, or the whole page.',
    ),
  ),
  attr: Type.Optional(
    Type.String({
      description: 'The value of this attribute, as it is written. Omitted: the text as a reader sees it.',
      minLength: 1,
      maxLength: 100,
    }),
  ),
  exists: Type.Optional(Type.Boolean({ description: 'true: whether there is such an element, true or false.' })),
  html: Type.Optional(
    Type.Boolean({ description: 'true: the HTML of the element, its own tag too, as the page has it.' }),
  ),
  exclude: Type.Optional(css('Elements that are left out of the text, with all that they hold.')),
  breaks: Type.Optional(css('Elements that count as a line break in the text.')),
  all: Type.Optional(Type.Boolean({ description: 'true: the list of all values, not only the first.' })),
}

/** Not `page`: in every item that is what the page gave. */
const fieldName = '^(?!page$)[A-Za-z_][A-Za-z0-9_]*$'
const named = { additionalProperties: false, minProperties: 1, maxProperties: 100 }

const alternative = Type.Union([css('A selector.'), fields(taking, 'Another way to the value.')])
const or = Type.Optional(
  Type.Array(alternative, { description: 'Tried in turn where the field has no value.', minItems: 1, maxItems: 20 }),
)
const inner = Type.Record(
  Type.String({ pattern: fieldName }),
  Type.Union([css('A selector.'), fields(taking, 'A value out of the element.')]),
  { ...named, description: 'An object: fields looked for inside the element.' },
)
const field = Type.Union([
  css('A selector.'),
  fields(
    { ...taking, or, fields: Type.Optional(inner) },
    'A value out of the page. A text or a list alone is its `css`.',
  ),
])
const pageField = Type.Union([
  css('A selector.'),
  fields({ ...taking, or }, 'A value out of the page. A text or a list alone is its `css`.'),
])

export const htmlSpec = fields(
  {
    require: css(
      'One of these elements is on every page of the right kind, also on one without items. None is: `source.layout_changed`.',
    ),
    item: css('The elements that are items; of several selectors the first that finds any counts.'),
    fields: Type.Record(Type.String({ pattern: fieldName }), field, {
      ...named,
      description: 'Fields of an item, looked for inside its element.',
    }),
    page: Type.Optional(
      Type.Record(Type.String({ pattern: fieldName }), pageField, {
        ...named,
        description:
          'Values of the page: `body.page` in expressions over the answer, `this.page` in those over an item.',
      }),
    ),
  },
  'decode html: what to take out of a page. `body.items` is the list of items.',
)

export type HtmlConfig = Static<typeof htmlSpec>
export type FieldConfig = HtmlConfig['fields'][string]
