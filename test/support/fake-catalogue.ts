// A small catalogue for tests of definitions: connectors with every kind of field, which open nothing.
import type { Catalogue } from '../../src/config/catalogue.ts'
import { duration, expression, fields, name, path, secret, size, Type, template } from '../../src/core/spec.ts'
import { defineSink } from '../../src/sinks/sink.ts'
import { defineSource } from '../../src/sources/source.ts'

const claim = { guarantee: 'at_least_once', why: 'It is a fake.', proof: null } as const

const unopened = (): never => {
  throw new Error('a connector of the fake catalogue was opened')
}

const file = defineSource({
  name: 'file',
  summary: 'Reads files.',
  config: fields({
    paths: Type.Array(path({ description: 'Files.' }), { minItems: 1, maxItems: 100, description: 'Files to read.' }),
    format: Type.Union([Type.Literal('ndjson'), Type.Literal('json'), Type.Literal('csv')], {
      default: 'ndjson',
      description: 'How items stand in a file.',
    }),
    follow: Type.Boolean({ default: false, description: 'Go on reading files that grow.' }),
  }),
  examples: [{ title: 'Lines of JSON', config: { paths: ['data/*.jsonl'] } }],
  replayable: true,
  claim: () => claim,
  open: unopened,
})

const auth = Type.Union([
  fields({ bearer: secret({ description: 'A bearer token.' }) }),
  fields({
    basic: fields({
      username: secret({ description: 'Who.' }),
      password: secret({ description: 'The password.' }),
    }),
  }),
])

const http = defineSource({
  name: 'http',
  summary: 'Reads an HTTP endpoint.',
  config: fields({
    url: template({ description: 'Full address.', vars: ['split', 'now'] }),
    records: expression({ description: 'The list of records.', vars: ['status', 'headers', 'body'], default: 'body' }),
    auth: Type.Optional(auth),
    paginate: Type.Optional(
      Type.Union([
        fields({
          page: fields({
            param: name({ description: 'Parameter.' }),
            first: Type.Integer({ default: 1, description: 'First page.' }),
          }),
        }),
        fields({
          cursor: fields({
            param: name({ description: 'Parameter.' }),
            next: expression({ description: 'Next.', vars: ['body'] }),
          }),
        }),
      ]),
    ),
    lookback: duration({ description: 'Read again.', default: '0s' }),
    page_size: size({ description: 'Size.', default: '64kb', max: 1024 * 1024 }),
    headers: Type.Optional(Type.Record(Type.String(), secret({ description: 'A header.' }))),
  }),
  examples: [{ title: 'Once a minute', config: { url: 'https://api.example.com/reviews' } }],
  replayable: true,
  claim: () => claim,
  open: unopened,
})

const pulse = defineSource({
  name: 'pulse',
  summary: 'Takes what comes in and cannot give it again.',
  config: fields({}),
  examples: [{ title: 'As it comes', config: {} }],
  replayable: false,
  claim: () => claim,
  mapping: { review_id: 'this.id' },
  open: unopened,
})

const log = defineSink({
  name: 'log',
  summary: 'Logs each record.',
  config: fields({
    level: Type.Optional(Type.Union([Type.Literal('info'), Type.Literal('debug')], { description: 'Level.' })),
  }),
  examples: [{ title: 'All', config: {} }],
  guarantee: 'at_least_once',
  claims: { delivering: claim, replaying: claim },
  open: unopened,
})

const fileSink = defineSink({
  name: 'file',
  summary: 'Writes lines of JSON.',
  config: fields({ path: path({ description: 'The file.' }) }),
  examples: [{ title: 'To a file', config: { path: 'out.jsonl' } }],
  guarantee: 'exactly_once',
  claims: { delivering: claim, replaying: claim },
  open: unopened,
})

export const fakeCatalogue: Catalogue = {
  sources: { file, http, pulse } as unknown as Catalogue['sources'],
  sinks: { log, file: fileSink } as unknown as Catalogue['sinks'],
}
