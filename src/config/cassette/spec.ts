// What a cassette may hold: recorded exchanges with a source, and what a pipeline or a vendor is expected to make of them.
// One description gives type, check, reference page and editor schema.
import { duration, fields, type Static, Type } from '../../core/spec.ts'

const texts = (description: string) =>
  Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()]), { description })

/** What stands for text that was scrubbed, and matches anything. */
export const scrubbedMark = '***'

const requestSpec = fields(
  {
    method: Type.String({ description: 'The method.', default: 'GET', pattern: '^[A-Z]{1,20}$' }),
    url: Type.Optional(
      Type.String({
        description: 'The whole address: host, path and query. Instead of `path`.',
        minLength: 1,
        maxLength: 16_384,
      }),
    ),
    path: Type.Optional(
      Type.String({ description: 'The path alone, of any host: /v1/reviews.', pattern: '^/', maxLength: 16_384 }),
    ),
    query: Type.Optional(
      texts('Fields of the query that matter, with their values; others may be there. A field in `url` counts too.'),
    ),
    headers: Type.Optional(texts('Headers that matter; others may be there.')),
    body: Type.Optional(
      Type.Unknown({
        description:
          'The fields of a JSON or form body that matter; others may be there. A text must be the whole body.',
      }),
    ),
  },
  'What is asked. What is left out may be anything; *** in a text stands for anything too.',
)

const responseSpec = fields(
  {
    status: Type.Integer({ description: 'The status.', default: 200, minimum: 200, maximum: 999 }),
    headers: Type.Optional(texts('The headers. Without content-type, JSON for fields and lists, text for a text.')),
    body: Type.Optional(Type.Unknown({ description: 'The body: fields or a list are sent as JSON, a text as it is.' })),
    base64: Type.Optional(Type.String({ description: 'The body in Base64, where it is no text.' })),
  },
  'What is answered.',
)

const exchangeSpec = fields(
  {
    request: requestSpec,
    response: Type.Optional(responseSpec),
    fails: Type.Optional(
      Type.Unsafe<'timeout' | 'network'>({
        type: 'string',
        enum: ['timeout', 'network'],
        description: 'Instead of `response`: the call is not answered in time, or finds no connection.',
      }),
    ),
    times: Type.Integer({
      description: 'How often it is asked for and answered so.',
      default: 1,
      minimum: 1,
      maximum: 1000,
    }),
  },
  'One call. Of several that fit a request, the first that is not used up answers.',
)

const counts = (description: string) =>
  Type.Record(Type.String({ pattern: '^[a-z_]+(\\.[a-z_]+)?$' }), Type.Integer({ minimum: 1 }), { description })

const expectSpec = fields(
  {
    requests: Type.Optional(
      Type.Integer({ description: 'How many requests were made, repeated ones included.', minimum: 0 }),
    ),
    records: Type.Optional(
      Type.Array(Type.Record(Type.String(), Type.Unknown()), {
        description: 'The records, all of them and in order; of each the fields that matter. null: it has no value.',
      }),
    ),
    dead_letters: Type.Optional(counts('Items that became dead letters, by code. Left out: none.')),
    failure: Type.Optional(
      Type.String({
        description: 'The code with which the poll was given up, such as fetch.fatal. Left out: it was not.',
        pattern: '^[a-z_]+\\.[a-z_]+$',
      }),
    ),
    cursor: Type.Optional(
      Type.Record(Type.String(), Type.Union([Type.String(), Type.Null()]), {
        description: 'Where each split stands afterwards, in the words of `weir cursor`; null: nothing is stored.',
      }),
    ),
    drops: Type.Optional(counts('Items that the source left out on purpose, by reason: duplicate, unchanged.')),
    breakers: Type.Optional(
      Type.Record(
        Type.String(),
        Type.Unsafe<'open' | 'half_open' | 'closed'>({ type: 'string', enum: ['open', 'half_open', 'closed'] }),
        {
          description: 'How the circuit breaker of a host stands afterwards, by host and port.',
        },
      ),
    ),
  },
  'What must come of it. What is left out is not checked, but for dead letters and failure.',
)

export const cassetteSpec = fields(
  {
    version: Type.Literal(1, { description: 'Version of this file format.', default: 1 }),
    about: Type.Optional(Type.String({ description: 'What it shows, in one sentence.', minLength: 1, maxLength: 500 })),
    vendor: Type.Optional(
      Type.String({
        description:
          'The vendor that is tested: its name, or that of a vendor file NAME.yaml in a folder above this file.',
        pattern: '^[a-z][a-z0-9_]*$',
        maxLength: 100,
      }),
    ),
    parameters: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), { description: "The vendor's parameters, as a pipeline has them." }),
    ),
    fetch: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), { description: '`fetch` of the pipeline that uses the vendor.' }),
    ),
    schema: Type.Optional(
      Type.String({
        description:
          'The Avro schema of the records of a vendor, relative to this file. Left out, that of raw reviews.',
        minLength: 1,
      }),
    ),
    files: Type.Optional(
      Type.Record(Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$' }), Type.String(), {
        description: 'Files that the source reads, by name, with what stands in them.',
        maxProperties: 20,
      }),
    ),
    pipeline: Type.Optional(
      Type.String({
        description: 'Instead of a vendor: the pipeline file that is tested, relative to this file.',
        minLength: 1,
      }),
    ),
    variables: Type.Optional(
      Type.Record(Type.String(), Type.String(), {
        description: 'Values of the environment variables that the pipeline names. Never real secrets.',
      }),
    ),
    now: Type.String({
      description: 'The time at which it begins.',
      default: '2026-01-01T00:00:00Z',
      pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d+)?Z$',
    }),
    passes: Type.Integer({
      description: 'How often the source is read, each time on from the cursor.',
      default: 1,
      minimum: 1,
      maximum: 100,
    }),
    pause: duration({ description: 'Time between two passes.', default: '1m', min: 0 }),
    exchanges: Type.Array(exchangeSpec, { description: 'The calls, in the order they are made.', maxItems: 1000 }),
    expect: expectSpec,
  },
  'Recorded exchanges, replayed without a network, and what must come of them.',
)

export type Cassette = Static<typeof cassetteSpec>
export type Exchange = Cassette['exchanges'][number]
export type Expectations = Cassette['expect']
