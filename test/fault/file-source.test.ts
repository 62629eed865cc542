// Files that change while they are read, and damaged ones: everything that was written is read once, or the pass ends with its error (I2, I4, I13).
import { appendFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { codeOf } from '../../src/core/errors.ts'
import type { Item } from '../../src/core/record.ts'
import { type OpenSource, openFileSource, put, readOnce, temporaryFolder } from '../support/file-source.ts'

const lines = (from: number, to: number, pad = '') =>
  Array.from({ length: to - from }, (_, i) => `{"n":${from + i}${pad === '' ? '' : `,"pad":"${pad}"`}}\n`).join('')
const numbers = (items: readonly Item[]) => items.map(item => (item.value as { n: number } | undefined)?.n)
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)

async function thrownBy(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  )
}

/** Follows the file: `until` resolves when so many items have come; `stop` ends it and gives all of them. */
function following(opened: OpenSource, cursor: string | null = null) {
  const stopping = new AbortController()
  const items: Item[] = []
  let last = cursor
  let arrived = () => {}
  const done = (async () => {
    const [split] = await opened.source.splits(stopping.signal)
    for await (const batch of opened.source.read(split!, cursor, stopping.signal)) {
      items.push(...batch.items)
      last = batch.cursor
      arrived()
    }
  })()
  return {
    items,
    async until(count: number) {
      while (items.length < count) {
        const next = new Promise<void>(resolve => {
          arrived = resolve
        })
        await Promise.race([next, done])
      }
    },
    async stop() {
      stopping.abort()
      await done
      return { items, cursor: last }
    },
  }
}

const follow = { follow: true, check_every: 20 } as const

describe('a file that is followed', () => {
  test('gives lines as they come, and a torn one when its line break is there', async () => {
    const folder = temporaryFolder()
    put(folder, { 'a.jsonl': lines(0, 2) })
    await using opened = openFileSource(folder, { paths: ['a.jsonl'], ...follow })
    const reading = following(opened)
    await reading.until(2)
    appendFileSync(join(folder, 'a.jsonl'), '{"n":2}\n{"n":')
    await reading.until(3)
    appendFileSync(join(folder, 'a.jsonl'), '3}\n')
    await reading.until(4)
    const { items } = await reading.stop()
    expect(numbers(items)).toEqual([0, 1, 2, 3])
  })

  test('that is not there yet is waited for', async () => {
    const folder = temporaryFolder()
    await using opened = openFileSource(folder, { paths: ['a.jsonl'], ...follow })
    const reading = following(opened)
    put(folder, { 'a.jsonl': lines(0, 3) })
    await reading.until(3)
    expect(numbers((await reading.stop()).items)).toEqual([0, 1, 2])
  })

  test('that is moved away is read to its end, with what came late, and then its successor', async () => {
    const folder = temporaryFolder()
    const path = join(folder, 'a.jsonl')
    put(folder, { 'a.jsonl': lines(0, 3) })
    await using opened = openFileSource(folder, { paths: ['a.jsonl'], ...follow })
    const reading = following(opened)
    await reading.until(3)
    renameSync(path, `${path}.1`)
    appendFileSync(`${path}.1`, `${lines(3, 5)}{"n":5}`)
    writeFileSync(path, lines(10, 12))
    await reading.until(8)
    const { items, cursor } = await reading.stop()
    expect(numbers(items)).toEqual([0, 1, 2, 3, 4, 5, 10, 11])
    expect(new Set(items.map(({ position }) => position)).size).toBe(8)
    expect(opened.events).toContainEqual(expect.objectContaining({ type: 'source_notice', code: 'info' }))
    appendFileSync(path, lines(12, 13))
    await using again = openFileSource(folder, { paths: ['a.jsonl'] })
    expect(numbers((await readOnce(again.source, cursor)).items)).toEqual([12])
  })

  test('that is truncated is read from its start again, and a notice says so', async () => {
    const folder = temporaryFolder()
    const path = join(folder, 'a.jsonl')
    put(folder, { 'a.jsonl': lines(0, 3) })
    await using opened = openFileSource(folder, { paths: ['a.jsonl'], ...follow })
    const reading = following(opened)
    await reading.until(3)
    truncateSync(path, 0)
    await expect.poll(() => opened.events.length).toBe(1)
    appendFileSync(path, lines(7, 8))
    await reading.until(4)
    expect(numbers((await reading.stop()).items)).toEqual([0, 1, 2, 7])
    expect(opened.events[0]).toMatchObject({ type: 'source_notice', message: expect.stringContaining('truncated') })
  })

  test('I11: ends at once when it is told to, in the middle of waiting', async () => {
    const folder = temporaryFolder()
    put(folder, { 'a.jsonl': lines(0, 1) })
    await using opened = openFileSource(folder, { paths: ['a.jsonl'], follow: true, check_every: 3_600_000 })
    const reading = following(opened)
    await reading.until(1)
    await reading.stop()
  })
})

