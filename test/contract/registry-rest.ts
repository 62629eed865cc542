// The REST contract of a schema registry as Confluent's clients rely on it: endpoints, error codes, bodies, as a table of exchanges. Any
// registry that speaks it can be put under it; where one is known to differ, the case is named with what it does instead.
import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { type Answer, ask } from '../support/registry-server.ts'

/** What an answer must be: its status, the code in an error body, and what its body must hold (a part of objects, the whole of lists). */
interface Expected {
  readonly status: number
  readonly code?: number
  readonly body?: unknown
  readonly message?: RegExp | string | undefined
}

/** `$S` is a subject of this case alone, `$N` a record name. */
export interface Exchange {
  readonly method: string
  readonly path: string
  readonly body?: unknown
  readonly expected: Expected
}

export interface ContractCase {
  readonly name: string
  readonly exchanges: readonly Exchange[]
  /** Touches what all subjects share, so it is put back at the end whatever happened. */
  readonly restore?: readonly Exchange[]
}

const ok = (body?: unknown): Expected => (body === undefined ? { status: 200 } : { status: 200, body })
const no = (code: number, message?: RegExp | string): Expected => ({
  status: Number(String(code).slice(0, 3)),
  code,
  ...(message === undefined ? {} : { message }),
})
const get = (path: string, expected: Expected): Exchange => ({ method: 'GET', path, expected })
const post = (path: string, body: unknown, expected: Expected): Exchange => ({ method: 'POST', path, body, expected })
const put = (path: string, body: unknown, expected: Expected): Exchange => ({ method: 'PUT', path, body, expected })
const del = (path: string, expected: Expected): Exchange => ({ method: 'DELETE', path, expected })

const field = (name: string, type: unknown, more: object = {}) => ({ name, type, ...more })
const record = (...fields: object[]) => ({
  schema: JSON.stringify({ type: 'record', name: '$N', namespace: 'shop', fields }),
})
const one = record(field('id', 'string'))
/** Adds an optional field: compatible both ways. */
const two = record(field('id', 'string'), field('note', ['null', 'string'], { default: null }))
/** Adds a required one: breaks BACKWARD. */
const broken = record(field('id', 'string'), field('rating', 'int'))
const register = (schema: object, expected: Expected = ok(), query = '') =>
  post(`/subjects/$S/versions${query}`, schema, expected)
const text = expect.any(String)
const number = expect.any(Number)

