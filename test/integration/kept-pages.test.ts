// Raw pages on their way into the log: through a spool, refused by the log, in several batches.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openSqliteSpool } from '../../src/adapters/spool-sqlite/spool.ts'
import { systemClock } from '../../src/core/clock.ts'
import { WeirError } from '../../src/core/errors.ts'
import { createPageKeeper } from '../../src/pipeline/kept-page.ts'
import { spoolingLog } from '../../src/pipeline/spool/spooling-log.ts'
import { compileDecoder, compileEncoder } from '../../src/schema/codec.ts'
import { openHttpSource } from '../support/open-http.ts'
import { scriptedGuard } from '../support/scripted-guard.ts'
import { between, type StageWorld, stageWorld } from '../support/stage-world.ts'

const rawText = readFileSync(new URL('../../schemas/raw-page.avsc', import.meta.url), 'utf8')
const decoder = compileDecoder(rawText, null)
const topic = { name: 't_raw', partitions: 1, retentionMs: null, retentionBytes: null, maxRecordBytes: 1024 * 1024 }

const shop = (items: readonly object[]) =>
  openHttpSource(
    { request: { url: 'https://shop.example/list' }, records: 'body', cursor: { mode: 'membership', id: 'this.id' } },
    scriptedGuard(() => ({ body: items })),
    { origin: 'shop@1', keepsRaw: true },
  ).source

const keeper = createPageKeeper({ topic: 't_raw', pipeline: 'p', encoder: compileEncoder(rawText), schemaId: 9 })
const bodies = async (world: StageWorld) =>
  (await world.raw('t_raw')).map(({ value }) => Buffer.from(decoder.decode(value!)['body'] as Uint8Array).toString())

test('I6: what was fetched while the cluster was away is forwarded with its records, each once', async () => {
  await using world = await stageWorld()
  await world.log.ensureTopic(topic)
  const dataDir = mkdtempSync(join(tmpdir(), 'weir-spooled-'))
  try {
    await using spool = await openSqliteSpool({ dataDir, clock: systemClock })
    let isAway = true
    const cluster = between(world.log, async (transact, transaction) => {
      if (isAway) throw new WeirError('log.outcome_unknown', 'it is away')
      await transact(transaction)
    })
    const deps = { clock: systemClock, random: () => 0.5, emit: world.producerOptions(shop([])).emit }
    const items = [
      { id: 'a', rating: 1 },
      { id: 'b', rating: 2 },
    ]
    await world.produce(shop(items), { log: spoolingLog(cluster, spool, deps), keeper })
    expect([await world.records(), await bodies(world)]).toEqual([[], []])
    expect(await spool.backlog('p')).toMatchObject({ entries: 1, records: 3 })
    isAway = false
    await world.produce(shop([]), { log: spoolingLog(cluster, spool, deps), keeper })
    expect((await world.records()).map(({ id }) => id).sort()).toEqual(['a', 'b'])
    expect(await bodies(world)).toEqual([JSON.stringify(items), '[]'])
  } finally {
    rmSync(dataDir, { recursive: true })
  }
})

test('a raw page that the log refuses for good stops the pipeline with nothing stored', async () => {
  await using world = await stageWorld()
  await world.log.ensureTopic({ ...topic, maxRecordBytes: 1024 })
  const items = [{ id: 'a', rating: 1, text: 'x'.repeat(2_000) }, { id: 'b' }]
  await expect(world.produce(shop(items), { keeper })).rejects.toMatchObject({
    code: 'log.record_too_large',
    message: expect.stringContaining('A raw page cannot be stored'),
  })
  expect([await world.records(), await world.letters(), await world.log.cursors('p')]).toEqual([[], [], []])
})

test('a page in several batches is kept once, with the first', async () => {
  await using world = await stageWorld()
  await world.log.ensureTopic(topic)
  const items = Array.from({ length: 4_500 }, (_, i) => ({ id: `r${i}`, rating: 1 }))
  await world.produce(shop(items), { keeper })
  expect(await world.records()).toHaveLength(4_500)
  expect(await bodies(world)).toEqual([JSON.stringify(items)])
  expect(world.events.filter(each => each.type === 'batch_appended').length).toBeGreaterThan(2)
  expect(world.events.filter(each => each.type === 'pages_kept')).toMatchObject([{ topic: 't_raw', pages: 1 }])
})
