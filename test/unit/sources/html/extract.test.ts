import { describe, expect, test } from 'vitest'
import { codeOf } from '../../../../src/core/errors.ts'
import { createExtractor, type HtmlRecord } from '../../../../src/sources/html/extract.ts'
import type { FieldConfig, HtmlConfig } from '../../../../src/sources/html/spec.ts'

const config = (fields: Record<string, FieldConfig>, more: Partial<HtmlConfig> = {}): HtmlConfig => ({
  require: 'main',
  item: '.item',
  fields,
  ...more,
})

/** The fields of the first item. */
function take(html: string, fields: Record<string, FieldConfig>): HtmlRecord {
  const text = `<main><div class="item" id="i1">${html}</div></main>`
  const [item] = createExtractor(config(fields)).page(text).items
  return item!.fields
}

const textOf = (html: string, field: FieldConfig = '.x') => take(html, { x: field })['x']

describe('text', () => {
  test.each([
    ['a line break is a line feed', 'a<br>b<br/>c', 'a\nb\nc'],
    ['blanks and line breaks of the source are one space', '  a \n\t b  ', 'a b'],
    ['a nbsp is a space', 'a&nbsp;&nbsp;b', 'a b'],
    ['entities are what they stand for', 'Tom &amp; Jerry&#39;s &lt;3 &eacute;&#x1F600;', "Tom & Jerry's <3 é😀"],
    ['characters without width and U+FFFD go', 'a\u200bb&#8203;c\ufeffd\ufffde&#0;f', 'abcdef'],
    ['numbers that stand for nothing go', 'a&#x110000;b&#xD800;c', 'abc'],
    ['control characters go', 'a\u0001b\u0002c\u0008d', 'abcd'],
    ['blocks stand on lines of their own', '<p>a</p><p>b</p><div>c<div>d</div></div>e', 'a\nb\nc\nd\ne'],
    ['a line break between blocks is one line', '<p>a</p><br><p>b</p>', 'a\nb'],
    ['inline elements do not break a word', 'un<b>bel</b>ievable', 'unbelievable'],
    [
      'scripts and styles are no text',
      'a<script>P.when("A")</script><style>.b{}</style><noscript>no</noscript>b',
      'ab',
    ],
    ['comments are no text', 'a<!-- b --><![CDATA[c]]>d', 'ad'],
    ['direction marks stay: they belong to the text', '\u202eabc', '\u202eabc'],
    ['nothing is null', ' <br> &nbsp; <b></b>', null],
  ])('%s', (_, html, expected) => expect(textOf(`<div class="x">${html}</div>`)).toBe(expected))

  test('what is excluded goes with all that it holds', () => {
    const html = '<a class="x"><i class="stars"><b>5.0</b> stars</i> Good <span class="more">Read more</span></a>'
    expect(textOf(html, { css: '.x', exclude: ['i.stars', '.more'] })).toBe('Good')
  })

  test('elements can count as a line break', () => {
    const html = '<a class="x">Color: Slate<i class="sep"></i>Size: 1.2 L</a>'
    expect(textOf(html, { css: '.x', breaks: 'i.sep' })).toBe('Color: Slate\nSize: 1.2 L')
  })

  test('a script asked for by name gives what it holds', () =>
    expect(textOf('<script class="x">{"a":1}</script>')).toBe('{"a":1}'))
})

describe('fields', () => {
  test('of several selectors the first that gives a value counts, not the first that is there', () => {
    expect(textOf('<p class="a"> </p><p class="b">b</p>', ['.a', '.b', '.c'])).toBe('b')
    expect(textOf('<p class="a"></p>', ['.a', '.b'])).toBe(null)
  })

  test('of several elements the first with a value counts', () =>
    expect(textOf('<p class="x"></p><p class="x">second</p><p class="x">third</p>')).toBe('second'))

  test('without a selector it is the item itself', () => {
    expect(take('<b>a</b>', { id: { attr: 'id' }, text: {}, css: { attr: 'CLASS' } })).toEqual({
      id: 'i1',
      text: 'a',
      css: 'item',
    })
  })

  test('an attribute comes as it is written; empty and missing are null', () => {
    const html = '<a class="x" href="/r?a=1&amp;b=2" title=" " HREF="second">t</a>'
    expect(
      take(html, {
        href: { css: '.x', attr: 'href' },
        title: { css: '.x', attr: 'title' },
        rel: { css: '.x', attr: 'rel' },
      }),
    ).toEqual({
      href: '/r?a=1&b=2',
      title: null,
      rel: null,
    })
  })

  test('other ways are tried in turn', () => {
    const field: FieldConfig = { css: '.stars .alt', or: [{ css: '.stars', attr: 'class' }, '.plain'] }
    expect(textOf('<i class="stars a-star-4"><b class="alt">4.0</b></i>', field)).toBe('4.0')
    expect(textOf('<i class="stars a-star-4"></i>', field)).toBe('stars a-star-4')
    expect(textOf('<i class="plain">three</i>', field)).toBe('three')
  })

  test('presence is true or false', () => {
    expect(textOf('<b class="x"></b>', { css: ['.y', '.x'], exists: true })).toBe(true)
    expect(textOf('', { css: '.x', exists: true })).toBe(false)
  })

  test('all values are a list, of the first selector that finds any', () => {
    const html = '<img class="a" src="1"><img class="a"><img class="a" src="2"><img class="b" src="3">'
    expect(textOf(html, { css: ['.none', '.a', '.b'], attr: 'src', all: true })).toEqual(['1', '2'])
    expect(textOf(html, { css: '.none', all: true })).toEqual([])
  })

  test('objects are looked for inside their element', () => {
    const html = '<p class="c"><b>x</b><i>1</i></p><p class="c"><b>y</b></p>'
    expect(textOf(html, { css: '.c', all: true, fields: { name: 'b', n: { css: 'i' } } })).toEqual([
      { name: 'x', n: '1' },
      { name: 'y', n: null },
    ])
  })

  test('html is the element as the page has it', () =>
    expect(textOf('<b class=x>a &amp; <i>b</i></B>', { css: '.x', html: true })).toBe(
      '<b class=x>a &amp; <i>b</i></B>',
    ))

  test('selectors see nothing outside the item', () => {
    const text = '<main class="list"><div class="item"><b>in</b></div><b>out</b></main>'
    const [item] = createExtractor(config({ a: '.list b', b: 'b', c: 'main > .item > b' })).page(text).items
    expect(item!.fields).toEqual({ a: null, b: 'in', c: null })
  })
})

