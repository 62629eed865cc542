// The `http:` part of a pipeline: one description for type, check, editor schema and reference page.
import { duration, expression, fields, path, type Static, size, Type, template } from '../../core/spec.ts'
import { htmlSpec } from '../html/spec.ts'
import { authSpec } from './auth-spec.ts'
import { jobSpec, listedSpec } from './job-spec.ts'
import { choice, oneOf } from './spec-words.ts'
import { answerVars, errorVars, itemVars, requestVars } from './vars.ts'

const templates = (description: string) =>
  Type.Record(
    Type.String({ minLength: 1, maxLength: 200 }),
    template({ description: 'Text with {{ CEL }} parts.', vars: requestVars }),
    { description, maxProperties: 200 },
  )

const request = fields(
  {
    method: oneOf(['GET', 'POST', 'PUT'], { description: 'HTTP method.', default: 'GET' }),
    url: template({
      description: 'Address. Values put into it are URL-encoded, unless the host itself is a {{ }} part.',
      vars: requestVars,
    }),
    query: Type.Optional(templates('Query parameters; one that comes out empty is left out.')),
    headers: Type.Optional(templates('Headers; one that comes out empty is left out.')),
    body: Type.Optional(
      Type.Union([
        template({ description: 'Text to send.', vars: requestVars }),
        Type.Record(Type.String(), Type.Unknown(), {
          description:
            'Sent as JSON; texts in it are templates, and one that is a single {{ }} keeps the type of its value.',
        }),
        Type.Array(Type.Unknown(), { description: 'Sent as JSON, as above.' }),
      ]),
    ),
    auth: Type.Optional(authSpec),
  },
  'The call that gives one page; with a job, of its result.',
)

const maxPages = Type.Integer({
  description: 'Pages read in one pass at most.',
  default: 1000,
  minimum: 1,
  maximum: 1_000_000,
})
const hasMore = Type.Optional(expression({ description: 'False: this was the last page.', vars: answerVars }))
const param = Type.String({ description: 'Name of the parameter.', minLength: 1, maxLength: 200 })
const where = oneOf(['query', 'body'], {
  description: 'Where the parameter goes; body: the top level of a JSON body.',
  default: 'query',
})
const sizeParam = Type.Optional(
  fields(
    { param, value: Type.Integer({ description: 'Items asked for on a page.', minimum: 1, maximum: 1_000_000 }) },
    'Sent with every page.',
  ),
)
const from = (what: string) => expression({ description: `${what}; nothing there: the last page.`, vars: answerVars })
const allowHosts = Type.Array(Type.String({ minLength: 1, maxLength: 255 }), {
  description: 'Other hosts that the address of the next page may name; they get the same headers.',
  default: [],
  maxItems: 20,
})

const paginate = choice(
  {
    page: fields(
      {
        param,
        in: where,
        first: Type.Integer({
          description: 'Number of the first page.',
          default: 1,
          minimum: 0,
          maximum: 1_000_000_000,
        }),
        size: sizeParam,
        max: maxPages,
        has_more: hasMore,
      },
      'Pages have numbers.',
    ),
    offset: fields(
      {
        param,
        in: where,
        first: Type.Integer({ description: 'The first offset.', default: 0, minimum: 0, maximum: 1_000_000_000 }),
        step: Type.Optional(
          Type.Integer({
            description: 'What a page adds to the offset. Omitted: the number of items it had.',
            minimum: 1,
            maximum: 1_000_000,
          }),
        ),
        size: sizeParam,
        max: maxPages,
        has_more: hasMore,
      },
      'Pages begin at an offset.',
    ),
    cursor: fields(
      { param, in: where, from: from('Value for the next page'), size: sizeParam, max: maxPages, has_more: hasMore },
      'Each answer holds the value that asks for the next page.',
    ),
    token: fields(
      { param, in: where, from: from('Token of the next page'), size: sizeParam, max: maxPages, has_more: hasMore },
      'Another name for cursor.',
    ),
    next_url: fields(
      { from: from('Address of the next page'), allow_hosts: allowHosts, max: maxPages, has_more: hasMore },
      'Each answer holds the address of the next page.',
    ),
    link_header: fields(
      { allow_hosts: allowHosts, max: maxPages, has_more: hasMore },
      'The Link header with rel="next" holds the address of the next page.',
    ),
  },
  'How the pages of a source are asked for. Omitted: there is one page.',
)

const cursor = fields(
  {
    mode: oneOf(['ordered', 'membership'], {
      description:
        'ordered: items have a date or number that grows. membership: a list without order, such as top reviews; ids seen are remembered.',
      default: 'ordered',
    }),
    id: expression({ description: 'What identifies an item.', vars: itemVars }),
    field: Type.Optional(
      expression({ description: 'The date or number that grows when an item is new or edited.', vars: itemVars }),
    ),
    order: Type.Optional(
      oneOf(['asc', 'desc'], {
        description: 'How the source sorts by the field: asc, oldest first, or desc, newest first.',
      }),
    ),
    as: oneOf(['date', 'number', 'string'], { description: 'How values of the field are compared.', default: 'date' }),
    lookback: duration({
      description:
        'date: items this much older than the newest one are still looked at, because they may be published late.',
      default: '0s',
    }),
    version: Type.Optional(
      expression({
        description: 'membership: what changes when an item is edited; omitted: an item is never looked at again.',
        vars: itemVars,
      }),
    ),
    deletes: Type.Optional(
      oneOf(['ignore', 'tombstone'], {
        description:
          'membership: what becomes of an item that was listed and is missing once the whole list was read. tombstone: a record with its key and no value. Only for a source that lists all of its items in every poll, with a topic key made of the id. Omitted: ignore.',
      }),
    ),
    keep: Type.Integer({
      description:
        'Versions of items remembered at most: membership in all, ordered besides those within the lookback.',
      default: 5000,
      minimum: 100,
      maximum: 50_000,
    }),
  },
  'How it is known which items are new. Omitted: every poll yields every item.',
)

