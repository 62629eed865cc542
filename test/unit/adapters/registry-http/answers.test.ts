// What an answer is taken for, whatever server, proxy or page gave it.
import { expect, test } from 'vitest'
import { refused, replyOf, schemaIn, verdictIn } from '../../../../src/adapters/registry-http/answers.ts'
import { codeOf } from '../../../../src/core/errors.ts'
import { Secret } from '../../../../src/core/secret.ts'

const json = 'application/vnd.schemaregistry.v1+json'
const answer = (status: number, body: unknown, contentType = json) => ({
  status,
  contentType,
  redirectTo: null,
  body: typeof body === 'string' ? body : JSON.stringify(body),
})
const thrown = (work: () => unknown) => {
  try {
    return { gave: work() }
  } catch (error) {
    return error as Error
  }
}

test.each([
  ['an HTML page', answer(200, '<html>', 'text/html')],
  ['an HTML page called JSON', answer(200, '<html>')],
  ['JSON called HTML', answer(200, '{}', 'text/html')],
  ['nothing', answer(200, '')],
  ['a redirect', { ...answer(302, ''), redirectTo: 'elsewhere.example' }],
  ['not modified', answer(304, '')],
  ['a server error with a code', answer(500, { error_code: 50001, message: 'Error in the backend data store' })],
  ['a server error of null', answer(500, 'null')],
  ['a gateway page', answer(502, '<html>', 'text/html')],
  ['too many requests', answer(429, '')],
  ['not found by a proxy', answer(404, '<html>', 'text/html')],
  ['not found without a body', answer(404, '')],
  ['not found, path unknown to the registry', answer(404, { error_code: 404, message: 'HTTP 404 Not Found' })],
  ['not found by something else that speaks JSON', answer(404, { message: 'no' })],
  ['a method refused by a proxy', answer(405, '')],
])('%s says nothing about a schema', (_, given) => {
  expect(codeOf(thrown(() => replyOf(given, 'http://r')))).toBe('registry.unavailable')
})

test.each([401, 403])('%i is a refused login or right, whatever the body', status => {
  for (const body of ['', '<html>', { error_code: status, message: 'no' }])
    expect(codeOf(thrown(() => replyOf(answer(status, body), 'http://r')))).toBe('registry.denied')
})

test('a refusal of the registry comes with its code', () => {
  expect(replyOf(answer(404, { error_code: 40403, message: 'Schema 7 not found.' }), 'http://r')).toEqual({
    refusal: { status: 404, code: 40403, message: 'Schema 7 not found' },
  })
})

test.each([
  [42201, 'schema.invalid'],
  [42203, 'usage.invalid'],
  [42205, 'registry.denied'],
  [40912, 'registry.denied'],
])('what nobody expected is %i: %s', (code, expected) => {
  expect(refused({ status: 422, code, message: 'no' }, 'to do it', 'http://r').code).toBe(expected)
})

test('I9: words of a registry are cut, on one line, without old schemas and without secrets', () => {
  new Secret('tr0ub4dor&3')
  const old = JSON.stringify({ type: 'record', name: 'R', fields: [{ name: "it's", type: 'int' }] })
  const message = `breaks, details: [{errorType:'X', description:'d', additionalInfo:'/'}, {oldSchemaVersion: 4}, {oldSchema: '${old}'}, {validateFields: 'false', compatibility: 'BACKWARD'}] \u001b[31m\nfor tr0ub4dor&3 ${'x'.repeat(5_000)}`
  const { refusal } = replyOf(answer(409, { error_code: 40901, message }), 'http://r')
  expect(refusal!.message).toContain("{errorType:'X', description:'d', additionalInfo:'/'}, {oldSchemaVersion: 4}]")
  expect(refusal!.message).not.toMatch(/it's|validateFields|tr0ub4dor|\u001b|\n/)
  expect(refusal!.message.length).toBeLessThan(700)
})

test('reasons of a verdict are the rules that are broken, in words', () => {
  const confluent = [
    "{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'The field 'a' at path '/fields/1' in the new schema has no default value and is missing in the old schema', additionalInfo:'a'}",
    '{oldSchemaVersion: 1}',
    '{oldSchema: \'{"type":"record"}\'}',
    "{validateFields: 'false', compatibility: 'BACKWARD'}",
  ]
  const karapace = ['reader type: int not compatible with writer type: string']
  expect(verdictIn({ is_compatible: false, messages: [...confluent, ...karapace, 7] }, 'http://r')).toEqual({
    compatible: false,
    reasons: [
      "READER_FIELD_MISSING_DEFAULT_VALUE: The field 'a' at path '/fields/1' in the new schema has no default value and is missing in the old schema",
      'reader type: int not compatible with writer type: string',
    ],
  })
  expect(verdictIn({ is_compatible: true }, 'http://r')).toEqual({ compatible: true, reasons: [] })
})

test.each([
  ['no schema', {}, 'registry.unavailable'],
  ['a list', [], 'registry.unavailable'],
  ['a schema that is no text', { schema: {} }, 'registry.unavailable'],
  ['Protobuf', { schema: 'message A {}', schemaType: 'PROTOBUF' }, 'schema.invalid'],
  ['a schema in parts', { schema: '"B"', references: [{ name: 'B', subject: 'b', version: 1 }] }, 'schema.invalid'],
])('of a schema answer: %s', (_, value, code) => {
  expect(codeOf(thrown(() => schemaIn(value, 'http://r')))).toBe(code)
})
