import { expect, test } from 'vitest'
import { fieldRows } from '../../../src/app/describe-spec.ts'
import { duration, expression, fields, secret, size, Type } from '../../../src/core/spec.ts'
import { fetchSpec } from '../../../src/fetch/settings.ts'

const spec = fields({
  url: Type.String({ description: 'Where.' }),
  token: Type.Optional(secret({ description: 'Who.' })),
  every: duration({ description: 'How often.', default: '5m' }),
  format: Type.Union([Type.Literal('json'), Type.Literal('csv')], { description: 'What.', default: 'json' }),
  pages: Type.Optional(Type.Integer({ description: 'How many.', minimum: 1, maximum: 50 })),
  headers: Type.Optional(Type.Record(Type.String(), secret({ description: 'One.' }), { description: 'Extra.' })),
  rules: Type.Optional(
    Type.Array(
      fields({
        when: expression({ description: 'If.', vars: ['status'] }),
        max: Type.Optional(size({ description: 'Cap.' })),
      }),
      {
        description: 'Rules.',
      },
    ),
  ),
  auth: Type.Optional(
    Type.Union(
      [
        fields({ basic: fields({ user: Type.String({ description: 'Name.' }) }, 'Basic.') }),
        fields({ bearer: secret({ description: 'Token.' }) }),
      ],
      {
        description: 'How to log in.',
      },
    ),
  ),
})

test('each field has its path, its type in plain words, its default and its meaning', () => {
  const rows = fieldRows(spec).map(r => [r.path, r.type, r.required, r.default, r.doc])
  expect(rows).toEqual([
    ['url', 'text', true, null, 'Where.'],
    ['token', 'text, may be secret', false, null, 'Who.'],
    ['every', 'duration', false, '5m', 'How often.'],
    ['format', 'one of json, csv', false, 'json', 'What.'],
    ['pages', 'whole number, 1 to 50', false, null, 'How many.'],
    ['headers', 'names with text, may be secret', false, null, 'Extra.'],
    ['rules', 'list of fields', false, null, 'Rules.'],
    ['rules[].when', 'CEL', true, null, 'If.'],
    ['rules[].max', 'size', false, null, 'Cap.'],
    ['auth', 'fields', false, null, 'How to log in.'],
    ['auth.basic', 'fields', true, null, 'Basic.'],
    ['auth.basic.user', 'text', true, null, 'Name.'],
    ['auth.bearer', 'text, may be secret', true, null, 'Token.'],
  ])
})

test('an object whose fields all have defaults need not be written', () => {
  const rows = fieldRows(fetchSpec)
  // A budget is left out as a whole; whoever writes one says how many calls.
  expect(rows.filter(r => r.required).map(r => r.path)).toEqual(['rate_limit.budget.requests'])
  expect(rows.find(r => r.path === 'retry.backoff.min')).toMatchObject({ type: 'duration', default: '4s' })
})
