// The client of kafkajs works against the embedded registry: the usual way of JavaScript programs to Avro.
import { COMPATIBILITY, SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openEmbeddedRegistry } from '../../src/adapters/registry-embedded/registry.ts'
import { systemClock } from '../../src/core/clock.ts'
import { compileEncoder } from '../../src/schema/codec.ts'
import { ask, type ServedRegistry, serveRegistry } from '../support/registry-server.ts'

const password = 'canary-kafkajs-token'
let served: ServedRegistry
let client: SchemaRegistry
beforeAll(async () => {
  served = await serveRegistry({ full: password })
  client = new SchemaRegistry({ host: served.url, auth: { username: 'anyone', password } })
})
afterAll(() => served?.[Symbol.asyncDispose]())

const schemaOf = (name: string, ...fields: object[]) => ({
  type: SchemaType.AVRO as const,
  schema: JSON.stringify({
    type: 'record',
    name,
    namespace: 'shop',
    fields: [{ name: 'id', type: 'string' }, ...fields],
  }),
})
const authorization = { authorization: `Bearer ${password}` }

describe('@kafkajs/confluent-schema-registry', () => {
  test('a first registration finds no level (kafkajs#129), registers and sets one; the next one finds it', async () => {
    const before = await ask(served.url, 'GET', '/config/first-value', undefined, authorization)
    expect(before).toMatchObject({ status: 404, body: { error_code: 40408 } })
    const { id } = await client.register(schemaOf('First'), { subject: 'first-value' })
    const after = await ask(served.url, 'GET', '/config/first-value', undefined, authorization)
    expect(after).toMatchObject({ status: 200, body: { compatibilityLevel: 'BACKWARD' } })
    const again = await client.register(schemaOf('First'), { subject: 'first-value' })
    expect(again.id).toBe(id)
    await expect(
      client.register(schemaOf('First'), { subject: 'first-value', compatibility: COMPATIBILITY.FULL }),
    ).rejects.toThrow('Compatibility does not match the configuration')
  })

  test('what it encodes it decodes, and what weir encodes', async () => {
    const schema = schemaOf('Wire', { name: 'stars', type: 'double' })
    const { id } = await client.register(schema, { subject: 'wire-value' })
    const value = { id: 'a', stars: 4.5 }
    expect({ ...(await client.decode(await client.encode(id, value))) }).toEqual(value)
    const other = new SchemaRegistry({ host: served.url, auth: { username: 'anyone', password } })
    const written = Buffer.from(compileEncoder(schema.schema).encode(value, id))
    expect({ ...(await other.decode(written)) }).toEqual(value)
    await using ours = await openEmbeddedRegistry({ dataDir: served.dataDir, clock: systemClock })
    expect(await ours.latest('wire-value')).toMatchObject({ id, version: 1 })
  })

  test('ids by subject and version, latest, and by schema', async () => {
    const schema = schemaOf('Ids')
    const { id } = await client.register(schema, { subject: 'ids-value' })
    expect(await client.getRegistryId('ids-value', 1)).toBe(id)
    expect(await client.getLatestSchemaId('ids-value')).toBe(id)
    expect(await client.getRegistryIdBySchema('ids-value', schema)).toBe(id)
  })

  test('an incompatible schema and an unknown id are errors with the words of the registry', async () => {
    await client.register(schemaOf('Broken'), { subject: 'broken-value' })
    await expect(
      client.register(schemaOf('Broken', { name: 'stars', type: 'int' }), { subject: 'broken-value' }),
    ).rejects.toThrow(/incompatible with an earlier schema/)
    await expect(client.getSchema(1_000_000)).rejects.toThrow('Schema 1000000 not found')
  })

  test('schemas with references', async () => {
    await client.register(
      {
        type: SchemaType.AVRO,
        schema: JSON.stringify({ type: 'enum', name: 'Star', namespace: 'shop', symbols: ['A', 'B'] }),
      } as never,
      { subject: 'star' },
    )
    const schema = {
      ...schemaOf('Starred', { name: 'star', type: 'shop.Star' }),
      references: [{ name: 'shop.Star', subject: 'star', version: 1 }],
    }
    const { id } = await client.register(schema, { subject: 'starred-value' })
    const other = new SchemaRegistry({ host: served.url, auth: { username: 'anyone', password } })
    const value = { id: 'a', star: 'B' }
    expect({ ...(await other.decode(await client.encode(id, value))) }).toEqual(value)
    // Weir's own consumers find the schema whole under its id.
    await using ours = await openEmbeddedRegistry({ dataDir: served.dataDir, clock: systemClock })
    const text = await ours.byId(id)
    expect(JSON.parse(text).fields[1].type).toMatchObject({ type: 'enum', name: 'shop.Star', symbols: ['A', 'B'] })
    expect(Buffer.from(compileEncoder(text).encode(value, id))).toEqual(await client.encode(id, value))
  })
})
