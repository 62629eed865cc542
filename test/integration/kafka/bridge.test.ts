// The `kafka` source against a real broker: committed records only, in full runs of the command, from one topic of the cluster to the embedded log
// and to another topic of the same cluster; killed on the way, each record is there once.
import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Message } from 'kafkajs'
import { expect, test } from 'vitest'
import { compileEncoder } from '../../../src/schema/codec.ts'
import { type CliOptions, runWeir } from '../../support/cli.ts'
import { eventually } from '../../support/eventually.ts'
import { registryScene } from '../../support/http-registry.ts'
import { kafkajsClient, withAdmin } from '../../support/kafkajs-client.ts'
import { describeWith } from '../../support/services/for-tests.ts'
import { endWithUs, scratchDir } from '../../support/services/guard.ts'

const schema = resolve(import.meta.dirname, '../../../schemas/raw-review.avsc')

/** Messages written as one transaction of another client, committed or not. */
async function write(bootstrap: string, topic: string, messages: Message[], how: 'commit' | 'abort' = 'commit') {
  const producer = kafkajsClient(bootstrap).producer({
    transactionalId: `other-${randomBytes(5).toString('hex')}`,
    maxInFlightRequests: 1,
    idempotent: true,
  })
  await producer.connect()
  const transaction = await producer.transaction()
  await transaction.send({ topic, messages })
  await transaction[how]()
  await producer.disconnect()
}

const review = (n: number, partition: number): Message => ({
  partition,
  key: `B${n % 5}`,
  value: JSON.stringify({ id: `r${partition}/${n}`, stars: (n % 5) + 1, text: `text ${n}` }),
  headers: { origin: 'bridge' },
})

interface Row {
  readonly key: string
  readonly value: { readonly review_id: string; readonly review_text: string | null }
}

interface Scene extends AsyncDisposable {
  readonly from: string
  readonly to: string
  run(more?: Partial<CliOptions>): ReturnType<typeof runWeir>
  rows(topic: string): Promise<Row[]>
  weir(args: readonly string[]): ReturnType<typeof runWeir>
  /** Changes the definition. */
  edit(from: string, to: string): void
}

