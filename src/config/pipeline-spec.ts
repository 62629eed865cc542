// What a pipeline file may hold. One description gives type, check, reference page and editor schema.
// The places of connectors are slots: the catalogue fills them in.
import { duration, expression, fields, name, path, type Static, size, Type } from '../core/spec.ts'
import { fetchSpec } from '../fetch/settings.ts'
import { mappingVariables } from '../mapping/mapping.ts'

const topicPattern = '^[a-zA-Z0-9._-]+$'
const dayMs = 86_400_000
const mb = 1024 * 1024

/** Variables of the expressions that see a decoded record. */
const recordVariables = ['record', 'key', 'topic', 'timestamp'] as const
/** Variables of a topic's key. */
const keyVariables = ['record', 'this'] as const

const mapping = (vars: readonly string[], description: string) =>
  Type.Record(Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*$' }), expression({ description: 'CEL.', vars }), {
    description,
    additionalProperties: false,
    minProperties: 1,
    maxProperties: 1000,
  })

const sourceSpec = Type.Object(
  {
    every: Type.Optional(
      duration({
        description: 'Time from the start of one poll to the next. Without it and `cron`: one pass.',
        min: 10,
      }),
    ),
    cron: Type.Optional(
      Type.String({
        description: 'When to poll, as a cron line in UTC.',
        minLength: 1,
        maxLength: 100,
        examples: ['*/5 * * * *'],
      }),
    ),
    concurrency: Type.Integer({ description: 'Splits polled at the same time.', default: 4, minimum: 1, maximum: 64 }),
    provenance: Type.Boolean({
      description:
        'http and vendors: records say in headers where they come from: weir-source, weir-url (without secrets), weir-fetched-at, weir-response (SHA-256 of the answer).',
      default: true,
    }),
    keep_raw: Type.Optional(
      Type.Literal('topic', {
        description:
          'http and vendors: each page is stored as it came in the topic `<topic>_raw`, in the transaction of its records, for as long as those are kept; `weir reparse` maps again from there without fetching. Omitted: pages are not kept.',
      }),
    ),
  },
  { description: 'Where records come from: one connector, and how often it is asked.', weirSlot: 'source' },
)

const topicSpec = fields(
  {
    name: name({ description: 'Name of the topic.', pattern: topicPattern }),
    key: Type.Optional(
      expression({ description: 'The key of a record: order is kept per key. Omitted: no key.', vars: keyVariables }),
    ),
    schema: path({ description: 'The Avro schema of the records: an .avsc file whose root is a record.' }),
    subject: Type.Optional(
      name({
        description: 'Subject in the schema registry. Omitted: the name of the topic with -value.',
        maxLength: 255,
      }),
    ),
    partitions: Type.Integer({
      description: 'Partitions, when the topic is created.',
      default: 1,
      minimum: 1,
      maximum: 1000,
    }),
    retention: Type.Optional(
      fields(
        {
          time: Type.Optional(duration({ description: 'Older records may be removed.', min: 1000 })),
          size: Type.Optional(size({ description: 'Oldest records are removed above this size.', min: mb })),
        },
        'How long records are kept. Omitted: for ever.',
      ),
    ),
    max_record: size({
      description: 'Largest record, key and headers included.',
      default: '1mb',
      min: 1024,
      max: 64 * mb,
    }),
  },
  'Where records go.',
)

const deadLetterSpec = fields(
  {
    topic: Type.Optional(
      name({
        description: 'Topic of the dead letters. Omitted: the name of the topic with _dlq.',
        pattern: topicPattern,
      }),
    ),
    stop_after: Type.Optional(
      fields(
        {
          records: Type.Integer({ description: 'Dead letters that are too many.', minimum: 1, maximum: 1_000_000_000 }),
          per: duration({ description: 'In this time.', min: 1000, max: 31 * dayMs }),
        },
        'Stops the pipeline before a flood of dead letters eats the source.',
      ),
    ),
    retention: Type.Optional(
      fields(
        { time: duration({ description: 'Older dead letters may be removed.', min: 1000 }) },
        'How long dead letters are kept.',
      ),
    ),
  },
  'Where records go that cannot be mapped, encoded or delivered.',
)

