// Saved pages through the file source: the same items as from the address, and nothing passed over silently.
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { rawOf, type SourceBatch } from '../../../src/core/record.ts'
import type { HtmlConfig } from '../../../src/sources/html/spec.ts'
import { corpusCatalogue } from '../../support/corpus-catalogue.ts'
import { definitionFolder, pipelineText } from '../../support/definition-text.ts'
import { openFileSource, put, temporaryFolder } from '../../support/file-source.ts'
import { openHttpSource, poll } from '../../support/open-http.ts'
import { scriptedGuard } from '../../support/scripted-guard.ts'

const root = resolve(import.meta.dirname, '../../..')
const html: HtmlConfig = {
  require: 'main',
  item: '.r',
  fields: { id: { attr: 'id' }, text: 'p' },
  page: { title: 'title' },
}
const item = (id: string, text: string) => `<div class="r" id="${id}"><p>${text}</p></div>`
const page = (inner: string) => `<title>t</title><main>${inner}</main>`
const signal = new AbortController().signal

async function read(folder: string, cursor: string | null = null, more: object = {}) {
  await using opened = openFileSource(folder, { paths: ['*.html*'], html, ...more })
  const [split] = await opened.source.splits(signal)
  const batches: SourceBatch[] = await Array.fromAsync(opened.source.read(split!, cursor, signal))
  const items = batches.flatMap(batch => batch.items)
  return {
    items,
    cursor: batches.at(-1)?.cursor ?? cursor,
    values: items.map(({ value, error }) => error?.code ?? value),
  }
}

const reparsed = (raw: Uint8Array, context: string | undefined, more: object = {}) =>
  openFileSource('/', { paths: ['*.html'], html, ...more }).source.reparse!(raw, context)

test.each(['product-es-robot.html', 'product-uk-book.html'])('%s gives what its address gives', async name => {
  const vendor = parse(readFileSync(join(root, 'src/sources/vendors/amazon_page.yaml'), 'utf8')) as {
    source: { http: { html: HtmlConfig } }
  }
  const config = vendor.source.http.html
  const body = readFileSync(join(root, 'test/data', name))
  const { source } = openHttpSource(
    { request: { url: 'https://a.example/r' }, decode: 'html', html: config },
    scriptedGuard(() => ({ body, headers: { 'content-type': 'text/html; charset=utf-8' } })),
  )
  await using served = source
  const { values } = await poll(served, null)
  const folder = temporaryFolder()
  put(folder, { [`${name}.gz`]: gzipSync(body) })
  const saved = await read(folder, null, { html: config })
  expect(values.length).toBeGreaterThan(4)
  expect(saved.values).toEqual(values)
})

describe('a page', () => {
  test('is read once, and again from its start when it was written anew', async () => {
    const folder = temporaryFolder()
    put(folder, { 'a.html': page(item('1', 'one') + item('2', 'two')) })
    const first = await read(folder)
    expect(first.values).toEqual([
      { id: '1', text: 'one', page: { title: 't' } },
      { id: '2', text: 'two', page: { title: 't' } },
    ])
    expect((await read(folder, first.cursor)).items).toEqual([])
    writeFileSync(join(folder, 'a.html'), page(item('1', 'one') + item('2', 'two') + item('3', 'three')))
    const again = await read(folder, first.cursor)
    expect(again.values).toHaveLength(3)
    const positions = [...first.items, ...again.items].map(({ position }) => position)
    expect(new Set(positions).size).toBe(5)
    expect((await read(folder, again.cursor)).items).toEqual([])
  })

  test('that ends in the middle of an item keeps what there is of it', async () => {
    const folder = temporaryFolder()
    put(folder, { 'a.html': `<title>t</title><main>${item('1', 'one')}<div class="r" id="2"><p>tw` })
    const { items, values } = await read(folder)
    expect(values).toEqual([expect.objectContaining({ id: '1' }), 'source.item_cut'])
    expect(items[1]!.error!.at).toBe('a.html, item 2')
    expect(reparsed(rawOf(items[1]!), items[1]!.context)).toEqual([{ id: '2', text: 'tw', page: { title: 't' } }])
  })

  test.each([
    ['of another kind', '<title>Robot Check</title><form>', 'source.layout_changed'],
    ['that is empty', ' \n', 'source.layout_changed'],
    ['that is too deep', `<main>${'<div>'.repeat(2000)}`, 'source.html_refused'],
  ])('%s is one dead letter, whole', async (_, text, code) => {
    const folder = temporaryFolder()
    put(folder, { 'a.html': text })
    const { items, values, cursor } = await read(folder)
    expect(values).toEqual([code])
    expect(items[0]!.error!.at).toBe('a.html')
    expect(Buffer.from(rawOf(items[0]!)).toString()).toBe(text)
    expect((await read(folder, cursor)).items).toEqual([])
  })

  test('is looked into again when the definition was mended', async () => {
    const folder = temporaryFolder()
    put(folder, { 'a.html': page(item('1', 'one')).replaceAll('main', 'section') })
    const { items } = await read(folder)
    const mended = { html: { ...html, require: 'section' } }
    expect(reparsed(rawOf(items[0]!), items[0]!.context, mended)).toEqual([
      { id: '1', text: 'one', page: { title: 't' } },
    ])
    expect(() => reparsed(rawOf(items[0]!), items[0]!.context)).toThrow('none of the elements')
  })

  test('of more than 5 MB, and an item larger than max_item, keep their first 64 KB', async () => {
    const folder = temporaryFolder()
    put(folder, { 'a.html': page(item('1', 'x'.repeat(6 * 1024 * 1024))) })
    const large = await read(folder)
    expect([large.values, rawOf(large.items[0]!).byteLength]).toEqual([['source.html_refused'], 65_536])
    put(folder, { 'a.html': page(item('1', 'x'.repeat(100_000)) + item('2', 'two')) })
    const { items, values } = await read(folder, null, { max_item: 50_000 })
    expect(values).toEqual(['source.item_too_large', expect.objectContaining({ id: '2' })])
    expect(rawOf(items[0]!).byteLength).toBe(65_536)
    expect(() => reparsed(rawOf(items[0]!), items[0]!.context)).toThrow('65536')
  })
})

describe('a definition', () => {
  const folder = definitionFolder()
  afterAll(() => folder[Symbol.dispose]())
  const lint = (fields: string) =>
    folder
      .lint(pipelineText({ source: `  file: { paths: [a.html], ${fields} }\n` }), {
        catalogue: corpusCatalogue,
        env: {},
      })
      .problems.map(({ message }) => message)
  const good = 'html: { require: main, item: .r, fields: { id: { attr: id } } }'

  test.each([
    [good, undefined],
    ['', 'Pages need `html`'],
    [`format: ndjson, ${good}`, 'format is ndjson'],
    [`format: html, records: this, ${good}`, 'html: { item }'],
    [`format: html, follow: true, ${good}`, 'cannot be followed'],
    [`format: html, columns: [a], ${good}`, 'columns is for csv and tsv'],
    [good.replace('main', '"p["'), 'no CSS selector'],
  ])('%s', (fields, message) =>
    expect(lint(fields)).toEqual(message === undefined ? [] : [expect.stringContaining(message)]),
  )
})
