// Corpus sets H and F for requests to the registry: what is sent, and the status and error code that must come back.
import { request } from 'node:http'
import { ask } from '../../support/registry-server.ts'

export interface RegistryPlace {
  readonly url: string
  readonly token: string
  readonly readToken: string
}

export interface Got {
  readonly status: number
  /** Confluent's code in an error body. */
  readonly code?: number
  readonly body?: unknown
}

export interface RegistryCase {
  readonly name: string
  /** `subject` is this case's own. */
  readonly send: (place: RegistryPlace, subject: string) => Promise<Got>
  /** What must be there before; its time does not count. */
  readonly prepare?: (place: RegistryPlace, subject: string) => Promise<unknown>
  readonly expected: Got
}

export const record = (...fields: readonly object[]) =>
  JSON.stringify({ type: 'record', name: 'Review', fields: [{ name: 'id', type: 'string' }, ...fields] })
const optional = { name: 'note', type: ['null', 'string'], default: null }
const required = { name: 'stars', type: 'int' }

type Send = (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Got>

function sender({ url, token }: RegistryPlace): Send {
  return async (method, path, body, headers) => {
    const answer = await ask(url, method, path, body, { authorization: `Bearer ${token}`, ...headers })
    const code = (answer.body as { error_code?: number } | null | undefined)?.error_code
    return { status: answer.status, ...(code === undefined ? {} : { code }), body: answer.body }
  }
}

const one = (
  name: string,
  expected: Got,
  exchange: (send: Send, subject: string, place: RegistryPlace) => Promise<Got>,
): RegistryCase => ({ name, expected, send: (place, subject) => exchange(sender(place), subject, place) })

const register = (send: Send, subject: string, schema: unknown, more: object = {}) =>
  send('POST', `/subjects/${subject}/versions`, { schema, ...more })
const refused = (code: number): Got => ({ status: Number(String(code).slice(0, 3)), code })
const fine: Got = { status: 200 }

/** Sends the path as it stands, which fetch would tidy up. */
function rawPath({ url, token }: RegistryPlace, path: string, method = 'GET'): Promise<Got> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, method, headers: { authorization: `Bearer ${token}` } }, response => {
      const chunks: Buffer[] = []
      response.on('data', chunk => chunks.push(chunk))
      response.on('end', () => {
        const body = JSON.parse(Buffer.concat(chunks).toString())
        resolve({ status: response.statusCode!, code: body.error_code, body })
      })
    })
    sent.on('error', reject)
    sent.end()
  })
}

/** Each level refers twice to the one below it: read once each, not 2^70 times. */
function level(subject: string, at: number): [subject: string, schema: string, more: object] {
  const own = `${subject}-${at}`
  if (at === 0) return [own, '{"type":"enum","name":"L0","symbols":["A"]}', {}]
  const below = { name: `L${at - 1}`, subject: `${subject}-${at - 1}`, version: 1 }
  const fields = ['a', 'b'].map(name => ({ name, type: below.name }))
  return [own, JSON.stringify({ type: 'record', name: `L${at}`, fields }), { references: [below, below] }]
}

