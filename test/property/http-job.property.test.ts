// A vendor that answers later, read by a process that is killed at any commit, before or after it, and at any call, before or after the vendor
// has taken it; calls fail and are cut short besides. What is committed is what a topic would hold; the vendor's journal is what was paid for.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { WeirError } from '../../src/core/errors.ts'
import type { SourceBatch } from '../../src/core/record.ts'
import { jobScene } from '../support/job-scene.ts'
import { all } from '../support/open-http.ts'

interface World {
  readonly items: number
  readonly readyAfter: number
  readonly cursor: 'membership' | 'desc' | 'asc' | 'none'
  /** What happens at the n-th commit. */
  readonly kills: readonly ('before' | 'after' | 'none')[]
  /** What happens at the n-th call: not sent, sent and its answer lost, the process killed before or after the vendor has it. */
  readonly calls: readonly ('fails' | 'lost' | 'killed' | 'killed_after' | 'busy' | 'fine')[]
  /** Items that the source gets before each pass. */
  readonly more: readonly number[]
}

const world: fc.Arbitrary<World> = fc.record({
  items: fc.nat(7),
  readyAfter: fc.nat(2),
  cursor: fc.constantFrom('membership', 'desc', 'asc', 'none'),
  kills: fc.array(fc.constantFrom('before', 'after', 'none', 'none'), { maxLength: 14 }),
  calls: fc.array(fc.constantFrom('fails', 'lost', 'killed', 'killed_after', 'busy', 'fine', 'fine', 'fine'), {
    maxLength: 14,
  }),
  more: fc.array(fc.nat(2), { maxLength: 4 }),
})

const cursors = {
  membership: { mode: 'membership', id: 'this.id' },
  desc: { id: 'this.id', field: 'this.at', order: 'desc', as: 'number' },
  asc: { id: 'this.id', field: 'this.at', order: 'asc', as: 'number' },
  none: undefined,
} as const

class Killed extends Error {}

const stepOf = (cursor: string | null) =>
  cursor === null ? undefined : (JSON.parse(cursor) as { job?: { step: string } }).job?.step

interface Run {
  readonly ids: readonly string[]
  readonly positions: readonly string[]
  readonly jobs: number
  /** Passes that were read to their end. */
  readonly passes: number
  readonly served: readonly string[]
}

async function run(w: World, over: object = {}): Promise<Run> {
  const scene = jobScene({ job: { pause: '0s', ...over }, cursor: cursors[w.cursor] })
  const items = scene.vendor.items.get('')!
  items.length = 0
  const add = (count: number) => {
    for (let i = 0; i < count; i++) {
      const item = { id: `i${items.length}`, at: items.length }
      if (w.cursor === 'desc') items.unshift(item)
      else items.push(item)
    }
  }
  add(w.items)
  scene.vendor.readyAfter = w.readyAfter
  let calls = 0
  scene.meddle = (_, answer) => {
    const what = w.calls[calls++] ?? 'fine'
    const lost = new WeirError('fetch.network', 'lost')
    if (what === 'fails') throw lost
    if (what === 'killed') throw new Killed()
    if (what === 'busy') return { status: 503, body: '' }
    const reply = answer()
    if (what === 'lost') throw lost
    if (what === 'killed_after') throw new Killed()
    return reply
  }
  const source = scene.open()
  const ids: string[] = []
  const positions: string[] = []
  let cursor: string | null = null
  let commits = 0
  let passes = 0
  const commit = (batch: SourceBatch) => {
    for (const item of batch.items) {
      ids.push((item.value as { id: string }).id)
      positions.push(item.position)
    }
    const before = stepOf(cursor)
    cursor = batch.cursor
    if (before === 'submitted' && stepOf(cursor) === undefined) add(w.more[passes++] ?? 0)
  }
  for (let starts = 0; passes < w.more.length + 1; starts++) {
    expect(starts).toBeLessThan(60)
    try {
      for await (const batch of source.read(all, cursor, new AbortController().signal)) {
        const kill = w.kills[commits++] ?? 'none'
        if (kill === 'before') break
        commit(batch)
        if (kill === 'after') break
      }
    } catch (error) {
      if (!(error instanceof Killed || error instanceof WeirError)) throw error
    }
    scene.nowMs += 30_000
  }
  return {
    ids,
    positions,
    jobs: scene.vendor.journal.length,
    passes,
    served: items.map(item => (item as { id: string }).id),
  }
}

const runs = { numRuns: 200, ...(process.env['WEIR_FUZZ_SEED'] ? { seed: Number(process.env['WEIR_FUZZ_SEED']) } : {}) }

describe('for any crash and any failing call', () => {
  test('I1 I13: a job is submitted once a pass where it can be looked up, and every item arrives once', async () => {
    await fc.assert(
      fc.asyncProperty(world, async w => {
        const { ids, positions, jobs, passes, served } = await run(w)
        expect(jobs).toBe(passes)
        expect(new Set(positions).size).toBe(positions.length)
        if (w.cursor !== 'none') expect([...ids].sort()).toEqual([...served].sort())
      }),
      runs,
    )
  })

  test('I13: where it cannot be looked up, jobs may be submitted again, and every item arrives once all the same', async () => {
    await fc.assert(
      fc.asyncProperty(world, async w => {
        const { ids, positions, jobs, passes, served } = await run(w, { find: undefined })
        expect(jobs).toBeGreaterThanOrEqual(passes)
        expect(new Set(positions).size).toBe(positions.length)
        if (w.cursor !== 'none') expect([...ids].sort()).toEqual([...served].sort())
      }),
      runs,
    )
  })
})
