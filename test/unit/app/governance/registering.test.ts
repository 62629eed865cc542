// What happens when somebody else registers, or the registry fails, between a decision and its registration.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openEmbeddedRegistry } from '../../../../src/adapters/registry-embedded/registry.ts'
import { type AppliedStep, applySteps } from '../../../../src/app/governance/applying.ts'
import { registerUnder } from '../../../../src/app/governance/registering.ts'
import { usualRules } from '../../../../src/config/governance/load.ts'
import { systemClock } from '../../../../src/core/clock.ts'
import { WeirError } from '../../../../src/core/errors.ts'
import type { PlannedSubject, PlanStep } from '../../../../src/governance/plan.ts'
import type { GovernancePolicy } from '../../../../src/governance/policy.ts'
import type { SchemaRegistry } from '../../../../src/pipeline/ports.ts'

let folder: string
let registry: SchemaRegistry
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'weir-race-'))
  registry = await openEmbeddedRegistry({ dataDir: folder, clock: systemClock })
})
afterEach(async () => {
  await registry[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

const subject = 'reviews-value'
const review = (...fields: readonly object[]) => JSON.stringify({ type: 'record', name: 'Review', fields })
const id = { name: 'id', type: 'string' }
const stars = (type: string) => ({ name: 'stars', type, default: 0 })

/** The registry, in which somebody registers a schema right before us. */
const raced = (schema: string): SchemaRegistry =>
  Object.assign(Object.create(registry), {
    kind: registry.kind,
    versions: registry.versions.bind(registry),
    version: registry.version.bind(registry),
    lookup: registry.lookup.bind(registry),
    level: registry.level.bind(registry),
    setLevel: registry.setLevel.bind(registry),
    async register(...args: [string, string]) {
      await registry.register(subject, schema)
      return registry.register(...args)
    },
  })

const policy: GovernancePolicy = {
  file: 'schemas/governance.yaml',
  sha256: '',
  defaults: { ...usualRules, level: 'BACKWARD', autoRegister: true },
  entries: [],
  waivers: [],
}

test('a run does not go on with a schema that breaks the level against what was registered meanwhile', async () => {
  await registry.setLevel('NONE')
  await registry.register(subject, review(id))
  const run = registerUnder(policy, raced(review(id, stars('double'))), subject, review(id, stars('int')), '2026-11-29')
  await expect(run).rejects.toMatchObject({
    code: 'registry.incompatible',
    message: expect.stringContaining('cannot read what version 2 wrote'),
  })
})

test('a run goes on when what was registered meanwhile is no hindrance', async () => {
  await registry.setLevel('NONE')
  await registry.register(subject, review(id))
  const other = raced(review(id, { name: 'title', type: 'string', default: '' }))
  const found = await registerUnder(policy, other, subject, review(id, stars('int')), '2026-11-29')
  expect(found.version).toBe(3)
})

const waived: readonly PlanStep[] = [
  { do: 'set-level', level: 'NONE', why: '' },
  { do: 'register', version: 2, why: '' },
  { do: 'set-level', level: 'FULL', why: '' },
]

const planned = async (schema: string): Promise<PlannedSubject> => {
  const version = await registry.version(subject, 1)
  const seen = { level: 'FULL' as const, versions: [{ ...version, sha256: '' }] }
  return { subject, schema, seen, steps: waived } as unknown as PlannedSubject
}

test('apply tells what somebody registered meanwhile, and leaves no subject without a level', async () => {
  await registry.register(subject, review(id))
  const progress = [{ planned: await planned(review(stars('int'))), done: 0 }]
  const told: AppliedStep[] = []
  const applied = applySteps(progress, raced(review(id, stars('double'))), step => void told.push(step))
  await expect(applied).rejects.toMatchObject({
    code: 'schema.moved',
    message: expect.stringContaining('version 2 of reviews-value'),
  })
  expect(told.map(each => each.step.do)).toEqual(['set-level', 'register'])
  expect(await registry.level(subject)).toBe('FULL')
})

test('apply leaves no subject without a level when the registry does not take the schema', async () => {
  await registry.register(subject, review(id))
  const progress = [{ planned: await planned('no schema'), done: 0 }]
  await expect(applySteps(progress, registry, () => {})).rejects.toMatchObject({ code: 'schema.invalid' })
  expect(await registry.level(subject)).toBe('FULL')
})

test('apply says which level stays, when the registry is gone in between', async () => {
  await registry.register(subject, review(id))
  const progress = [{ planned: await planned(review(stars('int'))), done: 1 }]
  const gone = async () => {
    throw new WeirError('registry.unavailable', 'The registry does not answer.')
  }
  const broken = { versions: gone, register: gone, setLevel: gone }
  await expect(applySteps(progress, broken, () => {})).rejects.toMatchObject({
    code: 'registry.unavailable',
    message: 'The registry does not answer. The level of reviews-value is still NONE.',
  })
})