const requests: readonly RegistryCase[] = [
  one('unknown route', refused(404), send => send('GET', '/nowhere')),
  one('wrong method', refused(405), send => send('PUT', '/subjects')),
  one('body empty', refused(422), (send, subject) => send('POST', `/subjects/${subject}/versions`, '')),
  one('not JSON', refused(400), (send, subject) => send('POST', `/subjects/${subject}/versions`, '{"schema":')),
  one('a list for a body', refused(400), (send, subject) => send('POST', `/subjects/${subject}/versions`, '[]')),
  one('schema missing', refused(42201), (send, subject) => send('POST', `/subjects/${subject}/versions`, {})),
  one('schema number', refused(42201), (send, subject) => register(send, subject, 7)),
  one('schema object', refused(400), (send, subject) => register(send, subject, { type: 'string' })),
  one('schemaType unknown', refused(42201), (send, subject) => register(send, subject, record(), { schemaType: 'THRIFT' })),
  one('schemaType number', refused(42201), (send, subject) => register(send, subject, record(), { schemaType: 1 })),
  one('invalid Avro', refused(42201), (send, subject) => register(send, subject, '{"type":"record"}')),
  one('incompatible', refused(40901), async (send, subject) => {
    await register(send, subject, record())
    return register(send, subject, record(required))
  }),
  one('unknown subject', refused(40401), (send, subject) => send('GET', `/subjects/${subject}/versions`)),
  one('unknown version', refused(40402), async (send, subject) => {
    await register(send, subject, record())
    return send('GET', `/subjects/${subject}/versions/2`)
  }),
  one('unknown id', refused(40403), send => send('GET', '/schemas/ids/999999')),
  one('id abc', refused(404), send => send('GET', '/schemas/ids/abc')),
  one('id 2^31', refused(404), send => send('GET', '/schemas/ids/2147483648')),
  ...['0', 'abc', '2147483648', '1e3', '%20', '99999999999999999999'].map(version =>
    one(`version ${version}`, refused(42202), async (send, subject) => {
      await register(send, subject, record())
      return send('GET', `/subjects/${subject}/versions/${version}`)
    }),
  ),
  one('version -1 is the latest', fine, async (send, subject) => {
    await register(send, subject, record())
    return send('GET', `/subjects/${subject}/versions/-1`)
  }),
  one('version latest on deleted', refused(40401), async (send, subject) => {
    await register(send, subject, record())
    await send('DELETE', `/subjects/${subject}`)
    return send('GET', `/subjects/${subject}/versions/latest`)
  }),
  one('subject with slash', fine, (send, subject) => register(send, `${subject}%2Fa`, record())),
  one('subject `..` encoded', refused(42208), (_send, _subject, place) => rawPath(place, '/config/%2e%2e', 'PUT').then(() => rawPathPut(place, '/config/%2e%2e'))),
  one('subject 2 KB', refused(42208), (send, subject) => register(send, subject + 'x'.repeat(2048), record())),
  one('subject 100 KB', refused(431), (send, subject) => register(send, subject + 'x'.repeat(100_000), record()).catch(() => refused(431))),
  one('subject empty', refused(42208), send => register(send, '', record())),
  one('subject control chars', refused(42208), (send, subject) => register(send, `${subject}%00`, record())),
  one('subject half a character', refused(400), (_send, subject, place) => rawPath(place, `/subjects/${subject}%E4/versions`)),
  one('subject of a context', refused(42208), (send, subject) => register(send, `:.other:${subject}`, record())),
  one('compat level invalid', refused(42203), (send, subject) => send('PUT', `/config/${subject}`, { compatibility: 'SOME' })),
  one('compat level number', refused(42203), (send, subject) => send('PUT', `/config/${subject}`, { compatibility: 3 })),
  one('a setting this registry has not', refused(422), (send, subject) => send('PUT', `/config/${subject}`, { compatibilityGroup: 'major' })),
  one('mode invalid', refused(42204), (send, subject) => send('PUT', `/mode/${subject}`, { mode: 'OFF' })),
  one('mode missing', refused(42204), (send, subject) => send('PUT', `/mode/${subject}`, {})),
  one('delete twice', refused(40404), async (send, subject) => {
    await register(send, subject, record())
    await send('DELETE', `/subjects/${subject}`)
    return send('DELETE', `/subjects/${subject}`)
  }),
  one('permanent before soft', refused(40405), async (send, subject) => {
    await register(send, subject, record())
    return send('DELETE', `/subjects/${subject}?permanent=true`)
  }),
  one('reference missing', refused(42201), (send, subject) =>
    register(send, subject, '"string"', { references: [{ name: 'a.B', subject: `${subject}-none`, version: 1 }] }),
  ),
  one('reference cycle', refused(42201), (send, subject) =>
    register(send, subject, record({ name: 'me', type: 'Me' }), { references: [{ name: 'Me', subject, version: 1 }] }),
  ),
  one('reference version 0', refused(42201), async (send, subject) => {
    await register(send, `${subject}-part`, '{"type":"enum","name":"Part","symbols":["A"]}')
    return register(send, subject, record({ name: 'part', type: 'Part' }), {
      references: [{ name: 'Part', subject: `${subject}-part`, version: 0 }],
    })
  }),
  one('references that are no list', refused(400), (send, subject) => register(send, subject, record(), { references: {} })),
  one('a reference without name', refused(42201), (send, subject) => register(send, subject, record(), { references: [{}] })),
  {
    ...one('references that go too deep', refused(42201), (send, subject) => register(send, ...level(subject, 70))),
    prepare: async (place, subject) => {
      for (let at = 0; at < 70; at++) await register(sender(place), ...level(subject, at))
    },
  },
  one('id forced', refused(42205), (send, subject) => register(send, subject, record(), { id: 12_345 })),
  one('id forced duplicate', refused(42205), async (send, subject) => {
    const { body } = await register(send, `${subject}-a`, record(optional))
    await send('PUT', `/mode/${subject}`, { mode: 'IMPORT' })
    return register(send, subject, record(required), { id: (body as { id: number }).id })
  }),
  one('id forced on a schema that has another', refused(42207), async (send, subject) => {
    await register(send, `${subject}-a`, record(optional))
    await send('PUT', `/mode/${subject}`, { mode: 'IMPORT' })
    return register(send, subject, record(optional), { id: 1_234_567 })
  }),
  one('register same twice (same id)', fine, async (send, subject) => {
    const first = await register(send, subject, record())
    const second = await register(send, subject, record())
    return (first.body as { id: number }).id === (second.body as { id: number }).id ? second : { status: 0 }
  }),
  one('parallel same schema x50 (one id)', { status: 200, body: { ids: 1, versions: [1] } }, async (send, subject) => {
    const all = await Promise.all(Array.from({ length: 50 }, () => register(send, subject, record())))
    const ids = new Set(all.map(each => (each.body as { id: number }).id))
    const { status, body } = await send('GET', `/subjects/${subject}/versions`)
    return { status, body: { ids: ids.size, versions: body } }
  }),
  one('parallel incompatible', { status: 200, body: { taken: 1, refused: 49 } }, async (send, subject) => {
    const field = (i: number) => ({ name: `required_${i}`, type: 'int' })
    const all = await Promise.all(Array.from({ length: 50 }, (_, i) => register(send, subject, record(field(i)))))
    const taken = all.filter(each => each.status === 200).length
    return { status: 200, body: { taken, refused: all.filter(each => each.code === 40901).length } }
  }),
  one('body 2 MB', refused(42209), (send, subject) => register(send, subject, `"${'x'.repeat(2 * 1024 * 1024)}"`)),
  one('body 20 MB', refused(42209), (send, subject) =>
    // The answer may come before all is sent: then the connection is closed under the sender.
    register(send, subject, 'x'.repeat(20 * 1024 * 1024)).catch(() => refused(42209)),
  ),
  one('a body of a million brackets', refused(400), (send, subject) => send('POST', `/subjects/${subject}/versions`, '['.repeat(1_000_000))),
  one('a million lists in metadata', refused(400), (send, subject) =>
    send('POST', `/subjects/${subject}/versions`, `{"schema":"\\"string\\"","metadata":{"tags":${'['.repeat(1e6)}${']'.repeat(1e6)}}}`),
  ),
  one('700,000 empty objects in metadata', refused(400), (send, subject) =>
    send('POST', `/subjects/${subject}/versions`, `{"schema":"\\"string\\"","metadata":{"sensitive":[${'{},'.repeat(700_000)}1]}}`),
  ),
  one('metadata that is none', refused(400), (send, subject) => register(send, subject, record(), { metadata: 'x' })),
  one('rules', refused(42210), (send, subject) =>
    register(send, subject, record(), { ruleSet: { domainRules: [{ name: 'a', kind: 'CONDITION', type: 'CEL', expr: 'true' }] } }),
  ),
  one('accept header odd', refused(406), send => send('GET', '/subjects', undefined, { accept: 'text/html;q=1, image/*' })),
  one('accept header broken', refused(406), send => send('GET', '/subjects', undefined, { accept: ';;;,' })),
  one('accept json', fine, send => send('GET', '/subjects', undefined, { accept: 'application/json' })),
  one('content-type text', refused(415), (send, subject) =>
    send('POST', `/subjects/${subject}/versions`, '{}', { 'content-type': 'text/plain' }),
  ),
  one('unicode normal forms', { status: 200, body: 2 }, async (send, subject) => {
    for (const form of ['NFC', 'NFD']) await register(send, encodeURIComponent(`${subject}-ü`.normalize(form)), record())
    const { status, body } = await send('GET', `/subjects?subjectPrefix=${subject}-`)
    return { status, body: (body as unknown[]).length }
  }),
  one('normalize=maybe', fine, (send, subject) => send('POST', `/subjects/${subject}/versions?normalize=maybe`, { schema: record() })),
  one('offset abc', refused(404), send => send('GET', '/subjects?offset=abc')),
  one('limit 1e9', refused(404), send => send('GET', '/subjects?limit=1e9')),
  one('auth missing', refused(401), send => send('GET', '/subjects', undefined, { authorization: '' })),
  one('auth wrong', refused(401), send => send('GET', '/subjects', undefined, { authorization: 'Bearer wrong-token' })),
  one('auth basic wrong', refused(401), send =>
    send('GET', '/subjects', undefined, { authorization: `Basic ${Buffer.from('u:wrong').toString('base64')}` }),
  ),
  one('auth basic that is none', refused(401), send => send('GET', '/subjects', undefined, { authorization: 'Basic %%%' })),
  one('read-only token writes', refused(40301), (send, subject, { readToken }) =>
    send('POST', `/subjects/${subject}/versions`, { schema: record() }, { authorization: `Bearer ${readToken}` }),
  ),
  one('read-only token looks up', refused(40401), (send, subject, { readToken }) =>
    send('POST', `/subjects/${subject}`, { schema: record() }, { authorization: `Bearer ${readToken}` }),
  ),
]

