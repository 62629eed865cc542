// What each sink makes of a record that says its key is gone.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { file } from '../../../src/sinks/file.ts'
import { log } from '../../../src/sinks/log.ts'
import { topic } from '../../../src/sinks/topic.ts'
import { createSinkWorld, reviews } from '../../support/sink-world.ts'

const dir = mkdtempSync(join(tmpdir(), 'weir-tombstones-'))
const world = createSinkWorld(dir)
const signal = new AbortController().signal
const whole = reviews(0, 1)
const { log: stored } = whole.records[0]!
const delivery = { ...whole, records: [{ log: { ...stored, value: null }, schemaId: null, value: null }] }

test('topic: it stands in the other topic, unless the key is another', async () => {
  const open = (more: object) => topic.open({ topic: 'other', partitions: 1, ...more }, world.deps)
  const [append] = await (await open({})).prepare!(delivery)
  expect(append!.records).toEqual([expect.objectContaining({ key: stored.key, value: null, headers: stored.headers })])
  expect(await (await open({ key: 'record.id' })).prepare!(delivery)).toEqual([])
})

test('file: a line that no record can be', async () => {
  {
    await using sink = await file.open({ path: 'plain.ndjson', metadata: false }, { ...world.deps, baseDir: dir })
    await sink.deliver!(delivery, signal)
  }
  expect(readFileSync(join(dir, 'plain.ndjson'), 'utf8')).toBe('{"weir-change":"deleted","key":"k0"}\n')
  rmSync(dir, { recursive: true })
})

test('log: a line with the key and no value', async () => {
  const events: unknown[] = []
  const sink = await log.open({ fields: ['id'] }, { ...world.deps, emit: event => void events.push(event) })
  await sink.deliver!(delivery, signal)
  expect(events).toEqual([expect.objectContaining({ type: 'record_logged', key: 'k0', value: null })])
})
