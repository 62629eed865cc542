import { execFileSync, spawnSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { type FileHandle, open as openFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Sink } from '../../../src/pipeline/ports.ts'
import { file } from '../../../src/sinks/file.ts'
import { pathProblem } from '../../../src/sinks/file-place.ts'
import { createSinkWorld, reviewAt, reviews } from '../../support/sink-world.ts'

let dir: string
const opened: Sink[] = []
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'weir-file-sink-'))
})
afterEach(async () => {
  for (const sink of opened.splice(0)) await sink[Symbol.asyncDispose]()
  rmSync(dir, { recursive: true, force: true })
})

const signal = new AbortController().signal
const at = (name: string) => join(dir, name)
async function open(path = 'out.ndjson', more: { root?: string; metadata?: boolean } = {}): Promise<Sink> {
  const sink = await file.open({ path, metadata: false, ...more }, createSinkWorld(dir).deps)
  opened.push(sink)
  return sink
}
async function close(sink: Sink): Promise<void> {
  opened.splice(opened.indexOf(sink), 1)
  await sink[Symbol.asyncDispose]()
}
const deliver = (sink: Sink, delivery: ReturnType<typeof reviews>) => sink.deliver!(delivery, signal)
const ids = (name = 'out.ndjson') =>
  readFileSync(at(name), 'utf8')
    .split('\n')
    .slice(0, -1)
    .map(line => JSON.parse(line).id)
/** Opens a copy of the closed data file with another offset record beside it. */
async function openImage(image: string, offsets: Uint8Array): Promise<Sink> {
  copyFileSync(at('out.ndjson'), at(image))
  writeFileSync(at(`${image}.offsets`), offsets)
  return await open(image)
}
const idsTo = (to: number) => Array.from({ length: to }, (_, n) => `r0-${n}`)

describe('lines', () => {
  test('a value is one JSON object a line, big integers kept', async () => {
    const sink = await open()
    await deliver(sink, {
      ...reviews(0, 0),
      records: [reviewAt(0, 0, { seen: 2n ** 60n, text: 'a\nb\u2028' })],
      nextOffset: 1n,
    })
    expect(readFileSync(at('out.ndjson'), 'utf8')).toBe(
      '{"id":"r0-0","rating":1,"seen":"1152921504606846976","text":"a\\nb\u2028"}\n',
    )
  })

  test('with metadata each line says where its record stands', async () => {
    const sink = await open('out.ndjson', { metadata: true })
    await deliver(sink, { ...reviews(0, 0), records: [reviewAt(4, 2)], nextOffset: 5n })
    expect(JSON.parse(readFileSync(at('out.ndjson'), 'utf8'))).toEqual({
      topic: 'reviews',
      partition: 2,
      offset: 4,
      timestamp: '2023-11-14T22:13:20.004Z',
      key: 'k1',
      value: { id: 'r2-4', rating: 5, seen: 4, text: 'text\n4 é' },
    })
  })
})

