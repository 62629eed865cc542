// Who reads a subject, and which fields, from pipelines as they are written.
import { expect, test } from 'vitest'
import { loadCatalogue } from '../../../../src/app/catalogue.ts'
import { consumersOf, type PipelineText } from '../../../../src/app/governance/consumers.ts'
import { workspaceSubjects } from '../../../../src/app/governance/subjects.ts'
import { examine } from '../../../../src/config/lint.ts'
import { governedWorkspace, reviewFields, reviewSchema } from '../../../support/governed-workspace.ts'

const catalogue = await loadCatalogue()

async function pipelinesOf(
  texts: Readonly<Record<string, string>>,
  work: (all: PipelineText[], dir: string) => unknown,
) {
  using workspace = governedWorkspace()
  const all = Object.entries(texts).map(([name, text]) => {
    const file = `pipelines/${name}.yaml`
    workspace.write(file, text)
    const path = `${workspace.dir}/${file}`
    return { file: path, fields: examine(path, { catalogue, env: {}, unsetVariables: 'warning' }).fields }
  })
  workspace.write('schemas/small.avsc', reviewSchema(reviewFields.slice(0, 1), 'Small'))
  await work(all, workspace.dir)
}

const source = `source:
  oxylabs:
    username: \${NOBODY_SET_THIS}
    password: \${NOR_THIS}
    asins: [B07FZ8S74R]
topic: { name: reviews, schema: ../schemas/reviews.avsc }
`

test('fields of filters, of the first map, and of a sink that takes some; null for a sink that takes all', async () => {
  const text = `pipeline: a
${source}consume:
  - { group: all, sink: { log: {} } }
  - { group: some, sink: { log: { fields: [title] } }, process: [{ filter: record.stars < 2.0 }] }
  - { group: mapped, sink: { log: {} }, process: [{ filter: record.stars < 2.0 }, { map: { t: record.title } }, { filter: record.t != "" }] }
  - { group: looks, sink: { log: { fields: [title] } }, process: [{ filter: size(record) > 1 }] }
  - { group: wrong, sink: { log: { fields: [title] } }, process: [{ filter: "record.(" }] }
`
  await pipelinesOf({ a: text }, (all, dir) => {
    expect(consumersOf(all, 'reviews-value', catalogue, dir)).toEqual([
      { pipeline: 'a', file: 'pipelines/a.yaml', group: 'all', sink: 'log', fields: null },
      { pipeline: 'a', file: 'pipelines/a.yaml', group: 'some', sink: 'log', fields: ['stars', 'title'] },
      { pipeline: 'a', file: 'pipelines/a.yaml', group: 'mapped', sink: 'log', fields: ['stars', 'title'] },
      { pipeline: 'a', file: 'pipelines/a.yaml', group: 'looks', sink: 'log', fields: null },
      { pipeline: 'a', file: 'pipelines/a.yaml', group: 'wrong', sink: 'log', fields: null },
    ])
    expect(consumersOf(all, 'others-value', catalogue, dir)).toEqual([])
  })
})

test('a pipeline that reads the topic as its source is a reader', async () => {
  const bridge = (map: string) => `pipeline: b
source: { kafka: { brokers: ["a:9092"], topic: reviews, format: avro, registry: { url: "http://r" } } }
${map}topic: { name: copies, schema: ../schemas/small.avsc }
`
  const texts = {
    b: bridge('map: { review_id: this.value.review_id + string(this.offset) }\n'),
    c: bridge('').replace('pipeline: b', 'pipeline: c'),
  }
  await pipelinesOf(texts, (all, dir) => {
    expect(consumersOf(all, 'reviews-value', catalogue, dir)).toMatchObject([
      { pipeline: 'b', sink: 'topic copies', fields: ['review_id'] },
      { pipeline: 'c', sink: 'topic copies', fields: null },
    ])
  })
})

test('the subjects of a workspace: topics, dead letters, topics of sinks, each once', async () => {
  const text = (name: string, schema: string) => `pipeline: ${name}
${source}consume:
  - { group: ${name}-copy, sink: { topic: { topic: copies } } }
  - { group: ${name}-small, sink: { topic: { topic: small, schema: ../schemas/${schema}.avsc } } }
`
  await pipelinesOf({ a: text('a', 'small'), b: text('b', 'small') }, async all => {
    const subjects = await workspaceSubjects(all, null)
    expect(
      subjects.map(({ subject, pipelines, file }) => [subject, pipelines.join(), file?.split('/').at(-1) ?? null]),
    ).toEqual([
      ['copies-value', 'a,b', 'reviews.avsc'],
      ['reviews-value', 'a,b', 'reviews.avsc'],
      ['reviews_dlq-value', 'a,b', null],
      ['small-value', 'a,b', 'small.avsc'],
    ])
  })
  await pipelinesOf({ a: text('a', 'small'), b: text('b', 'reviews') }, async all => {
    await expect(workspaceSubjects(all, null)).rejects.toMatchObject({
      code: 'config.conflict',
      message: expect.stringContaining('small-value has one schema in'),
    })
  })
})