describe('items', () => {
  const ids = (text: string, item: HtmlConfig['item']) =>
    createExtractor(config({ id: { attr: 'id' } }, { item }))
      .page(text)
      .items.map(each => each.fields['id'])

  test('of several selectors the first that finds any counts', () => {
    expect(
      ids('<p class="b" id="1"></p><p class="a" id="2"></p><p class="a" id="3"></p>', ['.none', '.a', '.b']),
    ).toEqual(['2', '3'])
  })

  test('an item inside an item, where a tag was never closed, is one of its own and no part of the other', () => {
    const text =
      '<main><div class="item"><b>1</b><div>never closed</div><i><div class="item"><b>2</b><u>u</u></div></main>'
    const extractor = createExtractor(config({ b: { css: 'b', all: true }, u: 'u', text: {} }))
    const { items } = extractor.page(text)
    expect(items.map(({ fields }) => fields)).toEqual([
      { b: ['1'], u: null, text: '1\nnever closed' },
      { b: ['2'], u: 'u', text: '2u' },
    ])
    for (const { start, end, fields } of items) expect(extractor.item(text.slice(start, end))).toEqual(fields)
  })

  test('the element alone gives the same item again', () => {
    const text =
      '<ul><li class="item" id=a>1<p>x<p>y</p><li class="item" id=b>2</ul><div class=item id=c><p class="x">open</div>'
    const extractor = createExtractor(config({ id: { attr: 'id' }, text: {}, p: { css: 'p', all: true } }))
    const { items } = extractor.page(text)
    expect(items.map(({ fields }) => fields['id'])).toEqual(['a', 'b', 'c'])
    for (const { start, end, fields } of items) expect(extractor.item(text.slice(start, end))).toEqual(fields)
  })

  test('one that the end of the page cuts is told; what was closed before is whole', () => {
    const { items } = createExtractor(config({ text: {} })).page(
      '<main><div class="item">a</div><div class="item">b<a href="/x',
    )
    expect(items.map(({ isCut, fields }) => [fields['text'], isCut])).toEqual([
      ['a', false],
      ['b', true],
    ])
  })

  test('a form inside a form is left out, and its attributes with it', () => {
    const [item] = createExtractor(
      config({ id: { attr: 'id' }, action: { css: 'form', attr: 'action', all: true } }),
    ).page('<form action="1"><div class="item" id="a"><form action="2" id="evil"><b>x</b></form></div></form>').items
    expect(item!.fields).toEqual({ id: 'a', action: [] })
  })

  test('a page of the right kind has a required element, with items or without', () => {
    const { page } = createExtractor(config({}, { require: ['main', '.empty'] }))
    expect(page('<div class="empty"></div>').isExpected).toBe(true)
    expect(page('<div class="item"></div>').isExpected).toBe(false)
  })

  test('what the page says to robots comes with it', () => {
    const { page } = createExtractor(config({}), 'MyBot')
    expect(
      page('<meta NAME="Robots" content="NoIndex"><meta name="mybot" content="none"><meta name="x" content="y">')
        .robots,
    ).toBe('NoIndex,none')
  })
})

describe('limits', () => {
  const page = (text: string) => createExtractor(config({ text: {} })).page(text)

  test.each([
    ['depth', '<b>'.repeat(600)],
    ['attributes', `<b ${Array.from({ length: 1001 }, (_, i) => `a${i}`).join(' ')}>`],
    ['elements', '<b></b>'.repeat(200_001)],
    ['items', '<b class=item></b>'.repeat(10_001)],
  ])('sec-14: %s', (_, text) => expect(codeOf(error(() => page(text)))).toBe('source.html_refused'))

  test('names of the language are names like others', () => {
    const text = '<main><div class="item" __proto__="a" constructor="b"><b class="__proto__">c</b></div></main>'
    const [item] = createExtractor(
      config({ constructor: { attr: 'constructor' }, p: { attr: '__proto__' }, c: '.__proto__' }),
    ).page(text).items
    expect({ ...item!.fields }).toEqual({ constructor: 'b', p: 'a', c: 'c' })
  })

  test.each(['[', 'a >> b', 'a:unknown', '> a', ''])('%s is no selector', css =>
    expect(codeOf(error(() => createExtractor(config({ x: css }))))).toBe('config.invalid'),
  )
})

function error(run: () => unknown): unknown {
  try {
    run()
  } catch (thrown) {
    return thrown
  }
  return undefined
}
