// The cluster that a `kafka` source names: the rules of weir.yaml hold for it too, and its definition is what the adapter is opened with.
import { afterAll, describe, expect, test } from 'vitest'
import { corpusCatalogue } from '../../support/corpus-catalogue.ts'
import { definitionFolder, pipelineText } from '../../support/definition-text.ts'

const folder = definitionFolder()
afterAll(() => folder[Symbol.dispose]())

const lint = (fields: string) =>
  folder.lint(pipelineText({ source: `  kafka: { topic: t, ${fields} }` }), {
    catalogue: corpusCatalogue,
    env: { PASSWORD: 'a-password' },
  })

test('is read with defaults, beside the config of the source', async () => {
  const { definition, problems } = lint('brokers: ["a:9092", "b:9092"]')
  expect(problems).toEqual([])
  expect(definition!.source.config).toMatchObject({
    topic: 't',
    from: 'earliest',
    out_of_range: 'stop',
    format: 'json',
  })
  expect(definition!.source.cluster).toMatchObject({
    broker: {
      kind: 'kafka',
      brokers: ['a:9092', 'b:9092'],
      driver: 'kafkajs',
      tls: null,
      sasl: null,
      requestTimeoutMs: 30_000,
    },
    registry: null,
  })
})

test('with a login and a registry; passwords are secrets', async () => {
  const { definition, problems } = lint(
    'brokers: ["a:9092"], tls: true, sasl: { plain: { username: u, password: "${PASSWORD}" } }, format: avro, registry: { url: "https://r.example/x/", auth: { bearer: "${PASSWORD}" } }',
  )
  expect(problems).toEqual([])
  const { broker, registry } = definition!.source.cluster!
  expect(broker.sasl).toMatchObject({ mechanism: 'plain', username: 'u' })
  expect(registry).toMatchObject({ url: 'https://r.example/x', timeoutMs: 10_000 })
  expect(JSON.stringify(definition)).not.toContain('a-password')
  const sasl = broker.sasl as { readonly password: () => unknown }
  expect(String(await sasl.password())).toBe('***')
})

describe('is refused, with a hint', () => {
  test.each([
    ['from: earliest', 'config.missing_field'],
    ['brokers: []', 'config.invalid'],
    ['brokers: ["a"]', 'config.invalid'],
    ['brokers: ["kafka://a:9092"]', 'config.invalid'],
    ['brokers: ["a:9092", "a:9092"]', 'config.invalid'],
    ['brokers: ["a:9092"], sasl: { plain: { username: u, password: "${PASSWORD}" } }', 'config.conflict'],
    ['brokers: ["a:9092"], tls: true, sasl: {}', 'config.missing_field'],
    ['brokers: ["a:9092"], tls: { ca: none.pem }', 'config.invalid'],
    ['brokers: ["a:9092"], format: avro', 'config.missing_field'],
    ['brokers: ["a:9092"], format: xml', 'config.invalid'],
    ['brokers: ["a:9092"], format: avro, registry: { url: registry }', 'config.invalid'],
    ['brokers: ["a:9092"], group: g', 'config.unknown_field'],
  ])('%s', (fields, code) => {
    const { problems, definition } = lint(fields)
    expect(definition).toBeUndefined()
    expect(problems.map(problem => problem.code)).toContain(code)
    for (const problem of problems) expect(problem.hint).toBeTruthy()
  })
})

test('a registry without Avro is warned of', () => {
  const { problems, definition } = lint('brokers: ["a:9092"], registry: { url: "https://r.example" }')
  expect(problems.map(problem => problem.message)).toEqual(['`registry` has no use with `format: json`.'])
  expect(definition).toBeDefined()
})
