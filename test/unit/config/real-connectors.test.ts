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

test('a choice with nothing in it, and with two, says what there is', () => {
  expect(lint(http('auth: {}')).problems.map(p => p.hint)).toEqual(['Write one of: bearer, basic, api_key.'])
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