export const contract: readonly ContractCase[] = [
  {
    name: 'the service answers at its root, and says what it knows',
    exchanges: [get('/', ok({})), get('/schemas/types', ok(expect.arrayContaining(['AVRO'])))],
  },
  {
    name: 'a schema is registered, and found by id, version, latest and itself',
    exchanges: [
      register(one, ok({ id: number })),
      get('/subjects', ok(expect.arrayContaining(['$S']))),
      get('/subjects/$S/versions', ok([1])),
      get('/subjects/$S/versions/1', ok({ subject: '$S', version: 1, id: number, schema: text })),
      get('/subjects/$S/versions/latest', ok({ subject: '$S', version: 1 })),
      get('/subjects/$S/versions/1/schema', ok({ type: 'record', name: '$N' })),
      post('/subjects/$S', one, ok({ subject: '$S', version: 1, id: number, schema: text })),
    ],
  },
  {
    name: 'the same schema again is the same version',
    exchanges: [register(one), register(two), register(one), get('/subjects/$S/versions', ok([1, 2]))],
  },
  {
    name: 'a doc is a new version',
    exchanges: [
      register(one),
      register(record(field('id', 'string', { doc: 'x' }))),
      get('/subjects/$S/versions', ok([1, 2])),
    ],
  },
  {
    name: 'version -1 is the latest',
    exchanges: [register(one), register(two), get('/subjects/$S/versions/-1', ok({ version: 2 }))],
  },
  { name: 'subjects by prefix', exchanges: [register(one), get('/subjects?subjectPrefix=$S', ok(['$S']))] },
  {
    name: '40401 versions of an unknown subject',
    exchanges: [get('/subjects/$S/versions', no(40401, "Subject '$S' not found."))],
  },
  { name: '40401 a version of an unknown subject', exchanges: [get('/subjects/$S/versions/1', no(40401))] },
  { name: '40401 latest of an unknown subject', exchanges: [get('/subjects/$S/versions/latest', no(40401))] },
  { name: '40401 lookup in an unknown subject', exchanges: [post('/subjects/$S', one, no(40401))] },
  { name: '40401 deleting an unknown subject', exchanges: [del('/subjects/$S', no(40401))] },
  { name: '40401 deleting a version of an unknown subject', exchanges: [del('/subjects/$S/versions/1', no(40401))] },
  {
    name: '40402 an unknown version',
    exchanges: [register(one), get('/subjects/$S/versions/9', no(40402, 'Version 9 not found.'))],
  },
  { name: '40402 deleting an unknown version', exchanges: [register(one), del('/subjects/$S/versions/9', no(40402))] },
  {
    name: '40403 an unknown id',
    exchanges: [get('/schemas/ids/2000000000', no(40403, 'Schema 2000000000 not found'))],
  },
  { name: '40403 the text of an unknown id', exchanges: [get('/schemas/ids/2000000000/schema', no(40403))] },
  { name: '40403 the subjects of an unknown id', exchanges: [get('/schemas/ids/2000000000/subjects', no(40403))] },
  { name: '40403 the versions of an unknown id', exchanges: [get('/schemas/ids/2000000000/versions', no(40403))] },
  {
    name: '40403 lookup of another schema',
    exchanges: [register(one), post('/subjects/$S', two, no(40403, 'Schema not found'))],
  },
  {
    name: '40404 soft deletion twice',
    exchanges: [
      register(one),
      register(two),
      del('/subjects/$S', ok([1, 2])),
      get('/subjects/$S/versions', no(40401)),
      get('/subjects/$S/versions/latest', no(40401)),
      get('/subjects/$S/versions?deleted=true', ok([1, 2])),
      get('/subjects?deleted=true', ok(expect.arrayContaining(['$S']))),
      get('/subjects?subjectPrefix=$S', ok([])),
      del('/subjects/$S', no(40404, "Subject '$S' was soft deleted. Set permanent=true to delete permanently")),
    ],
  },
  {
    name: '40405 a subject permanently before softly',
    exchanges: [
      register(one),
      del(
        '/subjects/$S?permanent=true',
        no(40405, "Subject '$S' was not deleted first before being permanently deleted"),
      ),
    ],
  },
  {
    name: '40406 soft deletion of a version twice',
    exchanges: [
      register(one),
      register(two),
      del('/subjects/$S/versions/1', ok(1)),
      get('/subjects/$S/versions', ok([2])),
      get('/subjects/$S/versions/1', no(40402)),
      get('/subjects/$S/versions/1?deleted=true', ok({ version: 1 })),
      del(
        '/subjects/$S/versions/1',
        no(40406, "Subject '$S' Version 1 was soft deleted. Set permanent=true to delete permanently"),
      ),
    ],
  },
  {
    name: '40407 a version permanently before softly',
    exchanges: [
      register(one),
      del(
        '/subjects/$S/versions/1?permanent=true',
        no(40407, "Subject '$S' Version 1 was not deleted first before being permanently deleted"),
      ),
    ],
  },
  {
    name: 'softly, then permanently: nothing is left of the subject',
    exchanges: [
      register(one),
      put('/config/$S', { compatibility: 'NONE' }, ok()),
      del('/subjects/$S', ok([1])),
      del('/subjects/$S?permanent=true', ok([1])),
      get('/subjects/$S/versions?deleted=true', no(40401)),
      get('/config/$S', no(40408)),
    ],
  },
  {
    name: 'a schema that comes back after soft deletion has its id and the next version',
    exchanges: [
      register(one),
      register(two),
      del('/subjects/$S/versions/2', ok(2)),
      register(two),
      get('/subjects/$S/versions', ok([1, 3])),
    ],
  },
  {
    name: 'the row of before is dropped then',
    exchanges: [
      register(one),
      register(two),
      del('/subjects/$S/versions/2', ok(2)),
      register(two),
      get('/subjects/$S/versions?deleted=true', ok([1, 3])),
    ],
  },
  {
    name: 'the latest can be deleted by that name',
    exchanges: [register(one), register(two), del('/subjects/$S/versions/latest', ok(2))],
  },
  {
    name: '40408 the level of a subject without one, before and after it is registered',
    exchanges: [
      get('/config/$S', no(40408, "Subject '$S' does not have subject-level compatibility configured")),
      register(one),
      get('/config/$S', no(40408)),
    ],
  },
  {
    name: 'the level of a subject: put, got, in effect, taken away',
    exchanges: [
      put('/config/$S', { compatibility: 'full' }, ok({ compatibility: 'FULL' })),
      get('/config/$S', ok({ compatibilityLevel: 'FULL' })),
      get('/config/$S?defaultToGlobal=true', ok({ compatibilityLevel: 'FULL' })),
      del('/config/$S', ok({ compatibilityLevel: 'FULL' })),
      get('/config/$S', no(40408)),
      get('/config/$S?defaultToGlobal=true', ok({ compatibilityLevel: text })),
    ],
  },
  { name: 'the default level is BACKWARD', exchanges: [get('/config', ok({ compatibilityLevel: 'BACKWARD' }))] },
  {
    name: 'the global level: put, got, in effect, taken away',
    exchanges: [
      put('/config', { compatibility: 'NONE' }, ok({ compatibility: 'NONE' })),
      get('/config', ok({ compatibilityLevel: 'NONE' })),
      get('/config/$S?defaultToGlobal=true', ok({ compatibilityLevel: 'NONE' })),
      register(one),
      register(broken),
      del('/config', ok({ compatibilityLevel: 'NONE' })),
      get('/config', ok({ compatibilityLevel: 'BACKWARD' })),
    ],
    restore: [put('/config', { compatibility: 'BACKWARD' }, ok())],
  },
  { name: '40401 taking away a level that is not there', exchanges: [del('/config/$S', no(40401))] },
  {
    name: '42203 an invalid level',
    exchanges: [put('/config/$S', { compatibility: 'SIDEWAYS' }, no(42203, /Invalid compatibility level/))],
  },
  {
    name: '40409 the mode of a subject without one',
    exchanges: [get('/mode/$S', no(40409, "Subject '$S' does not have subject-level mode configured"))],
  },
  {
    name: 'modes: put, got, in effect, taken away',
    exchanges: [
      get('/mode', ok({ mode: 'READWRITE' })),
      put('/mode/$S', { mode: 'READONLY' }, ok({ mode: 'READONLY' })),
      get('/mode/$S', ok({ mode: 'READONLY' })),
      del('/mode/$S', ok({ mode: 'READONLY' })),
      get('/mode/$S', no(40409)),
      get('/mode/$S?defaultToGlobal=true', ok({ mode: 'READWRITE' })),
    ],
  },
  { name: '42204 an invalid mode', exchanges: [put('/mode/$S', { mode: 'SOMETIMES' }, no(42204, /Invalid mode/))] },
  {
    name: '42205 READONLY takes nothing, but knows what it has',
    exchanges: [
      register(one),
      put('/mode/$S', { mode: 'READONLY' }, ok()),
      register(two, no(42205, 'Subject $S in context . is in read-only mode')),
      register(one),
      del('/subjects/$S', no(42205)),
      put('/config/$S', { compatibility: 'NONE' }, no(42205)),
      del('/mode/$S', ok()),
      register(two),
    ],
  },
  {
    name: '42205 READONLY_OVERRIDE stands above the mode of a subject',
    exchanges: [
      put('/mode/$S', { mode: 'READWRITE' }, ok()),
      put('/mode', { mode: 'READONLY_OVERRIDE' }, ok({ mode: 'READONLY_OVERRIDE' })),
      register(one, no(42205)),
      put('/mode', { mode: 'READWRITE' }, ok()),
      register(one),
    ],
    restore: [put('/mode', { mode: 'READWRITE' }, ok())],
  },
  {
    name: '42205 an id of elsewhere outside IMPORT',
    exchanges: [register({ ...one, id: 1_900_000_001 }, no(42205, 'Subject $S in context . is not in import mode'))],
  },
  {
    name: 'IMPORT takes ids and versions of elsewhere, and nothing without',
    exchanges: [
      put('/mode/$S', { mode: 'IMPORT' }, ok()),
      register(one, no(42205, 'Subject $S in context . is not in read-write mode')),
      register({ ...one, id: 1_900_000_002, version: 7 }, ok({ id: 1_900_000_002 })),
      get('/subjects/$S/versions', ok([7])),
      register({ ...two, id: 1_900_000_002, version: 8 }, no(42205, /Overwrite new schema with id 1900000002/)),
    ],
  },
  {
    name: '42205 IMPORT where there are versions, unless forced',
    exchanges: [
      register(one),
      put('/mode/$S', { mode: 'IMPORT' }, no(42205, 'Cannot import since found existing subjects')),
      put('/mode/$S?force=true', { mode: 'IMPORT' }, ok({ mode: 'IMPORT' })),
    ],
  },
  {
    name: '40901 an incompatible schema',
    exchanges: [
      register(one),
      register(
        broken,
        no(
          40901,
          /^Schema being registered is incompatible with an earlier schema for subject "\$S", details: \[\{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'The field 'rating' at path '\/fields\/1' in the new schema has no default value and is missing in the old schema', additionalInfo:'rating'\}, \{oldSchemaVersion: 1\}, \{oldSchema: '.*'\}, \{validateFields: 'false', compatibility: 'BACKWARD'\}\]$/,
        ),
      ),
      get('/subjects/$S/versions', ok([1])),
    ],
  },
  {
    name: 'compatibility with the latest, with a version, with all',
    exchanges: [
      register(one),
      post('/compatibility/subjects/$S/versions/latest', two, ok({ is_compatible: true })),
      post('/compatibility/subjects/$S/versions/1', broken, ok({ is_compatible: false })),
      post('/compatibility/subjects/$S/versions', broken, ok({ is_compatible: false })),
      post('/compatibility/subjects/$S/versions', two, ok({ is_compatible: true })),
    ],
  },
  {
    name: 'compatibility with all, of an unknown subject',
    exchanges: [post('/compatibility/subjects/$S/versions', one, ok({ is_compatible: true }))],
  },
  {
    name: 'compatibility with the latest of an unknown subject',
    exchanges: [post('/compatibility/subjects/$S/versions/latest', one, ok({ is_compatible: true }))],
  },
  {
    name: '40402 compatibility with an unknown version',
    exchanges: [register(one), post('/compatibility/subjects/$S/versions/9', one, no(40402))],
  },
  {
    name: 'verbose: rule, path, description and versions of every reason',
    exchanges: [
      register(one),
      post(
        '/compatibility/subjects/$S/versions/latest?verbose=true',
        broken,
        ok({
          is_compatible: false,
          messages: [
            "{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'The field 'rating' at path '/fields/1' in the new schema has no default value and is missing in the old schema', additionalInfo:'rating'}",
            '{oldSchemaVersion: 1}',
            expect.stringMatching(/^\{oldSchema: '\{"type":"record".*\}'\}$/),
            "{validateFields: 'false', compatibility: 'BACKWARD'}",
          ],
        }),
      ),
      post('/compatibility/subjects/$S/versions/latest?verbose=true', two, ok({ is_compatible: true, messages: [] })),
    ],
  },
  {
    name: 'FORWARD: the old schema reads, and is named the reader',
    exchanges: [
      register(broken),
      put('/config/$S', { compatibility: 'FORWARD' }, ok()),
      post(
        '/compatibility/subjects/$S/versions/latest?verbose=true',
        one,
        ok({
          is_compatible: false,
          messages: [
            "{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'The field 'rating' at path '/fields/1' in the old schema has no default value and is missing in the new schema', additionalInfo:'rating'}",
            '{oldSchemaVersion: 1}',
            text,
            "{validateFields: 'false', compatibility: 'FORWARD'}",
          ],
        }),
      ),
    ],
  },
  {
    name: 'transitive: from the newest to the oldest, to the first version that fails',
    exchanges: [
      put('/config/$S', { compatibility: 'NONE' }, ok()),
      register(record(field('id', 'string'), field('n', 'string'))),
      register(record(field('id', 'string'), field('n', 'boolean'))),
      register(record(field('id', 'string'), field('n', 'int'))),
      put('/config/$S', { compatibility: 'BACKWARD_TRANSITIVE' }, ok()),
      post(
        '/compatibility/subjects/$S/versions?verbose=true',
        record(field('id', 'string'), field('n', 'long')),
        ok({
          is_compatible: false,
          messages: [expect.stringContaining("errorType:'TYPE_MISMATCH'"), '{oldSchemaVersion: 2}', text, text],
        }),
      ),
    ],
  },
  { name: '42201 no Avro', exchanges: [register({ schema: '{"type":"nonsense"}' }, no(42201))] },
  { name: '42201 no JSON in the schema', exchanges: [register({ schema: '{' }, no(42201))] },
  {
    name: '42201 an empty schema',
    exchanges: [register({ schema: '' }, no(42201, 'Empty schema')), register({}, no(42201, 'Empty schema'))],
  },
  { name: '42201 a bad default', exchanges: [register(record(field('id', 'int', { default: 'x' })), no(42201))] },
  { name: '42201 a bad name', exchanges: [register(record(field('a-b', 'int')), no(42201))] },
  {
    name: '42201 two fields of one name',
    exchanges: [register(record(field('a', 'int'), field('a', 'int')), no(42201))],
  },
  {
    name: '42201 an unknown schemaType',
    exchanges: [register({ ...one, schemaType: 'XML' }, no(42201, /Invalid schema type XML/))],
  },
  {
    name: '42201 in a check',
    exchanges: [register(one), post('/compatibility/subjects/$S/versions/latest', { schema: '{' }, no(42201))],
  },
  {
    name: 'a verbose check answers an invalid schema with words',
    exchanges: [
      register(one),
      post(
        '/compatibility/subjects/$S/versions/latest?verbose=true',
        { schema: '{' },
        ok({ is_compatible: false, messages: [text] }),
      ),
    ],
  },
  ...['0', 'abc', '2147483648', '-2', '1.5'].map(version => ({
    name: `42202 version ${version}`,
    exchanges: [
      register(one),
      get(
        `/subjects/$S/versions/${version}`,
        no(42202, /is not a valid version id\. Allowed values are between \[1, 2\^31-1\] and the string "latest"$/),
      ),
    ],
  })),
  {
    name: 'a schema that is no record, and a default of the second branch, are schemas too',
    exchanges: [
      register({ schema: '"string"' }),
      get('/subjects/$S/versions/1', ok({ schema: '"string"' })),
      post('/subjects/$S-union/versions', record(field('a', ['null', 'string'], { default: 'x' })), ok()),
    ],
  },
  {
    name: 'references: resolved, answered, found from the other side, and held against deletion (42206)',
    exchanges: [
      post(
        '/subjects/$S-part/versions',
        { schema: '{"type":"enum","name":"$NStar","namespace":"shop","symbols":["A","B"]}' },
        ok(),
      ),
      register({
        ...record(field('star', 'shop.$NStar')),
        references: [{ name: 'shop.$NStar', subject: '$S-part', version: 1 }],
      }),
      get('/subjects/$S/versions/1', ok({ references: [{ name: 'shop.$NStar', subject: '$S-part', version: 1 }] })),
      get('/subjects/$S-part/versions/1/referencedby', ok([number])),
      del(
        '/subjects/$S-part/versions/1',
        no(42206, 'One or more references exist to the schema {magic=1,keytype=SCHEMA,subject=$S-part,version=1}.'),
      ),
      del('/subjects/$S-part', no(42206)),
      post(
        '/subjects/$S',
        {
          ...record(field('star', 'shop.$NStar')),
          references: [{ name: 'shop.$NStar', subject: '$S-part', version: 1 }],
        },
        ok({ version: 1 }),
      ),
      del('/subjects/$S', ok([1])),
      del('/subjects/$S?permanent=true', ok([1])),
      get('/subjects/$S-part/versions/1/referencedby', ok([])),
      del('/subjects/$S-part', ok([1])),
    ],
  },
  {
    name: 'references take part in checks',
    exchanges: [
      post(
        '/subjects/$S-part/versions',
        { schema: '{"type":"enum","name":"$NStar","namespace":"shop","symbols":["A","B"]}' },
        ok(),
      ),
      register(record(field('star', { type: 'enum', name: '$NStar', symbols: ['A', 'B', 'C'] }))),
      post(
        '/compatibility/subjects/$S/versions/latest',
        {
          ...record(field('star', 'shop.$NStar')),
          references: [{ name: 'shop.$NStar', subject: '$S-part', version: 1 }],
        },
        ok({ is_compatible: false }),
      ),
    ],
  },
  {
    name: '42201 a reference that is not there',
    exchanges: [
      register(
        {
          ...record(field('a', 'shop.Nowhere')),
          references: [{ name: 'shop.Nowhere', subject: '$S-none', version: 1 }],
        },
        no(42201),
      ),
    ],
  },
  {
    name: 'normalize: forms of the same schema are one version',
    exchanges: [
      register(record(field('id', { type: 'string' }, { b: 1, a: 2 })), ok(), '?normalize=true'),
      register(record(field('id', 'string', { a: 2, b: 1 })), ok(), '?normalize=true'),
      get('/subjects/$S/versions', ok([1])),
      post('/subjects/$S?normalize=true', record(field('id', { type: 'string' }, { a: 2, b: 1 })), ok({ version: 1 })),
    ],
  },
  {
    name: 'normalize can be set for a subject',
    exchanges: [
      put(
        '/config/$S',
        { compatibility: 'BACKWARD', normalize: true },
        ok({ compatibility: 'BACKWARD', normalize: true }),
      ),
      get('/config/$S', ok({ compatibilityLevel: 'BACKWARD', normalize: true })),
      register(record(field('id', { type: 'string' }))),
      register(record(field('id', 'string'))),
      get('/subjects/$S/versions', ok([1])),
    ],
  },
  {
    name: 'metadata: kept, answered, another version where it differs, taken over where it is left out',
    exchanges: [
      register({ ...one, metadata: { properties: { owner: 'reviews' }, tags: { 'shop.$N.id': ['PII'] } } }),
      get(
        '/subjects/$S/versions/1',
        ok({ metadata: { properties: { owner: 'reviews' }, tags: { 'shop.$N.id': ['PII'] } } }),
      ),
      register({ ...one, metadata: { properties: { owner: 'orders' } } }),
      get('/subjects/$S/versions', ok([1, 2])),
      register(two),
      get('/subjects/$S/versions/3', ok({ metadata: { properties: { owner: 'orders' } } })),
      post('/subjects/$S', one, ok({ version: 2 })),
    ],
  },
  {
    name: 'equal content has one id in every subject',
    exchanges: [
      register(one),
      post('/subjects/$S-b/versions', one, ok()),
      get('/subjects/$S-b/versions/1', ok({ id: number })),
    ],
  },
  {
    name: '42208 a subject with control characters',
    exchanges: [post('/subjects/a%07b/versions', one, no(42208, /is not a valid\.$/))],
  },
  {
    name: 'a subject with characters that a path cannot hold',
    exchanges: [
      post('/subjects/$S%2Fa%20b%3Fc%25/versions', one, ok()),
      get('/subjects/$S%2Fa%20b%3Fc%25/versions/latest', ok({ subject: '$S/a b?c%', version: 1 })),
      get('/subjects?subjectPrefix=$S', ok(['$S/a b?c%'])),
    ],
  },
]

