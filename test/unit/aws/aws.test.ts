// What sources and sinks of AWS share: what is wrong in a definition, where the SDK is loaded, the rate of calls.
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { errorName } from '../../../src/aws/trouble.ts'
import { corpusCatalogue } from '../../support/corpus-catalogue.ts'
import { definitionFolder, pipelineText } from '../../support/definition-text.ts'

const folder = definitionFolder()
afterAll(() => folder[Symbol.dispose]())
const lint = (source: string, rest = '') =>
  folder.lint(`${pipelineText({ source: `  ${source}\n` })}${rest}`, { catalogue: corpusCatalogue, env: {} })
const url = 'https://sqs.eu-central-1.amazonaws.com/123456789012/reviews'
const problemsOf = (source: string) => lint(source).problems.map(({ severity, message }) => [severity, message])

describe('a definition', () => {
  test.each([
    [`sqs: { queue_url: "${url}", region: us-east-1 }`, 'is of the region eu-central-1'],
    [`sqs: { queue_url: "https://sqs.eu-central-1.amazonaws.com/", region: eu-central-1 }`, 'names no queue'],
    [`sqs: { queue_url: "${url}", region: eu-central-1, identity: deduplication_id }`, 'Only FIFO queues'],
    [`sqs: { queue_url: "${url}", region: eu-central-1, endpoint: "localhost:4566" }`, 'no address that can be called'],
    [`sqs: { queue_url: "${url}", region: eu-central-1, endpoint: "https://h/path" }`, 'more than a host'],
    [`sqs: { queue_url: "${url}", region: eu-central-1, batch: 15 }`, ''],
    [`kinesis: { stream: s, region: eu-central-1, endpoint: "https://user:pw@h" }`, 'no address that can be called'],
    ['kinesis: { stream: s }', 'region'],
  ])('%s', (source, message) => {
    const errors = lint(source).problems.filter(({ severity }) => severity === 'error')
    expect(errors).toHaveLength(1)
    expect([errors[0]!.message, errors[0]!.hint]).toEqual([expect.stringContaining(message), expect.any(String)])
  })

  test('an address without TLS is warned of, but for a stand-in on this machine', () => {
    expect(problemsOf('kinesis: { stream: s, region: r, endpoint: "http://aws.example.com" }')).toEqual([
      ['warning', '`endpoint` is called without TLS.'],
    ])
    expect(problemsOf('kinesis: { stream: s, region: r, endpoint: "http://127.0.0.1:4566" }')).toEqual([])
  })

  test('calls are as many as a queue needs, unless the definition says how many', () => {
    const source = 'kinesis: { stream: s, region: r }'
    expect(lint(source).definition?.fetch.rate_limit).toEqual({ requests: 200, per: 1000, learn: true })
    const own = 'fetch: { rate_limit: { requests: 7, per: 1m } }\n'
    expect(lint(source, own).definition?.fetch.rate_limit).toMatchObject({ requests: 7, per: 60_000 })
  })
})

test('the SDK is loaded only by what uses it', () => {
  const src = resolve(import.meta.dirname, '../../../src')
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('.ts'))
  const eager = files.filter(file =>
    /^(import|export) (?!type )[^;]*? from '@(aws-sdk|smithy)\//m.test(readFileSync(join(src, file), 'utf8')),
  )
  expect(eager).toEqual([])
})

test.each([
  [{}, '{"__type":"com.amazonaws.sqs#QueueDoesNotExist"}', 'QueueDoesNotExist'],
  [{}, '{"__type":"ExpiredIteratorException"}', 'ExpiredIteratorException'],
  [{ 'x-amzn-errortype': 'ValidationException:http://internal.amazon.com/' }, '{}', 'ValidationException'],
  [{}, '{"code":"AWS.SimpleQueueService.NonExistentQueue"}', 'AWS.SimpleQueueService.NonExistentQueue'],
  [{}, '{"__type":"a b"}', undefined],
  [{}, '<html>', undefined],
  [
    {},
    '<ErrorResponse xmlns="x"><Error><Type>Sender</Type><Code>AccessDenied</Code></Error></ErrorResponse>',
    'AccessDenied',
  ],
  [{}, '<html><Code>AccessDenied</Code></html>', undefined],
  [{}, '[]', undefined],
])('the name of an error in %j %s', (headers, body, name) => {
  expect(errorName(headers as Record<string, string>, Buffer.from(body))).toBe(name)
})
