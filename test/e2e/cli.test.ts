// Every command that looks, against the real process and a small store made through the ports.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Store } from '../../src/app/open.ts'
import { codes } from '../../src/core/errors.ts'
import { runWeir } from '../support/cli.ts'
import { makeSmallStore, ownBucket, smallRecords, smallSeen, smallTimeMs } from '../support/small-store.ts'

const cwd = mkdtempSync(join(tmpdir(), 'weir-e2e-'))
beforeAll(async () => {
  await using _store = await makeSmallStore(join(cwd, '.weir'))
})
afterAll(() => rmSync(cwd, { recursive: true, force: true }))

const weir = (...argv: string[]) => runWeir(argv, { cwd })
async function json(...argv: string[]) {
  const { code, out, err } = await weir(...argv, '--json')
  expect({ code, err }).toEqual({ code: 0, err: '' })
  return JSON.parse(out)
}
async function ndjson(...argv: string[]): Promise<Record<string, unknown>[]> {
  const { code, out, err } = await weir(...argv, '--json')
  expect({ code, err }).toEqual({ code: 0, err: '' })
  return out
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
}

describe('weir topic', () => {
  test('list', async () => {
    expect(await json('topic', 'list')).toEqual([
      expect.objectContaining({ topic: 'demo', partitions: 2, records: smallRecords + 2, retention_ms: null }),
    ])
    const { out } = await weir('topic', 'list')
    expect(out).toMatch(/^TOPIC +PARTITIONS +RECORDS +SIZE +KEPT FOR\ndemo +2 +14 /)
  })

  test('describe', async () => {
    const topic = await json('topic', 'describe', 'demo')
    expect(topic).toMatchObject({ topic: 'demo', schema: { subject: 'demo-value', version: 1 }, groups: [] })
    expect(topic.partition_offsets).toHaveLength(2)
    expect((await weir('topic', 'describe', 'demo')).out).toContain('demo-value version 1')
  })

  test('cat prints one object a line with everything a record has', async () => {
    const records = await ndjson('topic', 'cat', 'demo')
    expect(records).toHaveLength(smallRecords + 2)
    const first = records.find(r => (r['value'] as { id?: string } | null)?.id === 'r0')
    expect(first).toEqual({
      topic: 'demo',
      partition: expect.any(Number),
      offset: expect.any(Number),
      timestamp: smallTimeMs(0),
      key: 'k0',
      headers: { 'weir-id': 'demo/s/0', tag: ['a', 'b'] },
      schema_id: expect.any(Number),
      value: { id: 'r0', rating: 1, seen: String(smallSeen) },
    })
    const places = records.map(r => `${r['partition']}/${r['offset']}`)
    expect(new Set(places).size).toBe(records.length)
  })

  test('cat shows what cannot be decoded as Base64 with the reason, and goes on', async () => {
    const odd = (await ndjson('topic', 'cat', 'demo')).filter(r => r['value'] === null)
    expect(odd).toContainEqual(
      expect.objectContaining({
        key: { base64: '//4=' },
        value_base64: Buffer.from('no avro').toString('base64'),
        error: expect.objectContaining({ code: 'decode.not_framed' }),
      }),
    )
    expect(odd).toHaveLength(2)
  })

  test('cat takes a partition, a start, a limit and a filter', async () => {
    expect((await ndjson('topic', 'cat', 'demo', '--partition', '1')).every(r => r['partition'] === 1)).toBe(true)
    expect(await ndjson('topic', 'cat', 'demo', '--limit', '3')).toHaveLength(3)
    const late = await ndjson('topic', 'cat', 'demo', '--from', new Date(smallTimeMs(12)).toISOString())
    expect(late.map(r => r['timestamp']).sort()).toEqual([smallTimeMs(12), smallTimeMs(13)])
    const filtered = await weir('topic', 'cat', 'demo', '--json', '--filter', 'record.rating <= 2.0')
    const ratings = filtered.out
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line).value.rating)
    expect(ratings.sort()).toEqual([1, 1, 1, 2, 2, 2])
    expect(filtered.err).toContain('the filter fails on demo')
    expect(filtered.code).toBe(0)
  })

  test('cat for people is one line a record', async () => {
    const { out } = await weir('topic', 'cat', 'demo', '--limit', '2')
    expect(out.trimEnd().split('\n')).toHaveLength(2)
    expect(out).toMatch(/^\d\/\d+ {2}2026-01-31T10:00:\d\d\.000Z {2}\S+ {2}\{"id":/)
  })

  test('tail prints the newest records; a follower ends well at SIGINT', async () => {
    const newest = await ndjson('topic', 'tail', 'demo', '--limit', '3')
    expect(newest.map(r => r['timestamp'])).toEqual([smallTimeMs(11), smallTimeMs(12), smallTimeMs(13)])
    const { code, err } = await runWeir(['topic', 'tail', 'demo', '--follow', '--limit', '1', '--json'], {
      cwd,
      started: child => child.stdout!.once('data', () => child.kill('SIGINT')),
    })
    expect({ code, err }).toEqual({ code: 0, err: '' })
  })
})

