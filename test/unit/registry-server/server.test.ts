// What the registry server is beside its endpoints: types, headers, methods, hosts, tokens, failures inside.
import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SchemaBook } from '../../../src/adapters/registry-embedded/book.ts'
import { plainRequest } from '../../../src/adapters/registry-embedded/registering.ts'
import { WeirError } from '../../../src/core/errors.ts'
import { startRegistryServer } from '../../../src/registry-server/server.ts'
import { ask, type ServedRegistry, serveRegistry } from '../../support/registry-server.ts'

const type = 'application/vnd.schemaregistry.v1+json'
let served: ServedRegistry
beforeAll(async () => {
  served = await serveRegistry()
})
afterAll(() => served?.[Symbol.asyncDispose]())
const send = (method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
  ask(served.url, method, path, body, headers)

const open = { full: null, read: null }
const failing = (error: unknown) => new Proxy({}, { get: () => () => Promise.reject(error) }) as unknown as SchemaBook

describe('the registry server', () => {
  test.each([
    ['nothing', undefined, type],
    ['anything', '*/*', type],
    ['its own type', `${type}, application/json;q=0.5`, type],
    ['the plain type', 'application/vnd.schemaregistry+json', 'application/vnd.schemaregistry+json'],
    ['JSON', 'application/json', 'application/json'],
  ])('a client that accepts %s gets its type, of answers and of errors', async (_, accept, expected) => {
    const headers = accept === undefined ? {} : { accept }
    for (const path of ['/subjects', '/subjects/none/versions', '/nowhere']) {
      const answer = await send('GET', path, undefined, headers)
      expect(answer.type.split(';')[0]).toBe(expected)
    }
  })

  test('answers carry security headers, and nothing for other sites', async () => {
    const { headers } = await send('GET', '/subjects', undefined, { origin: 'https://evil.example' })
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('access-control-allow-origin')).toBeNull()
  })

  test('HEAD is GET without a body', async () => {
    expect(await send('HEAD', '/subjects')).toMatchObject({ status: 200, text: '' })
    expect(await send('HEAD', '/subjects/none/versions')).toMatchObject({ status: 404, text: '' })
  })

  test.each([
    ['PUT', '/subjects', 'GET'],
    ['PATCH', '/config/a', 'GET, PUT, DELETE'],
    ['OPTIONS', '/subjects/a', 'POST, DELETE'],
    ['DELETE', '/compatibility/subjects/a/versions/1', 'POST'],
  ])('%s %s is no method there, and the ones there are are named', async (method, path, allow) => {
    const answer = await send(method, path)
    expect(answer).toMatchObject({ status: 405, body: { error_code: 405, message: 'HTTP 405 Method Not Allowed' } })
    expect(answer.headers.get('allow')).toBe(allow)
  })

  test('bound to this machine, it answers to names of this machine only', async () => {
    const status = await new Promise(resolve => {
      const { hostname, port } = new URL(served.url)
      request({ hostname, port, path: '/subjects', headers: { host: 'evil.example' } }, response => {
        response.resume()
        resolve(response.statusCode)
      }).end()
    })
    expect(status).toBe(421)
  })

  test('an address that others reach needs a token', async () => {
    const start = (host: string) =>
      startRegistryServer({ book: served.book, host, port: 0, tokens: open, onError: () => {} })
    await expect(start('0.0.0.0')).rejects.toMatchObject({
      code: 'usage.refused',
      hint: expect.stringContaining('--token'),
    })
    await expect(start('::')).rejects.toMatchObject({ code: 'usage.refused' })
  })

  test('a port that is taken is an error with its place', async () => {
    await expect(
      startRegistryServer({ book: served.book, host: '127.0.0.1', port: served.port, tokens: open, onError: () => {} }),
    ).rejects.toMatchObject({ code: 'listen.failed', at: `127.0.0.1:${served.port}` })
  })

  test('401 says how to log in, before the path is looked at', async () => {
    await using closed = await serveRegistry({ full: 'canary-server-token' })
    for (const path of ['/subjects', '/nowhere', '/'])
      expect(await ask(closed.url, 'GET', path)).toMatchObject({
        status: 401,
        body: { error_code: 401, message: 'Unauthorized' },
      })
    const answer = await ask(closed.url, 'GET', '/subjects')
    expect(answer.headers.get('www-authenticate')).toBe('Basic realm="weir schema registry"')
  })

  test.each([
    ['a full disk', new WeirError('log.full', 'no space at /secret/place'), 500, 50001],
    ['a lock that is held', new WeirError('log.busy', 'locked'), 500, 50002],
    ['a defect', new TypeError('x is undefined at /secret/place'), 500, 500],
  ])('%s is told to the operator, not to the client', async (_, error, status, code) => {
    const errors: unknown[] = []
    await using server = await startRegistryServer({
      book: failing(error),
      host: '127.0.0.1',
      port: 0,
      tokens: open,
      onError: thrown => errors.push(thrown),
    })
    const answer = await ask(server.url, 'GET', '/subjects')
    expect(answer).toMatchObject({ status, body: { error_code: code } })
    expect(answer.text).not.toContain('secret')
    expect(errors).toEqual([error])
  })

  test('the list of schemas: all, the latest of each subject, by prefix, by page', async () => {
    const record = (name: string) => ({ schema: JSON.stringify({ type: 'record', name, fields: [] }) })
    await send('POST', '/subjects/list-a/versions', record('A'))
    await send('POST', '/subjects/list-a/versions', {
      schema: JSON.stringify({ type: 'record', name: 'A', doc: 'x', fields: [] }),
    })
    await send('POST', '/subjects/list-b/versions', record('B'))
    const listed = async (query: string) =>
      ((await send('GET', `/schemas?subjectPrefix=list-${query}`)).body as { subject: string; version: number }[]).map(
        ({ subject, version }) => `${subject}/${version}`,
      )
    expect(await listed('')).toEqual(['list-a/1', 'list-a/2', 'list-b/1'])
    expect(await listed('&latestOnly=true')).toEqual(['list-a/2', 'list-b/1'])
    expect(await listed('b')).toEqual(['list-b/1'])
    expect(await listed('&offset=1&limit=1')).toEqual(['list-a/2'])
    await send('DELETE', '/subjects/list-b')
    expect(await listed('')).toEqual(['list-a/1', 'list-a/2'])
    expect(await listed('&deleted=true')).toEqual(['list-a/1', 'list-a/2', 'list-b/1'])
    const only = await send('GET', '/subjects?deletedOnly=true&subjectPrefix=:*:list-')
    expect(only.body).toEqual(['list-b'])
  })

  test('the list of schemas is a page of 1000 at most, as Confluent’s is', async () => {
    await using many = await serveRegistry()
    for (let i = 0; i <= 1000; i++)
      await many.book.register(`many-${String(i).padStart(4, '0')}`, plainRequest('"string"'))
    const listed = async (query: string) =>
      ((await ask(many.url, 'GET', `/schemas${query}`)).body as { subject: string }[]).map(({ subject }) => subject)
    expect(await listed('')).toHaveLength(1000)
    expect(await listed('?limit=5000')).toHaveLength(1000)
    expect(await listed('?offset=1000')).toEqual(['many-1000'])
  })

  test('an id: where it stands, what is deleted, the highest', async () => {
    const body = { schema: JSON.stringify({ type: 'record', name: 'Ids', fields: [] }) }
    const { id } = (await send('POST', '/subjects/ids-a/versions', body)).body as { id: number }
    await send('POST', '/subjects/ids-b/versions', body)
    const got = async (path: string) => (await send('GET', `/schemas/ids/${id}${path}`)).body
    expect(await got('/subjects')).toEqual(['ids-a', 'ids-b'])
    expect(await got('/versions')).toEqual([
      { subject: 'ids-a', version: 1 },
      { subject: 'ids-b', version: 1 },
    ])
    await send('DELETE', '/subjects/ids-a')
    expect(await got('/subjects')).toEqual(['ids-b'])
    expect(await got('/subjects?deleted=true')).toEqual(['ids-a', 'ids-b'])
    expect(await got('?fetchMaxId=true')).toMatchObject({ schema: expect.any(String), maxId: expect.any(Number) })
    for (const subject of ['ids-b', 'ids-a?permanent=true', 'ids-b?permanent=true'])
      await send('DELETE', `/subjects/${subject}`)
    expect(await got('')).toMatchObject({ error_code: 40403 })
    // What was written under it is still read by weir, and the schema has it again when it comes back.
    expect(JSON.parse((await served.book.wholeText(id))!)).toMatchObject({ name: 'Ids' })
    expect((await send('POST', '/subjects/ids-a/versions', body)).body).toMatchObject({ id, version: 1 })
  })
})
