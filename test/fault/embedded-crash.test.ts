// Real processes that count into the embedded log and are killed, stopped or starved of fsync (RELIABILITY faults 1, 2, 6, 15, 16, 18).
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { startCounter } from '../support/counter-process.ts'
import { eventually } from '../support/eventually.ts'
import { counted, countOn, disagreement, logScene, openScene, ownScene, sceneTopic } from '../support/log-scene.ts'
import { stopBetweenTransactions } from '../support/stop-between-transactions.ts'

async function check(dataDir: string, acked: number): Promise<number> {
  await using log = await openScene(dataDir)
  const cursor = await counted(log)
  expect(await disagreement(log)).toBe('')
  expect(cursor).toBeGreaterThanOrEqual(acked)
  return cursor
}

describe('SIGKILL', () => {
  test.each(['append.begin', 'append.before_commit', 'append.after_commit'])(
    'I1: at %s, again and again: records and cursor agree, nothing acknowledged is lost',
    async failpoint => {
      using scene = logScene()
      let before = 0
      for (const nth of [1, 2, 5, 9]) {
        await using counter = startCounter(scene.dataDir, { env: { WEIR_FAILPOINT: `${failpoint}:${nth}:kill` } })
        expect(await counter.exited).toBe('SIGKILL')
        const commits = counter.lines.filter(line => line.startsWith('acked ')).length
        expect(commits).toBe(nth - 1)
        const after = await check(scene.dataDir, Math.max(counter.acked(), before))
        // Killed after the commit, the last batch is there though nobody was told.
        if (failpoint === 'append.after_commit') expect(after).toBeGreaterThan(Math.max(counter.acked(), before))
        else expect(after).toBe(Math.max(counter.acked(), before))
        before = after
      }
    },
  )

  test('I1, I7: at any moment: the next owner takes over at once and goes on', async () => {
    using scene = logScene()
    let before = 0
    for (let round = 0; round < 6; round++) {
      await using counter = startCounter(scene.dataDir, { leaseMs: '60000' })
      // The lease is a minute long: waiting for it would fail the test.
      await counter.says('owned')
      await eventually('some commits', () => counter.acked() > before + round * 100)
      counter.child.kill('SIGKILL')
      await counter.exited
      before = await check(scene.dataDir, counter.acked())
    }
    expect(before).toBeGreaterThan(1000)
  })
})

test('I7: a stopped owner that is continued after another took over writes nothing, and says it was fenced', async () => {
  using scene = logScene()
  await using zombie = startCounter(scene.dataDir, { leaseMs: '500' })
  await eventually('some commits', () => zombie.acked() > 100)
  await stopBetweenTransactions(zombie.child, join(scene.dataDir, 'weir.db'))
  await using log = await openScene(scene.dataDir, { leaseMs: 500 })
  const { bucket } = await ownScene(log)
  const next = Number(bucket.cursors.get('s')!.value)
  await bucket.transact(countOn(next, 10))
  zombie.child.kill('SIGCONT')
  expect(await zombie.exited).toBe(3)
  expect(zombie.lines.at(-1)).toBe('fenced')
  expect(await counted(log)).toBe(next + 10)
  expect(await disagreement(log)).toBe('')
})

test('two processes of one pipeline: the second waits, and takes over when the first is killed', async () => {
  using scene = logScene()
  await using one = startCounter(scene.dataDir)
  await one.says('acked')
  await using two = startCounter(scene.dataDir)
  await eventually('the first goes on', () => one.acked() > 2000)
  expect(two.lines).toEqual([])
  one.child.kill('SIGKILL')
  await one.exited
  await eventually('the second goes on', () => two.acked() > one.acked() + 100)
  two.child.kill('SIGKILL')
  await two.exited
  await check(scene.dataDir, two.acked())
})