async function rawPathPut({ url, token }: RegistryPlace, path: string): Promise<Got> {
  const { hostname, port } = new URL(url)
  const body = JSON.stringify({ compatibility: 'FULL' })
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'content-length': body.length }
    const sent = request({ hostname, port, path, method: 'PUT', headers }, response => {
      const chunks: Buffer[] = []
      response.on('data', chunk => chunks.push(chunk))
      response.on('end', () => {
        const json = JSON.parse(Buffer.concat(chunks).toString())
        resolve({ status: response.statusCode!, code: json.error_code, body: json })
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

const nested = (depth: number): unknown =>
  depth === 0 ? 'string' : { type: 'array', items: nested(depth - 1) }
const fields = (count: number) => Array.from({ length: count }, (_, i) => ({ name: `f${i}`, type: 'int' }))
const text = (value: unknown) => JSON.stringify(value)

/** Set F: schemas. A registry takes what Avro Java takes. */
const schemas: readonly (readonly [name: string, expected: Got, schema: string, before?: string])[] = [
  ['schema empty', refused(42201), ''],
  ['schema blanks', refused(42201), ' \n '],
  ['schema not JSON', refused(42201), '{"type": "record",}'],
  ['schema name with `;`', refused(42201), text({ type: 'record', name: 'a;b', fields: [] })],
  ['schema field `__proto__`', fine, record({ name: '__proto__', type: 'int' })],
  ['schema attribute `__proto__`', fine, '{"type":"record","name":"R","__proto__":{"x":1},"fields":[]}'],
  ['schema duplicate field', refused(42201), record(required, required)],
  ['schema unknown type', refused(42201), record({ name: 'a', type: 'text' })],
  ['schema bad default', refused(42201), record({ name: 'a', type: 'int', default: 'x' })],
  ['schema union in union', refused(42201), record({ name: 'a', type: ['null', ['int']] })],
  ['schema two same in union', refused(42201), record({ name: 'a', type: ['int', 'int'] })],
  ['schema alias clash', fine, record({ name: 'a', type: 'int', aliases: ['c'] }, { name: 'b', type: 'int', aliases: ['c'] })],
  ['schema recursive without base', fine, text({ type: 'record', name: 'Loop', fields: [{ name: 'next', type: 'Loop' }] })],
  ['schema namespace dots', refused(42201), text({ type: 'record', name: 'R', namespace: 'a..b', fields: [] })],
  ['schema 2 MB', refused(42209), text({ type: 'record', name: 'R', doc: 'x'.repeat(2 * 1024 * 1024), fields: [] })],
  ['schema 1 MB of brackets', refused(42201), '['.repeat(1_000_000)],
  ['schema depth 65', refused(42201), record({ name: 'a', type: nested(65) })],
  ['schema depth 10,000', refused(42201), record({ name: 'a', type: nested(2_000) })],
  ['schema 10k fields', refused(42201), record(...fields(10_000))],
  ['schema 4,000 fields', fine, record(...fields(4_000))],
  ['schema of 150,000 equal branches', refused(42201), `[${'"int",'.repeat(150_000)}"int"]`],
  ['schema of 300,000 empty types', refused(42201), `[${'{},'.repeat(300_000)}{}]`],
  ['schema of 100,000 equal symbols', refused(42201), `{"type":"enum","name":"E","symbols":[${'"A",'.repeat(100_000)}"A"]}`],
  ['schema of 40,000 unknown names', refused(42201), `[${Array.from({ length: 40_000 }, (_, i) => `"n${i}"`).join(',')}]`],
  ['enum symbol with dash', refused(42201), text({ type: 'enum', name: 'E', symbols: ['a-b'] })],
  ['fixed size 2^31', refused(42201), text({ type: 'fixed', name: 'F', size: 2 ** 31 })],
  ['logicalType unknown', fine, record({ name: 'a', type: { type: 'string', logicalType: 'mood' } })],
  ['reader lacks default', refused(40901), record(required), record()],
  ['string to bytes change', fine, record({ name: 'a', type: 'bytes' }), record({ name: 'a', type: 'string' })],
  ['types that lead to each other', refused(42201), mutual('f').replace('"T29"', '"T29","doc":"x"'), mutual('f')],
]

/** A union of records that each hold the whole union: every type of one schema is compared with every one of the other, in each field. */
function mutual(field: string): string {
  const names = Array.from({ length: 30 }, (_, i) => `T${i}`)
  const define = (i: number): unknown => ({
    type: 'record',
    name: names[i],
    fields: names.map((_, j) => ({ name: `${field}_${j}`, default: null, type: ['null', ...(i === 0 && j === 0 ? names.map((name, k) => (k === 0 ? name : define(k))) : names)] })),
  })
  return text(define(0))
}

export const cases: readonly RegistryCase[] = [
  ...requests,
  ...schemas.map(([name, expected, schema, before]) =>
    one(name, expected, async (send, subject) => {
      if (before !== undefined) await register(send, subject, before)
      return register(send, subject, schema)
    }),
  ),
]
