// Processes of one pipeline on a real Kafka: 1, then 3, then 1 again under load (I7). Splits move by draining and by dying, and nothing shows it.
import { expect, test } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { kafkaScene, type Running } from '../../support/kafka-scene.ts'
import { describeWith } from '../../support/services/for-tests.ts'

const buckets = 8
const owned = (running: Running) => running.events('bucket_owned').length - running.events('bucket_released').length

await describeWith(['kafka', 'kcat'], 'processes of one pipeline', ({ bootstrap }, kcat) => {
  test('I7: from 1 to 3 to 1 under load, one told to stop and one killed: nothing lost, doubled or out of order', {
    timeout: 240_000,
  }, async () => {
    await using scene = kafkaScene({ bootstrap, kcat, lines: 50, malformedEvery: 100, files: 24, follow: true })
    const feed = scene.feed(40, 500)
    const start = () => scene.start({ deadlineMs: 200_000 })
    const work = (running: Running) => running.told('batch_appended', running.events('batch_appended').length + 24)
    const first = start()
    await eventually('one owns all', () => owned(first) === buckets, 60_000)
    await work(first)
    const more = [start(), start()] as const
    const all = [first, ...more]
    const isShared = () =>
      all.every(each => owned(each) >= 2) && all.reduce((sum, each) => sum + owned(each), 0) === buckets
    await eventually('three share', isShared, 60_000)
    await Promise.all(all.map(work))
    const [left, killed] = await Promise.all([more[0].end(), more[1].end('SIGKILL')])
    expect({ code: left.code, err: left.err, signal: killed.signal }).toEqual({ code: 0, err: '', signal: 'SIGKILL' })
    await eventually('one owns all again', () => owned(first) === buckets, 60_000)
    await work(first)
    feed[Symbol.dispose]()
    const { code, err } = await first.end()
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect((await scene.drain()).code).toBe(0)
    expect(await scene.audit()).toEqual({ ok: true, report: expect.stringMatching(/^\d+ served = /) })
  })
})
