// A model of a paged source that changes while it is read: ties, reordering, inserts between pages, edits, late items; and a reader that
// is killed at any batch, before or after its commit. What is committed is what a topic would hold.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { codeOf } from '../../src/core/errors.ts'
import { all, openHttpSource } from '../support/open-http.ts'
import { scriptedGuard } from '../support/scripted-guard.ts'

const start = Date.UTC(2026, 0, 1)
const lookbackMs = 50

type Style = 'page' | 'offset' | 'token' | 'next_url'
type Order = 'asc' | 'desc'

interface Change {
  readonly kind: 'insert' | 'edit' | 'late'
  readonly n: number
  /** How much time passes before it: none makes ties. */
  readonly ms: number
}

interface World {
  readonly style: Style
  readonly pageSize: number
  readonly initial: number
  /** What happens before each call. */
  readonly changes: readonly (readonly Change[])[]
  /** Before the n-th commit, after it, or not at all. */
  readonly kills: readonly ('before' | 'after' | 'none')[]
  readonly shuffle: readonly number[]
}

const change: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom('insert', 'edit', 'late'),
  n: fc.nat(1000),
  ms: fc.nat(2),
})
const world: fc.Arbitrary<World> = fc.record({
  style: fc.constantFrom('page', 'offset', 'token', 'next_url'),
  pageSize: fc.integer({ min: 2, max: 5 }),
  initial: fc.nat(25),
  changes: fc.array(fc.array(change, { maxLength: 4 }), { maxLength: 12 }),
  kills: fc.array(fc.constantFrom('before', 'after', 'none', 'none', 'none'), { maxLength: 12 }),
  shuffle: fc.array(fc.nat(1_000_000), { minLength: 1, maxLength: 20 }),
})

const paginates: Record<Style, object> = {
  page: { page: { param: 'p' } },
  offset: { offset: { param: 'p' } },
  token: { token: { param: 'p', from: 'body.next' } },
  next_url: { next_url: { from: 'body.next' } },
}

function model(w: World, order: Order, stableTies: boolean) {
  const items = new Map<number, number>()
  let now = start
  let calls = 0
  let draws = 0
  const draw = () => w.shuffle[draws++ % w.shuffle.length]! + draws
  // An item that hides behind its equals for ever cannot be found: in the end the order is stable.
  const isSettled = () => stableTies || calls > w.changes.length
  for (let id = 0; id < w.initial; id++) items.set(id, (now += id % 3 === 0 ? 0 : 1))
  const apply = ({ kind, n, ms }: Change) => {
    now += ms
    if (kind === 'edit' && items.size > 0) items.set(n % items.size, now)
    else items.set(items.size, kind === 'late' ? now - (n % (lookbackMs / 2)) : now)
  }
  /** Equal dates come in another order each time while the source changes. */
  const sorted = () =>
    [...items]
      .map(([id, updated]) => ({ id, updated, tie: isSettled() ? id : draw() % 97 }))
      .sort((a, b) => (order === 'asc' ? a.updated - b.updated : b.updated - a.updated) || a.tie - b.tie)
  const served: string[][] = []
  const guard = scriptedGuard(url => {
    for (const each of w.changes[calls++] ?? []) apply(each)
    const p = url.searchParams.get('p')
    const from = w.style === 'page' ? (Number(p) - 1) * w.pageSize : Number(p ?? 0)
    const page = sorted()
      .slice(from, from + w.pageSize)
      .map(({ id, updated }) => ({ id, updated }))
    served.push(page.map(item => `${item.id}@${item.updated}`))
    const next = from + page.length < items.size ? String(from + page.length) : null
    return { body: { items: page, next: next === null ? null : w.style === 'next_url' ? `/list?p=${next}` : next } }
  })
  return { guard, served, current: () => [...items].map(([id, updated]) => `${id}@${updated}`) }
}

