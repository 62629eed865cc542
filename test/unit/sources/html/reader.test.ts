import { expect, test } from 'vitest'
import { systemClock } from '../../../../src/core/clock.ts'
import { toWeirError } from '../../../../src/core/errors.ts'
import { openHtmlReader } from '../../../../src/sources/html/reader.ts'

const config = { require: 'p', item: 'p', fields: { text: {} } }
const errorOf = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (thrown: unknown) => toWeirError(thrown),
  )

test('reads pages in turn, and leaves the bytes to their owner', async () => {
  await using reader = openHtmlReader({ config, clock: systemClock })
  const bytes = Buffer.from('<p>a</p>')
  const pages = await Promise.all([reader.read(bytes, undefined), reader.read(Buffer.from('<p>b<p>c'), undefined)])
  expect(pages.map(({ items }) => items.map(({ fields }) => fields['text']))).toEqual([['a'], ['b', 'c']])
  expect(bytes.toString()).toBe('<p>a</p>')
})

test('sec-14: a page that takes too long is refused, its thread ended, and the next page read by a new one', async () => {
  const slow = { ...config, page: { x: Array.from({ length: 20 }, () => 'b:has(u:has(~ u:has(~ u:has(~ s))))') } }
  await using reader = openHtmlReader({ config: slow, clock: systemClock, deadlineMs: 300 })
  await reader.read(Buffer.from('<p>a'), undefined)
  const page = Buffer.from(`<p>a<b>${'<u></u>'.repeat(100_000)}</b>`)
  const [error, next] = await Promise.all([
    errorOf(reader.read(page, undefined)),
    reader.read(Buffer.from('<p>b</p>'), undefined),
  ])
  expect(error).toMatchObject({ code: 'source.html_refused', message: expect.stringContaining('longer than 300ms') })
  expect(next.items).toHaveLength(1)
})

test('sec-14: a page over the size is refused before it is parsed', async () => {
  await using reader = openHtmlReader({ config, clock: systemClock })
  const error = await errorOf(reader.read(Buffer.alloc(5 * 1024 * 1024 + 1, 'a'), undefined))
  expect(error).toMatchObject({ code: 'source.html_refused', message: expect.stringContaining('at most 5') })
})

test('sec-14: a limit that a page passes is told, and the thread goes on', async () => {
  await using reader = openHtmlReader({ config, clock: systemClock })
  expect(await errorOf(reader.read(Buffer.from('<b>'.repeat(513)), undefined))).toMatchObject({
    code: 'source.html_refused',
  })
  expect((await reader.read(Buffer.from('<p>a'), undefined)).items).toHaveLength(1)
})

test('nothing is read after it is closed', async () => {
  const reader = openHtmlReader({ config, clock: systemClock })
  await reader.read(Buffer.from('<p>a'), undefined)
  await reader[Symbol.asyncDispose]()
  expect(await errorOf(reader.read(Buffer.from('<p>a'), undefined))).toMatchObject({ code: 'source.html_refused' })
})
