// JSON Schemas for editors, made of the same specs that check definitions. A scalar may be written as a variable there too.
import type { TSchema } from '../core/spec.ts'
import { cassetteSpec } from './cassette/spec.ts'
import type { Catalogue } from './catalogue.ts'
import { governanceSpec } from './governance/spec.ts'
import { pipelineSpec } from './pipeline-spec.ts'
import { type Shape, shapeOf } from './shape.ts'
import { workspaceSpec } from './workspace-spec.ts'

export type Json = Record<string, unknown>

export const draft = 'http://json-schema.org/draft-07/schema#'
const variable = {
  type: 'string',
  pattern: '\\$\\{[^}]+\\}',
  description: 'A variable: ${NAME}, ${NAME:-default} or ${file:/path}.',
}

/** The schema of a pipeline file, with the fields of every connector and sink. */
export function pipelineJsonSchema(catalogue: Catalogue): Json {
  const schema = convert(shapeOf(pipelineSpec))
  const properties = schema['properties'] as Record<string, Json>
  const consumer = (properties['consume']!['items'] as Json)['properties'] as Record<string, Json>
  properties['source'] = withVendorFiles(slot(properties['source']!, catalogue.sources))
  consumer['sink'] = slot(consumer['sink']!, catalogue.sinks)
  return { $schema: draft, title: 'weir pipeline', ...schema }
}

/** The schema of weir.yaml. */
export function workspaceJsonSchema(): Json {
  return { $schema: draft, title: 'weir workspace', ...convert(shapeOf(workspaceSpec)) }
}

/** The schema of a cassette. */
export function cassetteJsonSchema(): Json {
  return { $schema: draft, title: 'weir cassette', ...convert(shapeOf(cassetteSpec)) }
}

/** The schema of schemas/governance.yaml. */
export function governanceJsonSchema(): Json {
  return { $schema: draft, title: 'weir governance', ...convert(shapeOf(governanceSpec)) }
}

interface Described {
  readonly name: string
  readonly summary: string
  readonly config: TSchema
  readonly examples: readonly { readonly config: Record<string, unknown> }[]
}

const vendorPath = '^\\./.+\\.ya?ml$'

/** A vendor file of the user's own under its path; its fields are its own business. */
function withVendorFiles(schema: Json): Json {
  const named = schema['oneOf'] as readonly { readonly required: readonly string[] }[]
  const names = named.flatMap(({ required }) => required)
  const others = Object.keys(schema['properties'] as Json).filter(name => !names.includes(name))
  return {
    ...schema,
    patternProperties: {
      [vendorPath]: {
        type: ['object', 'null'],
        description: 'A vendor file, relative to this one, and its parameters.',
      },
    },
    oneOf: [
      ...named,
      // No connector by name, and more than the fields that every source has.
      {
        ...(names.length > 0 ? { allOf: names.map(name => ({ not: { required: [name] } })) } : {}),
        not: { propertyNames: { enum: others } },
      },
    ],
  }
}

/** Exactly one connector, each with its own fields. */
export function slot(base: Json, connectors: Readonly<Record<string, Described>>): Json {
  const names = Object.keys(connectors)
  const fields = Object.fromEntries(
    Object.values(connectors).map(({ name, summary, config, examples }) => {
      const { description: _, ...schema } = convert(shapeOf(config))
      // `log:` with nothing after it is a connector without fields.
      const type =
        schema['type'] === 'object' && !(schema['required'] as unknown[] | undefined)?.length
          ? { type: ['object', 'null'] }
          : {}
      return [name, { ...schema, ...type, description: summary, examples: examples.map(example => example.config) }]
    }),
  )
  return {
    ...base,
    properties: { ...fields, ...(base['properties'] as Json | undefined) },
    additionalProperties: false,
    oneOf: names.map(name => ({ required: [name] })),
  }
}

const ours = new Set([
  'weir',
  'weirMin',
  'weirMax',
  'weirVars',
  'weirSlot',
  'weirFilled',
  '~kind',
  '~optional',
  '~unsafe',
])

/** One shape as plain JSON Schema. */
export function convert(shape: Shape): Json {
  const result: Json = {}
  for (const [key, value] of Object.entries(shape)) {
    if (ours.has(key) || value === undefined) continue
    if (key === 'properties' || key === 'patternProperties')
      result[key] = Object.fromEntries(
        Object.entries(value as Record<string, Shape>).map(([name, field]) => [name, convert(field)]),
      )
    else if (key === 'anyOf') result[key] = (value as Shape[]).map(convert)
    else if (key === 'items' || (key === 'additionalProperties' && typeof value === 'object'))
      result[key] = convert(value as Shape)
    else if (key === 'required' && (value as string[]).length === 0) continue
    else result[key] = value
  }
  return withVariable(shape, result)
}

/** Where the form of a scalar is checked, a variable passes too; expressions hold none. */
function withVariable(shape: Shape, schema: Json): Json {
  const scalar = shape.type === 'integer' || shape.type === 'number' || shape.type === 'boolean'
  const formed = shape.type === 'string' && (shape.pattern !== undefined || shape.maxLength !== undefined)
  if (!(scalar || formed) || shape.weir === 'expression' || shape.const !== undefined) return schema
  const { description, default: fallback, examples, ...rest } = schema
  return {
    ...(description === undefined ? {} : { description }),
    ...(fallback === undefined ? {} : { default: fallback }),
    ...(examples === undefined ? {} : { examples }),
    anyOf: [rest, variable],
  }
}