describe('weir cursor', () => {
  test('list and show', async () => {
    expect(await json('cursor', 'list')).toEqual([{ pipeline: 'demo', splits: 2, running: false }])
    const shown = await json('cursor', 'show', 'demo')
    expect(shown).toMatchObject({ pipeline: 'demo', running: false })
    expect(shown.cursors.map((c: { split: string; value: string }) => [c.split, c.value])).toEqual([
      ['asin=A1', '{"v":1,"page":3}'],
      ['asin=B2', '{"v":1,"page":7}'],
    ])
    const people = await weir('cursor', 'show', 'demo')
    expect(people.out).toContain('{"v":1,"page":3}')
    expect(people.err).toContain('--file')
  })

  test('set and reset ask for --yes, then do it, and nothing else', async () => {
    const values = async () =>
      Object.fromEntries(
        (await json('cursor', 'show', 'demo')).cursors.map((c: { split: string; value: string }) => [c.split, c.value]),
      )
    const before = await values()
    expect(await weir('cursor', 'set', 'demo', 'asin=A1', '{"v":1,"page":9}')).toMatchObject({ code: 2 })
    expect(await values()).toEqual(before)
    expect(await weir('cursor', 'set', 'demo', 'asin=A1', '{"v":1,"page":9}', '--yes')).toMatchObject({ code: 0 })
    expect(await values()).toEqual({ ...before, 'asin=A1': '{"v":1,"page":9}' })
    const piped = await runWeir(['cursor', 'set', 'demo', 'asin=A1', '-', '--yes'], {
      cwd,
      input: '{"v":1,"page":10}\n',
    })
    expect(piped).toMatchObject({ code: 0 })
    expect(await values()).toEqual({ ...before, 'asin=A1': '{"v":1,"page":10}' })
    expect(await weir('cursor', 'reset', 'demo', '--split', 'asin=A1', '--yes')).toMatchObject({ code: 0 })
    expect(await values()).toEqual({ 'asin=B2': before['asin=B2'] })
  })

  describe('while the pipeline runs', () => {
    let store: Store
    const other = mkdtempSync(join(tmpdir(), 'weir-e2e-'))
    beforeAll(async () => {
      store = await makeSmallStore(join(other, '.weir'))
    })
    afterAll(async () => {
      await store[Symbol.asyncDispose]()
      rmSync(other, { recursive: true, force: true })
    })

    test('changing is refused, looking is not', async () => {
      await using _owner = (await ownBucket(store)).producer
      const set = await runWeir(['cursor', 'set', 'demo', 'asin=A1', '{}', '--yes'], { cwd: other })
      expect(set).toMatchObject({ code: codes['cursor.in_use'].exit, out: '' })
      expect(set.err).toContain('error[cursor.in_use]')
      const list = await runWeir(['cursor', 'list', '--json'], { cwd: other })
      expect(JSON.parse(list.out)).toEqual([{ pipeline: 'demo', splits: 2, running: true }])
    })
  })
})

describe('weir connectors', () => {
  test('lists sources and sinks with their guarantee', async () => {
    const all = await json('connectors')
    expect(all).toContainEqual(expect.objectContaining({ kind: 'source', name: 'file' }))
    expect(all).toContainEqual(
      expect.objectContaining({ kind: 'sink', name: 'log', guarantee: expect.stringMatching(/once/) }),
    )
  })

  test('show tells fields with types and defaults, and examples in YAML', async () => {
    const shown = await json('connectors', 'show', 'http')
    expect(shown.fields.length).toBeGreaterThan(5)
    expect(shown.fields.every((f: { doc: string }) => f.doc.length > 0)).toBe(true)
    const { out } = await weir('connectors', 'show', 'http')
    expect(out).toMatch(/FIELD +TYPE +DEFAULT +MEANING/)
    expect(out).toMatch(/^source:\n {2}http:/m)
  })
})

describe('weir doctor', () => {
  test('a machine in order passes, every check with a status', async () => {
    const { code, out } = await weir('doctor', '--full', '--json')
    const report = JSON.parse(out)
    expect(report.findings.filter((f: { status: string }) => f.status === 'fail')).toEqual([])
    expect(code).toBe(0)
    expect(report.findings.map((f: { check: string }) => f.check)).toEqual(
      expect.arrayContaining([
        'node',
        'sqlite',
        'workspace',
        'data folder',
        'file system',
        'disk',
        'store',
        'wal',
        'owners',
        'registry',
        'clock',
        'pipelines',
      ]),
    )
  })

  test('a store that is no store fails with exit code 3 and a hint', async () => {
    const bad = join(cwd, 'bad')
    mkdirSync(bad)
    writeFileSync(
      join(bad, 'weir.db'),
      'this is not a database, not at all: it is only text that is long enough to be read',
    )
    const { code, out } = await weir('doctor', '--data', bad)
    expect(code).toBe(3)
    expect(out).toMatch(/^fail +store/m)
  })

  test('makes no store where there is none', async () => {
    const { code, out } = await weir('doctor', '--data', join(cwd, 'none'), '--json')
    expect(code).toBe(0)
    expect(JSON.parse(out).findings).toContainEqual(
      expect.objectContaining({ check: 'store', message: expect.stringContaining('none yet') }),
    )
    expect((await weir('topic', 'list', '--data', join(cwd, 'none'))).code).toBe(2)
  })
})

