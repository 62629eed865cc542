// Plans and their application in a registry that is embedded: what is refused, and that nothing was changed then; what a run may register.
import { createHash } from 'node:crypto'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openSchemaBook } from '../../src/adapters/registry-embedded/book.ts'
import { plainRequest } from '../../src/adapters/registry-embedded/registering.ts'
import { openEmbeddedRegistry } from '../../src/adapters/registry-embedded/registry.ts'
import { runCli } from '../../src/cli/frame.ts'
import { systemClock } from '../../src/core/clock.ts'
import { type Plan, sealPlan } from '../../src/governance/plan.ts'
import type { SchemaRegistry } from '../../src/pipeline/ports.ts'
import {
  type GovernedWorkspace,
  governedWorkspace,
  reviewFields,
  reviewSchema,
  usualPolicy,
} from '../support/governed-workspace.ts'
import { memoryTerminal } from '../support/terminal.ts'

let workspace: GovernedWorkspace
beforeEach(() => {
  workspace = governedWorkspace()
})
afterEach(() => workspace[Symbol.dispose]())

/** Runs a command in the workspace; `day` is today. */
async function weir(command: string, day = '2026-11-29') {
  const memory = memoryTerminal({ cwd: workspace.dir })
  const clock = { ...systemClock, now: () => Date.parse(`${day}T12:00:00Z`) }
  const terminal = { ...memory, clock, random: Math.random }
  const code = await runCli(command.split(' '), terminal)
  return { code, out: memory.out(), err: memory.err() }
}

async function inRegistry<T>(work: (registry: SchemaRegistry) => Promise<T>): Promise<T> {
  await using registry = await openEmbeddedRegistry({ dataDir: join(workspace.dir, '.weir'), clock: systemClock })
  return await work(registry)
}

/** Everything that a plan depends on. */
const state = () =>
  inRegistry(async registry => ({
    level: await registry.level('reviews-value'),
    versions: await registry.versions('reviews-value'),
    deadLetters: await registry.versions('reviews_dlq-value'),
  }))

const write = (fields: Parameters<typeof reviewSchema>[0]) =>
  workspace.write('schemas/reviews.avsc', reviewSchema(fields))
const language = { name: 'language', type: ['null', 'string'], default: null, doc: 'Language.' }
const country = { name: 'country', type: ['null', 'string'], default: null, doc: 'Country.' }
const starsAsText = reviewFields.map(field => (field.name === 'stars' ? { ...field, type: 'string' } : field))

/** Version 1 and the levels are applied. */
async function begin(): Promise<void> {
  await weir('schema plan --out first.json')
  expect(await weir('schema apply first.json')).toMatchObject({ code: 0 })
}

const planned = (): Plan => JSON.parse(workspace.read('plan.json'))

test('a plan changes nothing, not even where no registry is yet; a dry run neither', async () => {
  const { code, out } = await weir('schema plan --out plan.json')
  expect(code).toBe(0)
  expect(out).toMatch(/^\+ reviews-value {2}schemas\/reviews\.avsc$/m)
  expect(await weir('schema apply plan.json --dry-run')).toMatchObject({
    code: 0,
    out: expect.stringContaining('Nothing was changed: 4 steps to do, 0 done before.'),
  })
  expect(existsSync(join(workspace.dir, '.weir'))).toBe(false)
})

test('levels come from the policy, and from nowhere else', async () => {
  await begin()
  expect(await state()).toEqual({ level: 'BACKWARD_TRANSITIVE', versions: [1], deadLetters: [1] })
  workspace.write('schemas/governance.yaml', usualPolicy.replace('BACKWARD_TRANSITIVE', 'FULL'))
  const { out } = await weir('schema plan --out plan.json')
  expect(out).toContain('set the level to FULL: the policy says so; it was BACKWARD_TRANSITIVE')
  expect(out).toContain('no-op: it is version 1, the latest, already')
  await weir('schema apply plan.json')
  expect(await state()).toMatchObject({ level: 'FULL', versions: [1] })
})

test('an old version registered again is a no-op that says what stays the latest', async () => {
  await begin()
  write([...reviewFields, language])
  await weir('schema plan --out plan.json')
  await weir('schema apply plan.json')
  write(reviewFields)
  expect(await weir('schema plan')).toMatchObject({
    code: 0,
    out: expect.stringContaining('= reviews-value  no-op: it is version 1 already, and version 2 stays the latest'),
  })
})

