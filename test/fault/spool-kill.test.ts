// A real process with `on_broker_down: spool` over a cluster that is away and leaves commits in doubt, killed around every step of the spool
// and at random moments, then audited by a separate program (I6, I1, I2, I3).
import { appendFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openSqliteSpool } from '../../src/adapters/spool-sqlite/spool.ts'
import { systemClock } from '../../src/core/clock.ts'
import type { Failpoint } from '../../src/core/failpoint.ts'
import type { CliOptions, CliResult } from '../support/cli.ts'
import { type CrashScene, crashScene } from '../support/crash-scene.ts'

const killsPerPoint = 20
const points: readonly Failpoint[] = [
  'spool.before_append',
  'spool.after_append',
  'spool.before_forward',
  'spool.after_forward',
  'spool.before_remove',
]
const nodeArgs = ['--import', join(import.meta.dirname, '../support/troubled-cluster.ts')]

interface SpoolScene extends Disposable {
  readonly scene: CrashScene
  run(env: CliOptions['env'], more?: Partial<CliOptions>): Promise<CliResult>
  /** Entries left in the spool. */
  waiting(): Promise<number>
}

function spoolScene(lines: number): SpoolScene {
  const scene = crashScene({ lines, malformedEvery: 100, files: 3 })
  const spoolDir = join(scene.dir, 'spool')
  appendFileSync(scene.pipelineFile, 'on_broker_down: spool\n')
  return {
    scene,
    run: (env, more = {}) => scene.run({ WEIR_SPOOL_DIR: spoolDir, ...env }, { nodeArgs, ...more }),
    async waiting() {
      if (!existsSync(spoolDir)) return 0
      await using spool = await openSqliteSpool({ dataDir: spoolDir, clock: systemClock })
      return (await spool.backlog('crash')).entries
    },
    [Symbol.dispose]: () => scene[Symbol.dispose](),
  }
}

/** The cluster is well again: one run brings all to its end. */
async function heal({ scene, run, waiting }: SpoolScene, report: string): Promise<void> {
  expect(await run({})).toMatchObject({ code: 0 })
  expect(await waiting()).toBe(0)
  expect(await scene.audit()).toEqual({ ok: true, report })
}

test.concurrent.each(points)(
  'I6: killed at %s, every item is once in the cluster, in order',
  async point => {
    let seed = 1
    for (let kills = 0; kills < killsPerPoint; ) {
      using spooling = spoolScene(10_000)
      for (let n = 1; kills < killsPerPoint; n = (n % 3) + 1) {
        const result = await spooling.run({ WEIR_TROUBLE: String(seed++), WEIR_FAILPOINT: `${point}:${n}:kill` })
        if (result.signal !== 'SIGKILL') {
          expect(result).toMatchObject({ code: 0 })
          break
        }
        kills++
      }
      await heal(spooling, '30000 served = 29700 records + 300 dead letters')
    }
  },
  400_000,
)

test('I6: killed at 25 random moments, every item is once in the cluster, in order', async () => {
  using spooling = spoolScene(40_000)
  let kills = 0
  let left = 0
  for (let i = 0; i < 25; i++) {
    const result = await spooling.run(
      { WEIR_TROUBLE: String(1000 + i), WEIR_FAILPOINT: 'spool.after_append:2:delay' },
      {
        started: child =>
          void child.stdout!.once('data', () => setTimeout(() => child.kill('SIGKILL'), Math.random() * 1_000)),
      },
    )
    if (result.signal === 'SIGKILL') kills++
    if ((await spooling.waiting()) > 0) left++
  }
  expect(kills).toBeGreaterThanOrEqual(20)
  // Some of them left a backlog, or the scene shows nothing.
  expect(left).toBeGreaterThanOrEqual(3)
  await heal(spooling, '120000 served = 118800 records + 1200 dead letters')
}, 240_000)
