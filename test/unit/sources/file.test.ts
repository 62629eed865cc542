import { describe, expect, test } from 'vitest'
import { codeOf } from '../../../src/core/errors.ts'
import { type Item, rawOf } from '../../../src/core/record.ts'
import type { FileConfig } from '../../../src/sources/file/settings.ts'
import { file } from '../../../src/sources/file.ts'
import { openFileSource, plain, put, readAll, readOnce, temporaryFolder } from '../../support/file-source.ts'

async function itemsOf(name: string, content: string | Uint8Array, config: Partial<FileConfig> = {}): Promise<Item[]> {
  const folder = temporaryFolder()
  put(folder, { [name]: content })
  await using opened = openFileSource(folder, { paths: [name], ...config })
  return (await readOnce(opened.source)).items
}

const rawText = (item: Item) => Buffer.from(rawOf(item)).toString()

describe('ndjson', () => {
  test('passes over blank lines and keeps the line numbers of the others', async () => {
    const items = await itemsOf('a.jsonl', '\n{"n":1}\r\n   \n\t\r\n{"n":2}')
    expect(items.map(item => [item.value, item.place])).toEqual([
      [{ n: 1 }, 'line 2'],
      [{ n: 2 }, 'line 5'],
    ])
  })

  test('keeps a malformed line with its bytes, its line and its column, and goes on', async () => {
    const items = await itemsOf('a.jsonl', '{"n":1}\n{"n":2,}\n{"n":3}\n')
    expect(items.map(({ value }) => value)).toEqual([{ n: 1 }, undefined, { n: 3 }])
    expect(rawText(items[1]!)).toBe('{"n":2,}')
    expect(items[1]!.error).toMatchObject({ code: 'source.invalid_json', at: 'a.jsonl:2:7' })
  })

  test('keeps bytes that are not UTF-8 as they are', async () => {
    const bad = Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])
    const items = await itemsOf(
      'a.jsonl',
      Buffer.concat([Buffer.from('{"n":"é"}\n'), bad, Buffer.from('\n{"n":"€"}\n')]),
    )
    expect(items.map(item => item.error?.code)).toEqual([undefined, 'source.invalid_text', undefined])
    expect(Buffer.from(rawOf(items[1]!))).toEqual(bad)
    expect(items[1]!.error).toMatchObject({ at: 'a.jsonl:2 (byte 11)', message: 'Not valid UTF-8 at byte 2' })
  })

  test('a torn last line is an item with its error, a whole one without a line break an item', async () => {
    expect((await itemsOf('a.jsonl', '{"n":1}\n{"n":')).map(({ error }) => error?.code)).toEqual([
      undefined,
      'source.invalid_json',
    ])
    expect((await itemsOf('a.jsonl', '{"n":1}\n{"n":2}')).map(({ value }) => value)).toEqual([{ n: 1 }, { n: 2 }])
  })

  test('reads byte order marks where files were joined', async () => {
    expect((await itemsOf('a.jsonl', '\ufeff{"n":1}\n\ufeff{"n":2}\n')).map(({ value }) => value)).toEqual([
      { n: 1 },
      { n: 2 },
    ])
  })

  test('refuses what is no object, and says so', async () => {
    const items = await itemsOf('a.jsonl', '[{"n":1}]\n"text"\nnull\n')
    expect(items.map(({ error }) => error?.message)).toEqual([
      'An item must be an object, this is a list',
      'An item must be an object, this is a string',
      'An item must be an object, this is null',
    ])
    expect(items[0]!.error?.hint).toContain('records: this')
  })

  test('refuses UTF-16 as a whole', async () => {
    await expect(itemsOf('a.jsonl', Buffer.from('\ufeff{"n":1}\n', 'utf16le'))).rejects.toMatchObject({
      code: 'source.invalid_text',
    })
  })
})

