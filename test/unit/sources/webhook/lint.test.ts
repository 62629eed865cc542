// Mistakes in a webhook, each with what to do about it; through the whole loader, as an editor sees them.
import { afterAll, describe, expect, test } from 'vitest'
import { corpusCatalogue } from '../../../support/corpus-catalogue.ts'
import { definitionFolder, pipelineText } from '../../../support/definition-text.ts'

const folder = definitionFolder()
afterAll(() => folder[Symbol.dispose]())

const env = { KEY: 'a-key-of-more-than-sixteen-characters', SHORT: 'short' }
const lint = (fields: string) =>
  folder.lint(pipelineText({ source: `  webhook: { port: 8090, ${fields} }` }), { catalogue: corpusCatalogue, env })
const signature = (fields = '') =>
  `signature: { header: X-Sig, secret: "\${KEY}"${fields === '' ? '' : `, ${fields}`} }`
const time = 'timestamp_header: X-Time'

test('nothing is wrong with a signed one, nor with one that says it is not', () => {
  for (const fields of [
    signature(),
    signature(time),
    signature(`${time}, sign: "v0:{{ timestamp }}:{{ body }}"`),
    `${signature(`${time}, sign: '{{ headers["webhook-id"] }}.{{ timestamp }}.{{ body }}'`)}, id: 'headers["webhook-id"]'`,
    'unsigned: { bearer: "${KEY}" }',
    'path: /hooks, unsigned: { path_secret: "${KEY}" }',
  ])
    expect(lint(fields).problems, fields).toEqual([])
})

describe('is refused, with a hint', () => {
  test.each([
    ['path: /hooks', 'Nothing proves who sends a delivery.'],
    [`${signature()}, unsigned: { bearer: "\${KEY}" }`, '`signature` and `unsigned` exclude each other.'],
    ['unsigned: {}', ''],
    ['unsigned: { bearer: "${KEY}", path_secret: "${KEY}" }', ''],
    [signature('sign: "{{ headers.host }}"'), 'The signed text has {{ body }} nowhere.'],
    [signature('sign: "{{ body }}{{ body }}"'), 'The signed text has {{ body }} more than once.'],
    [
      signature(`${time}, sign: "{{ body }}"`),
      'The timestamp is not part of what is signed: anyone can put a new one on an old delivery.',
    ],
    [signature('sign: "{{ timestamp }}.{{ body }}"'), 'There is no timestamp.'],
    [signature('sign: "{{ nothing }}.{{ body }}"'), ''],
    ['signature: { header: "X Sig", secret: "${KEY}" }', 'This is no name of a header.'],
    [signature('secret_encoding: base64'), ''],
    [signature('tolerance: 2h'), ''],
    [`${signature()}, path: /a/../b`, 'The path has a part that clients take out or change.'],
    [`${signature()}, path: hooks`, ''],
    [`${signature()}, allowed_hosts: ["https://a.example"]`, 'This is no host name.'],
    [`${signature()}, max_body: 32mb, max_in_flight: 16mb`, 'A body of `max_body` (32 MB) would never be taken.'],
    [`${signature()}, id: "body."`, ''],
    [`${signature()}, records: "page.items"`, ''],
    [`${signature()}, remember: 10`, ''],
    [`${signature()}, content_types: ["json"]`, ''],
  ])('%s', (fields, message) => {
    const found = lint(fields.replace('secret: "${KEY}", secret_encoding', 'secret: "${SHORT}!", secret_encoding'))
    const errors = found.problems.filter(problem => problem.severity === 'error')
    expect(errors.length).toBeGreaterThan(0)
    expect(errors.every(problem => problem.hint !== undefined && problem.hint !== '')).toBe(true)
    if (message !== '') expect(errors.map(problem => problem.message)).toContain(message)
    expect(found.definition).toBeUndefined()
  })
})

describe('is warned of', () => {
  test.each([
    ['signature: { header: X-Sig, secret: "${SHORT}" }', 'can be guessed'],
    ['signature: { header: X-Sig, secret: literal-key-of-the-vendor }', 'plain text'],
    [signature('algorithm: sha1'), 'SHA-1 is old'],
    [`${signature()}, id: 'headers["x-delivery"]'`, 'not part of what is signed'],
    [`${signature()}, id: query.id`, 'not part of what is signed'],
  ])('%s', (fields, message) => {
    const { problems, definition } = lint(fields)
    expect(problems.map(problem => [problem.severity, problem.message])).toEqual([
      ['warning', expect.stringContaining(message)],
    ])
    expect(problems[0]!.hint).toBeTruthy()
    expect(definition).toBeDefined()
  })
})
