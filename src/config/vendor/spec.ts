// What a vendor file may hold: a source as data over a connector. One description gives type, check, reference page and editor schema.
// Values of `source`, `modes`, `fetch` and `map` may hold ${params.name}; they are checked once the parameters are put in (expand.ts).
import { fields, type Static, Type } from '../../core/spec.ts'

export const statuses = ['stable', 'experimental', 'retired'] as const
const parameterTypes = ['secret', 'text', 'number', 'boolean', 'list', 'choice', 'duration', 'address'] as const

const oneOf = <T extends string>(values: readonly T[], o: { description: string; default?: T }) =>
  Type.Unsafe<T>({ type: 'string', enum: values, ...o })

const parameterSpec = fields(
  {
    type: oneOf(parameterTypes, {
      description:
        'secret: redacted everywhere. text, number, boolean. list: texts, or { file: … } with one a line. choice: one of `of`. duration: 30s. address: a URL.',
    }),
    description: Type.String({
      description: 'One plain sentence: what it is and where to get it.',
      minLength: 1,
      maxLength: 1000,
    }),
    default: Type.Optional(Type.Unknown({ description: 'The value when it is left out.' })),
    required: Type.Boolean({
      description:
        'false: may be left out without a default. A field made of it is left out then, and in an expression it is null.',
      default: true,
    }),
    of: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 200 }), {
        description: 'choice: the values there are.',
        minItems: 1,
        maxItems: 200,
      }),
    ),
    pattern: Type.Optional(
      Type.String({
        description: 'text, list: the regular expression that each value must match.',
        minLength: 1,
        maxLength: 500,
      }),
    ),
    min: Type.Optional(Type.Number({ description: 'number: the least value.' })),
    max: Type.Optional(Type.Number({ description: 'number: the largest value.' })),
    must_be: Type.Optional(
      Type.Literal(true, {
        description: 'boolean: nothing runs until the user writes true; the description says what that confirms.',
      }),
    ),
  },
  'One parameter of the vendor: a field under its name in a pipeline.',
)

const slot = (description: string) =>
  Type.Unsafe<Record<string, unknown>>({ type: 'object', description, weirSlot: 'source' })

const fetchDefaults = Type.Record(Type.String(), Type.Unknown(), {
  description: "Defaults for `fetch` of a pipeline that uses the vendor; the pipeline's own fields win one by one.",
})

const mapping = Type.Record(
  Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*$' }),
  Type.String({ minLength: 1, maxLength: 8192 }),
  {
    description: 'The mapping used when a pipeline has none: field of the record to CEL over `this`.',
    additionalProperties: false,
    minProperties: 1,
    maxProperties: 1000,
  },
)

const name = '^[a-z][a-z0-9_]*$'

const modeSpec = Type.Object(
  {
    summary: Type.Optional(Type.String({ description: 'What this mode is for.', minLength: 1, maxLength: 500 })),
    needs: Type.Optional(
      Type.Array(Type.String({ pattern: name }), {
        description: 'Parameters with `required: false` that this mode cannot do without.',
        maxItems: 100,
      }),
    ),
    defaults: Type.Optional(
      Type.Record(Type.String({ pattern: name }), Type.Unknown(), {
        description: 'Parameters that have another default in this mode.',
        maxProperties: 100,
      }),
    ),
    fetch: Type.Optional(fetchDefaults),
    map: Type.Optional(mapping),
  },
  { description: 'One way to use the vendor: a connector with its fields, as under `source`.', weirSlot: 'source' },
)

export const vendorSpec = fields(
  {
    version: Type.Literal(1, { description: 'Version of this file format.', default: 1 }),
    vendor: Type.String({
      description: 'Name of the vendor: the key under `source` of a pipeline.',
      pattern: name,
      maxLength: 100,
    }),
    summary: Type.String({ description: 'What it brings, in one sentence.', minLength: 1, maxLength: 500 }),
    status: oneOf(statuses, {
      description:
        'stable. experimental: the contract of the vendor is not known well. retired: the vendor has switched it off; kept for recorded data.',
      default: 'stable',
    }),
    notes: Type.Record(Type.String({ pattern: name }), Type.String({ minLength: 1, maxLength: 4000 }), {
      description:
        'What a user must know before choosing it: cost, freshness, limits, coverage, legal, status; shown by `weir connectors show`.',
      default: {},
      maxProperties: 20,
    }),
    parameters: Type.Record(Type.String({ pattern: name }), parameterSpec, {
      description: 'What a user fills in. `${params.name}` puts a value in: whole, into a text, or into an expression.',
      default: {},
      maxProperties: 100,
    }),
    fetch: Type.Optional(fetchDefaults),
    source: Type.Optional(slot('The connector that does the work, such as http or file, with its fields.')),
    modes: Type.Optional(
      Type.Record(Type.String({ pattern: name }), modeSpec, {
        description: 'Instead of `source`: several ways, chosen by the parameter `mode`. The first is the default.',
        minProperties: 1,
        maxProperties: 20,
      }),
    ),
    map: Type.Optional(mapping),
    examples: Type.Array(
      fields({
        title: Type.String({ description: 'What it shows.', minLength: 1, maxLength: 200 }),
        config: Type.Record(Type.String(), Type.Unknown(), { description: 'The parameters, as a pipeline has them.' }),
      }),
      { description: 'Ways to fill in the parameters. Each is linted with the file.', default: [], maxItems: 20 },
    ),
  },
  'A vendor: a source as data over one of the connectors.',
)

export type VendorFields = Static<typeof vendorSpec>
export type Parameter = Static<typeof parameterSpec>
