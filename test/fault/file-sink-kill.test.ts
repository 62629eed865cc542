// The file sink dies at any instant, or runs out of disk, and the file still holds every record once (I1, I11).
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'

const program = join(import.meta.dirname, '../support/file-sink-writer.ts')
const partitions = 3
let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'weir-kill-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

interface Line {
  readonly partition: number
  readonly offset: number
  readonly value: { readonly id: string }
}

/** What is wrong with the file, one word an anomaly; nothing when every record is there once and in order. */
function anomalies(records: number): string[] {
  const text = readFileSync(join(dir, 'out.ndjson'), 'utf8')
  const found: string[] = []
  const next = Array.from({ length: partitions }, () => 0)
  const skipFiltered = (offset: number) => (offset % 7 === 0 ? offset + 1 : offset)
  for (const line of text.split('\n').slice(0, -1)) {
    const { partition, offset, value } = JSON.parse(line) as Line
    const expected = skipFiltered(next[partition]!)
    if (offset !== expected) found.push(`${offset < expected ? 'duplicate' : 'lost'} ${partition}@${offset}`)
    if (value.id !== `r${partition}-${offset}`) found.push(`invented ${partition}@${offset}`)
    next[partition] = offset + 1
  }
  for (const [partition, offset] of next.entries())
    for (let missing = skipFiltered(offset); missing < records; missing = skipFiltered(missing + 1))
      found.push(`lost ${partition}@${missing}`)
  if (!text.endsWith('\n')) found.push('torn last line')
  return found
}

const args = (records: number, seed: number) => [program, dir, String(records), String(partitions), String(seed)]

/** Runs the writer to its end. */
function finish(records: number, seed: number): void {
  const { stdout, stderr, status } = spawnSync(process.execPath, args(records, seed), { encoding: 'utf8' })
  expect({ status, stderr, last: stdout.trim().split('\n').at(-1) }).toEqual({ status: 0, stderr: '', last: 'done' })
}

describe('I11: killed', () => {
  test.each(
    ['sink_file.before_sync', 'sink_file.after_sync'].flatMap(point => [1, 2, 5].map(count => [point, count] as const)),
  )('at %s, time %i, on three starts in a row: every record is in the file once', (point, count) => {
    for (let start = 0; start < 3; start++) {
      const env = { ...process.env, WEIR_FAILPOINT: `${point}:${count}:kill` }
      expect(spawnSync(process.execPath, args(400, start + 1), { env }).signal).toBe('SIGKILL')
    }
    finish(400, 9)
    expect(anomalies(400)).toEqual([])
  })

  test('at 25 random moments: every record is in the file once', async () => {
    const records = 10_000
    let killed = 0
    for (let round = 0; round < 25; round++) {
      const child = spawn(process.execPath, args(records, round + 1), { stdio: ['ignore', 'pipe', 'inherit'] })
      const ended = new Promise<NodeJS.Signals | null>(resolve => child.once('exit', (_, signal) => resolve(signal)))
      await grown(child, round)
      child.kill('SIGKILL')
      if ((await ended) === 'SIGKILL') killed++
    }
    expect(killed).toBeGreaterThan(10)
    finish(records, 99)
    expect(anomalies(records)).toEqual([])
  }, 90_000)

  test('the checker of these tests sees a doubled, a lost, an invented and a torn record', () => {
    finish(40, 1)
    expect(anomalies(40)).toEqual([])
    const path = join(dir, 'out.ndjson')
    const text = readFileSync(path, 'utf8')
    const line = text.split('\n')[5]!
    const { partition, offset } = JSON.parse(line) as Line
    const withText = (changed: string) => {
      writeFileSync(path, changed)
      return anomalies(40)
    }
    expect(withText(`${text}${line}\n`)).toContain(`duplicate ${partition}@${offset}`)
    expect(withText(text.replace(`${line}\n`, ''))).toContainEqual(expect.stringContaining('lost'))
    expect(withText(text.replace(`"r${partition}-${offset}"`, '"other"'))).toEqual([`invented ${partition}@${offset}`])
    expect(withText(`${text}{`)).toEqual(['torn last line'])
    expect(withText(text) && anomalies(42)).toContainEqual(expect.stringContaining('lost'))
  })
})