describe('weir dlq', () => {
  test('a topic of records is told from that of its dead letters', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'weir-e2e-'))
    await using store = await makeSmallStore(join(dir, '.weir'))
    const letters = { name: 'demo_dlq', partitions: 1, retentionMs: null, retentionBytes: null, maxRecordBytes: 1000 }
    await store.log.ensureTopic(letters)
    const { code, err } = await runWeir(['dlq', 'list', 'demo'], { cwd: dir })
    expect(code).toBe(2)
    expect(err).toBe(
      'error[usage.invalid] demo holds records, not dead letters\n  hint: Its dead letters are in demo_dlq.\n',
    )
    expect(await runWeir(['dlq', 'list', 'demo_dlq'], { cwd: dir })).toMatchObject({ code: 0 })
    rmSync(dir, { recursive: true, force: true })
  })
})

describe('weir lint', () => {
  test('says what is wrong, where, in three formats, with exit code 2', async () => {
    mkdirSync(join(cwd, 'lint'), { recursive: true })
    writeFileSync(join(cwd, 'lint', 'bad.yaml'), 'pipeline: bad\nsource:\n  fiel: {}\ntopic: { name: t }\n')
    const pretty = await weir('lint', 'lint')
    expect(pretty).toMatchObject({ code: 2, err: '' })
    expect(pretty.out).toMatch(/--> lint\/bad\.yaml:3:3/)
    expect(pretty.out).toContain('Did you mean file?')
    const program = await weir('lint', 'lint', '--json')
    expect(JSON.parse(program.out).errors).toBeGreaterThan(0)
    const github = await weir('lint', 'lint', '--format', 'github')
    expect(github.out).toMatch(/^::error file=lint\/bad\.yaml,line=3/m)
    expect(github.code).toBe(2)
  })
})

describe('weir docs', () => {
  test('writes the generated files, finds them current, and names the command that fixes a stale one', async () => {
    const into = join(cwd, 'pages')
    expect((await weir('docs', '--into', into)).code).toBe(0)
    expect(await weir('docs', '--into', into, '--check')).toMatchObject({ code: 0 })
    writeFileSync(join(into, 'docs/reference/errors.md'), 'stale')
    const stale = await weir('docs', '--into', into, '--check')
    expect(stale.code).toBe(2)
    expect(stale.err).toContain('docs/reference/errors.md')
    expect(stale.err).toContain('npm run generate')
  })
})

describe('weir simulate reviews', () => {
  test('listens where it is told, says where, and ends well at SIGTERM', async () => {
    const { code, out, err } = await runWeir(['simulate', 'reviews', '--port', '0', '--json'], {
      cwd,
      started: child =>
        child.stdout!.once('data', async text => {
          const { url } = JSON.parse(String(text))
          await fetch(url).catch(() => {})
          child.kill('SIGTERM')
        }),
    })
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(JSON.parse(out.split('\n')[0]!)).toMatchObject({ url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+/) })
  })
})

describe('weir simulate NAME', () => {
  test('serves that vendor with the key and the faults it was told, prints the seed, and counts what it served', async () => {
    const key = 'another-key'
    const { code, out, err } = await runWeir(
      ['simulate', 'rainforest', '--port', '0', '--seed', '7', '--key', key, '--fault', 'no_title=100%', '--json'],
      {
        cwd,
        started: child =>
          child.stdout!.once('data', async text => {
            const { url } = JSON.parse(String(text))
            await fetch(`${url}/request?api_key=${key}&type=product&asin=B0WEIRTST1`).catch(() => {})
            await fetch(`${url}/request?api_key=wrong&type=product&asin=B0WEIRTST1`).catch(() => {})
            child.kill('SIGTERM')
          }),
      },
    )
    expect({ code, err }).toEqual({ code: 0, err: '' })
    const [first, last] = out
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(first).toMatchObject({ url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+/), seed: 7 })
    expect(last).toEqual({ served: 8, jobs: 0, calls: { 200: 1, 401: 1 } })
  })

  test.each([
    [['brightdata', '--fault', 'nope=3%'], 'fault has no kind'],
    [['brightdata', '--fault', 'reset'], '--fault has no share'],
    [['keepa', '--edit-every', '2'], '--add-every'],
    [['nobody'], 'nobody'],
    [[], 'needs a command'],
  ])('weir simulate %j is refused', async (args, message) => {
    const { code, err } = await runWeir(['simulate', ...args], { cwd })
    expect([code, err]).toEqual([2, expect.stringContaining(message)])
  })
})
