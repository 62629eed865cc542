// What weir wrote, read by others: 2,000 real reviews through the shipped pipeline onto a real broker, read back by librdkafka (kcat, committed
// records only) and decoded by Apache Avro's Java implementation, field for field against the file as csv-parse reads it.
import { createHash } from 'node:crypto'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { parse } from 'csv-parse/sync'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runWeir } from '../../support/cli.ts'
import { describeWith } from '../../support/services/for-tests.ts'
import { readCommitted } from '../../support/services/kcat.ts'

const project = resolve(import.meta.dirname, '../../..')
const reviews: readonly Readonly<Record<string, string>>[] = parse(
  gunzipSync(readFileSync(join(project, 'pipelines/data/finefoods-first2000.csv.gz'))),
  { columns: true },
)

/** As pipelines/finefoods.yaml says, in plain words of ours. */
function expectedOf(row: Readonly<Record<string, string>>) {
  const orNull = (text: string | undefined) => (text === undefined || text.trim() === '' ? null : text.trim())
  const identity = ['finefoods', row['UserId'], row['ProductId'], row['Time']].join('|')
  return {
    review_id: `h:${createHash('sha256').update(identity).digest('hex').slice(0, 24)}`,
    product_asin: row['ProductId'],
    reviewer_name: orNull(row['ProfileName']),
    review_text: orNull(row['Text']),
    review_title: orNull(row['Summary']),
    rating: Number(row['Score']),
    review_date: row['Time'],
    helpfulness_votes: Number(row['HelpfulnessNumerator']),
  }
}

await describeWith(['kafka', 'kcat', 'avro-tools'], 'other clients', ({ bootstrap, from }, kcat, decodeAvro) => {
  const dir = mkdtempSync(join(tmpdir(), 'weir-others-'))
  beforeAll(() => {
    for (const folder of ['pipelines', 'schemas']) cpSync(join(project, folder), join(dir, folder), { recursive: true })
  })
  afterAll(() => rmSync(dir, { recursive: true, force: true }))

  test.each([
    ['kafkajs', 'zstd'],
    ['platformatic', 'gzip'],
  ] as const)(
    `%s and %s on ${from}: kcat reads as many, Avro for Java decodes each field of each`,
    {
      timeout: 240_000,
    },
    async (driver, compression) => {
      const name = `finefoods-${driver}-${process.pid}`
      const topic = `${name}.reviews`
      const shipped = readFileSync(join(project, 'pipelines/finefoods.yaml'), 'utf8')
      const definition = shipped
        .replace('pipeline: finefoods', `pipeline: ${name}`)
        .replace('finefoods_reviews', topic)
        .replace('finefoods-export', `${name}-export`)
        .replace('finefoods.ndjson', `${name}.ndjson`)
      writeFileSync(join(dir, 'pipelines', `${name}.yaml`), definition)
      writeFileSync(
        join(dir, 'weir.yaml'),
        `broker: { kafka: { brokers: ["${bootstrap}"], driver: ${driver}, compression: ${compression} } }\n`,
      )
      const weir = (...args: string[]) => runWeir(args, { cwd: dir, deadlineMs: 60_000 })
      const run = await weir('run', `pipelines/${name}.yaml`, '--until', 'end')
      expect({ code: run.code, err: run.err }).toEqual({ code: 0, err: '' })
      const [summary] = run.out.trim().split('\n').slice(-1)
      expect(JSON.parse(summary!)).toMatchObject({ fetched: 2_000, appended: 2_000, dead: {} })

      const lines = (await kcat(readCommitted(bootstrap, topic))).toString().trim().split('\n')
      expect(lines).toHaveLength(2_000)
      expect(new Set(lines.map(line => line.split(' ').slice(0, 2).join('/'))).size).toBe(2_000)

      const values = framesOf(await kcat(readCommitted(bootstrap, topic, '%R%s')))
      const described = JSON.parse((await weir('topic', 'describe', topic, '--json')).out) as { schema: { id: number } }
      for (const value of values) expect([value[0], value.readInt32BE(1)]).toEqual([0, described.schema.id])
      const schema = readFileSync(join(project, 'schemas/raw-review.avsc'), 'utf8')
      const decoded = await decodeAvro(schema, Buffer.concat(values.map(value => value.subarray(5))))
      const found = decoded.map(({ ingestion_timestamp, ...record }) => {
        expect(Math.abs((ingestion_timestamp as number) - Date.now())).toBeLessThan(600_000)
        return Object.fromEntries(Object.entries(record).map(([field, value]) => [field, withoutBranch(value)]))
      })
      const byKey = (records: readonly Readonly<Record<string, unknown>>[]) =>
        new Map(
          [...Map.groupBy(records, record => record['product_asin'])].sort(([a], [b]) =>
            String(a) < String(b) ? -1 : 1,
          ),
        )
      // Per product in the order of the file, which is the order of its partition.
      expect(byKey(found)).toEqual(byKey(reviews.map(expectedOf)))
    },
  )
})

/** Values, each behind its length. */
function framesOf(bytes: Buffer): Buffer[] {
  const frames: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = at + 4 + bytes.readInt32BE(at)
    frames.push(bytes.subarray(at + 4, end))
    at = end
  }
  return frames
}

/** Avro's JSON names the branch of a union: {"string": "…"}. */
function withoutBranch(value: unknown): unknown {
  return value !== null && typeof value === 'object' ? Object.values(value)[0] : value
}
