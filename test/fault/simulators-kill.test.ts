// Every vendor over its simulator, with 5 % of every fault that the simulator knows, as a real process that is killed at failpoints and while the
// vendor answers, and started again (faults 1, 2, 57; I1 to I5, I13): what the vendor served is once in the topic, or once in the dead letters, or was
// served before, and no job is paid for twice. The vendor's own journal is the truth; a separate program holds topic, dead letters and jobs against it.
// The seed of a run is in its name; SIMULATORS_SEED gives another one.
import { describe, expect, test } from 'vitest'
import type { Failpoint } from '../../src/core/failpoint.ts'
import { chance, pick } from '../../src/simulate/chance.ts'
import { type Moment, type SimulatedScene, simulatedScene } from '../support/simulated-scene.ts'
import { nameOfSimulated, type SimulatedVendor, simulatedVendors } from '../support/simulated-vendors.ts'

const seed = Number(process.env['SIMULATORS_SEED'] ?? 1)
const rounds = 2
const killsInRound = 2
/** Runs without faults until all that is there is read: pauses of failed jobs and blocked hosts take their turns. */
const enoughRuns = 12

const points: readonly Failpoint[] = ['fetch.before', 'fetch.after', 'append.before_commit', 'append.after_commit']
const itemPoints: readonly Failpoint[] = ['map.before', 'dead_letter.write']

/** The n-th moment to be killed at: early more often than late, since a run that goes on where one was killed is short. */
function momentOf({ schema }: SimulatedVendor, name: string, n: number): Moment {
  const draw = (what: string) => chance(seed, 'kill', name, n, what)
  // Counts come in one call, and none of them is refused.
  const count = 1 + Math.floor(draw('count') ** 2 * (schema ? 2 : 7))
  const point = pick(schema ? points : [...points, ...itemPoints], draw('point'))
  return (n + Math.floor(chance(seed, 'kill', name) * 2)) % 2 === 0 ? { point, n: count } : { entries: count }
}

async function readToEnd({ run }: SimulatedScene): Promise<void> {
  for (let n = 0; (await run()).code !== 0; n++)
    if (n === enoughRuns) throw new Error(`not read to its end in ${n} runs`)
}

describe.concurrent(`seed ${seed}`, () => {
  test.each(simulatedVendors.map(each => [nameOfSimulated(each), each] as const))(
    '%s',
    async (name, each) => {
      await using scene = await simulatedScene(each, seed)
      let kills = 0
      for (let round = 0; round < rounds; round++) {
        // The shop stands still while it is read: what a killed run was served is served again.
        if (round > 0) scene.vendor.advance(40)
        scene.trouble(0.05)
        for (let n = 0; n < killsInRound; n++) {
          const { signal } = await scene.run(momentOf(each, name, round * killsInRound + n))
          if (signal === 'SIGKILL') kills++
        }
        scene.trouble(0)
        await readToEnd(scene)
      }
      expect(await scene.audit()).toEqual({ ok: true, report: expect.stringMatching(/^[1-9]\d* served = [1-9]/) })
      expect(kills).toBeGreaterThan(0)
    },
    600_000,
  )
})