const errorRule = fields({
  when: expression({ description: 'When the rule holds; one that cannot be computed does not hold.', vars: errorVars }),
  do: oneOf(['retry', 'wait', 'pending', 'skip', 'gone', 'fail', 'blocked', 'ok'], {
    description:
      'retry: a passing fault. wait: told to slow down. pending: the job is not ready yet. skip, gone: nothing here, go on. fail: do not call again. blocked: stop calling the host for a while. ok: read it as an answer.',
  }),
  after: Type.Optional(duration({ description: 'Time to wait before the next call.', min: 0 })),
})

const robots = fields(
  {
    agent: Type.String({
      description:
        'Who we are: the name that rules of robots.txt are looked up for, and those for everyone are kept too. Sent as user-agent unless `headers` has one.',
      minLength: 1,
      maxLength: 200,
      pattern: '^[\\x20-\\x7e]+$',
    }),
    meta: Type.Boolean({
      description:
        'html: leave a page alone that says noindex, noarchive or none to robots, in a meta element or X-Robots-Tag.',
      default: true,
    }),
  },
  'Robots.txt of each host is read before its pages, kept for a day, and obeyed, its Crawl-delay too, up to `retry_after_max` of `fetch`; while it cannot be read, nothing is.',
)

const csv = fields(
  {
    header: Type.Optional(
      Type.Boolean({ description: 'The first row names the columns. Omitted: true unless `columns` is there.' }),
    ),
    columns: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 200 }), {
        description: 'Names of the columns, instead of those of the header.',
        minItems: 1,
        maxItems: 20_000,
      }),
    ),
    delimiter: Type.Optional(
      Type.String({
        description: 'The ASCII character between fields; a comma for csv, a tab for tsv.',
        minLength: 1,
        maxLength: 1,
      }),
    ),
    quote: oneOf(['"', "'", 'none'], {
      description: 'The character around fields that hold delimiters or line breaks; none: such characters are data.',
      default: '"',
    }),
  },
  'csv, tsv: how rows are written.',
)

export const httpSpec = fields({
  for_each: Type.Optional(
    Type.Record(
      Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*$' }),
      Type.Union([
        Type.Array(Type.Union([Type.String({ minLength: 1, maxLength: 1000 }), Type.Number()]), {
          minItems: 1,
          maxItems: 100_000,
        }),
        fields({
          file: path({
            description: 'A text file, one value a line; blank lines and lines that begin with # are left out.',
          }),
        }),
        listedSpec(request, paginate),
      ]),
      {
        description: 'One split, with a cursor of its own, for each value; of several lists each combination.',
        additionalProperties: false,
        minProperties: 1,
        maxProperties: 5,
      },
    ),
  ),
  job: Type.Optional(jobSpec(request)),
  request,
  conditional: Type.Optional(
    Type.Boolean({
      description:
        'True: asks only for what has changed since the last poll, by ETag and Last-Modified of the first page; "not modified" ends the poll.',
    }),
  ),
  robots: Type.Optional(robots),
  decode: oneOf(['json', 'ndjson', 'csv', 'tsv', 'html'], {
    description: 'What the body is, after decompression; a gzip file is decompressed as well.',
    default: 'json',
  }),
  csv: Type.Optional(csv),
  html: Type.Optional(htmlSpec),
  records: expression({
    description:
      'The list of items in the answer. ndjson, csv, tsv: `body` is the list of lines or rows. html: without this field it is `body.items`.',
    vars: answerVars,
    default: 'body',
  }),
  paginate: Type.Optional(paginate),
  cursor: Type.Optional(cursor),
  errors: Type.Array(errorRule, {
    description: 'Rules for answers that are not items, the first that holds counts; after them the status decides.',
    default: [],
    maxItems: 100,
  }),
  limits: Type.Optional(
    fields(
      {
        wait: expression({
          description:
            'Milliseconds for which nothing may call the host after this answer; null, 0 or what cannot be computed: none.',
          vars: errorVars,
        }),
      },
      'Limits that the source tells in its answers. Those in the usual headers are obeyed without this.',
    ),
  ),
  max_item: size({
    description: 'A larger item becomes a dead letter.',
    default: '4mb',
    min: 1024,
    max: 64 * 1024 * 1024,
  }),
})

export type HttpConfig = Static<typeof httpSpec>
export type CursorConfig = NonNullable<HttpConfig['cursor']>
export type RequestConfig = HttpConfig['request']
export type JobConfig = NonNullable<HttpConfig['job']>
export type PaginateConfig = NonNullable<HttpConfig['paginate']>
export type ErrorRule = HttpConfig['errors'][number]
