// The JSON Schema of a vendor file, for editors: the fields of the connectors, each of which a parameter may stand for.

import { fetchSpec } from '../../fetch/settings.ts'
import type { Catalogue } from '../catalogue.ts'
import { convert, draft, type Json, slot } from '../editor-schema.ts'
import { shapeOf } from '../shape.ts'
import { vendorSpec } from './spec.ts'
import { isVendor } from './vendor.ts'

const parameter = {
  type: 'string',
  pattern: '\\$\\{params\\.[a-z][a-z0-9_]*\\}',
  description: 'A parameter: ${params.name}.',
}

/** The schema of a vendor file. */
export function vendorJsonSchema({ sources }: Catalogue): Json {
  const schema = convert(shapeOf(vendorSpec))
  const properties = schema['properties'] as Record<string, Json>
  const code = Object.fromEntries(
    Object.keys(sources).flatMap(name => {
      const source = sources[name]!
      return isVendor(source) ? [] : [[name, source]]
    }),
  )
  const [[pattern, mode]] = Object.entries(properties['modes']!['patternProperties'] as Record<string, Json>) as [
    [string, Json],
  ]
  const fetch = { ...open(convert(shapeOf(fetchSpec))), description: properties['fetch']!['description'] }
  const filled = slot(mode, code)
  const connectors = filled['properties'] as Record<string, Json>
  for (const name of Object.keys(code)) connectors[name] = { $ref: `#/definitions/${name}` }
  connectors['fetch'] = { $ref: '#/definitions/fetch' }
  properties['modes'] = { ...properties['modes'], patternProperties: { [pattern]: filled } }
  properties['source'] = slotOf(properties['source']!, Object.keys(code))
  properties['fetch'] = { $ref: '#/definitions/fetch' }
  const definitions = Object.fromEntries(
    Object.entries(slot({}, code)['properties'] as Record<string, Json>).map(([name, each]) => [name, open(each)]),
  )
  return { $schema: draft, title: 'weir vendor', ...schema, definitions: { ...definitions, fetch } }
}

const slotOf = (base: Json, names: readonly string[]): Json => ({
  ...base,
  properties: Object.fromEntries(names.map(name => [name, { $ref: `#/definitions/${name}` }])),
  additionalProperties: false,
  oneOf: names.map(name => ({ required: [name] })),
})

/** The schema with a parameter in the place of any field. */
function open(schema: Json): Json {
  const result: Json = { ...schema }
  for (const key of ['properties', 'patternProperties'])
    if (schema[key])
      result[key] = Object.fromEntries(
        Object.entries(schema[key] as Record<string, Json>).map(([name, field]) => [name, orParameter(field)]),
      )
  for (const key of ['items', 'additionalProperties'])
    if (typeof schema[key] === 'object') result[key] = orParameter(schema[key] as Json)
  if (Array.isArray(schema['anyOf'])) result['anyOf'] = (schema['anyOf'] as Json[]).map(open)
  return result
}

function orParameter(schema: Json): Json {
  const opened = open(schema)
  if (opened['type'] === 'string' && opened['enum'] === undefined && opened['pattern'] === undefined) return opened
  if (Object.keys(opened).every(key => key === 'description')) return opened
  const { description, default: fallback, examples, ...rest } = opened
  return {
    ...(description === undefined ? {} : { description }),
    ...(fallback === undefined ? {} : { default: fallback }),
    ...(examples === undefined ? {} : { examples }),
    anyOf: [rest, parameter],
  }
}
