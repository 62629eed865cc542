// Bodies that are no JSON: rows, pages, gzip files are items like others, kept as they were given, and come back out of their bytes.
import { describe, expect, test } from 'vitest'
import { codeOf, type WeirError } from '../../../../src/core/errors.ts'
import { rawOf } from '../../../../src/core/record.ts'
import { openHttpSource, poll } from '../../../support/open-http.ts'
import { type Reply, scriptedGuard } from '../../../support/scripted-guard.ts'

const request = { url: 'https://a.example/r' }

async function read(written: Record<string, unknown>, reply: Reply) {
  const guard = scriptedGuard(() => reply)
  const { source } = openHttpSource({ request, ...written }, guard)
  await using opened = source
  const result = await poll(opened, null)
  const items = result.batches.flatMap(batch => batch.items)
  const again = items.filter(item => item.error === undefined).map(item => opened.reparse(rawOf(item), item.context))
  expect(again.flat(), 'items come back out of their bytes').toEqual(result.values)
  return { ...result, items, guard, source: opened }
}

const failure = (work: Promise<unknown>): Promise<WeirError> =>
  work.then(
    () => {
      throw new Error('it should fail')
    },
    (thrown: WeirError) => thrown,
  )

describe('rows', () => {
  test('a header names the columns, CRLF and quotes are read, a byte order mark is none of it', async () => {
    const body = '\ufeffid,text\r\n1,"a ""b"",\r\nc"\r\n\r\n2,d\r\n'
    const { values, items } = await read({ decode: 'csv', cursor: { mode: 'membership', id: 'this.id' } }, { body })
    expect(values).toEqual([
      { id: '1', text: 'a "b",\r\nc' },
      { id: '2', text: 'd' },
    ])
    expect(Buffer.from(rawOf(items[0]!)).toString()).toBe('1,"a ""b"",\r\nc"')
  })

  test('tsv, without quoting, columns named by the definition', async () => {
    const csv = { quote: 'none', columns: ['id', 'text'] }
    const { values } = await read({ decode: 'tsv', csv }, { body: '1\t"lone\n2\tb' })
    expect(values).toEqual([
      { id: '1', text: '"lone' },
      { id: '2', text: 'b' },
    ])
  })

  test('without a header columns have numbers', async () =>
    expect((await read({ decode: 'csv', csv: { header: false, delimiter: ';' } }, { body: 'a;b' })).values).toEqual([
      { column_1: 'a', column_2: 'b' },
    ]))

  test('a row that does not fit is an item with its error and its bytes, the others go on', async () => {
    const { errors, values, items } = await read(
      { decode: 'csv' },
      { body: 'id,text\n1,a\n2,b,c\n3,"never closed\n4,d\n' },
    )
    expect(values).toEqual([
      { id: '1', text: 'a' },
      { id: '4', text: 'd' },
    ])
    expect(errors.map(({ code, raw }) => [code, raw])).toEqual([
      ['source.invalid_csv', '2,b,c'],
      ['source.invalid_csv', '3,"never closed'],
    ])
    expect(items.at(-1)!.error).toMatchObject({ at: 'GET https://a.example/r:4' })
  })

  test('an empty body has no rows', async () =>
    expect((await read({ decode: 'csv' }, { body: '' })).values).toEqual([]))

  test.each([
    ['a page', '<!DOCTYPE html><p>Down for maintenance</p>'],
    ['a header that is not closed', '"id,text\n1,a'],
    ['bytes that are no text', Buffer.from([0x69, 0x0a, 0xff])],
  ])('%s is not rows: nothing is read', async (_, body) => {
    const error = await failure(read({ decode: 'csv' }, { body }))
    expect(error).toMatchObject({ code: 'source.shape', at: expect.stringContaining('a.example') })
  })

  test('charset by the header', async () => {
    const reply = { body: Buffer.from('id\nK\xf6', 'latin1'), headers: { 'content-type': 'text/csv; charset=latin1' } }
    expect((await read({ decode: 'csv' }, reply)).values).toEqual([{ id: 'Kö' }])
  })
})