export interface RestRegistry {
  readonly url: string
}

export interface KnownDifferences {
  /** Cases in which a registry is known to do something else, and what: they are run, and must differ. */
  readonly differs?: ReadonlyMap<string, string>
  /** False: its messages are its own. */
  readonly words?: boolean
}

/** Puts a registry under the whole contract. */
export function registryRestContract(open: () => RestRegistry, known: KnownDifferences = {}): void {
  const { differs = new Map(), words = true } = known
  test('every known difference is that of a case', () => {
    const names = contract.map(each => each.name)
    expect([...differs.keys()].filter(each => !names.includes(each))).toEqual([])
  })
  test.each(contract)('$name', async each => {
    const why = differs.get(each.name)
    if (why === undefined) return runCase(open().url, each, words)
    await expect(runCase(open().url, each, words), `known to differ: ${why}`).rejects.toThrow()
  })
}

async function runCase(url: string, { exchanges, restore }: ContractCase, words: boolean): Promise<void> {
  const tag = randomBytes(5).toString('hex')
  const named = <T>(value: T): T => filled(value, tag) as T
  try {
    for (const { method, path, body, expected } of exchanges.map(exchange => named(exchange))) {
      const answer = await ask(url, method, path, body)
      compare(`${method} ${path}`, answer, words ? expected : { ...expected, message: undefined })
    }
  } finally {
    for (const { method, path, body } of restore ?? []) await ask(url, method, path, body)
  }
}