const processStep = Type.Union([
  fields({
    filter: expression({ description: 'Records for which this is false are left out.', vars: recordVariables }),
  }),
  fields({ map: mapping(recordVariables, 'The record for the sink, field by field.') }),
])

const consumeSpec = fields(
  {
    group: name({ description: 'Consumer group: its offsets are kept under this name.', pattern: topicPattern }),
    start: Type.Union([Type.Literal('earliest'), Type.Literal('latest')], {
      description: 'Where a group without offsets starts.',
      default: 'earliest',
    }),
    out_of_range: Type.Union([Type.Literal('stop'), Type.Literal('earliest')], {
      description: 'What to do when records at the offset of the group are no longer kept.',
      default: 'stop',
    }),
    process: Type.Array(processStep, {
      description: 'Steps between the topic and the sink, in order.',
      default: [],
      maxItems: 32,
    }),
    sink: Type.Unsafe<Record<string, unknown>>({
      type: 'object',
      description: 'Where decoded records go: exactly one sink.',
      weirSlot: 'sink',
    }),
    retry: fields(
      {
        attempts: Type.Integer({
          description: 'Deliveries in all, the first included.',
          default: 5,
          minimum: 1,
          maximum: 100,
        }),
        backoff: fields(
          {
            min: duration({ description: 'First wait; later ones double.', default: '500ms', min: 1 }),
            max: duration({ description: 'No wait is longer.', default: '10s', min: 1 }),
          },
          'Exponential waits with full jitter.',
        ),
      },
      'Repeats a delivery that failed; after that the records become dead letters.',
    ),
    batch: fields(
      {
        records: Type.Integer({
          description: 'Records delivered at once.',
          default: 500,
          minimum: 1,
          maximum: 100_000,
        }),
        size: size({ description: 'Bytes delivered at once.', default: '4mb', min: 1024, max: 256 * mb }),
      },
      'How much a sink gets at once.',
    ),
  },
  'A consumer of the topic with its own group.',
)

export const pipelineSpec = fields(
  {
    version: Type.Literal(1, { description: 'Version of this file format.', default: 1 }),
    pipeline: name({
      description: 'Name of the pipeline, unique in a workspace: cursors are kept under it.',
      pattern: '^[a-zA-Z0-9][a-zA-Z0-9._-]*$',
      maxLength: 128,
    }),
    description: Type.Optional(Type.String({ description: 'What it is for, in a sentence.', maxLength: 2000 })),
    owner: Type.Optional(Type.String({ description: 'Who answers for it.', minLength: 1, maxLength: 200 })),
    source: sourceSpec,
    fetch: fetchSpec,
    map: Type.Optional(
      mapping(
        Object.keys(mappingVariables),
        "Fields of the record, each in CEL over `this`. Omitted: the connector's own mapping, else fields of the same name.",
      ),
    ),
    topic: topicSpec,
    dead_letter: deadLetterSpec,
    on_broker_down: Type.Union([Type.Literal('wait'), Type.Literal('spool')], {
      description:
        'What the producer does while a cluster cannot be reached. wait: it stops reading and goes on when the cluster is back. spool: it stores records, dead letters and cursor in the embedded store and forwards them, still exactly once, when the cluster is back.',
      default: 'wait',
    }),
    consume: Type.Array(consumeSpec, { description: 'Consumers of the topic.', default: [], maxItems: 64 }),
    shutdown_timeout: duration({
      description: 'Time to finish what is in flight after SIGTERM.',
      default: '8s',
      min: 100,
      max: 600_000,
    }),
  },
  'A weir pipeline: a source, a topic, and who consumes it.',
)

/** A pipeline file after decoding: units parsed, defaults filled in; the slots of connectors as written. */
export type PipelineFields = Static<typeof pipelineSpec>
