// A pipeline over a simulated vendor, run as a real process that is killed and started again, and the audit of what came of it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openBroker, openWorkspace } from '../../src/app/open.ts'
import { systemClock } from '../../src/core/clock.ts'
import type { Failpoint } from '../../src/core/failpoint.ts'
import type { Summary } from '../../src/observe/summary.ts'
import type { FaultKind } from '../../src/simulate/vendors/faults.ts'
import { simulateVendor, vendorSpecs } from '../../src/simulate/vendors/index.ts'
import type { VendorSimulation } from '../../src/simulate/vendors/start.ts'
import { type CliResult, runWeir } from './cli.ts'
import { eventually } from './eventually.ts'
import { runAuditor, type Verdict } from './review-files.ts'
import { type SimulatedVendor, simulatedKey, simulatedUser, useOfSimulated } from './simulated-vendors.ts'
import { project } from './vendor-run.ts'

/** Of each kind of fault. */
const faultShare = 0.05
const pipeline = 'simulated'
/** It bounds a hang, and is no assertion. */
const patienceMs = 240_000
/** A product that the shop does not have. */
const gone = 'B0WEIRGONE'
const asins = ['B0WEIRTST1', 'B000E7WM0K', 'B000G6RYNE', gone]

/** At a failpoint, or once the vendor's journal has so many entries more. */
export type Moment = { readonly point: Failpoint; readonly n: number } | { readonly entries: number }

export interface SimulatedScene extends AsyncDisposable {
  readonly vendor: VendorSimulation
  /** Each kind of fault the vendor knows has this share, of calls, of jobs, of items. */
  trouble(share: number): void
  /** One run to its end, or to the kill. */
  run(kill?: Moment): Promise<CliResult>
  audit(): Promise<Verdict>
}

/** From a run to the next: jobs that failed are followed by others only after a pause, and hosts that block are left alone. */
const laterMs = 35 * 60_000

/** Cursors by date do not look at texts, so that an edit is no event to them. */
const isByDate = ({ vendor, mode }: SimulatedVendor) => vendor === 'apify_reviews' || mode === 'reviews'