describe('csv and tsv', () => {
  test('gives objects by column, all texts, an unnamed column a name, a repeated one a number', async () => {
    const [item] = await itemsOf('a.csv', ',name,name,empty\r\n7,"a ""b"", c","two\nlines",\r\n')
    expect(item!.value).toEqual({ column_1: '7', name: 'a "b", c', name_2: 'two\nlines', empty: '' })
    expect(rawText(item!)).toBe('7,"a ""b"", c","two\nlines",')
  })

  test('takes names from `columns`, with and without a header', async () => {
    const values = async (config: Partial<FileConfig>) =>
      (await itemsOf('a.csv', 'a,b\n1,2\n', config)).map(({ value }) => value)
    expect(await values({ columns: ['x', 'y'], header: true })).toEqual([{ x: '1', y: '2' }])
    expect(await values({ columns: ['x', 'y'] })).toEqual([
      { x: 'a', y: 'b' },
      { x: '1', y: '2' },
    ])
    expect(await values({ header: false })).toEqual([
      { column_1: 'a', column_2: 'b' },
      { column_1: '1', column_2: '2' },
    ])
  })

  test('a row that cannot be read costs itself only', async () => {
    const items = await itemsOf('a.csv', 'a,b\n1,"x\n2,y\n3,"z" z\n4,"two\nlines"\n')
    expect(items.map(item => [item.place, item.value ?? item.error?.message])).toEqual([
      ['line 2', 'The row cannot be read: text follows a closing quote'],
      ['line 3', { a: '2', b: 'y' }],
      ['line 4', 'The row cannot be read: text follows a closing quote'],
      ['line 5', { a: '4', b: 'two\nlines' }],
    ])
  })

  test('other delimiters and quotes', async () => {
    expect((await itemsOf('a.csv', "a;b\n'1;''2';3\n", { delimiter: ';', quote: "'" }))[0]!.value).toEqual({
      a: "1;'2",
      b: '3',
    })
    expect((await itemsOf('a.tsv', 'a\tb\n"1\t2\n', { quote: 'none' }))[0]!.value).toEqual({ a: '"1', b: '2' })
  })

  test('`__proto__` is a column like others', async () => {
    const [item] = await itemsOf('a.csv', '__proto__,b\n1,2\n')
    expect(Object.entries(item!.value as object)).toEqual([
      ['__proto__', '1'],
      ['b', '2'],
    ])
  })

  test('a header that cannot be read stops the file', async () => {
    await expect(itemsOf('a.csv', '"a,b\n1,2\n')).rejects.toMatchObject({ code: 'source.invalid_csv', at: 'a.csv:1' })
    await expect(itemsOf('a.csv', 'a,b\n1,2\n', { columns: ['x'], header: true })).rejects.toMatchObject({
      code: 'source.invalid_csv',
    })
  })

  test('a header without rows is no item', async () => {
    expect(await itemsOf('a.csv', 'a,b\n')).toEqual([])
    expect(await itemsOf('a.csv', 'a,b')).toEqual([])
  })
})