const html = {
  require: ['#list', '.none'],
  item: '.r',
  fields: { id: { attr: 'id' }, text: 'p' },
  page: { asin: { css: 'main', attr: 'data-asin' }, wall: { css: '#captcha', exists: true } },
}
const page = (items: string) => `<!doctype html><main id="list" data-asin="A1">${items}</main></html>`
const item = (id: string, text: string) => `<div class="r" id="${id}"><p>${text}</p></div>`
const membership = { mode: 'membership', id: 'this.id' }

describe('pages', () => {
  test('items hold their fields and the values of the page, and are kept as the HTML of their element', async () => {
    const { values, items } = await read(
      { decode: 'html', html, cursor: membership },
      { body: page(item('1', 'a<br>b') + item('2', 'ö')) },
    )
    expect(values).toEqual([
      { id: '1', text: 'a\nb', page: { asin: 'A1', wall: false } },
      { id: '2', text: 'ö', page: { asin: 'A1', wall: false } },
    ])
    expect(items.map(each => Buffer.from(rawOf(each)).toString())).toEqual([item('1', 'a<br>b'), item('2', 'ö')])
  })

  test('a mended definition looks into a dead letter again', async () => {
    const { items } = await read({ decode: 'html', html }, { body: page(item('1', 'a')) })
    const mended = { ...html, fields: { id: { attr: 'id' }, body: '.r > p' } }
    const { source } = openHttpSource(
      { request, decode: 'html', html: mended },
      scriptedGuard(() => ({ body: '' })),
    )
    await using opened = source
    expect(opened.reparse(rawOf(items[0]!), items[0]!.context)).toEqual([
      { id: '1', body: 'a', page: { asin: 'A1', wall: false } },
    ])
  })

  test('items that an expression made are kept as JSON', async () => {
    const records = 'body.items.map(i, {"id": i.id, "asin": body.page.asin})'
    const { items } = await read({ decode: 'html', html, records }, { body: page(item('1', 'a')) })
    expect(JSON.parse(Buffer.from(rawOf(items[0]!)).toString())).toEqual({ id: '1', asin: 'A1' })
  })

  test('a page without any required element is a changed layout, never zero items: no cursor moves', async () => {
    const error = await failure(read({ decode: 'html', html, cursor: membership }, { body: '<p>New design</p>' }))
    expect(error).toMatchObject({
      code: 'source.layout_changed',
      at: 'GET https://a.example/r',
      hint: expect.any(String),
    })
  })

  test('a page that says it is empty has no items', async () =>
    expect((await read({ decode: 'html', html }, { body: '<p class="none">No reviews</p>' })).values).toEqual([]))

  test('error rules see the page, whatever its status and its layout', async () => {
    const errors = [{ when: 'body.page.wall', do: 'blocked' }]
    for (const status of [200, 503]) {
      const error = await failure(
        read({ decode: 'html', html, errors }, { status, body: '<form id="captcha"></form>' }),
      )
      expect(codeOf(error)).toBe('fetch.blocked')
    }
  })

  test('the item that the end of the page cuts is an error with its bytes; the others are read', async () => {
    const { values, errors, items, source } = await read(
      { decode: 'html', html, cursor: membership },
      { body: `<main id="list">${item('1', 'a')}<div class="r" id="2"><p>b` },
    )
    expect(values).toHaveLength(1)
    expect(errors).toMatchObject([{ code: 'source.item_cut', raw: '<div class="r" id="2"><p>b' }])
    expect(source.reparse(rawOf(items[1]!), items[1]!.context)).toMatchObject([{ id: '2', text: 'b' }])
  })

  test('an empty answer is no page', async () =>
    expect(await failure(read({ decode: 'html', html }, { body: ' \n' }))).toMatchObject({ code: 'source.shape' }))

  test('a page that passes a limit moves nothing and says where', async () =>
    expect(await failure(read({ decode: 'html', html }, { body: '<b>'.repeat(600) }))).toMatchObject({
      code: 'source.html_refused',
      at: 'GET https://a.example/r',
    }))

  test('pages are asked for as pages', async () => {
    const { guard } = await read({ decode: 'html', html }, { body: page('') })
    expect(guard.requests[0]!.headers['accept']).toContain('text/html')
  })
})