describe('a file that changes during one pass', () => {
  const pad = 'x'.repeat(500)

  /** Reads one pass; after the first batch something happens to the file. */
  async function passWith(folder: string, happening: () => void) {
    await using opened = openFileSource(folder, { paths: ['a.jsonl'] })
    const { signal } = new AbortController()
    const [split] = await opened.source.splits(signal)
    const items: Item[] = []
    let happened = false
    let cursor: string | null = null
    let error: unknown
    try {
      for await (const batch of opened.source.read(split!, null, signal)) {
        items.push(...batch.items)
        cursor = batch.cursor
        if (!happened) happening()
        happened = true
      }
    } catch (thrown) {
      error = thrown
    }
    return { items, cursor, error }
  }

  test('and grows is read to its new end', async () => {
    const folder = temporaryFolder()
    put(folder, { 'a.jsonl': lines(0, 3000, pad) })
    const { items, error } = await passWith(folder, () =>
      appendFileSync(join(folder, 'a.jsonl'), lines(3000, 3100, pad)),
    )
    expect(error).toBeUndefined()
    expect(numbers(items)).toEqual(range(0, 3100))
  })

  test('I4: and shrinks ends the pass with file.truncated; what came before stays', async () => {
    const folder = temporaryFolder()
    const path = join(folder, 'a.jsonl')
    put(folder, { 'a.jsonl': lines(0, 5000, pad) })
    const { items, error } = await passWith(folder, () => truncateSync(path, 1000))
    expect(error).toMatchObject({ code: 'file.truncated' })
    expect(numbers(items)).toEqual(range(0, items.length))
  })

  test('and is replaced is read to its end; the next pass reads its successor', async () => {
    const folder = temporaryFolder()
    const path = join(folder, 'a.jsonl')
    put(folder, { 'a.jsonl': lines(0, 3000, pad), 'b.jsonl': lines(5000, 5002) })
    const { items, cursor } = await passWith(folder, () => renameSync(join(folder, 'b.jsonl'), path))
    expect(numbers(items)).toEqual(range(0, 3000))
    await using opened = openFileSource(folder, { paths: ['a.jsonl'] })
    expect(numbers((await readOnce(opened.source, cursor)).items)).toEqual([5000, 5001])
    expect(opened.events).toContainEqual(expect.objectContaining({ type: 'source_notice', code: 'info' }))
  })
})

describe('between two passes', () => {
  async function twice(folder: string, between: () => void, config = {}) {
    await using opened = openFileSource(folder, { paths: ['a.jsonl'], ...config })
    const first = await readOnce(opened.source)
    between()
    const second = await readOnce(opened.source, first.cursor).catch((error: unknown) => ({
      items: [],
      cursor: null,
      error,
    }))
    return { first, second, events: opened.events }
  }

  test('a file copied to another disk goes on where it was', async () => {
    const folder = temporaryFolder()
    const path = join(folder, 'a.jsonl')
    put(folder, { 'a.jsonl': lines(0, 3) })
    const { second } = await twice(folder, () => {
      writeFileSync(join(folder, 'copy'), lines(0, 4))
      renameSync(join(folder, 'copy'), path)
    })
    expect(numbers(second.items)).toEqual([3])
  })

  test('a file rewritten in place is read anew, and what may be lost of the old one is told', async () => {
    const folder = temporaryFolder()
    put(folder, { 'a.jsonl': lines(0, 3) })
    const { second, events } = await twice(folder, () => put(folder, { 'a.jsonl': lines(50, 60) }))
    expect(numbers(second.items)).toEqual(range(50, 60))
    expect(events.length).toBe(1)
  })

  test('a shorter file is refused, and the hint says how to go on', async () => {
    const folder = temporaryFolder()
    put(folder, { 'a.jsonl': lines(0, 30) })
    const { second } = await twice(folder, () => truncateSync(join(folder, 'a.jsonl'), 20))
    expect(second).toMatchObject({ error: { code: 'file.truncated', hint: expect.stringContaining('cursor reset') } })
  })

  test('a file that has not changed gives nothing, not even a cursor', async () => {
    const folder = temporaryFolder()
    put(folder, { 'a.jsonl': gzipSync(lines(0, 3)) })
    await using opened = openFileSource(folder, { paths: ['a.jsonl'] })
    const { cursor } = await readOnce(opened.source)
    const [split] = await opened.source.splits(new AbortController().signal)
    const batches = await Array.fromAsync(opened.source.read(split!, cursor, new AbortController().signal))
    expect(batches).toEqual([])
  })

  test('a JSON list that grew gives the elements that came, though its bracket stood elsewhere', async () => {
    const folder = temporaryFolder()
    put(folder, { 'a.jsonl': '[\n {"n":0},\n {"n":1}\n]\n' })
    const { second } = await twice(folder, () => put(folder, { 'a.jsonl': '[\n {"n":0},\n {"n":1},\n {"n":2}\n]\n' }), {
      format: 'json',
    })
    expect(numbers(second.items)).toEqual([2])
  })
})

