// Who the registry is, and who weir is to it: TLS that never falls back, credentials asked anew and shown nowhere.
import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import type { HttpRegistryOptions, RegistryTls } from '../../../../src/adapters/registry-http/options.ts'
import { openHttpRegistry } from '../../../../src/adapters/registry-http/registry.ts'
import { Secret } from '../../../../src/core/secret.ts'
import { type FakeRegistry, fakeRegistry, give } from '../../../support/fake-registry.ts'
import { registryOptions, registryScene, schemaOf } from '../../../support/http-registry.ts'

const pem = (name: string) => readFileSync(new URL(`../../../corpus/http/tls/${name}`, import.meta.url), 'utf8')
const ca = pem('ca.pem')
const tls = (more: Partial<RegistryTls> = {}): RegistryTls => ({
  ca,
  cert: null,
  key: null,
  serverName: null,
  verify: true,
  ...more,
})
const certificate = (name: string) => ({ cert: pem(`${name}.pem`), key: pem(`${name}.key`) })

async function subjectsOf(server: FakeRegistry, more: Partial<HttpRegistryOptions>): Promise<readonly string[]> {
  await using registry = await openHttpRegistry({ ...registryOptions(server.url), ...more })
  return await registry.subjects()
}

const password = 'c0rrect-horse'
const basic = { username: 'ann', password: () => new Secret(password) }

test('name and password, or a token, go with each question', async () => {
  await using server = await fakeRegistry(certificate('good'))
  server.authorization = `Basic ${Buffer.from(`ann:${password}`).toString('base64')}`
  expect(await subjectsOf(server, { tls: tls(), auth: basic })).toEqual([])
  server.authorization = `Bearer ${password}`
  expect(await subjectsOf(server, { tls: tls(), auth: { bearer: async () => new Secret(password) } })).toEqual([])
})

test('credentials are asked for anew: a rotated one is taken without a restart', async () => {
  await using s = await registryScene()
  let token = 'token-one'
  const registry = await s.open({ auth: { bearer: () => new Secret(token) } })
  s.server.authorization = 'Bearer token-one'
  await registry.register('a', schemaOf('A'))
  s.server.authorization = 'Bearer token-two'
  await expect(registry.subjects()).rejects.toMatchObject({ code: 'registry.denied' })
  token = 'token-two'
  expect(await registry.subjects()).toEqual(['a'])
})

test('a refused login is told at once, and is no answer about a schema', async () => {
  await using s = await registryScene()
  s.server.authorization = 'Bearer other'
  const registry = await s.open({ auth: basic })
  await expect(registry.byId(1)).rejects.toMatchObject({
    code: 'registry.denied',
    message: expect.stringContaining('refuses the login (401)'),
  })
  s.server.trouble = (_, response) => {
    give(response, 403, { error_code: 40301, message: 'User is denied operation Write on Subject: a' })
    return true
  }
  await expect(registry.register('a', schemaOf('A'))).rejects.toMatchObject({
    code: 'registry.denied',
    message: expect.stringContaining('User is denied operation Write on Subject: a'),
  })
  expect(s.server.requests).toHaveLength(2)
})

test.each([
  ['with a line end', () => new Secret('a\nb: c')],
  ['that is empty', () => new Secret('')],
  ['that is not ASCII', () => new Secret('tökén')],
  [
    'that cannot be read',
    () => {
      throw new Error('/run/secrets/token-of-ann is not there')
    },
  ],
  ['that cannot be read later', async () => Promise.reject(new Error('/run/secrets/token-of-ann is not there'))],
])('a token %s is not sent', async (_, bearer) => {
  await using s = await registryScene()
  const error = await (await s.open({ auth: { bearer } })).subjects().catch(each => each)
  expect(error.code).toBe('registry.denied')
  expect(error.message).not.toMatch(/tökén|token-of-ann/)
  expect(s.server.requests).toEqual([])
})

test('a credential that never comes ends at the deadline', async () => {
  await using s = await registryScene()
  const registry = await s.open({ timeoutMs: 100, auth: { bearer: () => new Promise<Secret>(() => {}) } })
  await expect(registry.subjects()).rejects.toMatchObject({ code: 'registry.unavailable' })
})

test('I9: credentials are in no error', async () => {
  await using s = await registryScene()
  for (const trouble of [
    (response: import('node:http').ServerResponse) => give(response, 401, { error_code: 401, message: password }),
    (response: import('node:http').ServerResponse) => give(response, 422, { error_code: 42205, message: password }),
    (response: import('node:http').ServerResponse) => void response.destroy(),
    (response: import('node:http').ServerResponse) => void response.socket!.end(`HTTP/1.1 ${password}\r\n\r\n`),
    (response: import('node:http').ServerResponse) => give(response, 200, { [password]: password }),
  ]) {
    s.server.trouble = (_, response) => {
      trouble(response)
      return true
    }
    const error = await (await s.open({ auth: basic })).register('a', schemaOf('A')).catch(each => each)
    expect(error.code).toMatch(/^registry\./)
    expect(inspect(error, { depth: 20 })).not.toMatch(
      new RegExp(`${password}|${Buffer.from(`ann:${password}`).toString('base64')}`),
    )
  }
})

test.each([
  ['an authority that is not trusted', 'good', tls({ ca: null }), 'authority that is not trusted'],
  ['an expired certificate', 'expired', tls(), 'its certificate has expired'],
  ['a certificate for another host', 'other', tls(), 'its certificate is for another host'],
  ['no TLS options', 'good', null, 'authority that is not trusted'],
  ['another name than the one asked for', 'good', tls({ serverName: 'other.example' }), 'for another host'],
])('%s: nothing is sent', async (_, name, options, words) => {
  await using server = await fakeRegistry(certificate(name))
  await expect(subjectsOf(server, { tls: options, auth: basic })).rejects.toMatchObject({
    code: 'registry.unavailable',
    message: expect.stringContaining(words),
  })
  expect(server.requests).toEqual([])
})

test('another name of the registry, or any certificate, is taken where it is asked for', async () => {
  await using server = await fakeRegistry(certificate('other'))
  expect(await subjectsOf(server, { tls: tls({ serverName: 'other.example' }) })).toEqual([])
  expect(await subjectsOf(server, { tls: tls({ verify: false, ca: null }) })).toEqual([])
})

test('a client certificate is shown, its key read anew for each connection', async () => {
  await using server = await fakeRegistry({
    ...certificate('good'),
    ca,
    requestCert: true,
    rejectUnauthorized: true,
  })
  let reads = 0
  const key = () => {
    reads++
    return new Secret(pem('good.key'))
  }
  await using registry = await openHttpRegistry({
    ...registryOptions(server.url),
    tls: tls({ cert: pem('good.pem'), key }),
  })
  await registry.subjects()
  await server.stop()
  await server.start()
  await registry.subjects()
  expect(reads).toBe(2)
  await expect(subjectsOf(server, { tls: tls() })).rejects.toMatchObject({ code: 'registry.unavailable' })
})

test('a server without TLS is refused, and TLS for a plain address too', async () => {
  await using server = await fakeRegistry()
  await expect(
    subjectsOf({ ...server, url: server.url.replace('http:', 'https:') }, { tls: tls(), auth: basic }),
  ).rejects.toMatchObject({ code: 'registry.unavailable', message: expect.stringContaining('TLS') })
  expect(server.requests).toEqual([])
  await expect(openHttpRegistry({ ...registryOptions(server.url), tls: tls() })).rejects.toMatchObject({
    code: 'config.invalid',
    message: expect.stringContaining('TLS'),
  })
})
