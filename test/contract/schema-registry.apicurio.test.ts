// The adapter for Confluent-compatible registries over a real Apicurio Registry: the contract, what Apicurio does differently, what another
// program reads of what weir wrote, and a registry that loses everything under a running consumer.
import { randomBytes } from 'node:crypto'
import { SchemaRegistry as OtherClient } from '@kafkajs/confluent-schema-registry'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { HttpRegistryOptions } from '../../src/adapters/registry-http/options.ts'
import { openHttpRegistry } from '../../src/adapters/registry-http/registry.ts'
import { systemClock } from '../../src/core/clock.ts'
import type { SchemaRegistry } from '../../src/pipeline/ports.ts'
import { compileEncoder } from '../../src/schema/codec.ts'
import { eventually } from '../support/eventually.ts'
import type { Apicurio } from '../support/services/apicurio.ts'
import { describeWith } from '../support/services/for-tests.ts'
import { type RegistryPlace, schemaRegistryContract } from './schema-registry.ts'

const schemaOf = (name: string, type: unknown = 'string') =>
  JSON.stringify({ type: 'record', name, namespace: 'shop', fields: [{ name: 'id', type }] })

await describeWith(['own-apicurio'], 'Apicurio', startApicurio => {
  let apicurio: Apicurio
  beforeAll(async () => {
    apicurio = await startApicurio()
  }, 120_000)
  afterAll(() => apicurio?.[Symbol.asyncDispose]())

  const open = (more: Partial<HttpRegistryOptions> = {}) =>
    openHttpRegistry({
      url: apicurio.url,
      auth: null,
      tls: null,
      timeoutMs: 10_000,
      clock: systemClock,
      random: Math.random,
      ...more,
    })

  const openPlace = async (): Promise<RegistryPlace> => {
    const registries: SchemaRegistry[] = []
    return {
      prefix: `T${randomBytes(6).toString('hex')}`,
      connect: async () => {
        const registry = await open()
        registries.push(registry)
        return registry
      },
      [Symbol.asyncDispose]: async () => {
        await using own = await open()
        await own.setLevel('NONE')
        for (const registry of registries) await registry[Symbol.asyncDispose]()
      },
    }
  }
  schemaRegistryContract(
    'Apicurio',
    { ownGlobalLevel: true, firstGlobalLevel: 'NONE', tellsMissingLevel: false, docsCount: false },
    openPlace,
  )

  test('registering writes no level', async () => {
    await using registry = await open()
    await registry.register('levels-value', schemaOf('Levels'))
    await registry.setLevel('BACKWARD')
    try {
      // Apicurio answers NONE for the subject itself in both states; only what is in effect tells them apart.
      expect(await registry.level('levels-value')).toBeNull()
      await registry.setLevel('NONE', 'levels-value')
      expect(await registry.level('levels-value')).toBe('NONE')
    } finally {
      await registry.setLevel('NONE')
    }
  })

  test('a subject with characters that a path cannot hold is a subject like others', async () => {
    await using registry = await open()
    const subject = 'a/b c?d=ü%-value'
    const { id } = await registry.register(subject, schemaOf('Odd'))
    expect(await registry.latest(subject)).toMatchObject({ subject, id, version: 1 })
    expect(await registry.subjects()).toContain(subject)
  })

  test('a value that weir wrote is read by another client of the registry', async () => {
    await using registry = await open()
    const text = JSON.stringify({
      type: 'record',
      name: 'Review',
      namespace: 'shop',
      fields: [
        { name: 'id', type: 'string' },
        { name: 'rating', type: 'double' },
        { name: 'note', type: ['null', 'string'], default: null },
      ],
    })
    const { id } = await registry.register('wire-value', text)
    const value = compileEncoder(text).encode({ id: 'a', rating: 4.5, note: 'güt' }, id)
    const other = new OtherClient({ host: apicurio.url })
    expect({ ...(await other.decode(Buffer.from(value))) }).toEqual({ id: 'a', rating: 4.5, note: 'güt' })
  })

  test('an address without the path of the API is an error about the address, not about a schema', async () => {
    await using registry = await open({ url: apicurio.url.replace('/apis/ccompat/v7', ''), timeoutMs: 2_000 })
    await expect(registry.byId(1)).rejects.toMatchObject({
      code: 'registry.unavailable',
      hint: expect.stringContaining('/apis/ccompat/v7'),
    })
  })

  // Last, for it takes everything from the registry.
  test('ids of a wiped registry that are given out anew are noticed, also by who has the old schema at hand', async () => {
    await using registry = await open({ recheckMs: 0 })
    const first = await registry.register('wiped-value', schemaOf('Before'))
    await registry.byId(first.id)
    await apicurio.process.kill()
    expect(await registry.byId(first.id)).toContain('Before')
    await apicurio.process.restart()
    await using other = await open()
    for (let i = 0; i <= first.id; i++) await other.register(`anew-${i}-value`, schemaOf(`Anew${i}`, 'int'))
    await eventually('the first registry notices', () =>
      registry.byId(first.id).then(
        () => false,
        error => error.code === 'registry.mismatch',
      ),
    )
  })
})
