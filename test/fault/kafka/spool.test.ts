// I6 on a real Kafka: the broker is killed under a pipeline that may spool; it goes on reading, and when the broker is back all is forwarded,
// once and in order. Audited over what kcat reads.
import { expect, test } from 'vitest'
import type { DriverName } from '../../../src/adapters/event-log-kafka/options.ts'
import { eventually } from '../../support/eventually.ts'
import { kafkaScene, type Running } from '../../support/kafka-scene.ts'
import { describeWith } from '../../support/services/for-tests.ts'

const recordsOf = (running: Running, type: string) =>
  running.events(type).reduce((sum, { records }) => sum + (records as number), 0)

await describeWith(['own-kafka', 'kcat'], 'on_broker_down: spool', (startKafka, kcat) => {
  const outages = [
    ['kafkajs', 'shorter', 30, 2_000],
    ['platformatic', 'shorter', 30, 2_000],
    ['kafkajs', 'longer', 6, 24_000],
  ] as const satisfies readonly (readonly [DriverName, string, number, number])[]
  test.each(outages)(
    'I6, %s: the broker dies under load, for %s than a session; reading goes on, the spool grows, and all is forwarded when it is back',
    { timeout: 180_000 },
    async (driver, _, sessionTimeout, spooled) => {
      await using kafka = await startKafka()
      await using scene = kafkaScene({
        ...{ bootstrap: kafka.bootstrap, kcat, driver, lines: 2_000, files: 2, malformedEvery: 100 },
        // Longer than the outage: see "What the broker must keep" in docs/decisions/0007-spool.md.
        ...{ follow: true, sessionTimeout, transactionTimeout: 60 },
      })
      scene.edit('topic: {', 'on_broker_down: spool\ntopic: {')
      const running = scene.start({ deadlineMs: 150_000 })
      await running.told('batch_appended', 3)
      const feed = scene.feed(100, 100)
      await eventually('the load runs', () => recordsOf(running, 'batch_appended') > 5_000, 30_000)
      await kafka.process.kill('SIGKILL')
      await running.told('spool_started')
      const before = recordsOf(running, 'batch_appended')
      await eventually(
        'reading goes on into the spool',
        () =>
          recordsOf(running, 'batch_spooled') > spooled && recordsOf(running, 'batch_appended') > before + spooled / 2,
        60_000,
      )
      await kafka.process.restart()
      await running.told('spool_ended')
      const backlog = () => running.events('spool_backlog').at(-1)?.['records']
      await eventually('nothing waits any more', () => backlog() === 0, 60_000)
      feed[Symbol.dispose]()
      expect(await running.end()).toMatchObject({ code: 0 })
      scene.files.serve(2_000)
      expect(await scene.drain()).toMatchObject({ code: 0, err: '' })
      expect(await scene.audit()).toEqual({ ok: true, report: expect.stringContaining(' served = ') })
    },
  )
})
