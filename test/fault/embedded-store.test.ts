// The embedded store when its file, its disk or its neighbours misbehave (RELIABILITY faults 13, 17, 19 to 23).
import { execFile, execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { migrations } from '../../src/adapters/embedded-store/migrations.ts'
import { openStore } from '../../src/adapters/embedded-store/store.ts'
import { systemClock } from '../../src/core/clock.ts'
import { eventually, holds } from '../support/eventually.ts'
import { counted, countOn, disagreement, logScene, openScene, ownScene } from '../support/log-scene.ts'

const root = resolve(import.meta.dirname, '../..')

describe('the file', () => {
  test('directory, file and write-ahead log are private', async () => {
    using scene = logScene()
    const dataDir = join(scene.dataDir, 'made/here')
    await using _log = await openScene(dataDir)
    const mode = (path: string) => statSync(path).mode & 0o777
    expect([mode(dataDir), mode(join(dataDir, 'weir.db')), mode(join(dataDir, 'weir.db-wal'))]).toEqual([
      0o700, 0o600, 0o600,
    ])
  })

  test('a commit is synced: journal mode WAL, synchronous FULL', async () => {
    using scene = logScene()
    await using store = await openStore({ dataDir: scene.dataDir, clock: systemClock })
    expect(await store.read(sql => [sql.get('PRAGMA journal_mode'), sql.get('PRAGMA synchronous')])).toEqual([
      { journal_mode: 'wal' },
      { synchronous: 2 },
    ])
  })

  test('one from a newer weir is refused, both versions named', async () => {
    using scene = logScene()
    await (await openScene(scene.dataDir))[Symbol.asyncDispose]()
    const db = new DatabaseSync(scene.file)
    db.exec(`PRAGMA user_version = ${migrations.length + 1}`)
    db.close()
    await expect(openScene(scene.dataDir)).rejects.toMatchObject({
      code: 'log.version',
      message: expect.stringMatching(new RegExp(`${migrations.length + 1}.*${migrations.length}`)),
    })
  })

  test('another program’s SQLite file is left alone', async () => {
    using scene = logScene()
    const db = new DatabaseSync(scene.file)
    db.exec('CREATE TABLE theirs (a)')
    db.close()
    await expect(openScene(scene.dataDir)).rejects.toMatchObject({ code: 'log.unavailable' })
    expect(readFileSync(scene.file).toString('latin1')).toContain('theirs')
  })

  test.each([
    ['no SQLite file', (file: string) => writeFileSync(file, 'x'.repeat(5000)), 'log.corrupt'],
    ['a directory', (file: string) => mkdirSync(file), 'log.unavailable'],
  ])('%s is refused by name', async (_, make, code) => {
    using scene = logScene()
    make(scene.file)
    await expect(openScene(scene.dataDir)).rejects.toMatchObject({ code, message: expect.stringContaining(scene.file) })
  })

  test.skipIf(process.getuid?.() !== 0)(
    'a directory of another user is refused with path and uid (needs root to become another user)',
    async () => {
      using scene = logScene()
      chmodSync(scene.dataDir, 0o755)
      const script = `import('${root}/test/support/log-scene.ts').then(s => s.openScene(process.argv[1])).catch(e => console.log(JSON.stringify({ code: e.code, message: e.message })))`
      const { stdout } = await promisify(execFile)(process.execPath, ['-e', script, scene.dataDir], {
        uid: 65534,
        gid: 65534,
        cwd: '/',
        env: {},
      })
      const error = JSON.parse(stdout)
      expect(error.code).toBe('log.unavailable')
      expect(error.message).toContain(scene.file)
      expect(error.message).toContain('uid 65534')
    },
  )

  test('moved away while in use: noticed within 5 s, owners stop, no empty file takes its place', async () => {
    using scene = logScene()
    await using log = await openScene(scene.dataDir)
    const { bucket, lost } = await ownScene(log)
    await bucket.transact(countOn(0, 10))
    const startMs = performance.now()
    renameSync(scene.file, `${scene.file}.moved`)
    expect(await lost).toMatchObject({ code: 'log.gone' })
    expect(performance.now() - startMs).toBeLessThan(5000)
    await expect(bucket.transact(countOn(10, 10))).rejects.toMatchObject({
      code: 'log.gone',
      message: expect.stringContaining(scene.file),
    })
    await expect(log.topics()).rejects.toMatchObject({ code: 'log.gone' })
    expect(existsSync(scene.file)).toBe(false)
  })

  test('its write-ahead log removed while in use: noticed too', async () => {
    using scene = logScene()
    await using log = await openScene(scene.dataDir)
    const { bucket, lost } = await ownScene(log)
    await bucket.transact(countOn(0, 10))
    rmSync(`${scene.file}-wal`)
    expect(await lost).toMatchObject({ code: 'log.gone' })
    await expect(bucket.transact(countOn(10, 10))).rejects.toMatchObject({ code: 'log.gone' })
  })
})

describe('damage', () => {
  test('a broken page is found at start, file and page named', async () => {
    using scene = logScene()
    const log = await openScene(scene.dataDir)
    const { bucket } = await ownScene(log)
    for (let i = 0; i < 20; i++) await bucket.transact(countOn(i * 200, 200))
    await log[Symbol.asyncDispose]()
    const whole = readFileSync(scene.file)
    const pages = whole.length / 4096
    for (const page of [2, Math.floor(pages / 2), pages - 1]) {
      const damaged = Buffer.from(whole)
      damaged.fill(0xa5, page * 4096 - 4096, page * 4096 - 4096 + 64)
      writeFileSync(scene.file, damaged)
      const outcome = await openScene(scene.dataDir).then(
        async opened => {
          // Only bytes of a payload: readers must find it.
          const read = await disagreement(opened).catch((error: Error) => error)
          await opened[Symbol.asyncDispose]()
          return read
        },
        (error: Error) => error,
      )
      expect(outcome).toMatchObject({ code: 'log.corrupt' })
      rmSync(`${scene.file}-wal`, { force: true })
      rmSync(`${scene.file}-shm`, { force: true })
    }
  })

  test('a flipped bit in a payload is never decoded: topic, partition and offset are named', async () => {
    using scene = logScene()
    const log = await openScene(scene.dataDir)
    const { bucket } = await ownScene(log)
    await bucket.transact(countOn(0, 100))
    await bucket.transact(countOn(100, 100))
    await log[Symbol.asyncDispose]()
    const db = new DatabaseSync(scene.file)
    const { id, bytes } = db
      .prepare(
        'SELECT p.id, p.bytes FROM batch_payload p JOIN batch b ON b.payload = p.id WHERE b.base > 0 AND b.partition = 2',
      )
      .get() as { id: number; bytes: Uint8Array }
    bytes[bytes.lastIndexOf(0x2e)]! ^= 4
    db.prepare('UPDATE batch_payload SET bytes = ? WHERE id = ?').run(bytes, id)
    db.close()
    await using again = await openScene(scene.dataDir)
    await expect(disagreement(again)).rejects.toMatchObject({
      code: 'log.corrupt',
      message: expect.stringMatching(/numbers, partition 1, from offset \d+/),
    })
  })

  test('a changed cursor is refused, not followed', async () => {
    using scene = logScene()
    const log = await openScene(scene.dataDir)
    const { bucket } = await ownScene(log)
    await bucket.transact(countOn(0, 10))
    await log[Symbol.asyncDispose]()
    const db = new DatabaseSync(scene.file)
    db.exec("UPDATE cursor SET value = '0'")
    db.close()
    await using again = await openScene(scene.dataDir)
    await expect(counted(again)).rejects.toMatchObject({ code: 'log.corrupt' })
  })
})

describe('the disk', () => {
  test('I1: full in the middle of work: proven not written, and work goes on once there is space', async () => {
    using scene = logScene()
    const small = await openScene(scene.dataDir, { maxPages: 60 })
    const { bucket } = await ownScene(small)
    let next = 0
    let refused: unknown
    while (refused === undefined) {
      try {
        await bucket.transact(countOn(next, 100))
        next += 100
      } catch (error) {
        refused = error
      }
    }
    expect(next).toBeGreaterThan(0)
    expect(refused).toMatchObject({ code: 'log.full' })
    for (let i = 0; i < 3; i++)
      await expect(bucket.transact(countOn(next, 100))).rejects.toMatchObject({ code: 'log.full' })
    expect(await counted(small)).toBe(next)
    expect(await disagreement(small)).toBe('')
    await small[Symbol.asyncDispose]()
    await using large = await openScene(scene.dataDir)
    const again = await ownScene(large)
    expect(again.bucket.cursors.get('s')?.value).toBe(`${next}`)
    await again.bucket.transact(countOn(next, 100))
    expect(await disagreement(large)).toBe('')
  })
})

/** A file system of 12 MB; null where it cannot be mounted. */
function mountSmall(dir: string): Disposable | null {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', dir], { stdio: 'ignore' })
    return { [Symbol.dispose]: () => void execFileSync('umount', [dir]) }
  } catch {
    return null
  }
}
const mayMount = (() => {
  using scene = logScene()
  using mounted = mountSmall(scene.dataDir)
  return mounted !== null
})()

