// However a page is written, an item comes back out of the text of its element, and no page does more harm than an error with its code.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { WeirError } from '../../src/core/errors.ts'
import { createExtractor } from '../../src/sources/html/extract.ts'

/** Not: an item inside a drawing, or one inside a form that holds a form. Both are read by other rules, which its own text does not show. */
const pieces = fc.constantFrom(
  ...[
    '<div class="r" id="1">',
    '<li class=r>',
    "<p class='r x'>",
    '<b>',
    '<i title="t">',
    '<a href="/x">',
    '<table>',
    '<tr>',
    '<td class=r>',
  ],
  ...[
    '</div>',
    '</li>',
    '</p>',
    '</b>',
    '</i>',
    '</a>',
    '</table>',
    '</tr>',
    '</td>',
    '</html>',
    '<br>',
    '<br/>',
    '<img src=x>',
    '<hr>',
  ],
  ...['<script>', '</script>', '<style>', '</style>', '<title>', '</title>', '<textarea>', '</textarea>', '<template>'],
  ...[
    '<!-- ',
    ' -->',
    '<![CDATA[',
    ']]>',
    '<',
    '>',
    '"',
    "'",
    '=',
    '&amp;',
    '&#0;',
    '&#x1F600;',
    '&',
    'text',
    ' ',
    '\n',
    '\u0000',
    '\ufffd',
    '\u200b',
  ],
  ...['<div class="r', ' id=2 ', '<P CLASS=R>', '<select>', '<option>', '<h1>', '<body>', '<plaintext>', '<frameset>'],
)

const extractor = createExtractor({
  require: '.r',
  item: ['.r', 'li'],
  fields: {
    id: { attr: 'id' },
    text: { exclude: 'i', breaks: 'hr' },
    all: { css: ['b', '*'], all: true },
    attr: { css: 'a', attr: 'href', or: [{ css: 'i', attr: 'title' }, 'p > b', '* + *'] },
    inner: { css: ':not(b)', all: true, fields: { name: 'b', first: ':first-child' } },
    is: { css: 'tr td', exists: true },
  },
})

test('an item comes back out of the text of its element', () => {
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 60 }), parts => {
      const page = parts.join('')
      for (const { fields, start, end, isCut } of extractor.page(page).items)
        if (!isCut) expect(extractor.item(page.slice(start, end)), page.slice(start, end)).toEqual(fields)
    }),
    { numRuns: 2000 },
  )
})

const anyPieces = fc.oneof(
  pieces,
  fc.constantFrom('<form>', '</form>', '<svg>', '</svg>', '<math>', '</math>', '<mi>', '<foreignobject>'),
)

test('a page gives items or an error with its code', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.array(anyPieces, { maxLength: 2000, size: 'max' }), fc.array(fc.string({ unit: 'binary' }))),
      parts => {
        try {
          extractor.page(parts.join(''))
        } catch (error) {
          expect(error).toBeInstanceOf(WeirError)
        }
      },
    ),
    { numRuns: 200 },
  )
})
