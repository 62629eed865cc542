import { expect, test } from 'vitest'
import { parseNamedSchema } from '../../../src/governance/named-schema.ts'
import { inlinedForm, normalForm } from '../../../src/governance/normal-form.ts'

const normal = (schema: unknown) => JSON.parse(normalForm(parseNamedSchema(JSON.stringify(schema))))

test('forms of the same schema have one normal form', () => {
  const forms = [
    {
      type: 'record',
      name: 'R',
      namespace: 'a',
      fields: [{ name: 'x', type: 'int', z: 1, b: { d: 1, c: 2 } }],
      aliases: ['S', 'b.Q'],
    },
    {
      type: 'record',
      name: 'a.R',
      aliases: ['b.Q', 'a.S'],
      fields: [{ b: { c: 2, d: 1 }, z: 1, type: { type: 'int' }, name: 'x', order: 'ascending' }],
    },
  ]
  const [first, second] = forms.map(each => normalForm(parseNamedSchema(JSON.stringify(each))))
  expect(second).toBe(first)
})

test('what counts stays: documentation, defaults as they are, logical types, attributes of others', () => {
  const schema = {
    type: 'record',
    name: 'a.R',
    doc: 'a review',
    owner: 'x',
    fields: [
      { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' }, doc: 'when' },
      { name: 'm', type: { type: 'map', values: 'int' }, default: { z: 1, a: 2 } },
      { name: 'e', type: { type: 'enum', name: 'a.E', symbols: ['B', 'A'], default: 'A' }, order: 'descending' },
      { name: 'e2', type: 'a.E' },
      { name: 'n', type: ['null', { type: 'array', items: 'a.R' }], default: null },
    ],
  }
  expect(normal(schema)).toEqual(schema)
  expect(Object.keys(normal(schema).fields[1].default)).toEqual(['z', 'a'])
})

test('a type outside all namespaces stays there, inside a type that has one', () => {
  const schema = {
    type: 'record',
    name: 'a.R',
    fields: [
      { name: 'x', type: { type: 'fixed', name: 'F', namespace: '', size: 2 } },
      { name: 'y', type: 'F' },
    ],
  }
  const again = normal(schema)
  expect(again.fields[0].type).toEqual({ type: 'fixed', name: 'F', namespace: '', size: 2 })
  expect(normal(again)).toEqual(again)
})

test('types of references stay names, or are written where they are first used', () => {
  const references = [
    { name: 'a.E', text: '{"type":"enum","name":"E","namespace":"a","symbols":["A"]}' },
    { name: 'a.P', text: '{"type":"record","name":"P","namespace":"a","fields":[{"name":"e","type":"E"}]}' },
  ]
  const text = JSON.stringify({
    type: 'record',
    name: 'R',
    namespace: 'b',
    fields: [
      { name: 'p', type: 'a.P' },
      { name: 'q', type: 'a.P' },
      { name: 'e', type: 'a.E' },
    ],
  })
  const schema = parseNamedSchema(text, references)
  expect(JSON.parse(normalForm(schema)).fields.map((each: { type: unknown }) => each.type)).toEqual([
    'a.P',
    'a.P',
    'a.E',
  ])
  const inlined = inlinedForm(schema)
  expect(JSON.parse(inlined).fields).toEqual([
    {
      name: 'p',
      type: {
        type: 'record',
        name: 'a.P',
        fields: [{ name: 'e', type: { type: 'enum', name: 'a.E', symbols: ['A'] } }],
      },
    },
    { name: 'q', type: 'a.P' },
    { name: 'e', type: 'a.E' },
  ])
  // Whole in itself.
  expect(parseNamedSchema(inlined).types.size).toBe(3)
})
