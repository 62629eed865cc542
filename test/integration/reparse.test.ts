// keep_raw and weir reparse, on the embedded log: pages kept with their records, mapped again without the source, once.
import { createHash } from 'node:crypto'
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type RawDefinition, type RawScene, rawScene } from '../support/raw-scene.ts'

const b1 = { id: 'b1', v: 1, stars: 1, title: 'Kettle' }
const b2 = { id: 'b2', v: 1, stars: 2, title: 'Lid', nested: [{ id: 'n1', v: 1, stars: 3 }] }
const c1 = { id: 'c1', v: 1, stars: 'many' }

let scene: RawScene
beforeEach(async () => {
  scene = await rawScene()
  scene.pages.set('/b?key=a-secret-of-the-shop&page=1', { reviews: [b1], echo: 'a-secret-of-the-shop' })
  scene.pages.set('/b?key=a-secret-of-the-shop&page=2', { reviews: [b2] })
  scene.pages.set('/c?key=a-secret-of-the-shop&page=1', { reviews: [c1] })
})
afterEach(() => scene[Symbol.asyncDispose]())

const serve = (page: string, reviews: readonly object[]) =>
  scene.pages.set(`/${page.replace('?', '?key=a-secret-of-the-shop&')}`, { reviews })
const doubled: RawDefinition = { map: { id: 'this.id', stars: '2.0 * double(this.stars)' } }
const starsOf = async () => (await scene.rows()).map(({ value }) => [value!['id'], value!['stars']])

describe('keep_raw: topic', () => {
  test('I1: a page is one record, stored in the transaction of its records and its cursor', async () => {
    const { summary, events } = await scene.pass()
    const raw = await scene.raw()
    // b: two pages and an empty one; c: a page and an empty one.
    expect(raw).toHaveLength(5)
    expect(summary.rawPages).toBe(5)
    expect(events.filter(each => each.type === 'topic_ready').map(({ topic }) => topic)).toContain('shop_raw')
    const body = JSON.stringify(scene.pages.get('/b?key=a-secret-of-the-shop&page=1'))
    const first = raw.find(({ value }) => Buffer.from(value!['body'] as Uint8Array).includes('Kettle'))!
    expect(first.key).toBe('product=b')
    expect(first.value).toMatchObject({
      pipeline: 'shop',
      split: 'product=b',
      split_vars: '{"product":"b"}',
      source: 'http@test',
      status: 200,
      content_type: 'application/json',
      response: createHash('sha256').update(body).digest('hex'),
    })
    const record = (await scene.rows()).find(({ value }) => value!['id'] === 'b1')!
    for (const name of ['weir-source', 'weir-url', 'weir-fetched-at', 'weir-response'])
      expect(first.headers[name]).toBe(record.headers[name])
  })

  test('I9: no secret of the pipeline stands in what is kept, not even where the source repeats it', async () => {
    await scene.pass()
    for (const { value, headers } of await scene.raw()) {
      expect(
        JSON.stringify({ ...value, body: Buffer.from(value!['body'] as Uint8Array).toString(), headers }),
      ).not.toContain('a-secret-of-the-shop')
    }
    await scene.close()
    expect((await scene.reparse()).counts).toEqual({ unchanged: 2, dead: 1 })
  })

  test('I14: an applied plan has the schema of raw pages, so that the pipeline starts under a policy', async () => {
    mkdirSync(join(scene.dir, 'schemas'))
    writeFileSync(join(scene.dir, 'schemas/governance.yaml'), 'defaults: { owner: reviews team, level: BACKWARD }\n')
    mkdirSync(join(scene.dir, 'pipelines'))
    copyFileSync(join(scene.dir, 'pipeline.yaml'), join(scene.dir, 'pipelines/shop.yaml'))
    copyFileSync(join(scene.dir, 'review.avsc'), join(scene.dir, 'pipelines/review.avsc'))
    expect(await scene.weir('schema', 'plan', '--out', 'plan.json')).toMatchObject({ code: 0 })
    expect(await scene.weir('schema', 'apply', 'plan.json')).toMatchObject({ code: 0 })
    await scene.pass()
    expect(await scene.raw()).toHaveLength(5)
  })

  test('a page of which nothing is new is kept too', async () => {
    await scene.pass()
    await scene.pass()
    expect(await scene.raw()).toHaveLength(10)
    expect(await scene.rows()).toHaveLength(2)
  })
})