describe('a damaged gzip file', () => {
  const whole = gzipSync(lines(0, 20_000, 'abc'), { level: 1 })

  async function readDamaged(bytes: Uint8Array) {
    const folder = temporaryFolder()
    put(folder, { 'a.jsonl.gz': bytes })
    await using opened = openFileSource(folder, { paths: ['a.jsonl.gz'] })
    const { signal } = new AbortController()
    const [split] = await opened.source.splits(signal)
    const items: Item[] = []
    let cursor: string | null = null
    const reading = (async () => {
      for await (const batch of opened.source.read(split!, null, signal)) {
        items.push(...batch.items)
        cursor = batch.cursor
      }
    })()
    return { folder, error: await thrownBy(reading), items, cursor: cursor as string | null }
  }

  test.each<[name: string, bytes: () => Uint8Array, all: boolean]>([
    ['cut off', () => whole.subarray(0, Math.floor(whole.length / 2)), false],
    ['cut off in its trailer', () => whole.subarray(0, whole.length - 3), true],
    ['with a wrong checksum', () => Buffer.from(whole).fill(0x5a, whole.length - 8, whole.length - 5), true],
    ['with something after its end', () => Buffer.concat([whole, Buffer.from('more')]), true],
  ])('%s gives the whole records before the damage, then file.corrupt', async (_name, bytes, all) => {
    const { items, error } = await readDamaged(bytes())
    expect(codeOf(error)).toBe('file.corrupt')
    expect(numbers(items)).toEqual(range(0, items.length))
    expect(items.length).toBeGreaterThan(5000)
    if (all) expect(items.length).toBe(20_000)
  })

  test('is read on from its cursor when it has been fetched again', async () => {
    const { folder, items, cursor } = await readDamaged(whole.subarray(0, Math.floor(whole.length / 2)))
    put(folder, { 'a.jsonl.gz': whole })
    await using opened = openFileSource(folder, { paths: ['a.jsonl.gz'] })
    const { items: rest } = await readOnce(opened.source, cursor)
    expect(numbers([...items, ...rest])).toEqual(range(0, 20_000))
  })
})

test('I10: a 300 MB bomb in 300 KB does not fill the memory', async () => {
  const folder = temporaryFolder()
  const megabyte = Buffer.alloc(1024 * 1024, 'x')
  const member = gzipSync(megabyte, { level: 9 })
  put(folder, { 'a.jsonl.gz': Buffer.concat([...Array.from({ length: 300 }, () => member), gzipSync('\n{"n":1}\n')]) })
  await using opened = openFileSource(folder, { paths: ['a.jsonl.gz'] })
  const before = process.memoryUsage.rss()
  const { items } = await readOnce(opened.source)
  expect(process.memoryUsage.rss() - before).toBeLessThan(64 * 1024 * 1024)
  expect(items.map(({ error }) => error?.code)).toEqual(['source.item_too_large', undefined])
  expect(items[0]!.context).toBe(JSON.stringify({ kept: 65536, of: 300 * 1024 * 1024 }))
})