describe('crash images', () => {
  test('I1: a write-ahead log cut or flipped anywhere opens to a committed prefix', async () => {
    using scene = logScene()
    const log = await openScene(scene.dataDir)
    const { bucket } = await ownScene(log)
    const committed = new Set([0])
    for (let next = 0; next < 4000; ) {
      const count = 1 + (next % 97)
      await bucket.transact(countOn(next, count))
      committed.add((next += count))
    }
    const db = readFileSync(scene.file)
    const wal = readFileSync(`${scene.file}-wal`)
    const image = mkdtempSync(join(tmpdir(), 'weir-image-'))
    const prefixes = new Set<number>()
    let seed = 7
    const chance = (below: number) => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) % below
    try {
      for (let i = 0; i < 150; i++) {
        const dataDir = join(image, `${i}`)
        mkdirSync(dataDir)
        writeFileSync(join(dataDir, 'weir.db'), db)
        const torn = Buffer.from(i % 3 === 0 ? wal : wal.subarray(0, chance(wal.length)))
        if (i % 3 !== 1 && torn.length > 0) torn[chance(torn.length)]! ^= 1 << chance(8)
        writeFileSync(join(dataDir, 'weir.db-wal'), torn)
        await using opened = await openScene(dataDir)
        const cursor = await counted(opened)
        expect(committed.has(cursor) && (await disagreement(opened)), `image ${i}, cursor ${cursor}`).toBe('')
        prefixes.add(cursor)
      }
    } finally {
      rmSync(image, { recursive: true })
      await log[Symbol.asyncDispose]()
    }
    expect(prefixes.size).toBeGreaterThan(20)
  }, 120_000)

  test('a copy of database and log taken while running opens to what was committed', async () => {
    using scene = logScene()
    await using log = await openScene(scene.dataDir)
    const { bucket } = await ownScene(log)
    for (let i = 0; i < 5; i++) {
      await bucket.transact(countOn(i * 100, 100))
      using copy = logScene()
      copyFileSync(scene.file, copy.file)
      copyFileSync(`${scene.file}-wal`, `${copy.file}-wal`)
      expect(await check(copy.dataDir, (i + 1) * 100)).toBe((i + 1) * 100)
    }
  })
})

const shimDir = mkdtempSync(join(tmpdir(), 'weir-shim-'))
afterAll(() => rmSync(shimDir, { recursive: true }))

/** A library that makes fsync and fdatasync of the write-ahead log fail with EIO; null where it cannot be built. */
function buildShim(): string | null {
  if (process.platform !== 'linux') return null
  const library = join(shimDir, 'fsync-eio.so')
  try {
    execFileSync(
      'gcc',
      ['-shared', '-fPIC', '-O1', '-o', library, resolve(import.meta.dirname, '../support/fsync-eio.c'), '-ldl'],
      { stdio: 'ignore' },
    )
    return library
  } catch {
    return null
  }
}
const shim = buildShim()

describe.skipIf(shim === null)('fsync fails with EIO (needs gcc on Linux)', () => {
  test.each([
    ['once', '1'],
    ['twenty times', '20'],
  ])(
    'I1: %s: the outcome is unknown, the owner reads back and goes on, nothing is lost or doubled',
    async (_, times) => {
      using scene = logScene()
      await (await openScene(scene.dataDir))[Symbol.asyncDispose]()
      const env = { LD_PRELOAD: shim!, EIO_FROM: '12', EIO_TIMES: times }
      await using counter = startCounter(scene.dataDir, { env, until: '3000' })
      expect(await counter.exited).toBe(0)
      expect(counter.lines.some(line => line.startsWith('unknown '))).toBe(true)
      expect(await check(scene.dataDir, counter.acked())).toBeGreaterThanOrEqual(3000)
    },
  )

  test('for ever: nothing is acknowledged any more', async () => {
    using scene = logScene()
    await (await openScene(scene.dataDir))[Symbol.asyncDispose]()
    await using counter = startCounter(scene.dataDir, {
      env: { LD_PRELOAD: shim!, EIO_FROM: '12', EIO_TIMES: '1000000' },
    })
    await counter.says('renewing log.')
    const acked = counter.acked()
    await eventually(
      'it tries again and again',
      () => counter.lines.filter(line => line.startsWith('renewing')).length > 5,
    )
    expect(counter.acked()).toBe(acked)
    counter.child.kill('SIGKILL')
    await counter.exited
    await check(scene.dataDir, acked)
  })
})

test('records of a killed process are seen by one that follows', async () => {
  using scene = logScene()
  await using log = await openScene(scene.dataDir)
  await using counter = startCounter(scene.dataDir)
  const stop = new AbortController()
  let seen = 0
  const following = (async () => {
    for await (const page of log.browse(sceneTopic, { from: 'earliest', follow: true, signal: stop.signal }))
      seen += page.length
  })()
  await eventually('records arrive', () => seen > 500)
  counter.child.kill('SIGKILL')
  await counter.exited
  await eventually('all of them', async () => seen === (await counted(log)))
  stop.abort()
  await following
})