describe('weir reparse', () => {
  test('I8: gives each record that changes once, again none; nothing is fetched', async () => {
    await scene.pass()
    await scene.pass()
    await scene.close()
    const asked = scene.requests.length
    // The second poll saw the same: its items came of the first.
    expect((await scene.reparse()).counts).toEqual({ unchanged: 2, elsewhere: 2, dead: 2 })
    scene.define(doubled)
    expect((await scene.reparse()).counts).toEqual({ changed: 2, elsewhere: 2, dead: 2 })
    expect((await scene.reparse()).counts).toEqual({ unchanged: 2, elsewhere: 2, dead: 2 })
    expect((await starsOf()).sort()).toEqual([
      ['b1', 1],
      ['b1', 2],
      ['b2', 2],
      ['b2', 4],
    ])
    // Back again is a change too.
    scene.define({})
    expect((await scene.reparse()).counts).toMatchObject({ changed: 2 })
    expect(scene.requests).toHaveLength(asked)
  })

  test('a record says that it was mapped again and from which page, and where it came from at first', async () => {
    await scene.pass()
    scene.define(doubled)
    await scene.reparse()
    const [before, after] = (await scene.rows()).filter(({ value }) => value!['id'] === 'b1')
    expect(after!.headers).toEqual({
      ...before!.headers,
      'weir-change': 'remapped',
      'weir-reparsed-from': expect.stringMatching(/^shop_raw\/0\/\d+$/),
    })
  })

  test('what a mended `records` finds is new, once; what only changed keeps its place', async () => {
    await scene.pass()
    await scene.close()
    scene.define({ records: 'body.reviews + body.reviews.filter(r, has(r.nested)).map(r, r.nested).flatten()' })
    expect((await scene.reparse()).counts).toEqual({ new: 1, unchanged: 2, dead: 1 })
    expect((await scene.reparse()).counts).toEqual({ unchanged: 3, dead: 1 })
    expect((await starsOf()).filter(([id]) => id === 'n1')).toEqual([['n1', 3]])
    const found = (await scene.rows()).find(({ value }) => value!['id'] === 'n1')!
    expect(found.headers['weir-change']).toBeUndefined()
    // What it found is mapped again as the rest is.
    scene.define({
      ...doubled,
      records: 'body.reviews + body.reviews.filter(r, has(r.nested)).map(r, r.nested).flatten()',
    })
    expect((await scene.reparse()).counts).toEqual({ changed: 3, dead: 1 })
  })

  test('I5: what fails becomes a dead letter, once, and is left to its replay from then on', async () => {
    await scene.pass()
    const before = (await scene.letters()).length
    scene.define({ map: { id: 'this.id', stars: 'this.title == "Lid" ? double("x") : double(this.stars)' } })
    expect((await scene.reparse()).counts).toEqual({ failed: 1, unchanged: 1, dead: 1 })
    expect((await scene.reparse()).counts).toEqual({ unchanged: 1, dead: 2 })
    expect(await scene.letters()).toHaveLength(before + 1)
    scene.define(doubled)
    expect((await scene.reparse()).counts).toEqual({ changed: 1, dead: 2 })
    // What the replay brings back is known to come of its page, and is not written again.
    await scene.weir('dlq', 'replay', 'pipeline.yaml', '--yes')
    expect((await starsOf()).filter(([id]) => id === 'b2')).toEqual([
      ['b2', 2],
      ['b2', 4],
    ])
    expect((await scene.reparse()).counts).toEqual({ unchanged: 2, dead: 1 })
    scene.define({})
    expect((await scene.reparse()).counts).toEqual({ changed: 2, dead: 1 })
  })

  test('a page that does not fit the definition is told, and nothing of it is written', async () => {
    await scene.pass()
    scene.define({ records: 'body.items' })
    const { counts, pages } = await scene.reparse()
    expect(counts).toEqual({})
    expect(pages.map(({ error }) => error?.code)).toEqual(Array(5).fill('source.shape'))
    expect(await scene.rows()).toHaveLength(2)
  })

  test('an older version is not appended after a later one', async () => {
    await scene.pass()
    serve('b?page=1', [{ ...b1, v: 2, stars: 5 }])
    await scene.pass()
    scene.define(doubled)
    expect((await scene.reparse()).counts).toMatchObject({ changed: 2, superseded: 1 })
    expect((await starsOf()).filter(([id]) => id === 'b1')).toEqual([
      ['b1', 1],
      ['b1', 5],
      ['b1', 10],
    ])
  })

  test('an item whose id looks like an edit of another one is left to itself', async () => {
    const plain = { cursor: '{ mode: membership, id: this.id }' }
    scene.define(plain)
    await scene.pass()
    // Of this page `b1` is known, and `b1~1` new.
    serve('b?page=1', [b1, { ...b1, id: 'b1~1', stars: 7 }])
    await scene.pass()
    expect((await scene.reparse()).counts).not.toHaveProperty('changed')
    scene.define({ ...plain, ...doubled })
    expect((await scene.reparse()).counts).toMatchObject({ changed: 3 })
    expect((await scene.reparse()).counts).not.toHaveProperty('changed')
    expect((await starsOf()).filter(([id]) => String(id).startsWith('b1')).toSorted()).toEqual([
      ['b1', 1],
      ['b1', 2],
      ['b1~1', 14],
      ['b1~1', 7],
    ])
  })

  test('of an id that stands twice on a page, both versions keep their place', async () => {
    serve('b?page=1', [b1, { ...b1, v: 2, stars: 5 }])
    await scene.pass()
    // The first of them comes after the second of the last poll: both are edits again.
    await scene.pass()
    scene.define(doubled)
    await scene.reparse()
    expect((await starsOf()).filter(([id]) => id === 'b1').map(([, stars]) => stars)).toEqual([1, 5, 1, 5, 2, 10])
    expect((await scene.reparse()).counts).not.toHaveProperty('changed')
  })

  test('an older version is not appended after a later one that was read without `version`', async () => {
    await scene.pass()
    const plain = { cursor: '{ mode: membership, id: this.id }' }
    scene.define(plain)
    serve('b?page=1', [{ ...b1, stars: 5 }])
    await scene.pass()
    scene.define({ ...plain, ...doubled })
    await scene.reparse()
    expect((await starsOf()).filter(([id]) => id === 'b1')).toEqual([
      ['b1', 1],
      ['b1', 5],
      ['b1', 10],
    ])
    expect((await scene.reparse()).counts).not.toHaveProperty('changed')
  })

  test('what was deleted is not brought back', async () => {
    const listed = { cursor: '{ mode: membership, id: this.id, version: this.v, deletes: tombstone }', key: 'this.id' }
    scene.define(listed)
    serve('c?page=1', [])
    await scene.pass()
    serve('b?page=1', [b2])
    serve('b?page=2', [])
    await scene.pass()
    expect((await scene.rows()).filter(({ value }) => value === null).map(({ key }) => key)).toEqual(['b1'])
    scene.define({ ...listed, ...doubled })
    expect((await scene.reparse()).counts).toMatchObject({ changed: 1, superseded: 1 })
    expect((await scene.reparse()).counts).toMatchObject({ unchanged: 1, superseded: 1 })
  })

  test('a dry run tells the same and changes nothing', async () => {
    await scene.pass()
    scene.define(doubled)
    expect((await scene.reparse({}, { dryRun: true })).counts).toEqual({ changed: 2, dead: 1 })
    expect(await scene.rows()).toHaveLength(2)
    expect((await scene.reparse()).counts).toEqual({ changed: 2, dead: 1 })
  })

  test('pages are chosen by split and by time', async () => {
    await scene.pass()
    const second = Date.now() + 90_000
    serve('b?page=1', [{ ...b1, id: 'b3' }])
    await scene.pass()
    scene.define(doubled)
    expect((await scene.reparse({ splits: ['product=c'] })).counts).toEqual({ dead: 2 })
    expect((await scene.reparse({ fromMs: second }, { dryRun: true })).counts).toMatchObject({ changed: 1 })
    expect((await scene.reparse({ toMs: second }, { dryRun: true })).counts).toMatchObject({ changed: 2 })
  })

  test('`now` is the time of the page, so that it makes no difference', async () => {
    scene.define({ map: { id: 'this.id', stars: 'double(now)' } })
    await scene.pass()
    expect((await scene.reparse()).counts).toMatchObject({ unchanged: 3 })
  })

  test('a schema that reads the records alike makes no difference, one with another value does', async () => {
    await scene.pass()
    const fields = [{ name: 'title', type: ['null', 'string'], default: null }]
    scene.define({ fields })
    expect((await scene.reparse()).counts).toEqual({ unchanged: 2, dead: 1 })
    scene.define({ fields, map: { id: 'this.id', stars: 'double(this.stars)', title: 'this.title' } })
    expect((await scene.reparse()).counts).toEqual({ changed: 2, dead: 1 })
  })

  test('I14: a schema that the policy does not let in is not registered, and nothing is written', async () => {
    await scene.pass()
    mkdirSync(join(scene.dir, 'schemas'))
    writeFileSync(join(scene.dir, 'schemas/governance.yaml'), 'defaults: { owner: reviews team, level: BACKWARD }\n')
    scene.define({ ...doubled, fields: [{ name: 'note', type: 'string', default: '' }] })
    await expect(scene.reparse()).rejects.toMatchObject({ code: 'schema.not_registered' })
    expect((await starsOf()).toSorted()).toEqual([
      ['b1', 1],
      ['b2', 2],
    ])
    expect((await scene.reparse({}, { dryRun: true })).counts).toMatchObject({ changed: 2 })
  })

  test('a key that changes moves a record once', async () => {
    await scene.pass()
    scene.define({ key: "'k' + record.id" })
    expect((await scene.reparse()).counts).toEqual({ changed: 2, dead: 1 })
    expect((await scene.reparse()).counts).toEqual({ unchanged: 2, dead: 1 })
  })

  test('two at the same time give each record once', async () => {
    await scene.pass()
    scene.define(doubled)
    const both = await Promise.all([scene.reparse(), scene.reparse()])
    expect(both.map(({ counts }) => counts['changed'] ?? 0).sort()).toEqual([0, 2])
  })

  test('beside a running pipeline, the newest version of an item is the last of its key', async () => {
    await scene.pass()
    scene.define(doubled)
    for (let v = 2; v < 6; v++) {
      serve('b?page=1', [{ ...b1, v, stars: v }])
      await Promise.all([scene.pass(), scene.reparse()])
    }
    await scene.reparse()
    const ratings = (await starsOf()).filter(([id]) => id === 'b1').map(([, stars]) => stars)
    expect(ratings.at(-1)).toBe(10)
    // Each version as it is written today, once; the first is there as it was before too.
    expect([...ratings].sort((a, b) => Number(a) - Number(b)).filter(stars => Number(stars) > 2)).toEqual([4, 6, 8, 10])
  })

  test('I5: a record that the log refuses for good is a dead letter, the rest of its page is appended', async () => {
    serve('b?page=1', [b1, { ...b1, id: 'long' }])
    await scene.pass()
    scene.define({ map: { id: `this.id == 'long' ? '${'x'.repeat(1500)}' : this.id`, stars: '4.0' } })
    scene.lower('shop')
    const { counts, pages } = await scene.reparse()
    expect(counts).toMatchObject({ changed: 2, failed: 1 })
    expect(pages.flatMap(({ items }) => items).find(({ result }) => result === 'failed')?.error?.code).toBe(
      'log.record_too_large',
    )
    expect((await scene.reparse()).counts).toMatchObject({ unchanged: 2, dead: 2 })
  })

  test('a pipeline that keeps no pages is told so', async () => {
    await scene.pass()
    scene.define({ keep: false })
    await expect(scene.reparse()).rejects.toMatchObject({ code: 'usage.invalid' })
  })

  test('the command: asks, tells each item, sums up, and ends with 2 where something failed', async () => {
    await scene.pass()
    expect((await scene.weir('prepare', 'pipeline.yaml')).out).toContain('shop_raw: 1 partition, was there')
    expect(await scene.weir('reparse', 'pipeline.yaml')).toMatchObject({ code: 2, out: '' })
    scene.define({ map: { id: 'this.id', stars: 'this.title == "Lid" ? double("x") : 9.0' } })
    const { code, out, err } = await scene.weir('reparse', 'pipeline.yaml', '--yes')
    expect({ code, err }).toMatchObject({
      code: 2,
      err: expect.stringContaining('5 pages: 1 changed, 0 new, 1 failed'),
    })
    expect(out).toMatch(/changed +product=b b1@/)
    expect(out).toMatch(/failed +product=b b2@\S+ {2}map.failed: /)
    const json = await scene.weir('reparse', 'pipeline.yaml', '--split', 'product=b', '--json')
    expect(json).toMatchObject({ code: 0, out: '' })
    expect((await scene.weir('reparse', 'pipeline.yaml', '--from', '1h', '--to', '2h')).code).toBe(2)
    expect((await scene.weir('topic', 'list')).out).toContain('shop_raw')
    expect((await scene.weir('lint', 'pipeline.yaml', '--explain')).out).toContain('raw pages shop_raw -> topic shop')
  })
})