export async function simulatedScene(of: SimulatedVendor, seed: number): Promise<SimulatedScene> {
  const dir = mkdtempSync(join(tmpdir(), 'weir-simulated-'))
  const journalFile = join(dir, 'journal.ndjson')
  const startMs = Date.now()
  const vendor = await simulateVendor(of.simulator, {
    ...{ user: simulatedUser, key: simulatedKey, seed, initial: 150, rateLimit: null, atOnce: null },
    ...{ readyAfter: 0, slowMs: 30, editEvery: isByDate(of) ? 0 : 2, journalFile },
    ...(of.simulator === 'keepa' ? { credits: 1_000_000 } : {}),
    // What shows the time must not change while the shop stands still.
    clock: { ...systemClock, now: () => startMs },
  })
  const {
    config,
    schema = join(project, 'schemas/raw-review.avsc'),
    vendor: name,
  } = useOfSimulated(of, vendor.url, asins)
  const spec = vendorSpecs[of.simulator]!
  const hasJobs = spec.keepMs !== null && !['live', 'realtime', 'sync'].includes(of.mode ?? '')
  // Signatures of another hour are refused.
  const isSigned = of.simulator === 'pa-api'
  const waits = hasJobs ? { poll_every: '20ms', give_up_after: '1s' } : {}
  writeFileSync(
    join(dir, 'pipeline.yaml'),
    JSON.stringify({
      pipeline,
      source: { [name]: { ...config, ...waits } },
      fetch: {
        timeout: '10s',
        retry: { attempts: 6, backoff: { min: '1ms', max: '10ms' }, retry_after_max: '5ms' },
        breaker: { failure_rate: '100%', window: 1000, open_for: '10ms' },
        rate_limit: { requests: 100_000, per: '1s' },
        allow_private: ['127.0.0.0/8'],
      },
      topic: { name: 'reviews', schema, partitions: 2 },
      dead_letter: { topic: 'reviews_dlq', stop_after: { records: 100_000, per: '1h' } },
    }),
  )
  const workspace = await openWorkspace({ cwd: dir, env: {}, dataDir: join(dir, '.weir') })
  const weir = (args: readonly string[], more: Partial<Parameters<typeof runWeir>[1]> = {}) =>
    runWeir([...args, '--data', join(dir, '.weir')], { cwd: dir, deadlineMs: patienceMs, ...more })
  const runs: { readonly to: number; readonly killed: boolean; readonly held: readonly string[] }[] = []

  /** Jobs that the cursors know by their id. */
  const held = async (): Promise<string[]> => {
    await using broker = await openBroker(workspace)
    const cursors = await broker.log.cursors(pipeline)
    return cursors.flatMap(({ value }) => {
      const { job } = JSON.parse(value) as { job?: { step: string; id: string } }
      return job?.step === 'submitted' ? [job.id] : []
    })
  }

  return {
    vendor,
    trouble: share => {
      // An item keeps its fault for as long as its version lives.
      const of = ([kind, { scope }]: [string, FaultKind]) => [kind, scope === 'item' ? faultShare : share] as const
      vendor.setFaults(0, Object.fromEntries(Object.entries(spec.faults).map(of)))
    },
    async run(kill) {
      const from = vendor.journal.length
      const failpoint = kill && 'point' in kill ? { WEIR_FAILPOINT: `${kill.point}:${kill.n}:kill` } : {}
      let isOver = false
      let waiting: Promise<unknown> = Promise.resolve()
      const running = weir(['run', 'pipeline.yaml', '--until', 'end'], {
        nodeArgs: ['--import', join(import.meta.dirname, 'later-clock.ts')],
        env: { ...failpoint, TEST_LATER_MS: String(runs.length * (isSigned ? 0 : laterMs)) },
        started(child) {
          if (!kill || !('entries' in kill)) return
          const reached = () => vendor.journal.length >= from + kill.entries && child.kill('SIGKILL')
          waiting = eventually('the entry to be killed at', () => isOver || reached(), patienceMs)
        },
      }).finally(() => {
        isOver = true
      })
      const [result] = await Promise.all([running, waiting])
      const killed = result.signal === 'SIGKILL'
      runs.push({ to: vendor.journal.length, killed, held: await held() })
      if (!killed) checkSummary(result, vendor, from)
      return result
    },
    async audit() {
      const file = (path: string, text: string) => {
        writeFileSync(join(dir, path), text)
        return join(dir, path)
      }
      const topic = await weir(['topic', 'cat', 'reviews', '--json'])
      const dead = await weir(['topic', 'cat', 'reviews_dlq', '--json'])
      return runAuditor(
        [
          ...['--journal', journalFile, '--runs', file('runs.ndjson', runs.map(run => JSON.stringify(run)).join('\n'))],
          ...['--topic', file('topic.ndjson', topic.out), '--dead', file('dead.ndjson', dead.out)],
          ...['--gone', gone, '--seed', String(seed), ...(hasJobs ? ['--jobs'] : [])],
          ...(of.vendor === 'dataforseo_asin' ? ['--can-find'] : []),
        ],
        'audit-vendor.ts',
      )
    },
    async [Symbol.asyncDispose]() {
      await vendor.close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** A run that came to its own end took what it was served, to the item, and says where each went. @throws when it did not */
function checkSummary({ out, code, err }: CliResult, { journal }: VendorSimulation, from: number): void {
  const summary = JSON.parse(out.trim().split('\n').at(-1)!) as Summary & { event: string }
  const served = journal
    .slice(from)
    .filter(each => each.event === 'served' && (each.what !== 'error' || each.refused)).length
  const { fetched, appended, unaccounted, dropped, dead } = summary
  const drops = Object.values(dropped).reduce((sum, count) => sum + count, 0)
  const letters = Object.values(dead).reduce((sum, count) => sum + count, 0)
  if ([0, 3].includes(code!) && fetched === served && unaccounted === 0 && appended + drops + letters === served) return
  throw new Error(`served ${served}, code ${code}, ${JSON.stringify(summary)}\n${err}`)
}
