// Versions that were deleted softly, as both registries tell, in `weir schema history`, and for a plan: they are no versions any more.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openEmbeddedRegistry } from '../../src/adapters/registry-embedded/registry.ts'
import { openHttpRegistry } from '../../src/adapters/registry-http/registry.ts'
import { runCli } from '../../src/cli/frame.ts'
import { systemClock } from '../../src/core/clock.ts'
import { governedWorkspace, reviewFields, reviewSchema } from '../support/governed-workspace.ts'
import { ask, type ServedRegistry, serveRegistry } from '../support/registry-server.ts'
import { memoryTerminal } from '../support/terminal.ts'

let served: ServedRegistry
beforeEach(async () => {
  served = await serveRegistry()
})
afterEach(() => served[Symbol.asyncDispose]())

const language = { name: 'language', type: ['null', 'string'], default: null }
const country = { name: 'country', type: ['null', 'string'], default: null }

test('deleted versions are told by both adapters, and by history', async () => {
  const http = { url: served.url, auth: null, tls: null, timeoutMs: 10_000, clock: systemClock, random: Math.random }
  await using overHttp = await openHttpRegistry(http)
  await using embedded = await openEmbeddedRegistry({ dataDir: served.dataDir, clock: systemClock })
  for (const more of [[], [language], [language, country]])
    await overHttp.register('reviews-value', reviewSchema([...reviewFields, ...more]))
  for (const registry of [overHttp, embedded]) {
    expect(await registry.deletedVersions('reviews-value')).toEqual([])
    expect(await registry.deletedVersions('nothing-value')).toEqual([])
  }
  expect(await ask(served.url, 'DELETE', '/subjects/reviews-value/versions/2')).toMatchObject({ status: 200 })
  for (const registry of [overHttp, embedded]) {
    expect(await registry.versions('reviews-value')).toEqual([1, 3])
    expect(await registry.deletedVersions('reviews-value')).toEqual([2])
  }

  using workspace = governedWorkspace()
  const weir = async (command: string) => {
    const memory = memoryTerminal({ cwd: workspace.dir, env: { WEIR_REGISTRY: served.url } })
    const code = await runCli(command.split(' '), { ...memory, clock: systemClock, random: Math.random })
    return { code, out: memory.out(), err: memory.err() }
  }
  const { out } = await weir('schema history reviews-value')
  expect(out).toContain('deleted: 1 version, 2')
  expect(out).toContain('+ Review.country: new field')
  expect(await weir('schema history review-value')).toMatchObject({
    code: 2,
    err: expect.stringContaining('reviews-value'),
  })
  // Over HTTP a plan is made and applied as in the embedded registry; it is bound to the address.
  workspace.write(
    'schemas/reviews.avsc',
    reviewSchema([...reviewFields, language, country, { ...country, name: 'city' }]),
  )
  expect(await weir('schema plan --out plan.json')).toMatchObject({ code: 0 })
  expect(JSON.parse(workspace.read('plan.json'))).toMatchObject({ registry: served.url })
  const applied = await weir('schema apply plan.json --json')
  expect(JSON.parse(applied.out).steps).toMatchObject([
    { step: { do: 'set-level', level: 'BACKWARD_TRANSITIVE' } },
    { step: { do: 'register' }, version: 4 },
    { step: { do: 'register' } },
    { step: { do: 'set-level' } },
  ])
  expect(await weir('schema apply plan.json --dry-run')).toMatchObject({
    code: 0,
    out: expect.stringContaining('0 steps to do, 4 done before'),
  })
  const elsewhere = memoryTerminal({ cwd: workspace.dir })
  expect(await runCli(['schema', 'apply', 'plan.json'], { ...elsewhere, clock: systemClock })).toBe(2)
  expect(elsewhere.err()).toContain(`the registry is another one: it was ${served.url} and is embedded`)
})
