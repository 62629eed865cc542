import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import * as kafka from '../../../src/adapters/event-log-kafka/claims.ts'
import * as embedded from '../../../src/adapters/event-log-sqlite/claims.ts'
import { type Explanation, explainPipeline } from '../../../src/app/guarantee.ts'
import type { Catalogue } from '../../../src/config/catalogue.ts'
import { lintPipeline } from '../../../src/config/lint.ts'
import type { Claim } from '../../../src/core/guarantee.ts'
import { waiting } from '../../../src/pipeline/append.ts'
import { replaying } from '../../../src/pipeline/replay.ts'
import { sinks } from '../../../src/sinks/index.ts'
import { sources } from '../../../src/sources/index.ts'
import { definitionFolder, pipelineText } from '../../support/definition-text.ts'
import { fakeCatalogue } from '../../support/fake-catalogue.ts'

const root = resolve(import.meta.dirname, '../../..')
const catalogue = { sources, sinks } as unknown as Catalogue

const http = (cursor: string) =>
  `  http: { request: { url: "https://api.example.com/r" }, records: body${cursor === '' ? '' : `, cursor: { ${cursor} }`} }`
const sinkText = `consume:
  - { group: a, sink: { log: {} } }
  - { group: b, sink: { file: { path: out.ndjson } } }
  - { group: c, sink: { topic: { topic: copies } } }`

function explain(
  parts: Parameters<typeof pipelineText>[0],
  broker: 'embedded' | 'kafka' = 'embedded',
  of = catalogue,
): Explanation {
  using folder = definitionFolder()
  const { definition, problems } = lintPipeline(
    { file: join(folder.path, 'p.yaml'), text: pipelineText(parts) },
    { catalogue: of, env: {} },
  )
  expect(problems.filter(problem => problem.severity === 'error')).toEqual([])
  return explainPipeline(definition!, broker, of, folder.path)
}

/** `from -> to: guarantee (limit)` of each hop. */
const brief = (hops: Explanation['hops']) =>
  hops.map(hop => `${hop.from} -> ${hop.to}: ${hop.guarantee}${hop.limited_by === null ? '' : ` (${hop.limited_by})`}`)