describe('json', () => {
  test('streams a list and keeps the bytes of each element', async () => {
    const items = await itemsOf('a.json', '[ {"n": 1.0} ,\n {"n":2, "x":"]},{"}\n]\n')
    expect(items.map(rawText)).toEqual(['{"n": 1.0}', '{"n":2, "x":"]},{"}'])
    expect(items.map(({ place }) => place)).toEqual(['line 1', 'line 2'])
  })

  test('an object is one item', async () => {
    expect((await itemsOf('a.json', ' {"n":\n1} ')).map(plain)).toEqual([
      { value: { n: 1 }, raw: '{"n":\n1}', position: '1', place: 'line 1', code: undefined },
    ])
  })

  test('NDJSON under the wrong name says what it is', async () => {
    const [item] = await itemsOf('a.json', '{"n":1}\n{"n":2}\n')
    expect(item!.error).toMatchObject({ code: 'source.invalid_json', hint: expect.stringContaining('ndjson') })
  })

  test.each([
    ['[{"n":1}', [undefined, 'source.invalid_json']],
    ['[{"n":1},', [undefined, 'source.invalid_json']],
    ['[{"n":1}] trailing', [undefined, 'source.invalid_json']],
    ['[{"n":1},{"n":', [undefined, 'source.invalid_json']],
    ['[', ['source.invalid_json']],
    ['[]', []],
    [' [ ] ', []],
  ])('%s', async (text, codes) => {
    expect((await itemsOf('a.json', text)).map(({ error }) => error?.code)).toEqual(codes)
  })

  test('a missing quote spoils its own line only', async () => {
    const items = await itemsOf('a.json', '[{"n":1,"x":"open},\n{"n":2},\n{"n":3}]')
    expect(items.map(({ value }) => value)).toEqual([undefined, { n: 2 }, { n: 3 }])
  })

  test('what stands inside a broken element is never taken for an item', async () => {
    const text = '[\n{"id":1,\n "images":[\n {"url":"open},\n {"url":"b"}\n ]},\n{"id":2}\n]'
    for (const { value } of await itemsOf('a.json', text)) expect(value ?? {}).not.toHaveProperty('url')
  })

  test('a document larger than its cap is refused before it is held', async () => {
    await expect(itemsOf('a.json', `{"x":"${'y'.repeat(5000)}"}`, { max_document: 4096 })).rejects.toMatchObject({
      code: 'source.item_too_large',
      hint: expect.stringContaining('max_document'),
    })
  })
})

describe('records', () => {
  const products = '{"asin":"A","reviews":[{"id" : 1},{"id":2.50}]}\n{"asin":"B","reviews":[]}\n{"asin":"C"}\n'

  test('gives each record with its own bytes and position', async () => {
    const items = await itemsOf('a.jsonl', products, { records: 'this.reviews' })
    expect(items.map(plain)).toEqual([
      { value: { id: 1 }, raw: '{"id" : 1}', position: '0#0', place: 'line 1, item 1', code: undefined },
      { value: { id: 2.5 }, raw: '{"id":2.50}', position: '0#1', place: 'line 1, item 2', code: undefined },
      { value: undefined, raw: '{"asin":"C"}', position: '74', place: 'line 3', code: 'source.item_shape' },
    ])
  })

  test('an item made by the expression has the bytes of its line, and is found in them again', async () => {
    const folder = temporaryFolder()
    put(folder, { 'a.jsonl': products.slice(0, products.indexOf('\n') + 1) })
    await using opened = openFileSource(folder, {
      paths: ['a.jsonl'],
      records: 'this.reviews.map(r, {"asin": this.asin, "review": r})',
    })
    const { items } = await readOnce(opened.source)
    expect(rawText(items[1]!)).toBe('{"asin":"A","reviews":[{"id" : 1},{"id":2.50}]}')
    expect(opened.source.reparse(rawOf(items[1]!), items[1]!.context)).toEqual([{ asin: 'A', review: { id: 2.5 } }])
  })

  test('200,000 records of one document are read in bounded batches', async () => {
    const folder = temporaryFolder()
    put(folder, { 'a.json': JSON.stringify({ reviews: Array.from({ length: 200_000 }, (_, id) => ({ id })) }) })
    await using opened = openFileSource(folder, { paths: ['a.json'], records: 'this.reviews' })
    const batches = (await readAll(opened.source)).get('a.json')!
    expect(Math.max(...batches.map(({ items }) => items.length))).toBeLessThanOrEqual(1000)
    expect(batches.reduce((sum, { items }) => sum + items.length, 0)).toBe(200_000)
  })
})

describe('items too large', () => {
  test('keep their first bytes and their size, and cannot be replayed', async () => {
    const folder = temporaryFolder()
    put(folder, { 'a.jsonl': `{"n":1}\n{"x":"${'y'.repeat(200_000)}"}\n{"n":2}\n` })
    await using opened = openFileSource(folder, { paths: ['a.jsonl'], max_item: 100_000 })
    const { items } = await readOnce(opened.source)
    expect(items.map(({ error }) => error?.code)).toEqual([undefined, 'source.item_too_large', undefined])
    expect(rawOf(items[1]!).length).toBe(65_536)
    expect(() => opened.source.reparse(rawOf(items[1]!), items[1]!.context)).toThrow(/first 65536 of 200008 bytes/)
  })
})