describe('apply is refused, and changes nothing,', () => {
  beforeEach(async () => {
    await begin()
    write([...reviewFields, language])
    expect((await weir('schema plan --out plan.json')).code).toBe(0)
  })

  const refused = async (code: string, ...words: readonly string[]) => {
    const before = await state()
    const { code: exit, err } = await weir('schema apply plan.json --json')
    const { error } = JSON.parse(err)
    expect({ exit, code: error.code }).toEqual({ exit: 2, code })
    for (const word of words) expect(error.message).toContain(word)
    expect(await state()).toEqual(before)
  }

  test('after somebody registered another version', async () => {
    const other = reviewSchema([...reviewFields, country])
    await inRegistry(registry => registry.register('reviews-value', other))
    await refused('schema.moved', 'reviews-value has a new version 2')
  })

  test('after somebody registered the very schema, and one more', async () => {
    await inRegistry(async registry => {
      await registry.register('reviews-value', reviewSchema([...reviewFields, language]))
      await registry.register('reviews-value', reviewSchema([...reviewFields, language, country]))
    })
    await refused('schema.moved', 'new version 2', 'new version 3')
  })

  test('after somebody changed a level', async () => {
    await inRegistry(registry => registry.setLevel('NONE', 'reviews-value'))
    await refused('schema.moved', 'the level of reviews-value was BACKWARD_TRANSITIVE and is NONE')
  })

  test('after the global level was changed', async () => {
    await inRegistry(registry => registry.setLevel('FULL'))
    await refused('schema.moved', 'the global level was BACKWARD and is FULL')
  })

  test('after the policy was changed', async () => {
    workspace.append('schemas/governance.yaml', '# a word\n')
    await refused('schema.moved', 'the policy schemas/governance.yaml was changed')
  })

  test('after the schema was changed', async () => {
    write([...reviewFields, country])
    await refused('schema.moved', 'the schema of reviews-value was changed in schemas/reviews.avsc')
  })

  test('after the pipeline is gone', async () => {
    workspace.write('pipelines/reviews.yaml', workspace.read('pipelines/reviews.yaml').replaceAll('reviews', 'others'))
    workspace.write('schemas/others.avsc', workspace.read('schemas/reviews.avsc'))
    await refused('schema.moved', 'no pipeline and no policy of this workspace names reviews-value any more')
  })

  test('when the file was changed', async () => {
    workspace.write('plan.json', workspace.read('plan.json').replace('"verdict": "ok"', '"verdict": "warning"'))
    await refused('schema.plan_invalid', 'another hash')
  })

  test('when steps were put in, and the hash made anew', async () => {
    const { hash: _, ...body } = planned()
    const subjects = body.subjects.map(each =>
      each.subject === 'reviews-value'
        ? { ...each, steps: [{ do: 'set-level' as const, level: 'NONE' as const, why: '' }, ...each.steps] }
        : each,
    )
    workspace.write('plan.json', JSON.stringify(sealPlan({ ...body, subjects })))
    await refused('schema.plan_invalid', 'do not follow')
  })

  test('when there is no such file', async () => {
    const { code, err } = await weir('schema apply nothing.json --json')
    expect({ code, error: JSON.parse(err).error.code }).toEqual({ code: 2, error: 'usage.not_found' })
  })
})

