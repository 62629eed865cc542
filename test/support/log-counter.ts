// A process that counts into the embedded log of a directory until it is killed, stopped or fenced: node log-counter.ts DIR [until] [leaseMs]
// Prints `owned EPOCH`, then `acked N` after each commit, `fenced` when another one took over, `unknown N` after an outcome in doubt.
import { toWeirError } from '../../src/core/errors.ts'
import type { Bucket } from '../../src/pipeline/ports.ts'
import { countOn, openScene, ownScene } from './log-scene.ts'

const [dataDir, until = '1e9', leaseMs = '10000'] = process.argv.slice(2)
const log = await openScene(dataDir!, { leaseMs: Number(leaseMs) })
const say = (line: string): void => {
  process.stdout.write(`${line}\n`)
}
let { bucket }: { bucket: Bucket } = await ownScene(log)
say(`owned ${bucket.epoch}`)
let next = Number(bucket.cursors.get('s')?.value ?? 0)
while (next < Number(until)) {
  const count = 1 + (next % 50)
  try {
    await bucket.transact(countOn(next, count))
    next += count
    say(`acked ${next}`)
  } catch (error) {
    const { code } = toWeirError(error)
    if (code === 'log.fenced') {
      say('fenced')
      process.exit(3)
    }
    if (code !== 'log.outcome_unknown') {
      say(`failed ${code}`)
      process.exit(1)
    }
    say(`unknown ${next}`)
    // The disk may go on failing for a while: recovery itself is tried again.
    for (let renewed: Bucket | null = null; renewed === null; ) {
      renewed = await bucket.renew().catch(async (failed: unknown) => {
        say(`renewing ${toWeirError(failed).code}`)
        await new Promise(resolve => setTimeout(resolve, 20))
        return null
      })
      if (renewed) bucket = renewed
    }
    next = Number(bucket.cursors.get('s')?.value ?? 0)
    say(`resumed ${next}`)
  }
}
await log[Symbol.asyncDispose]()
say('done')