/** Polls until nothing changes and nothing is new; gives what was committed. */
async function run(w: World, order: Order, cursorConfig: object, stableTies = false) {
  const { guard, served, current } = model(w, order, stableTies)
  const written = {
    request: { url: 'https://a.example/list' },
    records: 'body.items',
    paginate: paginates[w.style],
    cursor: cursorConfig,
  }
  const { source } = openHttpSource(written, guard, { nowMs: start + 10_000 })
  const committed: string[] = []
  const coveredPages: string[][] = []
  let cursor: string | null = null
  let commits = 0
  for (let quiet = 0, polls = 0; quiet < 2; polls++) {
    expect(polls).toBeLessThan(100)
    const before = committed.length
    let killed = false
    try {
      for await (const batch of source.read(all, cursor, new AbortController().signal)) {
        const kill = w.kills[commits++] ?? 'none'
        killed = kill !== 'none'
        if (kill === 'before') break
        committed.push(...batch.items.map(item => item.position))
        if (batch.items.length + (batch.drops?.duplicate ?? 0) > 0) coveredPages.push(served.at(-1)!)
        expect(batch.items.length + (batch.drops?.duplicate ?? 0)).toBeLessThanOrEqual(w.pageSize)
        cursor = batch.cursor
        if (killed) break
      }
    } catch (error) {
      // Just a page of new items before each of four calls looks like a source that ignores page numbers: the next poll goes on.
      if (codeOf(error) !== 'source.loop') throw error
      killed = true
    }
    quiet = !killed && committed.length === before && served.length > w.changes.length ? quiet + 1 : 0
  }
  return { committed, coveredPages, current: current() }
}

function exactlyOnce({ committed, coveredPages }: Awaited<ReturnType<typeof run>>) {
  expect(new Set(committed).size).toBe(committed.length)
  for (const page of coveredPages) for (const version of page) expect(committed).toContain(version)
}

const runs = { numRuns: 300, ...(process.env['WEIR_FUZZ_SEED'] ? { seed: Number(process.env['WEIR_FUZZ_SEED']) } : {}) }
const byDate = { id: 'this.id', field: 'this.updated', lookback: `${lookbackMs}ms` }

describe('59: for any changes of the source and any crash, each version that a committed page held is there exactly once', () => {
  test('I13: newest first; and at the end no item is missing', async () => {
    await fc.assert(
      fc.asyncProperty(world, async w => {
        const result = await run(w, 'desc', { ...byDate, order: 'desc' })
        exactlyOnce(result)
        expect(result.committed).toEqual(expect.arrayContaining(result.current))
      }),
      runs,
    )
  })

  test('I13: oldest first', async () => {
    // An edit moves an item from the front to the end, so that a page number skips one: only the lookback brings it back.
    await fc.assert(
      fc.asyncProperty(world, async w => {
        const result = await run(w, 'asc', { ...byDate, lookback: '1h', order: 'asc' })
        exactlyOnce(result)
        expect(result.committed).toEqual(expect.arrayContaining(result.current))
      }),
      runs,
    )
  })

  test('I13: by membership, edits noticed by version', async () => {
    await fc.assert(
      fc.asyncProperty(world, async w => {
        const plain = await run(w, 'desc', {
          mode: 'membership',
          id: 'string(this.id) + "@" + string(int(this.updated))',
        })
        exactlyOnce(plain)
      }),
      runs,
    )
  })

  test('I13: without lookback, where nothing is late', async () => {
    const punctual = world.map(w => ({
      ...w,
      changes: w.changes.map(step =>
        step.map(each => (each.kind === 'late' ? { ...each, kind: 'insert' as const } : each)),
      ),
    }))
    await fc.assert(
      fc.asyncProperty(punctual, async w => {
        const result = await run(w, 'desc', { ...byDate, lookback: '0s', order: 'desc' }, true)
        exactlyOnce(result)
        expect(result.committed).toEqual(expect.arrayContaining(result.current))
      }),
      runs,
    )
  })
})
