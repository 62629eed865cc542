// Ids that come to stand for another schema (faults 67, 68): noticed at the latest when they are compared again.
import { expect, test } from 'vitest'
import { eventually } from '../../../support/eventually.ts'
import { createFakeClock } from '../../../support/fake-clock.ts'
import { registryScene, schemaOf } from '../../../support/http-registry.ts'

const scene = async () => {
  const s = await registryScene()
  const clock = createFakeClock()
  const registry = await s.open({ clock })
  const { id } = await registry.register('a', schemaOf('A'))
  const asked = () => s.server.requests.filter(({ target }) => target.startsWith('/schemas/')).length
  const before = asked()
  return {
    ...s,
    clock,
    registry,
    id,
    asked: () => asked() - before,
    /** The registry loses all and gives the id to another schema. */
    replace: async () => {
      s.server.wipe()
      await (await s.open()).register('other', schemaOf('Other', 'int'))
    },
  }
}

test('an id is compared again after half a minute, not for each record', async () => {
  await using s = await scene()
  for (let i = 0; i < 1000; i++) await s.registry.byId(s.id)
  expect(s.asked()).toBe(0)
  await s.clock.advance(30_000)
  await Promise.all([s.registry.byId(s.id), s.registry.byId(s.id)])
  await s.registry.byId(s.id)
  expect(s.asked()).toBe(1)
})

test('an id that stands for another schema is broken for good', async () => {
  await using s = await scene()
  await s.replace()
  expect(await s.registry.byId(s.id)).toContain('"A"')
  await s.clock.advance(30_000)
  const broken = { code: 'registry.mismatch', message: `Schema id ${s.id} stands for another schema than before.` }
  await expect(s.registry.byId(s.id)).rejects.toMatchObject(broken)
  await expect(s.registry.byId(s.id)).rejects.toMatchObject(broken)
  expect(s.asked()).toBe(2) // the other process compared what it registered
})

test('after an outage every id is compared at its next use, before it is used', async () => {
  await using s = await scene()
  await s.server.stop()
  let gaveUp = false
  const away = s.registry.subjects().catch(error => {
    gaveUp = true
    return error.code
  })
  await eventually('it is given up', async () => {
    await s.clock.advance(50)
    return gaveUp
  })
  expect(await away).toBe('registry.unavailable')
  expect(s.clock.monotonic()).toBeLessThan(30_000)
  await s.server.start()
  await s.replace()
  await s.registry.subjects()
  await expect(s.registry.byId(s.id)).rejects.toMatchObject({ code: 'registry.mismatch' })
})

test('while the registry is away nobody waits for a comparison, and one is tried every few seconds', async () => {
  await using s = await scene()
  await s.clock.advance(30_000)
  await s.server.stop()
  expect(await s.registry.byId(s.id)).toContain('"A"')
  await s.server.start()
  await s.replace()
  expect(await s.registry.byId(s.id)).toContain('"A"') // known to be away: not asked yet
  await s.clock.advance(5_000)
  await s.registry.byId(s.id)
  await expect.poll(() => s.registry.byId(s.id).catch(error => error.code)).toBe('registry.mismatch')
})

test('a comparison that hangs holds nobody up for long', async () => {
  await using s = await scene()
  await s.clock.advance(30_000)
  s.server.trouble = () => true
  const text = s.registry.byId(s.id)
  await s.clock.waiting(1)
  await s.clock.advance(2_000)
  expect(await text).toContain('"A"')
})

test('an id that is deleted goes on working, and is compared every second until it is back or another schema has it', async () => {
  await using s = await scene()
  await s.clock.advance(30_000)
  s.server.wipe()
  expect(await s.registry.byId(s.id)).toContain('"A"')
  await s.clock.advance(1_000)
  expect(await s.registry.byId(s.id)).toContain('"A"')
  expect(s.asked()).toBe(2)
  await s.replace()
  await s.clock.advance(1_000)
  await expect(s.registry.byId(s.id)).rejects.toMatchObject({ code: 'registry.mismatch' })
})

test('a schema that is only printed in another way is the same', async () => {
  await using s = await scene()
  s.server.lie = () => ({ schema: schemaOf('A', { type: 'string' }, { doc: 'now with words' }) })
  await s.clock.advance(30_000)
  expect(await s.registry.byId(s.id)).toContain('"A"')
})

test('another schema under a known id is noticed wherever it is told', async () => {
  await using s = await scene()
  await s.replace()
  await expect(s.registry.latest('other')).rejects.toMatchObject({ code: 'registry.mismatch' })
  await expect(s.registry.byId(s.id)).rejects.toMatchObject({ code: 'registry.mismatch' })
})

test('I10: a thousand schemas are remembered, the ones not used for longest go', async () => {
  await using s = await scene()
  s.server.lie = ({ target }, value) => value ?? { schema: schemaOf(`S${target}`) }
  s.server.trouble = ({ target }, response) => {
    if (!target.startsWith('/schemas/')) return false
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ schema: schemaOf(`S${target.split('/').at(-1)}`) }))
    return true
  }
  for (let i = 2; i <= 1000; i++) await s.registry.byId(i)
  await s.registry.byId(s.id)
  await s.registry.byId(1001)
  const before = s.asked()
  await s.registry.byId(s.id)
  expect(s.asked()).toBe(before)
  await s.registry.byId(2)
  expect(s.asked()).toBe(before + 1)
})
