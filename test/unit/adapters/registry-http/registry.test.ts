// Registering, looking up and checking, against a registry that speaks Confluent's contract, and ones that deviate from it.
import { expect, test } from 'vitest'
import { give } from '../../../support/fake-registry.ts'
import { registryScene, schemaOf } from '../../../support/http-registry.ts'

test('registering writes no level, and asks for none', async () => {
  await using s = await registryScene()
  const registry = await s.open()
  await registry.register('a', schemaOf('A'))
  expect(s.server.requests.filter(({ target }) => target.includes('/config'))).toEqual([])
  expect(s.server.requests.map(({ method, target }) => `${method} ${target}`)).toEqual([
    'POST /subjects/a',
    'POST /subjects/a/versions',
    'POST /subjects/a',
    'GET /schemas/ids/1',
  ])
})

test('a schema that is there is found without a right to write', async () => {
  await using s = await registryScene()
  const first = await (await s.open()).register('a', schemaOf('A'))
  s.server.trouble = ({ target }, response) => {
    if (!target.endsWith('/versions')) return false
    give(response, 422, { error_code: 42205, message: 'Subject a is in read-only mode' })
    return true
  }
  const registry = await s.open()
  expect(await registry.register('a', schemaOf('A'))).toEqual(first)
  await expect(registry.register('a', schemaOf('B'))).rejects.toMatchObject({
    code: 'registry.denied',
    message: expect.stringContaining('read-only'),
  })
})

test('I14: the reasons of the registry are in the refusal', async () => {
  await using s = await registryScene()
  const registry = await s.open()
  await registry.register('a', schemaOf('A'))
  const refusal = await registry.register('a', schemaOf('A', 'int')).catch(error => error)
  expect(refusal).toMatchObject({ code: 'registry.incompatible', at: s.server.url })
  expect(refusal.message).toContain('TYPE_MISMATCH')
  expect(refusal.message).not.toContain('oldSchema:')
})

test.each([
  [
    'another id for the schema',
    ({ target }: { target: string }, value: object) => (target === '/subjects/a/versions' ? { id: 1 } : value),
  ],
  [
    'another schema under the id',
    ({ target }: { target: string }, value: object) =>
      target.startsWith('/schemas/') ? { schema: schemaOf('Other') } : value,
  ],
  [
    'another schema as found',
    ({ target }: { target: string }, value: object) =>
      target === '/subjects/a' ? { ...value, schema: schemaOf('Other') } : value,
  ],
  [
    'Protobuf under the id',
    ({ target }: { target: string }, value: object) =>
      target.startsWith('/schemas/') ? { schema: 'x', schemaType: 'PROTOBUF' } : value,
  ],
])('a registry that gives %s is not believed', async (_, lie) => {
  await using s = await registryScene()
  const other = await s.open()
  await other.register('other', schemaOf('Other'))
  s.server.lie = lie as never
  const refusal = await (await s.open()).register('a', schemaOf('A')).catch(error => error)
  expect(['registry.mismatch', 'schema.invalid']).toContain(refusal.code)
  if (refusal.code === 'registry.mismatch') expect(refusal.hint).toContain('exchanged')
})

test('an id that the registry gives and does not know is not believed, after a while of waiting for its other nodes', async () => {
  await using s = await registryScene()
  let unknown = 2
  s.server.trouble = ({ target }, response) => {
    if (!target.startsWith('/schemas/') || unknown-- <= 0) return false
    give(response, 404, { error_code: 40403, message: 'Schema not found' })
    return true
  }
  const registry = await s.open()
  expect(await registry.register('a', schemaOf('A'))).toMatchObject({ id: 1 })
  unknown = Number.POSITIVE_INFINITY
  await expect(registry.register('a', schemaOf('A', 'string', { default: '' }))).rejects.toMatchObject({
    code: 'registry.mismatch',
    message: expect.stringContaining('does not know that id'),
  })
})

test('what weir knows to be no schema is not sent', async () => {
  await using s = await registryScene()
  const registry = await s.open()
  for (const work of [registry.register('a', '{'), registry.check('a', '"int"'), registry.lookup('a', '')])
    await expect(work).rejects.toMatchObject({ code: 'schema.invalid' })
  expect(s.server.requests).toEqual([])
})

