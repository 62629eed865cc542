// Set D: bad pages. What they hold, what the definition takes out of them, and what comes of it.

export interface HtmlCase {
  readonly name: string
  /** @param n number of the request */
  readonly page: (n: number) => string | Uint8Array
  readonly contentType?: string
  /** In place of the usual fields, and beside the usual definition. */
  readonly fields?: Record<string, unknown>
  readonly source?: Record<string, unknown>
  /** CEL over the item; omitted: its text. */
  readonly map?: string
  /** `gives`: one for each record. */
  readonly expect: { readonly code: string } | { readonly gives: readonly unknown[]; readonly dead?: readonly string[]; readonly duplicates?: number }
}

const item = (id: string, text: string) => `<div class="r" id="${id}"><p>${text}</p></div>`
const page = (inner: string) => `<!doctype html><html><body><main>${inner}</main></body></html>`
const good = page(item('1', 'good'))
const isGood = { gives: ['good'] }

export const cases: readonly HtmlCase[] = [
  { name: 'empty', page: () => '', expect: { code: 'source.shape' } },
  { name: 'not HTML', page: () => '%PDF-1.7 \u0000\u0001{"error":"none"}', expect: { code: 'source.layout_changed' } },
  {
    name: '5 MB text',
    page: () => page(item('1', 'x '.repeat(2_500_000)) + item('2', 'good')),
    expect: { gives: ['good'], dead: ['source.item_too_large'] },
  },
  { name: '50k nested div', page: () => page(`${'<div>'.repeat(50_000)}${item('1', 'deep')}`), expect: { code: 'source.html_refused' } },
  {
    name: '200k attributes',
    page: () => page(`<div ${Array.from({ length: 200_000 }, (_, i) => `a${i}=1`).join(' ')}>${item('1', 'x')}</div>`),
    expect: { code: 'source.html_refused' },
  },
  { name: '1M siblings', page: () => page('<i>'.repeat(1e6).replaceAll('<i>', '<br>') + item('1', 'x')), expect: { code: 'source.html_refused' } },
  { name: 'unclosed script', page: () => `<script>var a = "<main>"; ${good}`, expect: { code: 'source.layout_changed' } },
  {
    name: '<script/> sibling loss',
    page: () => page(`<script/><div class="r" id="lost"><p>lost</p></div></script>${item('1', 'good')}`),
    expect: isGood,
  },
  {
    name: 'formatting-element bomb <b><i>',
    page: () => page(`${'<a><b><i></a>'.repeat(10_000)}${item('1', 'good')}`),
    expect: isGood,
  },
  { name: 'comment never closed', page: () => page(`${item('1', 'good')}<!-- ${item('2', 'no')}`), expect: isGood },
  { name: 'CDATA', page: () => page(`<![CDATA[${item('2', 'no').replaceAll('>', '&gt;')}]]>${item('1', 'go<![CDATA[no]]>od')}`), expect: isGood },
  { name: 'plaintext tag', page: () => page(`${item('1', 'good')}<plaintext>${item('2', 'no')}`), expect: isGood },
  { name: 'frameset', page: () => '<frameset cols="50%,50%"><frame src="/a"><frame src="/b"></frameset>', expect: { code: 'source.layout_changed' } },
  {
    name: 'meta refresh',
    page: () => `<meta http-equiv="refresh" content="0;url=http://169.254.169.254/">${good}`,
    expect: isGood,
  },
  {
    name: 'charset in meta differs',
    page: () => `<meta charset="iso-8859-1">${page(item('1', 'Größe 日'))}`,
    contentType: 'text/html; charset=utf-8',
    expect: { gives: ['Größe 日'] },
  },
  { name: 'NUL characters', page: () => page(item('1', 'g\u0000o&#0;od').replace('<p>', '<p \u0000=1>')), expect: isGood },
  { name: 'surrogate entity', page: () => page(item('1', 'go&#xD800;od&#55357;')), expect: isGood },
  { name: '&#x110000;', page: () => page(item('1', 'go&#x110000;od&#99999999999999;')), expect: isGood },
  {
    name: 'entity flood',
    page: () => page(item('1', '&amp;'.repeat(200_000))),
    map: 'this.text.size()',
    expect: { gives: [200_000] },
  },
  {
    name: 'selector matches none',
    page: () => good,
    fields: { id: { attr: 'id' }, text: ['.gone', '#gone > b'], all: { css: '.gone', all: true }, is: { css: '.gone', exists: true } },
    map: '[this.text, this.all, this.is]',
    expect: { gives: [[null, [], false]] },
  },
  {
    name: 'selector matches 100k',
    page: () => page(`<div class="r" id="1">${'<p>x</p>'.repeat(100_000)}</div>`),
    fields: { id: { attr: 'id' }, text: { css: 'p', all: true } },
    expect: { code: 'source.html_refused' },
  },
  {
    name: 'selector :has nest',
    page: () => page(`<div class="r" id="1">${'<b><u></u></b>'.repeat(90_000)}</div>`),
    // Fields enough for two seconds on a quick machine.
    fields: { id: { attr: 'id' }, text: slow('s'), ...Object.fromEntries(['t', 'u', 'v', 'w', 'x'].map(name => [name, slow(name)])) },
    expect: { code: 'source.html_refused' },
  },
  { name: 'selector invalid', page: () => good, fields: { text: 'p[' }, expect: { code: 'config.invalid' } },
  { name: 'layout changed (sentinel missing)', page: () => good.replaceAll('main', 'section'), expect: { code: 'source.layout_changed' } },
  {
    name: 'duplicate ids',
    page: () => page(item('1', 'good') + item('1', 'good') + item('2', 'too')),
    expect: { gives: ['good', 'too'], duplicates: 1 },
  },
  {
    name: 'base href evil',
    page: n => `<base href="https://evil.example/">${page(item(`${n}`, 'good') + (n === 1 ? '<a class="next" href="/r?page=2">more</a>' : ''))}`,
    source: { paginate: { next_url: { from: 'body.page.next' } } },
    expect: { gives: ['good', 'good'] },
  },
  {
    name: 'javascript: link',
    page: () => page('<div class="r" id="1"><a href="javascript:alert(1)">go</a></div>'),
    fields: { id: { attr: 'id' }, text: { css: 'a', attr: 'href' } },
    expect: { gives: ['javascript:alert(1)'] },
  },
  {
    name: 'data: image 5 MB',
    page: () => page(`<div class="r" id="1"><img src="data:image/png;base64,${'A'.repeat(5_242_880)}"></div>`),
    expect: { code: 'source.html_refused' },
  },
  { name: 'svg onload', page: () => page(item('1', 'go<svg onload="alert(1)"><script>alert(2)</script><title>no</title></svg>od')), expect: isGood },
  { name: 'bidi override text', page: () => page(item('1', 'a\u202egnp.exe')), expect: { gives: ['a\u202egnp.exe'] } },
  { name: 'zero-width text', page: () => page(item('1', '\u200b\u200d&#8203;\ufeff') + item('2', 'go\u200bod')), expect: { gives: [null, 'good'] } },
  {
    name: 'rating `4,5` vs `4.5`',
    page: () => page(item('1', '4,5 von 5 Sternen') + item('2', '4.5 out of 5 stars')),
    map: 'stars(this.text)',
    expect: { gives: [4.5, 4.5] },
  },
  {
    name: 'date `31/02/2026`',
    page: () => page(item('1', '31/02/2026') + item('2', '31 February 2026')),
    map: '[this.text, parse_date(this.text)]',
    expect: {
      gives: [
        ['31/02/2026', null],
        ['31 February 2026', null],
      ],
    },
  },
]

function slow(name: string): string[] {
  return Array.from({ length: 20 }, (_, i) => `b:has(u:has(~ u, + b:has(~ u:has(~ ${name}${i}))))`)
}