function compare(what: string, answer: Answer, { status, code, body, message }: Expected): void {
  const said = `${what} answered ${answer.status} ${answer.text.slice(0, 500)}`
  expect({ status: answer.status, json: /[/+]json/.test(answer.type) }, said).toEqual({ status, json: true })
  if (code !== undefined)
    expect(answer.body, said).toEqual({
      error_code: code,
      message: message instanceof RegExp ? expect.stringMatching(message) : (message ?? expect.any(String)),
    })
  if (body === undefined) return
  if (typeof body === 'object' && body !== null && !Array.isArray(body) && !isMatcher(body))
    expect(answer.body, said).toMatchObject(body)
  else expect(answer.body, said).toEqual(body)
}

const isMatcher = (value: object) => 'asymmetricMatch' in value

/** `$S` and `$N` in texts, lists, objects and patterns become names of this case. */
function filled(value: unknown, tag: string): unknown {
  if (typeof value === 'string') return value.replaceAll('$S', `c${tag}`).replaceAll('$N', `N${tag}`)
  if (value instanceof RegExp) return new RegExp(value.source.replaceAll('\\$S', `c${tag}`), value.flags)
  if (Array.isArray(value)) return value.map(each => filled(each, tag))
  if (typeof value !== 'object' || value === null) return value
  if (isMatcher(value)) {
    const sample = (value as { sample?: unknown }).sample
    return Array.isArray(sample) ? expect.arrayContaining(filled(sample, tag) as unknown[]) : value
  }
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [filled(key, tag), filled(each, tag)]))
}