test('a verdict without reasons has one plain reason', async () => {
  await using s = await registryScene()
  const registry = await s.open()
  await registry.register('a', schemaOf('A'))
  s.server.lie = ({ target }, value) => (target.startsWith('/compat') ? { is_compatible: false } : value)
  expect(await registry.check('a', schemaOf('A', 'int'))).toEqual({
    verdict: 'incompatible',
    reasons: ['BACKWARD against the latest version: it breaks the level; the registry does not say where'],
  })
})

test('nothing is in the way of a subject that is not there, whether the registry says true or 404', async () => {
  await using s = await registryScene()
  const registry = await s.open()
  expect(await registry.check('a', schemaOf('A'))).toEqual({ verdict: 'compatible', reasons: [] })
  s.server.trouble = ({ target }, response) => {
    if (!target.startsWith('/compat')) return false
    give(response, 404, { error_code: 40402, message: 'Version not found' })
    return true
  }
  expect(await registry.check('a', schemaOf('A'))).toEqual({ verdict: 'compatible', reasons: [] })
})

test('a transitive level is checked version by version, newest first', async () => {
  await using s = await registryScene()
  const registry = await s.open()
  await registry.setLevel('NONE', 'a')
  for (const type of ['int', 'long', 'string']) await registry.register('a', schemaOf('A', type))
  await registry.setLevel('BACKWARD_TRANSITIVE', 'a')
  const { verdict, reasons } = await registry.check('a', schemaOf('A', 'boolean'))
  expect(verdict).toBe('incompatible')
  expect(reasons.map(reason => /against version \d/.exec(reason)?.[0])).toEqual([
    'against version 3',
    'against version 2',
    'against version 1',
  ])
})

test('NONE is the level of a subject only where it is in effect', async () => {
  await using s = await registryScene()
  const registry = await s.open()
  await registry.register('a', schemaOf('A'))
  s.server.lie = ({ target }, value) => (target === '/config/a' ? { compatibilityLevel: 'NONE' } : value)
  s.server.trouble = ({ method, target }, response) => {
    if (method !== 'GET' || target !== '/config/a') return false
    give(response, 200, { compatibilityLevel: 'NONE' })
    return true
  }
  expect(await registry.level('a')).toBeNull()
  await registry.setLevel('NONE')
  expect(await registry.level('a')).toBe('NONE')
})

test.each(['', '.', '..', 'a\nb', 'x'.repeat(256), '\ud800'])(
  'the subject %j is refused before anything is asked',
  async subject => {
    await using s = await registryScene()
    const registry = await s.open()
    await expect(registry.register(subject, schemaOf('A'))).rejects.toMatchObject({ code: 'usage.invalid' })
    expect(s.server.requests).toEqual([])
  },
)

test.each(['a/b', 'a b?c#d', ':.ctx:a', '{subject}', '%2e%2e', '$&'])(
  'the subject %j arrives as it is',
  async subject => {
    await using s = await registryScene()
    const registry = await s.open()
    await registry.register(subject, schemaOf('A'))
    expect(await registry.subjects()).toEqual([subject])
    expect(await registry.version(subject, 1)).toMatchObject({ subject, version: 1 })
    expect(await registry.versions(subject)).toEqual([1])
  },
)

test.each([
  ['subjects', '{}'],
  ['subjects', '[1]'],
  ['versions', '["1"]'],
  ['latest', '{"schema":"x"}'],
  ['latest', 'null'],
  ['level', '{"compatibilityLevel":"SOME"}'],
  ['byId', '7'],
] as const)('an answer to %s that has another shape is none: %s', async (method, body) => {
  await using s = await registryScene()
  s.server.trouble = (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(body)
    return true
  }
  const registry = await s.open()
  await expect(
    (registry[method] as (a: unknown) => Promise<unknown>)(method === 'byId' ? 1 : 'a'),
  ).rejects.toMatchObject({
    code: 'registry.unavailable',
  })
})

test('a version other than the one asked for is no answer', async () => {
  await using s = await registryScene()
  const registry = await s.open()
  await registry.register('a', schemaOf('A'))
  s.server.lie = (_, value) => ({ ...(value as object), version: 2 })
  await expect(registry.version('a', 1)).rejects.toMatchObject({ code: 'registry.unavailable' })
})