/** Resolves at a moment that differs by round: once the file has grown by so much since the start. */
async function grown(child: ChildProcess, round: number): Promise<void> {
  const path = join(dir, 'out.ndjson')
  const size = () => (existsSync(path) ? statSync(path).size : 0)
  await new Promise(resolve => child.stdout!.once('data', resolve))
  const start = size()
  const target = start + ((round * 7919) % 60_000)
  while (size() <= target && child.exitCode === null) await new Promise(setImmediate)
}

/** Bugs planted into the store as it is loaded, in memory only: [what, the text, what it becomes]. */
const planted: [string, string, string][] = [
  [
    'what a crash left is kept and written behind',
    'if (size > record.length) await handle.truncate(record.length)',
    'if (size > record.length) return { handle, record: { ...record, length: size }, tail, offsetFile: await replaceOffsets(path, record) }',
  ],
  [
    'the offsets are recorded before the data',
    'await writeAll(state.handle, bytes, state.record.length)',
    "const early = await appendOffsets(path, state.offsetFile, after.record); state = { ...state, offsetFile: early }; failpoint('sink_file.before_sync'); await writeAll(state.handle, bytes, state.record.length)",
  ],
]

/** A module for --import that plants the bug, or stops the process when the text is not there. */
function planting(find: string, replace: string): string {
  const code = `
    import { registerHooks } from 'node:module'
    registerHooks({ load(url, context, nextLoad) {
      const loaded = nextLoad(url, context)
      if (!url.endsWith('/src/sinks/file-store.ts')) return loaded
      const text = String(loaded.source)
      if (!text.includes(${JSON.stringify(find)})) throw new Error('nothing to plant')
      return { ...loaded, source: text.replace(${JSON.stringify(find)}, () => ${JSON.stringify(replace)}) }
    } })`
  return `data:text/javascript,${encodeURIComponent(code)}`
}

describe('a planted bug is found', () => {
  test.each(planted)('%s', (_, find, replace) => {
    const plant = ['--import', planting(find, replace)]
    const timeout = 20_000
    const env = { ...process.env, WEIR_FAILPOINT: 'sink_file.before_sync:3:kill' }
    expect(spawnSync(process.execPath, [...plant, ...args(200, 1)], { env, timeout }).signal).toBe('SIGKILL')
    const { status, stdout, stderr } = spawnSync(process.execPath, [...plant, ...args(200, 2)], {
      encoding: 'utf8',
      timeout,
    })
    expect(stderr).not.toContain('nothing to plant')
    const found = status === 0 ? anomalies(200) : [`stopped: ${/sink\.\w+/.exec(stdout + stderr)?.[0]}`]
    expect(found[0]).toMatch(/^(duplicate|lost|torn|stopped: sink\.damaged)/)
  })
})

const hasPrlimit = spawnSync('prlimit', ['--version']).status === 0

describe('a full disk', () => {
  test.skipIf(!hasPrlimit)(
    'I1: deliveries fail for now, nothing torn stays, and it goes on when there is room (needs prlimit)',
    async () => {
      const limited = ['--fsize=20000:unlimited', process.execPath, ...args(600, 3)]
      const child = spawn('prlimit', limited, { stdio: ['ignore', 'pipe', 'inherit'] })
      const ended = new Promise<number | null>(resolve => child.once('exit', resolve))
      let out = ''
      await new Promise<void>(resolve =>
        child.stdout.on('data', chunk => {
          out += chunk
          if (out.split('failed sink.failed').length > 3 || out.includes('done')) resolve()
        }),
      )
      expect(out).not.toContain('done')
      // Each try writes up to the limit, and cuts that off.
      await eventually('nothing torn stays', () => /\}\n$/.test(readFileSync(join(dir, 'out.ndjson'), 'utf8')))
      spawnSync('prlimit', ['--fsize=unlimited', '--pid', String(child.pid)])
      expect(await ended).toBe(0)
      expect(anomalies(600)).toEqual([])
    },
  )
})