describe('the offset record', () => {
  test('I1: what a crash left beyond it is cut off, and those records come again once', async () => {
    const sink = await open()
    await deliver(sink, reviews(0, 3))
    await close(sink)
    appendFileSync(at('out.ndjson'), '{"id":"r0-3"}\n{"id":"r0-')
    const again = await open()
    expect(again.startAt!('reviews', 0)).toBe(3n)
    await deliver(again, reviews(3, 5))
    expect(ids()).toEqual(idsTo(5))
  })

  test('I1: an image of both files at any moment opens to a prefix that fits the record', async () => {
    const sink = await open()
    for (let n = 0; n < 5; n++) {
      await deliver(sink, reviews(n * 10, n * 10 + 10))
      const record = readFileSync(at('out.ndjson.offsets'))
      const length = statSync(at('out.ndjson')).size
      await deliver(sink, reviews(n * 10, n * 10 + 10))
      for (const extra of [0, 1, 500]) {
        const image = `image-${n}-${extra}`
        copyFileSync(at('out.ndjson'), at(image))
        truncateSync(at(image), length)
        appendFileSync(at(image), 'x'.repeat(extra))
        writeFileSync(at(`${image}.offsets`), record)
        const recovered = await open(image)
        expect(recovered.startAt!('reviews', 0)).toBe(BigInt(n * 10 + 10))
        expect(ids(image)).toEqual(idsTo(n * 10 + 10))
        await close(recovered)
      }
    }
  })

  test('I1: a record torn at any byte is passed over: the file is cut back to the one before, and goes on from there', async () => {
    const sink = await open()
    await deliver(sink, reviews(0, 3))
    const before = statSync(at('out.ndjson.offsets')).size
    await deliver(sink, reviews(3, 5))
    await close(sink)
    const record = readFileSync(at('out.ndjson.offsets'))
    expect(record.length).toBeGreaterThan(before)
    for (let length = before; length <= record.length; length++) {
      const image = `torn-${length}`
      const again = await openImage(image, record.subarray(0, length))
      expect(again.startAt!('reviews', 0)).toBe(length < record.length ? 3n : 5n)
      await deliver(again, reviews(3, 6))
      expect(ids(image)).toEqual(idsTo(6))
      await close(again)
    }
  })

  test('I1: a record with a hole of any size, as a power loss may leave, is passed over in the same way', async () => {
    const sink = await open()
    await deliver(sink, reviews(0, 3))
    const from = statSync(at('out.ndjson.offsets')).size
    await deliver(sink, reviews(3, 5))
    await close(sink)
    const record = readFileSync(at('out.ndjson.offsets'))
    for (let start = from; start < record.length - 1; start += 7)
      for (const end of [start + 1, record.length - 1]) {
        const again = await openImage('image', Buffer.from(record).fill(0, start, end))
        expect(again.startAt!('reviews', 0)).toBe(3n)
        expect(ids('image')).toEqual(idsTo(3))
        await close(again)
      }
  })

  test('the offset record stays small, however many deliveries there are', async () => {
    let sink = await open()
    const sizes: number[] = []
    for (let n = 0; n < 1_000; n++) {
      await deliver(sink, reviews(n, n + 1))
      sizes.push(statSync(at('out.ndjson.offsets')).size)
    }
    expect(Math.max(...sizes)).toBeLessThan(65_536)
    expect(sizes.filter((size, n) => n > 0 && size < sizes[n - 1]!).length).toBeGreaterThan(0)
    await close(sink)
    sink = await open()
    expect(sink.startAt!('reviews', 0)).toBe(1_000n)
    expect(ids()).toEqual(idsTo(1_000))
  })

  test.each([
    ['removed', () => rmSync(at('out.ndjson.offsets'))],
    [
      'replaced',
      () => {
        writeFileSync(at('other'), 'foreign\n')
        renameSync(at('other'), at('out.ndjson.offsets'))
      },
    ],
    ['added to', () => appendFileSync(at('out.ndjson.offsets'), 'foreign\n')],
    ['cut', () => truncateSync(at('out.ndjson.offsets'), 10)],
  ])('an offset record that is %s while at work is written anew', async (_, damage) => {
    const sink = await open()
    await deliver(sink, reviews(0, 3))
    damage()
    await deliver(sink, reviews(3, 5))
    await close(sink)
    const again = await open()
    expect(again.startAt!('reviews', 0)).toBe(5n)
    expect(ids()).toEqual(idsTo(5))
  })

  test('the files are readable by their owner only', async () => {
    const sink = await open('new/folder/out.ndjson')
    await deliver(sink, reviews(0, 1))
    for (const name of ['new/folder/out.ndjson', 'new/folder/out.ndjson.offsets'])
      expect(statSync(at(name)).mode & 0o777).toBe(0o600)
    expect(statSync(at('new')).mode & 0o777).toBe(0o700)
  })

  test('nothing but the three files is left behind', async () => {
    const sink = await open()
    await deliver(sink, reviews(0, 1))
    await close(sink)
    expect(execFileSync('ls', [dir], { encoding: 'utf8' }).trim().split('\n')).toEqual([
      'out.ndjson',
      'out.ndjson.lock',
      'out.ndjson.offsets',
    ])
  })
})