describe('which files', () => {
  test('globs, sorted, each file once, folders left out, names relative to the definition', async () => {
    const folder = temporaryFolder()
    put(folder, {
      'data/b.jsonl': '',
      'data/a.jsonl': '',
      'data/sub/c.jsonl': '',
      'data/d.jsonl/inside': '',
      'data/x.txt': '',
    })
    await using opened = openFileSource(folder, { paths: ['data/a.jsonl', 'data/*.jsonl', 'data/**/*.jsonl'] })
    const splits = await opened.source.splits(new AbortController().signal)
    expect(splits.map(({ id }) => id)).toEqual(['data/a.jsonl', 'data/b.jsonl', 'data/sub/c.jsonl'])
    expect(splits[0]!.vars).toEqual({ file: 'data/a.jsonl' })
  })

  test('a glob without a file is an error, unless new files are waited for', async () => {
    const folder = temporaryFolder()
    const { signal } = new AbortController()
    await using once = openFileSource(folder, { paths: ['*.jsonl'] })
    await expect(once.source.splits(signal)).rejects.toMatchObject({ code: 'file.not_found', at: '*.jsonl' })
    await using following = openFileSource(folder, { paths: ['*.jsonl', 'later.jsonl'], follow: true })
    expect((await following.source.splits(signal)).map(({ id }) => id)).toEqual(['later.jsonl'])
  })

  test('one bad file does not stop the others', async () => {
    const folder = temporaryFolder()
    put(folder, { 'a.jsonl': '{"n":1}\n' })
    await using opened = openFileSource(folder, { paths: ['a.jsonl', 'b.jsonl'] })
    put(folder, { 'b.jsonl/is-a-folder': '' })
    const { signal } = new AbortController()
    const [a, b] = await opened.source.splits(signal)
    expect((await Array.fromAsync(opened.source.read(a!, null, signal))).length).toBe(1)
    expect(codeOf(await Array.fromAsync(opened.source.read(b!, null, signal)).catch(error => error))).toBe(
      'file.refused',
    )
  })

  test('the format comes from the extension, before .gz too, or must be said', async () => {
    await expect(itemsOf('a.dat', '{"n":1}\n')).rejects.toMatchObject({ code: 'config.invalid' })
    expect((await itemsOf('a.dat', '{"n":1}\n', { format: 'ndjson' })).length).toBe(1)
  })
})

describe('lint', () => {
  const lint = (config: object) =>
    file.lint!(
      { paths: ['a.jsonl'], compression: 'auto', quote: '"', follow: false, ...config } as unknown as FileConfig,
      '/',
    ).map(({ code, pointer, severity }) => [severity, code, pointer])

  test.each<[config: object, problem: readonly string[]]>([
    [{ format: 'csv', records: 'this.x' }, ['error', 'config.conflict', '/records']],
    [{ format: 'ndjson', columns: ['a'] }, ['error', 'config.conflict', '/columns']],
    [{ format: 'json', follow: true }, ['error', 'config.conflict', '/follow']],
    [{ compression: 'gzip', follow: true }, ['error', 'config.conflict', '/follow']],
    [{ format: 'csv', delimiter: '"' }, ['error', 'config.invalid', '/delimiter']],
    [{ format: 'csv', delimiter: 'é' }, ['error', 'config.invalid', '/delimiter']],
    [{ paths: ['a.jsonl', 'b.dat'] }, ['error', 'config.missing_field', '/paths/1']],
    [{ format: 'csv', header: false }, ['warning', 'config.warning', '/header']],
  ])('%j', (config, problem) => expect(lint(config)).toEqual([problem]))

  test.each([{}, { paths: ['*'] }, { format: 'tsv', delimiter: '\t' }, { paths: ['a.csv.gz'], columns: ['a'] }])(
    '%j is fine',
    config => expect(lint(config)).toEqual([]),
  )
})