describe('what a pipeline guarantees', () => {
  test('is what its weakest part holds, for each hop and from end to end', () => {
    const explained = explain({ rest: sinkText })
    expect(explained).toMatchObject({ file: 'p.yaml', pipeline: 'reviews', broker: 'embedded' })
    expect(brief(explained.hops)).toEqual([
      'source file -> topic reviews: exactly_once',
      'topic reviews -> sink log of a: at_least_once (sink log of a)',
      'topic reviews -> sink file of b: exactly_once',
      'topic reviews -> sink topic of c: exactly_once',
    ])
    expect(explained.end_to_end).toEqual([
      { group: 'a', sink: 'log', guarantee: 'at_least_once', limited_by: 'sink log of a' },
      { group: 'b', sink: 'file', guarantee: 'exactly_once', limited_by: null },
      { group: 'c', sink: 'topic', guarantee: 'exactly_once', limited_by: null },
    ])
  })

  test('a replayed letter may come twice into a file, which cannot tell, but not into a topic', () => {
    expect(brief(explain({ rest: sinkText }).replays)).toEqual([
      'dead letters -> topic reviews: exactly_once',
      'dead letters -> sink log of a: at_least_once (sink log of a)',
      'dead letters -> sink file of b: at_least_once (sink file of b)',
      'dead letters -> sink topic of c: exactly_once',
    ])
  })

  test('an http source without a cursor limits all that follows', () => {
    const explained = explain({ source: http(''), rest: sinkText })
    expect(brief(explained.hops)[0]).toBe('source http -> topic reviews: at_least_once (source http)')
    expect(explained.end_to_end.map(each => each.limited_by)).toEqual(['source http', 'source http', 'source http'])
  })

  test.each([
    ['id: this.id, field: this.at, order: desc', 'no item comes late'],
    ['id: this.id, field: this.at, order: desc, lookback: 1d', 'no item comes more than'],
    ['id: this.id, mode: membership, keep: 700', 'no item comes again after 700 others'],
  ])('an http source with the cursor { %s } is exactly once, on a condition', (cursor, condition) => {
    const [hop] = explain({ source: http(cursor) }).hops
    expect(hop).toMatchObject({ guarantee: 'exactly_once', limited_by: null })
    expect(hop!.claims[0]!.while).toContain(condition)
  })

  test('a file that is followed has a condition of its own', () => {
    const [hop] = explain({ source: '  file: { paths: [a.ndjson], follow: true }' }).hops
    expect(hop!.claims[0]!.while).toContain('cut short')
  })

  test('a source that cannot give the same items again limits it', () => {
    const explained = explain({ source: '  pulse: {}' }, 'embedded', fakeCatalogue)
    expect(explained.hops[0]!.limited_by).toBe('source pulse')
  })

  test('the broker and what happens while it is down are parts of the way to the topic', () => {
    const parts = (text: string, broker: 'embedded' | 'kafka') =>
      explain({ rest: text }, broker).hops[0]!.claims.map(claim => claim.part)
    expect(parts('', 'embedded')).toEqual(['source file', 'broker embedded', 'on_broker_down wait'])
    expect(parts('on_broker_down: spool', 'kafka')).toEqual(['source file', 'broker kafka', 'on_broker_down spool'])
    const spool = (broker: 'embedded' | 'kafka') =>
      explain({ rest: 'on_broker_down: spool' }, broker).hops[0]!.claims[2]!.why
    expect(spool('kafka')).toContain('embedded store')
    expect(spool('embedded')).not.toContain('embedded store')
  })

  test('readers of a cluster must read committed records only, and it says so', () => {
    expect(explain({}, 'kafka').hops[0]!.claims[1]!.while).toContain('read_committed')
    expect(explain({}, 'embedded').hops[0]!.claims[1]!.while).toBeNull()
  })
})

describe('what shows it', () => {
  const httpCursors = [
    undefined,
    { mode: 'membership', keep: 100, lookback: 0 },
    { mode: 'ordered', keep: 100, lookback: 0 },
    { mode: 'ordered', keep: 100, lookback: 1000 },
  ]
  const ofSources: readonly Claim[] = [
    ...httpCursors.map(cursor => sources.http.claim({ cursor } as never)),
    ...[true, false].map(follow => sources.file.claim({ follow } as never)),
    sources.generate.claim({} as never),
    ...['stop', 'earliest'].map(out_of_range => sources.kafka.claim({ out_of_range } as never)),
    sources.kinesis.claim({} as never),
    ...['message_id', 'deduplication_id'].map(identity => sources.sqs.claim({ identity, remember: 5000 } as never)),
    ...[undefined, 'body.id'].map(id => sources.webhook.claim({ id, remember: 5000 } as never)),
  ]
  const ofSinks: readonly Claim[] = Object.values(sinks).flatMap(sink => Object.values(sink.claims))
  const all = [...ofSources, ...ofSinks, ...Object.values(embedded), ...Object.values(kafka), waiting, replaying]

  test('every source and sink there is was asked', () => {
    expect(Object.keys(sources).sort()).toEqual(['file', 'generate', 'http', 'kafka', 'kinesis', 'sqs', 'webhook'])
    expect(Object.values(sinks).every(sink => sink.claims.delivering.guarantee === sink.guarantee)).toBe(true)
  })

  test.each(all.map(claim => [claim.proof?.file, claim.proof?.test, claim] as const))('%s: %s', (file, name, claim) => {
    expect(claim.why).toMatch(/^[A-Z].*\.$/)
    expect(claim.while ?? 'that holds').toMatch(/^[a-z].*[^.]$/)
    expect(file && existsSync(join(root, file))).toBe(true)
    const escaped = name!.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    expect(readFileSync(join(root, file!), 'utf8')).toMatch(new RegExp(`(test|\\))\\(\\s*['"\`]${escaped}['"\`],`))
  })
})