describe('changed from outside', () => {
  const damages: [string, () => void][] = [
    ['the data file is gone', () => rmSync(at('out.ndjson'))],
    ['the data file is shorter', () => truncateSync(at('out.ndjson'), 10)],
    ['the data file is another', () => writeFileSync(at('out.ndjson'), 'x'.repeat(10_000))],
    ['the record is cut', () => truncateSync(at('out.ndjson.offsets'), 30)],
    ['the record is empty', () => writeFileSync(at('out.ndjson.offsets'), '')],
    [
      'the record has a flipped digit',
      () =>
        writeFileSync(
          at('out.ndjson.offsets'),
          readFileSync(at('out.ndjson.offsets'), 'utf8').replace('"0":"3"', '"0":"2"'),
        ),
    ],
    ['the record is gone', () => rmSync(at('out.ndjson.offsets'))],
    ['the record is of a newer version', () => writeFileSync(at('out.ndjson.offsets'), '{"weir_file_sink":2}')],
  ]
  test.each(damages)('while stopped: %s: the sink does not start, and says how to go on', async (_, damage) => {
    const sink = await open()
    await deliver(sink, reviews(0, 3))
    await close(sink)
    damage()
    await expect(open()).rejects.toMatchObject({
      code: 'sink.damaged',
      hint: expect.stringMatching(/[Rr]estore/),
      at: expect.stringContaining(dir),
    })
  })

  test.each([
    ['removed', () => rmSync(at('out.ndjson'))],
    [
      'replaced',
      () => {
        renameSync(at('out.ndjson'), at('old'))
        copyFileSync(at('old'), at('out.ndjson'))
      },
    ],
    ['appended to', () => appendFileSync(at('out.ndjson'), 'foreign\n')],
    ['cut', () => truncateSync(at('out.ndjson'), 10)],
  ])('while at work: the data file is %s: the next delivery fails for good', async (_, damage) => {
    const sink = await open()
    await deliver(sink, reviews(0, 3))
    damage()
    await expect(deliver(sink, reviews(3, 4))).rejects.toMatchObject({ code: 'sink.damaged' })
    expect(existsSync(at('out.ndjson')) && readFileSync(at('out.ndjson'), 'utf8').includes('r0-3')).toBe(false)
  })

  test('a file that was there before is not touched', async () => {
    writeFileSync(at('mine.txt'), 'precious')
    await expect(open('mine.txt')).rejects.toMatchObject({
      code: 'sink.damaged',
      message: expect.stringContaining('not written by this sink'),
    })
    expect(readFileSync(at('mine.txt'), 'utf8')).toBe('precious')
    expect(existsSync(at('mine.txt.offsets'))).toBe(false)
  })

  test('both files moved away: it starts anew', async () => {
    const sink = await open()
    await deliver(sink, reviews(0, 3))
    await close(sink)
    renameSync(at('out.ndjson'), at('old'))
    renameSync(at('out.ndjson.offsets'), at('old.offsets'))
    const again = await open()
    expect(again.startAt!('reviews', 0)).toBeNull()
  })
})

describe('one writer', () => {
  test('a second sink on the same file is refused, in this process and in another, until the first closes', async () => {
    const sink = await open()
    await expect(open('./sub/../out.ndjson')).rejects.toMatchObject({
      code: 'sink.locked',
      hint: expect.stringContaining('path'),
    })
    const other = [
      `import { lockFile } from ${JSON.stringify(join(import.meta.dirname, '../../../src/sinks/file-lock.ts'))}`,
      `try { lockFile(${JSON.stringify(at('out.ndjson.lock'))}, 'x'); console.log('got it') } catch (error) { console.log(error.code) }`,
    ].join('\n')
    const run = () =>
      spawnSync(process.execPath, ['--input-type=module', '-e', other], { encoding: 'utf8' }).stdout.trim()
    expect(run()).toBe('sink.locked')
    await close(sink)
    expect(run()).toBe('got it')
    await close(await open())
  })

  test('the lock of a killed process is free at once', () => {
    const script = [
      `import { lockFile } from ${JSON.stringify(join(import.meta.dirname, '../../../src/sinks/file-lock.ts'))}`,
      `globalThis.held = lockFile(${JSON.stringify(at('out.ndjson.lock'))}, 'x')`,
      `process.kill(process.pid, 'SIGKILL')`,
    ].join('\n')
    expect(spawnSync(process.execPath, ['--input-type=module', '-e', script]).signal).toBe('SIGKILL')
    return open()
  })
})