/** `onto`: the broker that the pipeline writes to; null: the embedded one. */
function bridgeScene(bootstrap: string, onto: string | null, more = ''): Scene {
  scratchDir('bridge')
  const dir = mkdtempSync(join(tmpdir(), 'weir-bridge-'))
  const name = `bridge${randomBytes(4).toString('hex')}`
  const from = `${name}-from`
  if (onto !== null)
    writeFileSync(
      join(dir, 'weir.yaml'),
      `broker: { kafka: { brokers: ["${onto}"], session_timeout: 6s, transaction_timeout: 10s, request_timeout: 5s } }\n`,
    )
  const file = join(dir, 'pipeline.yaml')
  writeFileSync(
    file,
    `pipeline: ${name}
source: { kafka: { brokers: ["${bootstrap}"], topic: ${from}${more} } }
map:
  review_id: this.value.id
  product_asin: this.key
  rating: double(this.value.stars)
  review_text: this.headers.origin + ' ' + this.value.text
topic: { name: ${name}, key: record.product_asin, schema: ${schema}, partitions: 3 }
`,
  )
  const weir = (args: readonly string[], options: Partial<CliOptions> = {}) =>
    runWeir([...args, '--data', join(dir, '.weir')], {
      cwd: dir,
      deadlineMs: 90_000,
      ...options,
      started: (child: ChildProcess) => {
        endWithUs(child)
        options.started?.(child)
      },
    })
  return {
    from,
    to: name,
    weir,
    run: (options = {}) => weir(['run', 'pipeline.yaml', '--until', 'end', '--stage', 'producer'], options),
    async rows(topic) {
      const { out, code } = await weir(['topic', 'cat', topic, '--json'])
      expect(code).toBe(0)
      return out
        .split('\n')
        .filter(line => line !== '')
        .map(line => JSON.parse(line) as Row)
    },
    edit: (old, anew) => writeFileSync(file, readFileSync(file, 'utf8').replace(old, anew)),
    async [Symbol.asyncDispose]() {
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

const ids = (rows: readonly Row[]) => rows.map(row => row.value.review_id).sort()
const expected = (count: number, partition: number) => Array.from({ length: count }, (_, n) => `r${partition}/${n}`)

await describeWith(['apache-kafka'], 'a bridge from a real topic', ({ bootstrap }) => {
  test('reads committed records with keys and headers; what is bad is a dead letter; added partitions are read', async () => {
    await using scene = bridgeScene(bootstrap, null)
    const { from, to, run, rows } = scene
    await withAdmin(kafkajsClient(bootstrap), admin =>
      admin.createTopics({ topics: [{ topic: from, numPartitions: 1 }] }),
    )
    const many = (count: number, partition: number) => Array.from({ length: count }, (_, n) => review(n, partition))
    await write(bootstrap, from, many(1_200, 0))
    await write(bootstrap, from, [{ partition: 0, key: 'B0', value: '{"id":"aborted"' }], 'abort')
    await write(bootstrap, from, [
      { partition: 0, key: 'B0', value: '{"id":"cut' },
      { partition: 0, key: 'B0', value: null },
    ])
    expect(await run()).toMatchObject({ code: 0 })
    expect(ids(await rows(to))).toEqual(expected(1_200, 0).sort())
    expect((await rows(to))[0]!.value.review_text).toMatch(/^bridge text \d+$/)
    expect((await rows(`${to}_dlq`)).length).toBe(1)

    await withAdmin(kafkajsClient(bootstrap), async admin => {
      await admin.createPartitions({ topicPartitions: [{ topic: from, count: 2 }] })
      // The controller answers before the broker knows; kafkajs drops messages of a partition that it does not know.
      await eventually('the topic has two partitions', async () => {
        const { topics } = await admin.fetchTopicMetadata({ topics: [from] })
        return topics[0]!.partitions.length === 2
      })
    })
    await write(bootstrap, from, many(50, 1))
    expect(await run()).toMatchObject({ code: 0 })
    expect(ids(await rows(to))).toEqual([...expected(1_200, 0), ...expected(50, 1)].sort())
    expect((await rows(`${to}_dlq`)).length).toBe(1)
  }, 240_000)

  test('stops where records are gone, and goes on where that is asked for', async () => {
    await using scene = bridgeScene(bootstrap, null, ', out_of_range: stop')
    const { from, to, run, rows, edit } = scene
    await withAdmin(kafkajsClient(bootstrap), admin =>
      admin.createTopics({ topics: [{ topic: from, numPartitions: 1 }] }),
    )
    await write(bootstrap, from, [review(0, 0), review(1, 0)])
    expect(await run()).toMatchObject({ code: 0 })
    await write(bootstrap, from, [review(2, 0), review(3, 0)])
    // Two records and a marker before them, and the first of them.
    await withAdmin(kafkajsClient(bootstrap), async admin => {
      await admin.fetchTopicMetadata({ topics: [from] })
      await admin.fetchTopicOffsets(from)
      await admin.deleteTopicRecords({ topic: from, partitions: [{ partition: 0, offset: '4' }] })
    })
    const { code, out } = await run()
    expect(code).toBe(3)
    expect(out).toContain('source.cursor_refused')
    expect(ids(await rows(to))).toEqual(['r0/0', 'r0/1'])
    edit('out_of_range: stop', 'out_of_range: earliest')
    expect(await run()).toMatchObject({ code: 0 })
    expect(ids(await rows(to))).toEqual(['r0/0', 'r0/1', 'r0/3'])
  }, 240_000)

  test('Avro by the registry that is named; what it does not know yet is a dead letter, and can be replayed once it does', async () => {
    await using registry = await registryScene()
    const text = JSON.stringify({
      type: 'record',
      name: 'Theirs',
      fields: ['id', 'text'].map(field => ({ name: field, type: 'string' })).concat({ name: 'stars', type: 'int' }),
    })
    const known = await (await registry.open()).register('theirs-value', text)
    const next = text.replace('Theirs', 'Later')
    const value = (n: number, id: number) =>
      Buffer.from(compileEncoder(text).encode({ id: `r0/${n}`, text: `text ${n}`, stars: 3 }, id))
    await using scene = bridgeScene(bootstrap, null, `, format: avro, registry: { url: "${registry.server.url}" }`)
    const { from, to, run, rows, weir } = scene
    await withAdmin(kafkajsClient(bootstrap), admin =>
      admin.createTopics({ topics: [{ topic: from, numPartitions: 1 }] }),
    )
    const message = (bytes: Buffer): Message => ({ partition: 0, key: 'B1', value: bytes, headers: { origin: 'avro' } })
    await write(bootstrap, from, [
      message(value(0, known.id)),
      message(value(1, known.id + 1)),
      message(Buffer.from('no Avro')),
      message(value(2, known.id)),
    ])
    expect(await run()).toMatchObject({ code: 0 })
    expect(ids(await rows(to))).toEqual(['r0/0', 'r0/2'])
    expect((await rows(`${to}_dlq`)).length).toBe(2)

    expect((await (await registry.open()).register('later-value', next)).id).toBe(known.id + 1)
    const { out } = await weir(['dlq', 'replay', 'pipeline.yaml', '--yes', '--json'])
    expect(out).toContain('decode.not_framed')
    expect(ids(await rows(to))).toEqual(['r0/0', 'r0/1', 'r0/2'])
    expect((await rows(to)).at(-1)!.value.review_text).toMatch(/^avro text \d$/)
  }, 240_000)

  test('onto the same cluster, killed on the way: each record is there once', async () => {
    await using scene = bridgeScene(bootstrap, bootstrap)
    const { from, to, run, rows } = scene
    await withAdmin(kafkajsClient(bootstrap), admin =>
      admin.createTopics({ topics: [{ topic: from, numPartitions: 2 }] }),
    )
    for (const partition of [0, 1])
      await write(
        bootstrap,
        from,
        Array.from({ length: 3_000 }, (_, n) => review(n, partition)),
      )
    let kills = 0
    for (const point of ['append.before_commit:2', 'append.after_commit:1', 'append.begin:2', 'append.after_commit:2'])
      if ((await run({ env: { WEIR_FAILPOINT: `${point}:kill` } })).signal === 'SIGKILL') kills++
    expect(kills).toBeGreaterThan(1)
    expect(await run()).toMatchObject({ code: 0 })
    expect(ids(await rows(to))).toEqual([...expected(3_000, 0), ...expected(3_000, 1)].sort())
  }, 300_000)
})
