// Definitions over the connectors there are: what only their specs bring, such as bodies of any shape and sinks with schemas.
import { afterAll, expect, test } from 'vitest'
import type { Secret } from '../../../src/core/secret.ts'
import { redact } from '../../../src/core/secret.ts'
import { corpusCatalogue } from '../../support/corpus-catalogue.ts'
import { brief, definitionFolder, pipelineText } from '../../support/definition-text.ts'

const folder = definitionFolder()
afterAll(() => folder[Symbol.dispose]())

const lint = (text: string, env: Record<string, string> = {}) => folder.lint(text, { catalogue: corpusCatalogue, env })
const http = (request: string, rest = '') =>
  pipelineText({
    source: `  http:\n    request: { url: "https://api.example.com/r", ${request} }\n    cursor: { id: this.id, mode: membership }\n${rest}`,
  })

test('every example of every connector is a valid definition', () => {
  for (const [kind, connectors] of [
    ['source', corpusCatalogue.sources],
    ['sink', corpusCatalogue.sinks],
  ] as const)
    for (const { name, examples } of Object.values(connectors))
      for (const { title, config } of examples) {
        const written = JSON.stringify({ [name]: config })
        const text =
          kind === 'source'
            ? pipelineText().replace(/source:\n.*\n/, () => `source: ${written}\n`)
            : pipelineText({ rest: `consume:\n  - group: g\n    sink: ${written}` })
        const env = Object.fromEntries(
          [...text.matchAll(/\$\{([A-Z_0-9]+)/g)].map(match => [match[1]!, 'value-of-example']),
        )
        const errors = lint(text, env).problems.filter(p => p.severity === 'error' && p.code !== 'config.schema')
        expect(
          errors.map(p => `${p.message} ${p.excerpt}`),
          `${name}: ${title}`,
        ).toEqual([])
      }
})

test('I9: a variable in a body of any shape is redacted, and cannot bring or enter an expression', () => {
  const text = http('method: POST, body: { key: "${BODY_KEY}", list: ["${BODY_KEY}"] }')
  const { definition, problems } = lint(text, { BODY_KEY: 'body-secret' })
  expect(problems).toEqual([])
  expect(definition?.source.config).toMatchObject({ request: { body: { key: 'body-secret', list: ['body-secret'] } } })
  expect(redact('body-secret')).toBe('***')
  expect(lint(text, { BODY_KEY: '{{ now }}' }).problems.every(p => p.code === 'config.variable')).toBe(true)
  expect(
    lint(http('method: POST, body: { key: "{{ ${BODY_KEY} }}" }'), { BODY_KEY: 'now' }).problems.map(p => p.code),
  ).toEqual(['config.variable'])
})

test('I9: a literal key in a header is warned of and hidden', () => {
  const { problems, definition } = lint(http('headers: { X-Api-Key: literal-header-key, accept: application/json }'))
  expect(problems.map(p => [p.code, p.line])).toEqual([['config.warning', 4]])
  expect(JSON.stringify(problems)).not.toContain('literal-header-key')
  const { headers } = (definition!.source.config as { request: { headers: Record<string, string | Secret> } }).request
  expect(String(headers['X-Api-Key'])).toBe('***')
  expect(headers['accept']).toBe('application/json')
})

test('I9: a literal secret of every way to sign in is warned of and hidden', () => {
  const auths = {
    oauth2:
      '{ token_url: "https://auth.example.com/t", client_id: my-client, client_secret: literal-secret-1, refresh_token: literal-secret-2 }',
    sigv4:
      '{ access_key: AKIDLITERAL, secret_key: literal-secret-1, session_token: literal-secret-2, region: us-east-1, service: s3 }',
    hmac: '{ secret: literal-secret-1, header: x-signature, sign: "{{ path }}" }',
  }
  for (const [kind, fields] of Object.entries(auths)) {
    const { problems, definition } = lint(http(`auth: { ${kind}: ${fields} }`))
    expect(
      problems.map(p => p.code),
      kind,
    ).toEqual(problems.map(() => 'config.warning'))
    expect(problems.length, kind).toBe({ oauth2: 2, sigv4: 3, hmac: 1 }[kind])
    expect(JSON.stringify(problems), kind).not.toMatch(/literal-secret|AKIDLITERAL/)
    expect(JSON.stringify(definition!.source.config), kind).not.toMatch(/literal-secret|AKIDLITERAL/)
  }
})

test.each([
  ['http://10.0.0.1/token', 'config.invalid'],
  ['file:///etc/passwd', 'config.invalid'],
  ['https://user:pass@auth.example.com/token', 'config.invalid'],
  ['auth.example.com/token', 'config.invalid'],
])('a token endpoint at %s is refused', (url, code) => {
  const auth = `auth: { oauth2: { token_url: "${url}", client_id: c, client_secret: "\${S}" } }`
  expect(lint(http(auth), { S: 'secret-of-test' }).problems.map(p => p.code)).toContain(code)
})

test('a mistake in a template or a name of `auth` has its place', () => {
  const env = { S: 'secret-of-test' }
  const hmac = (rest: string) => http(`auth: { hmac: { secret: "\${S}", header: x, ${rest} } }`)
  expect(lint(hmac('sign: "{{ bodyy }}"'), env).problems.map(p => p.code)).toEqual(['config.expression'])
  expect(lint(hmac('sign: "{{ body }}", algorithm: md5'), env).problems.map(p => p.code)).toEqual(['config.invalid'])
  const sigv4 = 'auth: { sigv4: { access_key: "${S}", secret_key: "${S}", region: "us east", service: s } }'
  expect(lint(http(sigv4), env).problems.map(p => p.code)).toEqual(['config.invalid'])
})

test('a budget that can never be used up is warned of', () => {
  const limit = (rate: string) =>
    lint(pipelineText({ rest: `fetch: { rate_limit: { ${rate} } }` })).problems.map(p => p.code)
  expect(limit('requests: 1, per: 1s, budget: { requests: 8640, per: 1d }')).toEqual([])
  expect(limit('requests: 1, per: 10s, budget: { requests: 8640, per: 1d }')).toEqual(['config.warning'])
  expect(limit('budget: { per: 1d }')).toEqual(['config.missing_field'])
  expect(limit('budget: { requests: 0 }')).toEqual(['config.invalid'])
})

test('a choice with nothing in it, and with two, says what there is', () => {
  expect(lint(http('auth: {}')).problems.map(p => p.hint)).toEqual([
    'Write one of: bearer, basic, api_key, oauth2, sigv4, hmac.',
  ])
  expect(brief(lint(http('method: GET', '    paginate: { page: { param: p }, offset: { param: o } }')))).toEqual([
    'config.invalid 6:15',
  ])
})

test('a sink that feeds the topic it reads, or the dead letters, is refused', () => {
  const sink = (topic: string) =>
    lint(pipelineText({ rest: `consume:\n  - group: g\n    sink: { topic: { topic: ${topic} } }` }))
  expect(brief(sink('reviews'))).toEqual(['config.conflict 12:29'])
  expect(brief(sink('reviews_dlq'))).toEqual(['config.conflict 12:29'])
  expect(brief(sink('other'))).toEqual([])
})

test('the schema that a sink names is looked at', () => {
  const sink = (schema: string) =>
    lint(pipelineText({ rest: `consume:\n  - group: g\n    sink: { topic: { topic: other, schema: ${schema} } }` }))
  expect(brief(sink('review.avsc'))).toEqual([])
  expect(brief(sink('none.avsc'))).toEqual(['config.schema 12:44'])
})

test('where deletions are told, the key must be one that is known once the item is gone', () => {
  const problemsWith = (topic?: string) =>
    lint(
      pipelineText({
        source:
          '  http:\n    request: { url: "https://api.example.com/r" }\n    cursor: { id: this.id, mode: membership, deletes: tombstone }\n',
        ...(topic === undefined ? {} : { topic }),
      }),
    )
      .problems.filter(({ severity }) => severity === 'error')
      .map(({ code, pointer }) => `${code} ${pointer}`)
  expect(problemsWith('  key: record.review_id')).toEqual([])
  expect(problemsWith()).toEqual(['config.conflict /topic'])
  expect(problemsWith('  key: string(record.rating)')).toEqual(['config.conflict /topic/key'])
})

const keeping = (more: { fetch?: string; source?: string; rest?: string } = {}) =>
  pipelineText({
    source: `  http: { request: { url: "https://api.example.com/r" }, cursor: { id: this.id, mode: membership } }\n  keep_raw: topic\n${more.source ?? ''}`,
    rest: `${more.fetch ?? ''}${more.rest ?? ''}`,
  })

test('keep_raw: the topic of the raw pages, and room for the largest', () => {
  expect(lint(keeping({ fetch: 'fetch: { max_body: 1mb }\n' }))).toMatchObject({
    definition: { raw: { topic: 'reviews_raw', maxRecordBytes: 3 * 1024 * 1024 } },
    problems: [],
  })
})

test.each([
  [
    'a source without pages',
    pipelineText({ source: '  file: { paths: [a.ndjson] }\n  keep_raw: topic\n' }),
    '`file` keeps no raw pages',
  ],
  [
    'no cursor',
    pipelineText({ source: '  http: { request: { url: "https://api.example.com/r" } }\n  keep_raw: topic\n' }),
    'it has no `cursor`',
  ],
  ['no provenance', keeping({ source: '  provenance: false\n' }), '`keep_raw` needs `provenance`'],
  ['pages too large for a record', keeping({ fetch: 'fetch: { max_body: 33mb }\n' }), 'at most 32 MB'],
  [
    'dead letters in the same topic',
    keeping({ rest: 'dead_letter: { topic: reviews_raw }\n' }),
    'dead letters would go',
  ],
  [
    'a sink into the same topic',
    keeping({ rest: 'consume:\n  - { group: a, sink: { topic: { topic: reviews_raw } } }\n' }),
    'The sink writes into the topic of the raw pages',
  ],
])('keep_raw is refused for %s', (_, text, message) => {
  const problems = lint(text).problems.filter(p => p.severity === 'error')
  expect(problems.map(p => [p.code, p.message])).toEqual([['config.conflict', expect.stringContaining(message)]])
})

test('keep_raw takes one value', () => {
  expect(lint(keeping().replace('keep_raw: topic', 'keep_raw: file')).problems.map(p => p.code)).toEqual([
    'config.invalid',
  ])
})