describe('places', () => {
  test.each([
    ['../out.ndjson', 'outside'],
    ['a/../../out.ndjson', 'outside'],
    ['/etc/weir-out.ndjson', 'outside'],
    ['out\nput', 'control'],
    ['out\0put', 'control'],
    ['out\x1b[31m', 'control'],
    ['', 'folder'],
    ['.', 'folder'],
    ['folder/', 'folder'],
    ['folder/..', 'folder'],
    [`${'n'.repeat(300)}`, 'longer'],
    [`${'é'.repeat(125)}`, 'longer'],
    ['out.ndjson.offsets', 'ending'],
    ['out.ndjson.lock', 'ending'],
  ])('%j is refused: %s', async (path, why) => {
    await expect(open(path)).rejects.toMatchObject({
      code: 'file.refused',
      message: expect.stringContaining(why),
      hint: expect.any(String),
    })
  })

  test('lint names what the text alone shows', () => {
    expect(file.lint!({ path: 'out/', metadata: false }, dir)).toMatchObject([
      { code: 'config.invalid', pointer: '/path' },
    ])
    expect(file.lint!({ path: '../out.ndjson', metadata: false }, dir)).toMatchObject([
      {
        code: 'config.invalid',
        pointer: '/path',
        message: `path: it is outside of ${dir}`,
        hint: expect.stringContaining('`root`'),
      },
    ])
    expect(file.lint!({ path: '../out.ndjson', root: '..', metadata: false }, dir)).toEqual([])
    expect(pathProblem('out/reviews.ndjson')).toBeNull()
  })

  test('a root lets the file stand elsewhere, and only there', async () => {
    const root = at('elsewhere')
    await open(join(root, 'out.ndjson'), { root })
    expect(existsSync(join(root, 'out.ndjson'))).toBe(true)
    await expect(open('out.ndjson', { root })).rejects.toMatchObject({ code: 'file.refused' })
    await expect(open(`${root}-not/out.ndjson`, { root })).rejects.toMatchObject({ code: 'file.refused' })
  })

  const odd: [string, () => unknown][] = [
    [
      'a link to a file',
      () => {
        writeFileSync(at('real'), '')
        symlinkSync(at('real'), at('out.ndjson'))
      },
    ],
    ['a link to nothing', () => symlinkSync(at('nothing'), at('out.ndjson'))],
    ['a link to itself', () => symlinkSync(at('out.ndjson'), at('out.ndjson'))],
    ['a folder', () => mkdirSync(at('out.ndjson'))],
    ['a named pipe', () => execFileSync('mkfifo', [at('out.ndjson')])],
    [
      'a socket',
      () =>
        new Promise(resolve =>
          createServer()
            .listen(at('out.ndjson'), () => resolve(0))
            .unref(),
        ),
    ],
    ['a link in the place of the offset record', () => symlinkSync('/tmp/weir-nowhere', at('out.ndjson.offsets'))],
    ['a link in the place of the lock', () => symlinkSync('/tmp/weir-nowhere', at('out.ndjson.lock'))],
  ]
  test.each(odd)('sec-25: %s is refused', async (_, make) => {
    await make()
    await expect(open()).rejects.toMatchObject({ code: 'file.refused' })
    expect(existsSync('/tmp/weir-nowhere')).toBe(false)
  })

  test('sec-25: a linked folder on the way is refused', async () => {
    mkdirSync(at('real'))
    symlinkSync(at('real'), at('linked'))
    await expect(open('linked/out.ndjson')).rejects.toMatchObject({
      code: 'file.refused',
      message: expect.stringContaining('symbolic link'),
    })
    symlinkSync(tmpdir(), at('away'))
    await expect(open('away/out.ndjson')).rejects.toMatchObject({ code: 'file.refused' })
  })

  test('a folder without rights: says the path and the user', async () => {
    const script = [
      `import { claimPlace } from ${JSON.stringify(join(import.meta.dirname, '../../../src/sinks/file-place.ts'))}`,
      `if (process.getuid() === 0) process.setuid(65534)`,
      `await claimPlace('closed/deeper/out.ndjson', ${JSON.stringify(dir)}).catch(error => console.log(JSON.stringify([error.code, error.message])))`,
    ].join('\n')
    mkdirSync(at('closed'))
    chmodSync(dir, 0o755)
    chmodSync(at('closed'), 0o555)
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
    expect(JSON.parse(stdout)).toEqual([
      'file.unreadable',
      expect.stringMatching(/closed\/deeper cannot be written by user \d+ \(EACCES\)/),
    ])
  })
})

test('a file with a second name is written all the same', async () => {
  const sink = await open()
  await deliver(sink, reviews(0, 1))
  linkSync(at('out.ndjson'), at('second-name'))
  await deliver(sink, reviews(1, 2))
  expect(ids('second-name')).toEqual(idsTo(2))
})

test('deliveries that arrive together are made durable together, with one sync of the data and one of the record', async () => {
  const sink = await open()
  await using handle = await openFile(at('out.ndjson'))
  const datasync = vi.spyOn(Object.getPrototypeOf(handle) as FileHandle, 'datasync')
  try {
    for (let round = 1; round <= 3; round++) {
      await Promise.all([0, 1, 2, 3].map(partition => deliver(sink, reviews((round - 1) * 5, round * 5, partition))))
      expect(ids()).toHaveLength(round * 20)
      expect(datasync).toHaveBeenCalledTimes(2 * round)
    }
  } finally {
    datasync.mockRestore()
  }
})
