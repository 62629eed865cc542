// The auditor finds each kind of anomaly, and nothing where there is none: it is what the fault tests stand on.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runAuditor } from '../../support/review-files.ts'

interface Dumps {
  readonly journal: object[]
  readonly topic: object[]
  readonly dead: object[]
  readonly cursors: object[]
  readonly sink: object[]
}

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'weir-audit-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

const record = (offset: number, id: string, key = 'k', partition = 0) => ({
  partition,
  offset,
  key,
  headers: ['weir-id', id],
  payload: 'avro',
})
const cursor = (offset: number, to: number) => ({
  ...record(offset, ''),
  key: 's',
  payload: JSON.stringify({ v: 1, pipeline: 'p', split: 's', cursor: JSON.stringify({ offset: to }) }),
})
const item = (n: number, more: object = {}) => ({
  id: `p/s/${n}`,
  key: 'k',
  dead: false,
  split: 's',
  at: n + 10,
  ...more,
})

/** Two transactions: items 0 and 10, then 20 and the dead 30. */
const sound: Dumps = {
  journal: [
    item(0),
    item(10),
    item(20),
    item(30, { dead: true }),
    { id: 'aborted/1', key: null, dead: false, aborted: true },
  ],
  topic: [record(0, 'p/s/0'), record(1, 'p/s/10'), record(3, 'p/s/20')],
  dead: [record(0, 'p/s/30')],
  cursors: [cursor(0, 20), cursor(2, 40)],
  sink: [0, 1, 3].map(offset => ({ partition: 0, offset })),
}

function audit(changed: Partial<Dumps>, ...more: string[]) {
  const args = Object.entries({ ...sound, ...changed }).flatMap(([name, rows]) => {
    const path = join(dir, name)
    writeFileSync(path, (rows as object[]).map(row => `${JSON.stringify(row)}\n`).join(''))
    return [`--${name}`, path]
  })
  return runAuditor([...args, ...more])
}

test('says the counts where all is sound', async () => {
  expect(await audit({})).toEqual({ ok: true, report: '4 served = 3 records + 1 dead letters' })
})

const { topic, sink } = sound
const twice = (rows: readonly object[], i: number, offset: number) => [...rows, { ...rows[i], offset }]

test.each<[name: string, Partial<Dumps>, what: RegExp]>([
  [
    'a transaction whose records are not there',
    { topic: topic.slice(0, 2), dead: [], sink: sink.slice(0, 2) },
    /^lost-write p\/s\/20$/m,
  ],
  [
    'a cursor ahead of the records',
    { topic: topic.slice(0, 2), dead: [], sink: sink.slice(0, 2) },
    /^cursor-ahead s: the cursor at 40 covers 2/m,
  ],
  [
    'a transaction of which a part is missing',
    { topic: [topic[0]!, topic[2]!], sink: [sink[0]!, sink[2]!] },
    /^torn-txn s: of 2 items up to 20, 1 are/m,
  ],
  ['records without their cursor', { cursors: [cursor(0, 20)] }, /^torn-txn s: 2 items lie behind the cursor at 20$/m],
  [
    'what was never stored',
    { topic: topic.slice(0, 2), dead: [], sink: sink.slice(0, 2), cursors: [cursor(0, 20)] },
    /^unseen p\/s\/20$/m,
  ],
  ['a cursor that goes back', { cursors: [cursor(0, 40), cursor(2, 20)] }, /^cursor-regress s: 20 after 40$/m],
  [
    'a record twice',
    { topic: twice(topic, 0, 9), sink: [...sink, { partition: 0, offset: 9 }] },
    /^duplicate p\/s\/0 x2$/m,
  ],
  [
    'a record that is a dead letter too',
    { dead: [...sound.dead, record(1, 'p/s/0')] },
    /^duplicate p\/s\/0 is a record and/m,
  ],
  ['a dead letter twice', { dead: twice(sound.dead, 0, 9) }, /^dlq-double p\/s\/30 x2$/m],
  ['no dead letter', { dead: [] }, /^dlq-missing p\/s\/30$/m],
  [
    'a record that nobody served',
    { topic: [...topic, record(5, 'p/s/99')], sink: [...sink, { partition: 0, offset: 5 }] },
    /^invented p\/s\/99$/m,
  ],
  [
    'an aborted record',
    { topic: [...topic, record(5, 'aborted/1')], sink: [...sink, { partition: 0, offset: 5 }] },
    /^aborted-read aborted\/1$/m,
  ],
  [
    'records of a key out of order',
    { topic: [record(0, 'p/s/10'), record(1, 'p/s/0'), topic[2]!] },
    /^out-of-order p\/s\/0 under key k$/m,
  ],
  [
    'a key in two partitions',
    { topic: [topic[0]!, topic[1]!, record(0, 'p/s/20', 'k', 1)] },
    /^moved-key k is in partitions 0 and 1$/m,
  ],
  ['another key', { topic: [record(0, 'p/s/0', 'other'), ...topic.slice(1)] }, /^wrong-key p\/s\/0$/m],
  ['a sink that left a record out', { sink: [sink[0]!, sink[2]!] }, /^poll-skip sink: 0, 1 records before 3$/m],
  ['a sink that did not get the last', { sink: sink.slice(0, 2) }, /^poll-skip sink: 0, the last 1 records$/m],
  ['a sink that got a record again', { sink: [...sink, sink[0]!] }, /^nonmonotonic-poll sink: 0\/0 again$/m],
  [
    'a sink that got an aborted record',
    { sink: [sink[0]!, sink[1]!, { partition: 0, offset: 2 }, sink[2]!] },
    /^aborted-read sink: 0\/2/m,
  ],
])('finds %s', async (_, changed, what) => {
  const { ok, report } = await audit(changed)
  expect(report).toMatch(what)
  expect(ok).toBe(false)
})

test('a line ends at a line feed only: a time in Avro may have the bytes of U+2028', async () => {
  const dump = [{ ...topic[0]!, payload: 'a\u2028b\u2029c\u0085d' }, ...topic.slice(1)]
  expect(await audit({ topic: dump })).toMatchObject({ ok: true })
})

test('each line says the seed', async () => {
  expect((await audit({ dead: [] }, '--seed', '7')).report).toContain('dlq-missing p/s/30 (seed 7)')
})