test.skipIf(!mayMount)(
  'I1: a disk that is really full, and has space again later (needs the right to mount tmpfs)',
  async () => {
    using scene = logScene()
    using _small = mountSmall(scene.dataDir)
    const ballast = join(scene.dataDir, 'ballast')
    writeFileSync(ballast, Buffer.alloc(3_000_000))
    await using log = await openScene(join(scene.dataDir, 'store'))
    const { bucket } = await ownScene(log)
    let next = 0
    let refusals = 0
    for (let tries = 0; tries < 300; tries++) {
      try {
        await bucket.transact(countOn(next, 100))
        next += 100
        if (refusals > 0) break
      } catch (error) {
        expect(error).toMatchObject({ code: 'log.full' })
        if (++refusals === 5) rmSync(ballast)
      }
    }
    expect(refusals).toBe(5)
    expect(await counted(log)).toBe(next)
    expect(await disagreement(log)).toBe('')
  },
)

describe('neighbours', () => {
  test('a foreign writer that holds the lock: calls wait without blocking the process, then say busy; afterwards they pass', async () => {
    using scene = logScene()
    await using log = await openScene(scene.dataDir, { busyMs: 400 })
    const { bucket } = await ownScene(log)
    const foreign = new DatabaseSync(scene.file)
    foreign.exec('BEGIN IMMEDIATE')
    let turns = 0
    const ticking = setInterval(() => turns++, 5)
    await expect(bucket.transact(countOn(0, 10))).rejects.toMatchObject({ code: 'log.busy' })
    clearInterval(ticking)
    expect(turns).toBeGreaterThan(3)
    const waiting = bucket.transact(countOn(0, 10))
    foreign.exec('COMMIT')
    foreign.close()
    await waiting
    expect(await disagreement(log)).toBe('')
    expect(await counted(log)).toBe(10)
  })

  test('writes asked for while the lock is held keep their order', async () => {
    using scene = logScene()
    await using log = await openScene(scene.dataDir)
    const { bucket } = await ownScene(log)
    const foreign = new DatabaseSync(scene.file)
    foreign.exec('BEGIN IMMEDIATE')
    const first = bucket.transact(countOn(0, 10))
    let settled = false
    void first.then(() => (settled = true))
    // By now the first one pauses longer between its tries than the second would before its own.
    await holds('the first one waits', () => !settled, 150)
    foreign.exec('COMMIT')
    foreign.close()
    const second = bucket.transact(countOn(10, 10))
    await Promise.all([first, second])
    expect(await counted(log)).toBe(20)
    expect(await disagreement(log)).toBe('')
  })

  test('a reader that holds a snapshot blocks no writer; the growing log is told of, and shrinks once the reader is gone', async () => {
    using scene = logScene()
    await using store = await openStore({
      dataDir: scene.dataDir,
      clock: systemClock,
      walWarning: bytes => warned.push(bytes),
    })
    const warned: number[] = []
    await store.write(sql => sql.run('CREATE TABLE filler (bytes BLOB) STRICT'))
    const reader = new DatabaseSync(scene.file, { readOnly: true })
    reader.exec('BEGIN')
    reader.prepare('SELECT count(*) FROM topic').get()
    const block = new Uint8Array(2 * 1024 * 1024)
    for (let i = 0; i < 36; i++) await store.write(sql => sql.run('INSERT INTO filler VALUES (?)', block))
    expect(statSync(`${scene.file}-wal`).size).toBeGreaterThan(64 * 1024 * 1024)
    await eventually('the warning', () => warned.length === 1)
    reader.exec('COMMIT')
    reader.close()
    for (let i = 0; i < 3; i++) await store.write(sql => sql.run('INSERT INTO filler VALUES (?)', block))
    expect(statSync(`${scene.file}-wal`).size).toBeLessThan(40 * 1024 * 1024)
  })
})
