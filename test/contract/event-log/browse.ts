// Looking at topics without a group.
import { describe, expect, test } from 'vitest'
import type { LogRecord } from '../../../src/core/record.ts'
import type { BrowseOptions, EventLog } from '../../../src/pipeline/ports.ts'
import { eventually } from '../../support/eventually.ts'
import type { OpenPlace } from '../event-log.ts'
import { makeTopic, nameOf, ownBucket, record, values } from './words.ts'

async function collect(
  log: EventLog,
  topic: string,
  options: BrowseOptions,
  most = Number.POSITIVE_INFINITY,
): Promise<LogRecord[]> {
  const found: LogRecord[] = []
  for await (const page of log.browse(topic, options)) {
    found.push(...page)
    if (found.length >= most) break
  }
  return found
}

/** 40 records over two partitions, one second apart. */
async function filled(open: OpenPlace) {
  const place = await open()
  const { log } = await place.connect()
  const topic = await makeTopic(place, log, 'reviews', { partitions: 2 })
  const { bucket } = await ownBucket(log, nameOf(place, 'p'))
  const records = Array.from({ length: 40 }, (_, i) =>
    record('k', `${i}`, { partition: i % 2, timestampMs: 1_700_000_000_000 + i * 1000 }),
  )
  for (let i = 0; i < 40; i += 10)
    await bucket.transact({ appends: [{ topic, records: records.slice(i, i + 10) }], cursors: [] })
  return { place, log, topic, bucket }
}

const upTo = (from: number, to: number, step = 1) =>
  Array.from({ length: Math.ceil((to - from) / step) }, (_, i) => `${from + i * step}`)

export function browseContract(open: OpenPlace): void {
  describe('browsing', () => {
    test('all partitions come merged by time, and the end ends it', async () => {
      const { place, log, topic } = await filled(open)
      await using _ = place
      expect(values(await collect(log, topic, { from: 'earliest' }))).toEqual(upTo(0, 40))
      expect(await collect(log, topic, { from: 'latest' })).toEqual([])
    })

    test('one partition from an offset', async () => {
      const { place, log, topic } = await filled(open)
      await using _ = place
      const all = await collect(log, topic, { partition: 1, from: 'earliest' })
      expect(values(all)).toEqual(upTo(1, 40, 2))
      expect(values(await collect(log, topic, { partition: 1, from: { offset: all[7]!.offset } }))).toEqual(
        upTo(15, 40, 2),
      )
      expect(await collect(log, topic, { partition: 1, from: { offset: 1_000_000n } })).toEqual([])
    })

    test('from a time: what is not older', async () => {
      const { place, log, topic } = await filled(open)
      await using _ = place
      expect(values(await collect(log, topic, { from: { timeMs: 1_700_000_000_000 + 12_000 } }))).toEqual(upTo(12, 40))
      expect(values(await collect(log, topic, { from: { timeMs: 1_700_000_000_000 + 12_001 } }))).toEqual(upTo(13, 40))
      expect(values(await collect(log, topic, { from: { timeMs: 0 } }))).toEqual(upTo(0, 40))
      expect(await collect(log, topic, { from: { timeMs: 1_800_000_000_000 } })).toEqual([])
    })

    test('it may be left early', async () => {
      const { place, log, topic, bucket } = await filled(open)
      await using _ = place
      expect((await collect(log, topic, { from: 'earliest' }, 1)).length).toBeGreaterThan(0)
      await bucket.transact({ appends: [{ topic, records: [record('k', 'more')] }], cursors: [] })
    })

    test('following waits for more, of this process and of another one, until its signal aborts', async () => {
      const { place, log, topic, bucket } = await filled(open)
      await using _ = place
      const stop = new AbortController()
      const seen: LogRecord[][] = [[], []]
      const logs = [log, (await place.connect()).log]
      const following = logs.map(async (each, i) => {
        for await (const page of each.browse(topic, {
          from: { timeMs: 1_700_000_000_000 + 38_000 },
          follow: true,
          signal: stop.signal,
        }))
          seen[i]!.push(...page)
      })
      await eventually('both have read to the end', () => seen.every(each => each.length === 2))
      await bucket.transact({ appends: [{ topic, records: [record('k', 'late', { partition: 0 })] }], cursors: [] })
      await eventually('both have read what came late', () => seen.every(each => each.length === 3))
      stop.abort()
      await Promise.all(following)
      for (const each of seen) expect(values(each)).toEqual(['38', '39', 'late'])
    })

    test('a topic or partition that is not there is refused', async () => {
      const { place, log, topic } = await filled(open)
      await using _ = place
      await expect(collect(log, nameOf(place, 'nowhere'), { from: 'earliest' })).rejects.toMatchObject({
        code: 'log.topic_unknown',
      })
      await expect(collect(log, topic, { partition: 2, from: 'earliest' })).rejects.toMatchObject({
        code: 'log.invalid',
      })
    })
  })
}
