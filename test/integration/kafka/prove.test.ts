// Proof and census over a real broker, where transactions take offsets and retention is the topic's own.
import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { runWeir } from '../../support/cli.ts'
import { governedWorkspace, reviewFields, reviewSchema } from '../../support/governed-workspace.ts'
import { describeWith } from '../../support/services/for-tests.ts'

await describeWith(['kafka'], 'proof on a cluster', kafka => {
  test('the records that fail are named as the cluster counts them', { timeout: 120_000 }, async () => {
    using workspace = governedWorkspace([])
    const topic = `prove-${randomBytes(5).toString('hex')}`
    const fields = (title: unknown) =>
      reviewSchema(reviewFields.map(each => (each.name === 'title' ? { name: 'title', type: title, doc: 'x' } : each)))
    workspace.write('schemas/governance.yaml', 'defaults: { owner: us, auto_register: true }\n')
    workspace.write('schemas/reviews.avsc', reviewSchema(reviewFields))
    const items = Array.from({ length: 60 }, (_, i) => ({
      review_id: `r${i}`,
      stars: 4.5,
      title: i % 9 === 4 ? null : `t ${i}`,
    }))
    workspace.write('data/reviews.ndjson', items.map(each => `${JSON.stringify(each)}\n`).join(''))
    workspace.write(
      'pipelines/reviews.yaml',
      `pipeline: ${topic}
source: { file: { paths: [../data/reviews.ndjson], root: .., format: ndjson } }
topic: { name: ${topic}, key: record.review_id, schema: ../schemas/reviews.avsc, partitions: 2, retention: { time: 7d } }
consume: [{ group: ${topic}-all, sink: { log: {} } }]
`,
    )
    const weir = (...argv: string[]) =>
      runWeir(argv, { cwd: workspace.dir, env: { WEIR_BROKER: kafka.bootstrap }, deadlineMs: 60_000 })
    expect(await weir('run', 'pipelines/reviews.yaml', '--until', 'end', '--log-level', 'fatal')).toMatchObject({
      code: 0,
    })
    const records = (await weir('topic', 'cat', topic, '--json')).out
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(records).toHaveLength(60)

    workspace.write('schemas/reviews.avsc', fields('string'))
    const { out } = await weir('schema', 'prove', '--topic', topic, '--json')
    const { data } = JSON.parse(out).reviews[0]
    expect(data).toMatchObject({ records: 60, failed: 7 })
    // Marks of transactions are offsets too.
    expect(data.retained).toBeGreaterThan(60)
    const place = ({ partition, offset }: { partition: number; offset: number | string }) => `${partition}/${offset}`
    expect(data.failures.map(place).sort()).toEqual(
      records
        .filter(({ value }) => value.title === null)
        .map(place)
        .sort(),
    )

    const census = JSON.parse((await weir('schema', 'census', topic, '--json')).out)
    expect(census).toMatchObject({
      records: 60,
      retention_ms: 7 * 86_400_000,
      ids: [{ version: 1, records: 60, share: 1 }],
    })
    expect(census.groups).toMatchObject([{ group: `${topic}-all`, last_version: 1, ahead: [] }])
  })
})