describe('a breaking change', () => {
  beforeEach(begin)
  const waive = (until = '2026-12-31') =>
    workspace.append(
      'schemas/governance.yaml',
      `waivers:
  - { rule: compatibility.TYPE_MISMATCH, subject: reviews-value, path: Review.stars, owner: reviews team, reason: "Nothing was written yet.", until: ${until} }
`,
    )

  test('is planned with its reason and its fix, exit code 1, and not applied', async () => {
    write(starsAsText)
    const plan = await weir('schema plan --out plan.json')
    expect(plan.code).toBe(1)
    expect(plan.out).toContain('TYPE_MISMATCH Review.stars at /fields/1/type')
    expect(plan.out).toContain('fix:')
    expect(plan.out).toMatch(/reader +affected +reviews\/reviews-low \(log\), reads stars, title/)
    const before = await state()
    expect(await weir('schema apply plan.json')).toMatchObject({
      code: 2,
      err: expect.stringContaining('schema.breaking'),
    })
    expect(await state()).toEqual(before)
  })

  test('is not applied either when the plan says that it is fine', async () => {
    write(starsAsText)
    await weir('schema plan --out plan.json')
    const { hash: _, ...body } = planned()
    workspace.write('plan.json', JSON.stringify(sealPlan({ ...body, verdict: 'ok' })))
    expect(await weir('schema apply plan.json')).toMatchObject({
      code: 2,
      err: expect.stringContaining('schema.breaking'),
    })
  })

  test('that a waiver covers is applied, past a registry that holds the level, which is as before then', async () => {
    waive()
    write(starsAsText)
    const plan = await weir('schema plan --out plan.json')
    expect(plan.code).toBe(0)
    expect(plan.out).toMatch(
      /waiver +compatibility\.TYPE_MISMATCH at Review\.stars until 2026-12-31, reviews team: Nothing/,
    )
    const applied = await weir('schema apply plan.json --json')
    expect(JSON.parse(applied.out).steps.map(({ step }: { step: object }) => step)).toMatchObject([
      { do: 'set-level', level: 'NONE' },
      { do: 'register' },
      { do: 'set-level', level: 'BACKWARD_TRANSITIVE' },
    ])
    expect(await state()).toMatchObject({ level: 'BACKWARD_TRANSITIVE', versions: [1, 2] })
  })

  test('whose waiver ran out between plan and apply is not applied', async () => {
    waive('2026-11-29')
    write(starsAsText)
    expect((await weir('schema plan --out plan.json')).code).toBe(0)
    const before = await state()
    const { code, err } = await weir('schema apply plan.json', '2026-11-30')
    expect(code).toBe(2)
    expect(err).toContain('schema.breaking')
    expect(err).toContain('a waiver that the plan used has run out')
    expect(await state()).toEqual(before)
  })

  test('that silently changes what values mean is blocked by the policy', async () => {
    const at = (logicalType: string) => ({ name: 'at', type: { type: 'long', logicalType }, default: 0, doc: 'When.' })
    write([...reviewFields, at('timestamp-millis')])
    await weir('schema plan --out plan.json')
    await weir('schema apply plan.json')
    write([...reviewFields, at('timestamp-micros')])
    const plan = await weir('schema plan --out plan.json')
    expect(plan.code).toBe(1)
    expect(plan.out).toContain('silent.timestamp-unit Review.at')
    expect(await weir('schema apply plan.json')).toMatchObject({ code: 2 })
  })
})

