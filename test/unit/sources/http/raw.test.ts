// Pages kept as they came, and read again without a call.
import { brotliCompressSync } from 'node:zlib'
import { expect, test } from 'vitest'
import type { RawPage } from '../../../../src/core/record.ts'
import { forget, remember } from '../../../../src/core/secret.ts'
import { openHttpSource, poll } from '../../../support/open-http.ts'
import { type Reply, scriptedGuard } from '../../../support/scripted-guard.ts'

const membership = { mode: 'membership', id: 'this.id', version: 'this.v' }
const all = { id: 'all', vars: {} }

const open = (written: object, answer: (url: URL) => Reply) => {
  const guard = scriptedGuard(answer)
  const { source } = openHttpSource(
    { request: { url: 'https://shop.example/list?token=t' }, records: 'body', cursor: membership, ...written },
    guard,
    { origin: 'shop@1', keepsRaw: true },
  )
  return { source, guard }
}

async function kept(written: object, answer: (url: URL) => Reply) {
  const { source, guard } = open(written, answer)
  const polled = await poll(source, null)
  const raws = polled.batches.flatMap(({ raw }) => raw ?? [])
  const again = async (page: RawPage, other = source) => {
    const asked = guard.requests.length
    const found = await other.reread!(page, all)
    expect(guard.requests).toHaveLength(asked)
    return found.map(({ item, id, wasThere }) => ({ position: item.position, value: item.value, id, wasThere }))
  }
  return { polled, raws, again }
}

test('the items of a page are the same when it is read again', async () => {
  const items = [
    { id: 'a', v: 1 },
    { id: 'b', v: 2 },
    { id: 'a', v: 1 },
  ]
  const { polled, raws, again } = await kept({}, () => ({ body: items }))
  expect(raws).toHaveLength(1)
  const found = await again(raws[0]!)
  expect(found.map(({ position }) => position)).toEqual(polled.positions)
  expect(found.map(({ value }) => value)).toEqual(polled.values)
  expect(found.map(({ id, wasThere }) => [id, wasThere])).toEqual([
    ['a', true],
    ['b', true],
  ])
})

test.each([
  ['ndjson', { decode: 'ndjson' }, '{"id":"a","v":1}\n{bad\n{"id":"b","v":1}\n'],
  ['csv', { decode: 'csv' }, 'id,v\na,1\nb,2\nc\n'],
  [
    'html',
    {
      decode: 'html',
      records: 'body.items',
      html: { require: ['.r'], item: '.r', fields: { id: { attr: 'id' }, v: '.v' } },
    },
    '<p class=r id=a><b class=v>1</b></p><p class=r id=b><b class=v>2</b></p>',
  ],
  ['latin1', { decode: 'csv' }, Buffer.from('id,v\nGr\xf6\xdfe,1\n', 'latin1')],
] as const)('%s bodies too, those items included that could not be read', async (name, written, body) => {
  const headers: Record<string, string> = name === 'latin1' ? { 'content-type': 'text/csv; charset=iso-8859-1' } : {}
  const { polled, raws, again } = await kept(written, () => ({ body, headers }))
  expect((await again(raws[0]!)).map(({ position }) => position)).toEqual(polled.positions)
  expect(polled.positions.length).toBeGreaterThan(0)
})

test('I9: a secret that the source repeats in the token of the next page is not in what is kept of that', async () => {
  remember('c4nary-in-a-token')
  const written = {
    paginate: { token: { param: 'after', from: 'has(body.next) ? body.next : null' } },
    records: 'body.items',
  }
  const next = 'after:c4nary-in-a-token'
  const { raws, again } = await kept(written, url =>
    url.searchParams.has('after')
      ? { body: { items: [{ id: 'b', v: 1 }] } }
      : { body: { items: [{ id: 'a', v: 1 }], next } },
  )
  expect(raws).toHaveLength(2)
  expect(raws[1]!.context).toContain('after:***')
  for (const { context, body, url } of raws) expect(context + url + Buffer.from(body)).not.toContain('c4nary')
  expect(await again(raws[1]!)).toMatchObject([{ id: 'b', wasThere: true }])
  forget('c4nary-in-a-token')
})

test('expressions see the place of the page and the split as they did', async () => {
  const written = {
    paginate: { page: { param: 'page', first: 1, max: 3 } },
    records: 'page.number == 2 ? body : body.filter(r, r.id != "x")',
  }
  const { polled, raws, again } = await kept(written, url => {
    const page = Number(url.searchParams.get('page'))
    return {
      body:
        page > 2
          ? []
          : [
              { id: 'x', v: page },
              { id: `p${page}`, v: 1 },
            ],
    }
  })
  expect(raws).toHaveLength(3)
  const found = (await Promise.all(raws.map(raw => again(raw)))).flat()
  expect(found.map(({ position }) => position)).toEqual(polled.positions)
})

test('what only the definition of today finds was not there', async () => {
  const { raws, again } = await kept({}, () => ({ body: [{ id: 'a', v: 1, more: [{ id: 'n', v: 1 }] }] }))
  const { source } = open({ records: 'body + body[0].more' }, () => ({ body: [] }))
  const found = await again(raws[0]!, source)
  expect(found.map(({ id, wasThere }) => [id, wasThere])).toEqual([
    ['a', true],
    ['n', false],
  ])
})

test('known items were there too', async () => {
  const { source } = open({}, () => ({ body: [{ id: 'a', v: 1 }] }))
  const first = await poll(source, null)
  const second = await poll(source, first.cursor)
  expect(second.positions).toEqual([])
  const [found] = await source.reread!(second.batches[0]!.raw!, all)
  expect(found).toMatchObject({ wasThere: true })
})

test('answers that are no pages are not kept: nothing here, not changed', async () => {
  let status = 200
  const { source } = open({ conditional: true, errors: [{ when: 'status == 404', do: 'gone' }] }, () => ({
    status,
    headers: { etag: '"1"' },
    body: status === 200 ? [{ id: 'a', v: 1 }] : '',
  }))
  const first = await poll(source, null)
  expect(first.batches.filter(({ raw }) => raw)).toHaveLength(1)
  for (status of [304, 404]) expect((await poll(source, first.cursor)).batches.filter(({ raw }) => raw)).toEqual([])
})

test('a page of another version of weir, or one that does not fit, is an error of the source', async () => {
  const { source } = open({}, () => ({ body: [] }))
  const { batches } = await poll(source, null)
  const raw = batches[0]!.raw!
  for (const page of [
    { ...raw, context: '{"v":2}' },
    { ...raw, context: '' },
    { ...raw, body: brotliCompressSync('[]') },
  ])
    await expect(source.reread!(page, all)).rejects.toMatchObject({ code: 'source.shape' })
})
