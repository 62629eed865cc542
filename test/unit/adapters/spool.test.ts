// The spool on disk: what is put in comes out the same, in order, and only for whoever claimed it last (I6).
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openSqliteSpool } from '../../../src/adapters/spool-sqlite/spool.ts'
import { systemClock } from '../../../src/core/clock.ts'
import type { Append, Spool, SpoolEntry } from '../../../src/pipeline/ports.ts'

let dir: string
let spool: Spool
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'weir-spool-'))
  spool = await openSqliteSpool({ dataDir: dir, clock: systemClock })
})
afterEach(async () => {
  await spool[Symbol.asyncDispose]()
  rmSync(dir, { recursive: true })
})

const entry = (n: number, appends: readonly Append[] = []): SpoolEntry => ({
  before: n === 1 ? null : `m${n - 1}`,
  after: `m${n}`,
  cursors: [{ split: 's', before: n === 1 ? null : String(n - 1), value: String(n) }],
  appends,
})
const text = (value: string) => new TextEncoder().encode(value)

test('a transaction comes back as it was put in: topics, partitions, keys, tombstones, headers, times, cursors', async () => {
  const share = await spool.claim('p', 3)
  const appends: Append[] = [
    {
      topic: 'reviews',
      records: [
        { key: text('größe'), value: text('1'), headers: [['weir-id', 'p/s/0']], timestampMs: 1_700_000_000_123 },
        {
          key: null,
          value: text('2'),
          headers: [
            ['a', text('x')],
            ['a', ''],
          ],
          timestampMs: 0,
          partition: 7,
        },
        { key: text(''), value: null, headers: [], timestampMs: 5, partition: 0 },
      ],
    },
    { topic: 'none', records: [] },
    { topic: 'reviews_dlq', records: [{ key: null, value: Buffer.alloc(300_000, 7), headers: [], timestampMs: 9 }] },
  ]
  const place = await share.append({ ...entry(1, appends), cursors: [{ split: 's', before: 'x', value: null }] })
  expect(place).toMatchObject({ records: 4 })
  const found = (await share.next(0))!
  expect(found).toMatchObject({
    ...place,
    before: null,
    after: 'm1',
    cursors: [{ split: 's', before: 'x', value: null }],
  })
  const asBytes = appends.map(({ topic, records }) => ({
    topic,
    records: records.map(({ key, value, headers, ...rest }) => ({
      ...rest,
      key: key === null ? null : Buffer.from(key).toString('hex'),
      value: value === null ? null : Buffer.from(value).toString('hex'),
      headers: headers.map(([name, content]) => [name, Buffer.from(content as string).toString('hex')]),
    })),
  }))
  expect(
    found.appends.map(({ topic, records }) => ({
      topic,
      records: records.map(({ key, value, headers, ...rest }) => ({
        ...rest,
        key: key === null ? null : Buffer.from(key).toString('hex'),
        value: value === null ? null : Buffer.from(value).toString('hex'),
        headers: headers.map(([name, content]) => [name, Buffer.from(content as Uint8Array).toString('hex')]),
      })),
    })),
  ).toEqual(asBytes)
})

test('entries keep their order and their bucket; what is removed is what was named', async () => {
  const share = await spool.claim('p', 0)
  const other = await spool.claim('p', 1)
  const ids: number[] = []
  for (let n = 1; n <= 5; n++) {
    ids.push((await share.append(entry(n))).id)
    await other.append(entry(n))
  }
  expect((await share.links(0, 3)).map(({ after }) => after)).toEqual(['m1', 'm2', 'm3'])
  expect((await share.links(ids[2]!, 3)).map(({ after }) => after)).toEqual(['m4', 'm5'])
  expect((await share.next(ids[3]!))?.after).toBe('m5')
  expect(await share.next(ids[4]!)).toBeNull()
  expect(await share.removeThrough(ids[1]!)).toMatchObject({ entries: 2 })
  expect(await share.removeFrom(ids[3]!)).toMatchObject({ entries: 2 })
  expect((await share.links(0, 9)).map(({ after }) => after)).toEqual(['m3'])
  expect(await other.links(0, 9)).toHaveLength(5)
  expect(await spool.backlog('p')).toMatchObject({ entries: 6, records: 0, oldestMs: expect.any(Number) })
  expect(await spool.backlog('q')).toEqual({ entries: 0, records: 0, bytes: 0, oldestMs: null })
})

test('an id is never given twice, so that a late removal takes nothing of others', async () => {
  const share = await spool.claim('p', 0)
  const first = await share.append(entry(1))
  await share.removeThrough(first.id)
  await spool[Symbol.asyncDispose]()
  spool = await openSqliteSpool({ dataDir: dir, clock: systemClock })
  const again = await (await spool.claim('p', 0)).append(entry(1))
  expect(again.id).toBeGreaterThan(first.id)
})

test('I7: whoever claimed before can neither add, read nor remove', async () => {
  const old = await spool.claim('p', 0)
  await old.append(entry(1))
  const other = await openSqliteSpool({ dataDir: dir, clock: systemClock })
  const fresh = await other.claim('p', 0)
  for (const call of [old.append(entry(2)), old.next(0), old.links(0, 1), old.removeThrough(9), old.removeFrom(0)])
    await expect(call).rejects.toMatchObject({ code: 'log.fenced' })
  expect(await fresh.links(0, 9)).toHaveLength(1)
  expect(fresh.id).not.toBe(old.id)
  await other[Symbol.asyncDispose]()
})

test('a damaged entry is refused, never forwarded', async () => {
  const share = await spool.claim('p', 0)
  const records = [{ key: null, value: text('1234567890'), headers: [], timestampMs: 1 }]
  await share.append(entry(1, [{ topic: 't', records }]))
  const db = new DatabaseSync(join(dir, 'weir.db'))
  const bytes = Buffer.from((db.prepare('SELECT bytes FROM spool_payload').get() as { bytes: Uint8Array }).bytes)
  for (const at of [0, 5, bytes.length - 3]) {
    const flipped = Buffer.from(bytes)
    flipped[at]! ^= 1
    db.prepare('UPDATE spool_payload SET bytes = ?').run(flipped)
    await expect(share.next(0)).rejects.toMatchObject({ code: 'log.corrupt' })
  }
  db.exec('DELETE FROM spool_payload')
  await expect(share.next(0)).rejects.toMatchObject({ code: 'log.corrupt' })
  db.exec("UPDATE spool_entry SET link = replace(link, 'm1', 'm2')")
  await expect(share.links(0, 1)).rejects.toMatchObject({ code: 'log.corrupt' })
  db.close()
})

test('nobody else may read what waits', () => {
  expect(statSync(join(dir, 'weir.db')).mode & 0o777).toBe(0o600)
})
