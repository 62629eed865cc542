// A real process on a real Kafka, killed with SIGKILL at the failpoints of producer and consumer and at random moments (fault 3), then audited
// over what kcat reads: what was open at a kill is never read, each item is once in the topic or in the dead letters, in the file sink and in the
// topic sink. After a kill the group waits for the session of the dead member (6 s), so scenes run side by side.
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Failpoint } from '../../../src/core/failpoint.ts'
import { chance } from '../../../src/simulate/chance.ts'
import { type KafkaScene, type KafkaSceneOptions, kafkaScene } from '../../support/kafka-scene.ts'
import { describeWith } from '../../support/services/for-tests.ts'

/** Those that the Kafka log and the stages around it pass. */
const points: readonly Failpoint[] = [
  'encode.before',
  'append.begin',
  'append.before_commit',
  'append.after_commit',
  'dead_letter.write',
  'consume.decoded',
  'consume.before_commit',
  'consume.after_commit',
  'sink_file.before_sync',
  'sink_file.after_sync',
]
const killsPerPoint = 3
const randomScenes = 4
const killsPerScene = 5
const seed = 20261124

await describeWith(['kafka', 'kcat'], 'killed on a real Kafka', ({ bootstrap }, kcat) => {
  const sceneOf = (options: Partial<KafkaSceneOptions>): KafkaScene =>
    // Many processes start at once: what a start waits for has the time that they take from each other.
    kafkaScene({ bootstrap, kcat, lines: 2_000, malformedEvery: 100, files: 4, requestTimeout: 20, ...options })

  test.concurrent(`3, I1 I2 I3 I5: at ${points.length} failpoints, ${killsPerPoint} times each`, {
    timeout: 600_000,
  }, async () => {
    const audits = points.map(async point => {
      // Each run finds news in all four splits, so a commit of each at least: enough for the last kill, whatever was on its way at those before.
      await using scene = sceneOf({ lines: 0 })
      for (let n = 1; n <= killsPerPoint; n++) {
        scene.files.serve(1_000)
        const { signal, code, err } = await scene.drain({ failpoint: `${point}:${n}:kill` })
        expect({ point, n, signal, code, err }).toEqual({ point, n, signal: 'SIGKILL', code: null, err: '' })
      }
      scene.files.serve(1_000)
      const { code, err } = await scene.drain()
      expect({ point, code, err }).toEqual({ point, code: 0, err: '' })
      expect({ point, ...(await scene.audit()) }).toEqual({
        point,
        ok: true,
        report: '16000 served = 15840 records + 160 dead letters',
      })
    })
    await settled(audits)
  })

  test.concurrent(`3, I1 I2 I3 I5: at ${randomScenes * killsPerScene} random moments`, {
    timeout: 600_000,
  }, async () => {
    const audits = Array.from({ length: randomScenes }, async (_, i) => {
      await using scene = sceneOf({ follow: true, seed: i })
      const feed = scene.feed(25, 100)
      for (let n = 0; n < killsPerScene; n++) {
        const running = scene.start()
        await running.told('bucket_owned')
        await delay(1_500 * chance(seed, i, n))
        expect(await running.end('SIGKILL')).toMatchObject({ signal: 'SIGKILL' })
      }
      feed[Symbol.dispose]()
      const { code, err } = await scene.drain()
      expect({ code, err }).toEqual({ code: 0, err: '' })
      expect(await scene.audit('--seed', `${seed}/${i}`)).toEqual({
        ok: true,
        report: expect.stringMatching(/^\d+ served = /),
      })
    })
    await settled(audits)
  })
})

/** Waits for all of them, then fails as the first that failed. */
async function settled(work: readonly Promise<void>[]): Promise<void> {
  for (const each of await Promise.allSettled(work)) if (each.status === 'rejected') throw each.reason
}
