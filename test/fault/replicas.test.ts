// Several processes of one pipeline on one store: splits are shared, none is doubled, and a process that was stopped and goes on writes nothing (I7, faults 6 and 7).
import type { ChildProcess } from 'node:child_process'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type CrashScene, crashScene } from '../support/crash-scene.ts'
import { stopBetweenTransactions } from '../support/stop-between-transactions.ts'

const producing = ['--stage', 'producer', '--log-level', 'debug', '--log-format', 'json']

describe('two processes of one pipeline', () => {
  test('I7: started at once, they share the splits and nothing is lost or doubled', async () => {
    using scene = crashScene({ lines: 3_000, malformedEvery: 100, files: 8 })
    const both = await Promise.all([scene.run({}, {}, producing), scene.run({}, {}, producing)])
    expect(both.map(result => result.code)).toEqual([0, 0])
    expect(await scene.audit()).toEqual({ ok: true, report: '24000 served = 23760 records + 240 dead letters' })
  }, 60_000)

  test('I7: while one is at work, a second one takes its share, and gives it back when it leaves', async () => {
    using scene = crashScene({ lines: 200, malformedEvery: 100, files: 8 })
    const first = long(scene)
    await first.told('bucket_owned', 8)
    const second = long(scene)
    await second.told('bucket_owned', 4)
    await first.told('bucket_released', 4)
    second.stop()
    await first.told('bucket_owned', 12)
    first.stop()
    expect((await Promise.all([first.result, second.result])).map(result => result.code)).toEqual([0, 0])
    await scene.run()
    expect(await scene.audit()).toMatchObject({ ok: true })
  }, 60_000)

  test('I7: with a sink that only one may write to, the second one stands by and takes over', async () => {
    using scene = crashScene({ lines: 2_000, malformedEvery: 100, files: 4 })
    const text = readFileSync(scene.pipelineFile, 'utf8')
    writeFileSync(scene.pipelineFile, text.replace('format: ndjson }', 'format: ndjson }, every: 500ms'))
    const all = ['--log-level', 'debug', '--log-format', 'json']
    const first = long(scene, all)
    await first.told('batch_consumed', 1)
    const second = long(scene, all)
    await second.told('bucket_owned', 4)
    first.stop()
    expect((await first.result).code).toBe(0)
    writeFileSync(
      join(scene.dir, 'late.ndjson'),
      `${JSON.stringify({ id: 'late', asin: 'late', stars: 1, body: '' })}\n`,
    )
    renameSync(join(scene.dir, 'late.ndjson'), join(scene.dir, 'reviews-late.ndjson'))
    await second.told('batch_consumed', 1)
    second.stop()
    expect((await second.result).code).toBe(0)
    const both = await Promise.all([scene.run(), scene.run()])
    expect(both.map(({ code, err }) => [code, err])).toEqual([
      [0, ''],
      [0, ''],
    ])
    expect(await scene.auditSink()).toBe('')
  }, 60_000)

  test('a sink file that another group writes to is an error', async () => {
    using scene = crashScene({ lines: 100, malformedEvery: 100 })
    const first = long(scene, ['--log-level', 'debug', '--log-format', 'json'])
    await first.told('batch_consumed', 1)
    const text = readFileSync(scene.pipelineFile, 'utf8')
    writeFileSync(
      join(scene.dir, 'other.yaml'),
      text.replace('group: export', 'group: other').replace('pipeline: crash', 'pipeline: other'),
    )
    const other = await scene.weir(['run', 'other.yaml', '--until', 'end'])
    expect(other.code).not.toBe(0)
    expect(other.err).toContain('sink.locked')
    first.stop()
    expect((await first.result).code).toBe(0)
  }, 60_000)

  test('I7: one that was stopped past its lease and goes on writes nothing and says that it was fenced', async () => {
    // So many that it is far from its end when its first words arrive.
    using scene = crashScene({ lines: 80_000, malformedEvery: 100 })
    const working = Promise.withResolvers<ChildProcess>()
    const first = scene.run(
      {},
      {
        deadlineMs: 60_000,
        started: child => {
          child.stdout!.on('data', (text: string) => {
            if (text.includes('"batch_appended"')) working.resolve(child)
          })
        },
      },
      producing,
    )
    const zombie = await working.promise
    await stopBetweenTransactions(zombie, join(scene.dir, '.weir/weir.db'))
    const second = await scene.run({}, { deadlineMs: 60_000 })
    expect(second).toMatchObject({ code: 0 })
    const before = await scene.audit()
    expect(before).toEqual({ ok: true, report: '80000 served = 79200 records + 800 dead letters' })
    zombie.kill('SIGCONT')
    const result = await first
    expect(result.code).toBe(3)
    expect(result.err).toContain('log.fenced')
    expect(await scene.audit()).toEqual(before)
  }, 120_000)
})

/** A producer that runs until it is stopped, and whose log can be waited for. */
function long(scene: CrashScene, args: readonly string[] = producing) {
  let out = ''
  const waiting: { event: string; count: number; resolve: () => void }[] = []
  const counted = (event: string) => out.split(`"event":"${event}"`).length - 1
  let stop = () => {}
  const result = scene.weir(['run', 'pipeline.yaml', ...args], {
    deadlineMs: 50_000,
    started: child => {
      stop = () => void child.kill('SIGTERM')
      child.stdout!.on('data', (text: string) => {
        out += text
        for (const each of waiting) if (counted(each.event) >= each.count) each.resolve()
      })
    },
  })
  const ended = result.then(({ code, err }) => Promise.reject(new Error(`ended with ${code}: ${err}`)))
  ended.catch(() => {})
  return {
    result,
    stop: () => stop(),
    /** Resolves once the log holds `count` of the event. */
    told: (event: string, count: number) =>
      Promise.race([
        ended,
        new Promise<void>(resolve => (counted(event) >= count ? resolve() : waiting.push({ event, count, resolve }))),
      ]),
  }
}
