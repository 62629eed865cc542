// Any history of polls, changed definitions and reparses that die around their commits: in the end each item stands as the definition of today makes
// it, its newest version last, and nothing was written twice in a row.
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openHoldings } from '../../src/adapters/holdings-sqlite/holdings.ts'
import { systemClock } from '../../src/core/clock.ts'
import { WeirError } from '../../src/core/errors.ts'
import { compileMapping } from '../../src/mapping/mapping.ts'
import { createDecode } from '../../src/pipeline/decode.ts'
import { createPageKeeper } from '../../src/pipeline/kept-page.ts'
import type { SchemaRegistry } from '../../src/pipeline/ports.ts'
import { reparse } from '../../src/pipeline/reparse.ts'
import { compileDecoder, compileEncoder } from '../../src/schema/codec.ts'
import { openHttpSource } from '../support/open-http.ts'
import { scriptedGuard } from '../support/scripted-guard.ts'
import { between, type StageWorld, schemaText, stageWorld } from '../support/stage-world.ts'

const rawText = readFileSync(new URL('../../schemas/raw-page.avsc', import.meta.url), 'utf8')
const rawRegistry = { byId: async () => rawText } as unknown as SchemaRegistry
const keeper = createPageKeeper({ topic: 't_raw', pipeline: 'p', encoder: compileEncoder(rawText), schemaId: 9 })
const ids = ['a', 'b', 'a@1', 'c/d']

type Trouble = 'none' | 'before' | 'after'
type Step =
  | { readonly do: 'poll'; readonly edits: readonly string[]; readonly listed: readonly string[] }
  | { readonly do: 'define'; readonly factor: number }
  | { readonly do: 'reparse'; readonly trouble: Trouble; readonly at: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('poll' as const), edits: fc.subarray(ids), listed: fc.subarray(ids) }),
  fc.record({ do: fc.constant('define' as const), factor: fc.integer({ min: 1, max: 3 }) }),
  fc.record({
    do: fc.constant('reparse' as const),
    trouble: fc.constantFrom<Trouble>('none', 'before', 'after'),
    at: fc.integer({ min: 1, max: 4 }),
  }),
)

/** A shop whose items have a version and a rating that tells it; what is beside them changes with each answer. */
class Scene {
  readonly #world: StageWorld
  readonly versions = new Map(ids.map(id => [id, 1]))
  factor = 1
  listed: readonly string[] = ids
  #answers = 0
  #nowMs = systemClock.now()

  constructor(world: StageWorld) {
    this.#world = world
  }

  ratingOf = (id: string) => this.factor * (this.versions.get(id)! + ids.indexOf(id) * 100)
  mapping = () => compileMapping({ id: 'this.id', rating: `${this.factor}.0 * double(this.rating)` }, schemaText)

  #source() {
    const guard = scriptedGuard(() => ({
      body: this.listed.map(id => {
        const v = this.versions.get(id)!
        return { id, v, rating: v + ids.indexOf(id) * 100, seen: this.#answers++ }
      }),
    }))
    const cursor = { mode: 'membership', id: 'this.id', version: 'this.v' }
    const clock = { ...systemClock, now: () => this.#nowMs++ }
    const written = { request: { url: 'https://shop.example/list' }, records: 'body', cursor }
    return openHttpSource(written, guard, { origin: 'shop@1', keepsRaw: true, clock }).source
  }

  poll = () => this.#world.produce(this.#source(), { keeper, mapping: this.mapping() })

  /** How many records were written. */
  async reparse(trouble: Trouble = 'none', at = 1): Promise<number> {
    using holdings = openHoldings()
    const { office, flood, encode } = this.#world.producerOptions(this.#source())
    let commits = 0
    const log = between(this.#world.log, async (transact, transaction) => {
      const isHit = ++commits === at && trouble !== 'none'
      if (!isHit || trouble === 'after') await transact(transaction)
      if (isHit) throw new WeirError('log.outcome_unknown', 'the process dies here')
    })
    let written = 0
    const pages = reparse(
      {},
      {
        log,
        holdings,
        encode,
        pipeline: 'p',
        topic: 't',
        rawTopic: 't_raw',
        deadLetterTopic: 't_dlq',
        asToday: async records => records.map(({ value }) => value),
        decode: createDecode(rawRegistry, rawText),
        source: this.#source(),
        mapping: this.mapping(),
        version: 'test',
        writing: { office, flood },
        emit: () => {},
        clock: systemClock,
        random: () => 0.5,
      },
      new AbortController().signal,
    )
    for await (const { items } of pages) written += items.length
    return written
  }
}

test('I8: each item comes to what the definition of today makes of it, once, whatever happened on the way', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 9 }), async steps => {
      await using world = await stageWorld()
      await world.log.ensureTopic({
        name: 't_raw',
        partitions: 1,
        retentionMs: null,
        retentionBytes: null,
        maxRecordBytes: 1024 * 1024,
      })
      const scene = new Scene(world)
      const fetched = new Map<string, number>()
      const poll = async () => {
        await scene.poll()
        for (const id of scene.listed) fetched.set(id, scene.versions.get(id)!)
      }
      await poll()
      for (const each of steps) {
        if (each.do === 'define') scene.factor = each.factor
        if (each.do === 'poll') {
          // Two versions in turn, so that one comes back.
          for (const id of each.edits) scene.versions.set(id, 3 - scene.versions.get(id)!)
          scene.listed = each.listed
          await poll()
        }
        if (each.do === 'reparse')
          await scene.reparse(each.trouble, each.at).catch(error => {
            if (error.code !== 'log.outcome_unknown') throw error
          })
      }
      await scene.reparse()
      expect(await scene.reparse()).toBe(0)
      const decoder = compileDecoder(schemaText, null)
      const byId = Map.groupBy(await world.raw('t'), record => Buffer.from(record.key!).toString())
      expect([...byId.keys()].sort()).toEqual([...ids].sort())
      for (const [id, records] of byId) {
        const ratings = records.map(({ value }) => decoder.decode(value!)['rating'] as number)
        const newest = fetched.get(id)!
        expect(ratings.at(-1)).toBe(scene.factor * (newest + ids.indexOf(id) * 100))
        const positions = records.map(({ headers }) =>
          Buffer.from(headers.find(([name]) => name === 'weir-id')![1]).toString(),
        )
        ratings.forEach((rating, i) => {
          expect(i > 0 && rating === ratings[i - 1] && positions[i] === positions[i - 1]).toBe(false)
        })
      }
    }),
    { numRuns: 40 },
  )
}, 120_000)
