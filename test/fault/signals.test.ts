// A real process told to stop, whatever it is doing: it drains and exits 0 within shutdown_timeout; a second signal ends it at once (I11, faults 4, 5).
import type { ChildProcess } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import type { CliResult } from '../support/cli.ts'
import { type CrashScene, crashScene } from '../support/crash-scene.ts'
import { eventually } from '../support/eventually.ts'
import { answer, rawServer } from '../support/raw-server.ts'

const drainMs = 4_000

interface Running {
  readonly result: Promise<CliResult>
  readonly child: ChildProcess
  out(): string
  err(): string
  /** Resolves once the log holds the event so often. */
  told(event: string, count?: number): Promise<void>
  /** Sends the signal and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<CliResult & { readonly drainedMs: number }>
}

function start(
  scene: CrashScene,
  file: string,
  nodeArgs: readonly string[] = [],
  args: readonly string[] = [],
): Running {
  let child: ChildProcess | undefined
  let out = ''
  let err = ''
  const result = scene.weir(['run', file, '--log-format', 'json', '--log-level', 'debug', ...args], {
    nodeArgs,
    deadlineMs: 40_000,
    started: started => {
      child = started
      child.stdout!.on('data', text => (out += text))
      child.stderr!.on('data', text => (err += text))
    },
  })
  return {
    result,
    child: child!,
    out: () => out,
    err: () => err,
    async told(event, count = 1) {
      await eventually(`${count} ${event} in ${out.slice(-2000)} ${err}`, () => {
        if (child!.exitCode !== null) throw new Error(`ended with ${child!.exitCode}: ${err}${out.slice(-2000)}`)
        return out.split(`"event":"${event}"`).length > count
      })
    },
    async stop(signal = 'SIGTERM') {
      const beganMs = performance.now()
      child!.kill(signal)
      return { ...(await result), drainedMs: performance.now() - beganMs }
    },
  }
}

/** A pipeline that polls `url`; its calls are tried again after 20 s unless `fetch` says otherwise. */
function polling(
  scene: CrashScene,
  url: string,
  fetch = 'retry: { attempts: 5, backoff: { min: 20s, max: 20s } }',
): string {
  writeFileSync(
    join(scene.dir, 'polling.yaml'),
    `pipeline: polling
source: { http: { request: { method: GET, url: "${url}/items" }, records: body.items, cursor: { mode: membership, id: this.id } }, every: 1h }
fetch: { allow_private: [127.0.0.0/8], ${fetch} }
map: { review_id: this.id, product_asin: this.id, rating: "5.0" }
topic: { name: polled, schema: ${join(import.meta.dirname, '../../schemas/raw-review.avsc')}, partitions: 1 }
shutdown_timeout: ${drainMs}ms
`,
  )
  return 'polling.yaml'
}

/** Arguments for node that replace one piece of a source file as it is loaded. */
function changed(file: string, find: string, replace: string): string[] {
  const hook = `import { registerHooks } from 'node:module'
registerHooks({ load(url, context, next) {
  const loaded = next(url, context)
  if (!url.endsWith(${JSON.stringify(file)})) return loaded
  const text = String(loaded.source)
  if (!text.includes(${JSON.stringify(find)})) throw new Error('nothing to change')
  return { ...loaded, source: text.replace(${JSON.stringify(find)}, ${JSON.stringify(replace)}) }
} })`
  return ['--import', `data:text/javascript,${encodeURIComponent(hook)}`]
}

/** A log sink that never answers. */
const hungSink = changed('/src/sinks/log.ts', 'signal.throwIfAborted()', 'await new Promise(() => {})')

function logging(scene: CrashScene): string {
  const text = `pipeline: crash
source: { file: { paths: ["reviews-*.ndjson"], format: ndjson } }
map: { review_id: this.id, product_asin: this.asin, rating: double(this.stars), review_text: this.body }
topic: { name: reviews, key: record.product_asin, schema: ${join(import.meta.dirname, '../../schemas/raw-review.avsc')}, partitions: 3 }
consume: [ { group: logged, sink: { log: { fields: [review_id] } } } ]
shutdown_timeout: ${drainMs}ms
`
  writeFileSync(join(scene.dir, 'logging.yaml'), text)
  return 'logging.yaml'
}

const inTime = { code: 0, signal: null, drainedMs: expect.toSatisfy((ms: number) => ms < drainMs, 'in time') }
const small = () => crashScene({ lines: 50, malformedEvery: 25 })

describe('I11: SIGTERM drains and exits 0 in time', () => {
  test('idle', async () => {
    using scene = small()
    const weir = start(scene, 'pipeline.yaml')
    await weir.told('batch_consumed')
    await weir.told('poll_finished')
    expect(await weir.stop()).toMatchObject({ ...inTime, err: '' })
    expect(weir.out()).toContain('"unaccounted":0')
    expect(await scene.audit()).toMatchObject({ ok: true })
  })

  test('under load, by each of the signals', async () => {
    using scene = crashScene({ lines: 30_000, malformedEvery: 100 })
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const weir = start(scene, 'pipeline.yaml')
      await weir.told('batch_consumed', 2)
      expect(await weir.stop(signal)).toMatchObject({ ...inTime, err: '' })
      expect(weir.out()).toContain('"unaccounted":0')
    }
    expect(await scene.run()).toMatchObject({ code: 0 })
    expect(await scene.audit()).toMatchObject({ ok: true })
    expect(await scene.auditSink()).toBe('')
  }, 60_000)

  test('while a call waits to be tried again', async () => {
    using scene = small()
    await using server = await rawServer(socket => void socket.write(answer('', { status: 503 })))
    const weir = start(scene, polling(scene, server.url))
    await weir.told('fetch_retry')
    expect(await weir.stop()).toMatchObject({ ...inTime, err: '' })
  })

  test('between polls, after one that failed: the failure was told, the drain is none', async () => {
    using scene = small()
    await using server = await rawServer(socket => void socket.write(answer('', { status: 503 })))
    const weir = start(scene, polling(scene, server.url, 'retry: { attempts: 1 }'))
    await weir.told('fetch_failed')
    expect(await weir.stop()).toMatchObject({ ...inTime, err: '' })
  })

  test('in a call that is never answered', async () => {
    using scene = small()
    await using server = await rawServer(() => {})
    const weir = start(scene, polling(scene, server.url))
    await eventually('the call is under way', () => server.requests.length > 0)
    expect(await weir.stop()).toMatchObject({ ...inTime, err: '' })
  })

  test('in an answer that never ends', async () => {
    using scene = small()
    await using server = await rawServer(
      socket => void socket.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{'),
    )
    const weir = start(scene, polling(scene, server.url))
    await eventually('the call is under way', () => server.requests.length > 0)
    expect(await weir.stop()).toMatchObject({ ...inTime, err: '' })
  })

  test('in a sink that never answers: at the timeout, and what it did not take comes again', async () => {
    using scene = crashScene({ lines: 200, malformedEvery: 100 })
    const weir = start(scene, logging(scene), hungSink, ['--port', '0'])
    await weir.told('batch_appended')
    const url = await eventually('it listens', () => /http:\S+/.exec(weir.err())?.[0])
    await eventually('it is ready', async () => (await fetch(`${url}/readyz`)).status === 200)
    const ended = weir.stop()
    await eventually('it is not ready any more', async () => (await fetch(`${url}/readyz`)).status === 503, 3_000)
    expect(await ended).toMatchObject({
      code: 0,
      drainedMs: expect.toSatisfy((ms: number) => ms >= drainMs - 100 && ms < drainMs + 3_000, 'at the timeout'),
    })
    const again = await scene.weir(['run', 'logging.yaml', '--until', 'end', '--log-format', 'json'])
    expect(again.code).toBe(0)
    expect(again.out.split('"event":"record_logged"').length - 1).toBe(198)
    expect(await scene.audit()).toMatchObject({ ok: true })
  })

  test('while another program holds the store', async () => {
    using scene = crashScene({ lines: 30_000, malformedEvery: 100 })
    const weir = start(scene, logging(scene))
    await weir.told('batch_appended')
    const other = new DatabaseSync(join(scene.dir, '.weir/weir.db'))
    other.exec('PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE')
    const { code, drainedMs } = await weir.stop()
    other.close()
    expect({ code, late: drainedMs > drainMs + 3_000 }).toEqual({ code: 0, late: false })
    expect(await scene.run()).toMatchObject({ code: 0 })
    expect(await scene.audit()).toMatchObject({ ok: true })
  }, 60_000)
})

describe('I11: a second signal ends it at once', () => {
  test.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('%s', async (signal, code) => {
    using scene = crashScene({ lines: 200, malformedEvery: 100 })
    const weir = start(scene, logging(scene), hungSink)
    await weir.told('batch_appended')
    weir.child.kill('SIGTERM')
    await weir.told('drain_started')
    const ended = await weir.stop(signal)
    expect({ code: ended.code, atOnce: ended.drainedMs < 2_500 }).toEqual({ code, atOnce: true })
    expect(await scene.run()).toMatchObject({ code: 0 })
    expect(await scene.audit()).toMatchObject({ ok: true })
  })
})
