import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { splitsOf as read } from '../../../../src/sources/http/splits.ts'

type ForEach = Parameters<typeof read>[0]
const splitsOf = (forEach: ForEach, folder: string) =>
  read(forEach, folder, () => Promise.reject(new Error('no list is asked for')))

let dir: string
beforeEach(async () => void (dir = await mkdtemp(join(tmpdir(), 'weir-splits-'))))
afterEach(() => rm(dir, { recursive: true, force: true }))

test('without for_each there is one split', async () =>
  expect(await splitsOf(undefined, dir)).toEqual([{ id: 'all', vars: {} }]))

test('one split for each combination, each value once', async () => {
  expect(await splitsOf({ asin: ['A', 'B', 'A'], site: ['us', 5] }, dir)).toEqual([
    { id: 'asin=A,site=us', vars: { asin: 'A', site: 'us' } },
    { id: 'asin=A,site=5', vars: { asin: 'A', site: 5 } },
    { id: 'asin=B,site=us', vars: { asin: 'B', site: 'us' } },
    { id: 'asin=B,site=5', vars: { asin: 'B', site: 5 } },
  ])
})

test('odd values give plain, distinct, short ids', async () => {
  const odd = ['a,b=c', 'a%2Cb', '\u00e9\n', '\ud800', 'x'.repeat(900), `${'x'.repeat(899)}y`]
  const ids = (await splitsOf({ v: odd }, dir)).map(split => split.id)
  expect(new Set(ids).size).toBe(odd.length)
  for (const id of ids) expect(id).toMatch(/^v=[\x21-\x7e ]{1,510}$/)
})

test('a watch list is read each time', async () => {
  await writeFile(join(dir, 'watch.txt'), '\uFEFFB1\r\n# comment\n\n  B2  \nB1')
  expect((await splitsOf({ asin: { file: 'watch.txt' } }, dir)).map(split => split.id)).toEqual(['asin=B1', 'asin=B2'])
  await writeFile(join(dir, 'watch.txt'), 'B3')
  expect((await splitsOf({ asin: { file: 'watch.txt' } }, dir)).map(split => split.id)).toEqual(['asin=B3'])
})

test.each([
  ['missing.txt', 'file.not_found'],
  ['link.txt', 'file.refused'],
  ['.', 'file.refused'],
])('the watch list %s is refused', async (file, code) => {
  await symlink('/etc/hostname', join(dir, 'link.txt'))
  await expect(splitsOf({ asin: { file } }, dir)).rejects.toMatchObject({ code })
})

test('too many combinations are refused', async () => {
  const many = Array.from({ length: 400 }, (_, i) => i)
  await expect(splitsOf({ a: many, b: many }, dir)).rejects.toMatchObject({ code: 'config.invalid' })
})