describe('a run', () => {
  const run = () => weir('run pipelines/reviews.yaml --until idle --idle-for 1ms --log-level fatal')
  const open = (more = '') => workspace.write('schemas/governance.yaml', `defaults: { auto_register: true, ${more} }\n`)

  test('registers nothing, and leaves no topic, where the policy does not let it', async () => {
    const { code, err } = await run()
    expect(code).toBe(2)
    expect(err).toContain('schema.not_registered')
    expect(err).toContain('weir schema plan')
    await expect(inRegistry(registry => registry.versions('reviews-value'))).rejects.toMatchObject({
      code: 'registry.unknown_subject',
    })
    expect(JSON.parse((await weir('topic list --json')).out)).toEqual([])
  })

  test('registers with auto_register, and sets no level', async () => {
    open('level: FULL')
    expect(await run()).toMatchObject({ code: 0 })
    expect(await state()).toEqual({ level: null, versions: [1], deadLetters: [1] })
  })

  test('holds the level of the policy where the registry holds none: rule, pointer, version, fix', async () => {
    open('level: BACKWARD')
    expect(await run()).toMatchObject({ code: 0 })
    await inRegistry(registry => registry.setLevel('NONE', 'reviews-value'))
    write([...reviewFields, { name: 'votes', type: 'int', doc: 'Votes.' }])
    const { code, err } = await run()
    expect(code).toBe(2)
    expect(err).toContain('registry.incompatible')
    expect(err).toContain('breaks BACKWARD, the level of the policy')
    expect(err).toContain('version 1')
    expect(err).toContain('READER_FIELD_MISSING_DEFAULT_VALUE at /fields/3')
    expect(err).toContain('Give the field a default.')
    expect((await state()).versions).toEqual([1])
    expect((await weir('prepare pipelines/reviews.yaml')).err).toContain('registry.incompatible')
    const lint = await weir('lint --registry --format json')
    expect(lint.code).toBe(2)
    expect(JSON.parse(lint.out).problems).toMatchObject([
      { code: 'registry.incompatible', file: 'schemas/reviews.avsc', line: 10, hint: 'Give the field a default.' },
    ])
    expect((await weir('lint')).code).toBe(0)
  })

  test('does not start with a version that broke the level, and does where a waiver let it pass, run out or not', async () => {
    open('level: BACKWARD')
    await run()
    await inRegistry(async registry => {
      await registry.setLevel('NONE', 'reviews-value')
      await registry.register('reviews-value', reviewSchema(starsAsText))
    })
    write(starsAsText)
    workspace.write(
      'pipelines/reviews.yaml',
      workspace.read('pipelines/reviews.yaml').replace('record.stars <= 2.0', 'record.stars == "1"'),
    )
    expect((await run()).err).toContain('registry.incompatible')
    workspace.append(
      'schemas/governance.yaml',
      'waivers: [{ rule: "compatibility.*", subject: reviews-value, owner: a, reason: b, until: 2026-01-31 }]\n',
    )
    expect(await run()).toMatchObject({ code: 0 })
  })

  test('registers nothing that the policy blocks, though the level holds', async () => {
    const at = (logicalType: string) => ({ name: 'at', type: { type: 'long', logicalType }, default: 0, doc: 'When.' })
    open('level: BACKWARD, block: ["silent.*"]')
    write([...reviewFields, at('timestamp-millis')])
    expect(await run()).toMatchObject({ code: 0 })
    write([...reviewFields, at('timestamp-micros')])
    const { code, err } = await run()
    expect(code).toBe(2)
    expect(err).toContain('schema.policy')
    expect(err).toContain('Review.at: timestamp-millis is now timestamp-micros')
    const lint = await weir('lint --registry --format json')
    expect(lint.code).toBe(2)
    expect(JSON.parse(lint.out).problems).toMatchObject([
      { code: 'schema.policy', severity: 'error', file: 'schemas/reviews.avsc', line: 10 },
    ])
    expect((await state()).versions).toEqual([1])
    open('level: BACKWARD')
    expect(await run()).toMatchObject({ code: 0 })
    expect((await state()).versions).toEqual([1, 2])
  })

  test('holds the level of the policy against a version that refers to schemas of other subjects', async () => {
    open('level: BACKWARD')
    await using book = await openSchemaBook({ dataDir: join(workspace.dir, '.weir'), clock: systemClock })
    await book.setConfig(null, { level: 'NONE' })
    await book.register('stars-value', plainRequest('{"type":"enum","name":"shop.Stars","symbols":["ONE","TWO"]}'))
    await book.register('reviews-value', {
      ...plainRequest(
        reviewSchema(reviewFields.map(each => (each.name === 'stars' ? { ...each, type: 'shop.Stars' } : each))),
      ),
      references: [{ name: 'shop.Stars', subject: 'stars-value', version: 1 }],
    })
    const { code, err } = await run()
    expect(code).toBe(2)
    expect(err).toContain('TYPE_MISMATCH at /fields/1/type')
    expect(await book.versions('reviews-value', 'live')).toHaveLength(1)
    expect((await weir('schema plan')).code).toBe(1)
  })

  test('starts with any version that is there, an older one too', async () => {
    open('level: BACKWARD')
    await run()
    await inRegistry(registry => registry.register('reviews-value', reviewSchema([...reviewFields, language])))
    expect(await run()).toMatchObject({ code: 0 })
    expect((await state()).versions).toEqual([1, 2])
  })

  test('without a policy registers as the registry lets it', async () => {
    rmSync(join(workspace.dir, 'schemas/governance.yaml'))
    expect(await run()).toMatchObject({ code: 0 })
    expect((await state()).versions).toEqual([1])
  })

  test('does not start under a policy with a mistake', async () => {
    workspace.write('schemas/governance.yaml', 'defaults: { level: BACKWARDS }\n')
    const { code, err } = await run()
    expect(code).toBe(2)
    expect(err).toContain('Did you mean BACKWARD?')
  })
})

test('the hash of a plan is over its content and nothing else', async () => {
  await weir('schema plan --out plan.json')
  const { hash, ...body } = planned()
  const sorted = (value: unknown): unknown =>
    Array.isArray(value)
      ? value.map(sorted)
      : value !== null && typeof value === 'object'
        ? Object.fromEntries(
            Object.entries(value)
              .sort(([a], [b]) => (a < b ? -1 : 1))
              .map(([key, each]) => [key, sorted(each)]),
          )
        : value
  expect(
    createHash('sha256')
      .update(JSON.stringify(sorted(body)))
      .digest('hex'),
  ).toBe(hash)
})
