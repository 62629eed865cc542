// A real process that reads a queue or a stream of the stand-in, killed on purpose at each place that counts (I1, I2): between the commit and the
// deletion, before the commit, within calls. Whatever comes again is known by the cursor.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { callKinesis, leftIn, newStream, putInto, queueWith } from '../support/aws/scene.ts'
import { openStandIn, type StandIn } from '../support/aws/stand-in.ts'
import { runWeir } from '../support/cli.ts'

let aws: StandIn
beforeAll(async () => {
  aws = await openStandIn()
})
afterAll(() => aws[Symbol.asyncDispose]())

interface Row {
  readonly headers: Record<string, string>
  readonly key: string
  readonly value: { readonly review_id: string; readonly product_asin: string }
}

interface Scene extends Disposable {
  run(failpoint?: string): Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>
  rows(topic: string): Promise<Row[]>
}

function scene(source: string, item: string): Scene {
  const dir = mkdtempSync(join(tmpdir(), 'weir-aws-'))
  const data = ['--data', join(dir, '.weir')]
  writeFileSync(
    join(dir, 'pipeline.yaml'),
    `pipeline: queued
source:
${source}
fetch: { allow_private: [127.0.0.1/32], retry: { attempts: 1 } }
map:
  review_id: this.${item}.id
  product_asin: this.${item}.asin
  rating: double(this.${item}.stars)
  review_text: '"text"'
topic: { name: queued, key: record.product_asin, schema: ${join(import.meta.dirname, '../../schemas/raw-review.avsc')}, partitions: 3 }
`,
  )
  const env = { KEY: 'AKIDEXAMPLE', SECRET: 'secret-of-example', AWS_EC2_METADATA_DISABLED: 'true' }
  return {
    async run(failpoint) {
      const args = ['run', 'pipeline.yaml', '--stage', 'producer', '--until', 'end', ...data]
      const ended = await runWeir(args, {
        cwd: dir,
        env: { ...env, ...(failpoint === undefined ? {} : { WEIR_FAILPOINT: failpoint }) },
        deadlineMs: 60_000,
      })
      if (ended.signal === null && ended.code !== 0) throw new Error(`${ended.out}\n${ended.err}`)
      return ended
    },
    async rows(topic) {
      const { out } = await runWeir(['topic', 'cat', topic, '--json', ...data], { cwd: dir })
      return out
        .split('\n')
        .filter(line => line !== '')
        .map(line => JSON.parse(line) as Row)
    },
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  }
}

const shared = (endpoint: string) =>
  `region: us-east-1, endpoint: "${endpoint}", credentials: { access_key_id: "\${KEY}", secret_access_key: "\${SECRET}" }`
const review = (n: number) => JSON.stringify({ id: String(n), asin: `B${n % 5}`, stars: 4 })
/** Each tenth is no JSON. */
const body = (n: number) => (n % 10 === 9 ? `{"id":"${n}",}` : review(n))
const count = 60

function expectOnce(rows: readonly Row[], dead: readonly Row[]): void {
  const ids = rows.map(row => row.value.review_id)
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids).toHaveLength(count - count / 10)
  expect(dead).toHaveLength(count / 10)
  const identities = [...rows, ...dead].map(row => row.headers['weir-id'])
  expect(new Set(identities).size).toBe(count)
}

// Calls to the queue: a receive is followed by the commit, then by the deletion.
test.each(['append.after_commit:2', 'append.before_commit:3', 'fetch.before:3', 'fetch.after:5'])(
  'sqs, killed at %s: every message is in the topic once, and none is left',
  async point => {
    const queue = await queueWith(
      aws.url,
      Array.from({ length: count }, (_, n) => body(n)),
    )
    using here = scene(
      `  sqs: { queue_url: "${queue}", ${shared(aws.url)}, wait: 1s, batch: 10, visibility_timeout: 30s }`,
      'body',
    )
    expect((await here.run(`${point}:kill`)).signal).toBe('SIGKILL')
    // What the dead process held comes again.
    aws.advance(31_000)
    expect((await leftIn(aws.url, queue)).free).toBeGreaterThan(0)
    await here.run()
    expectOnce(await here.rows('queued'), await here.rows('queued_dlq'))
    expect(await leftIn(aws.url, queue)).toEqual({ free: 0, hidden: 0 })
  },
  120_000,
)

test.each(['append.after_commit:2', 'fetch.after:6'])(
  'kinesis, killed at %s and resharded: every record is in the topic once, in order for each key',
  async point => {
    const stream = await newStream(aws.url, 2)
    const put = (from: number, to: number) =>
      putInto(
        aws.url,
        stream,
        Array.from({ length: to - from }, (_, i) => [`B${(from + i) % 5}`, body(from + i)] as const),
      )
    await put(0, 25)
    using here = scene(`  kinesis: { stream: ${stream}, ${shared(aws.url)}, max_records: 4 }`, 'data')
    expect((await here.run(`${point}:kill`)).signal).toBe('SIGKILL')
    const middle = String(2n ** 126n)
    const split = { StreamName: stream, ShardToSplit: 'shardId-000000000000', NewStartingHashKey: middle }
    await callKinesis(aws.url, 'SplitShard', split)
    await put(25, 45)
    const merge = { ShardToMerge: 'shardId-000000000003', AdjacentShardToMerge: 'shardId-000000000001' }
    await callKinesis(aws.url, 'MergeShards', { StreamName: stream, ...merge })
    await put(45, count)
    expect((await here.run(`${point}:kill`)).signal).toBe('SIGKILL')
    await here.run()
    const rows = await here.rows('queued')
    expectOnce(rows, await here.rows('queued_dlq'))
    for (const key of new Set(rows.map(row => row.key))) {
      const numbers = rows.filter(row => row.key === key).map(row => Number(row.value.review_id))
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
    }
  },
  120_000,
)
