// Plans, their application and the gate of a run over a real Apicurio Registry, which holds no level by itself: weir does.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openHttpRegistry } from '../../src/adapters/registry-http/registry.ts'
import { runCli } from '../../src/cli/frame.ts'
import { systemClock } from '../../src/core/clock.ts'
import { governedWorkspace, reviewFields, reviewSchema } from '../support/governed-workspace.ts'
import type { Apicurio } from '../support/services/apicurio.ts'
import { describeWith } from '../support/services/for-tests.ts'
import { memoryTerminal } from '../support/terminal.ts'

await describeWith(['own-apicurio'], 'Apicurio', startApicurio => {
  let apicurio: Apicurio
  beforeAll(async () => {
    apicurio = await startApicurio()
  }, 120_000)
  afterAll(() => apicurio?.[Symbol.asyncDispose]())

  const language = { name: 'language', type: ['null', 'string'], default: null, doc: 'Language.' }
  const weirIn = (cwd: string) => async (command: string) => {
    const memory = memoryTerminal({ cwd, env: { WEIR_REGISTRY: apicurio.url } })
    const code = await runCli(command.split(' '), { ...memory, clock: systemClock, random: Math.random })
    return { code, out: memory.out(), err: memory.err() }
  }
  const open = () =>
    openHttpRegistry({
      url: apicurio.url,
      auth: null,
      tls: null,
      timeoutMs: 10_000,
      clock: systemClock,
      random: Math.random,
    })

  test('plan, apply, apply again, moved, history', async () => {
    using workspace = governedWorkspace(['planned'])
    const weir = weirIn(workspace.dir)
    const write = (...more: typeof reviewFields) =>
      workspace.write('schemas/planned.avsc', reviewSchema([...reviewFields, ...more]))
    expect(await weir('schema plan --out first.json')).toMatchObject({ code: 0 })
    expect(await weir('schema apply first.json')).toMatchObject({
      code: 0,
      out: expect.stringContaining('4 steps done'),
    })
    expect(await weir('schema apply first.json')).toMatchObject({
      code: 0,
      out: expect.stringContaining('0 steps done, 4 done before'),
    })

    write(language)
    expect(await weir('schema plan --out plan.json')).toMatchObject({ code: 0 })
    const applied = await weir('schema apply plan.json --json')
    expect(JSON.parse(applied.out).steps).toMatchObject([{ step: { do: 'register' }, outcome: 'done', version: 2 }])

    write(language, { ...language, name: 'country' })
    await weir('schema plan --out late.json')
    await using registry = await open()
    await registry.setLevel('FULL', 'planned-value')
    const late = await weir('schema apply late.json')
    expect(late).toMatchObject({ code: 2, err: expect.stringContaining('schema.moved') })
    expect(late.err).toContain('the level of planned-value was BACKWARD_TRANSITIVE and is FULL')
    expect(await registry.versions('planned-value')).toEqual([1, 2])

    const history = JSON.parse((await weir('schema history planned-value --json')).out)
    expect(history.versions).toMatchObject([
      { version: 1 },
      { version: 2, keeps: true, changes: [{ kind: 'field-added' }] },
    ])
  })

  test('a run holds the level of the policy, though Apicurio holds NONE', async () => {
    using workspace = governedWorkspace(['gated'])
    const weir = weirIn(workspace.dir)
    workspace.write('schemas/governance.yaml', 'defaults: { level: BACKWARD, auto_register: true }\n')
    const run = () => weir('run pipelines/gated.yaml --until idle --idle-for 1ms --log-level fatal')
    expect(await run()).toMatchObject({ code: 0 })
    await using registry = await open()
    expect(await registry.level()).toBe('NONE')
    workspace.write(
      'schemas/gated.avsc',
      reviewSchema([...reviewFields, { name: 'votes', type: 'int', doc: 'Votes.' }]),
    )
    const refused = await run()
    expect(refused).toMatchObject({ code: 2, err: expect.stringContaining('registry.incompatible') })
    expect(refused.err).toContain('READER_FIELD_MISSING_DEFAULT_VALUE at /fields/3')
    expect(await registry.versions('gated-value')).toEqual([1])
  })

  test('a waived change passes, and the level is as before', async () => {
    using workspace = governedWorkspace(['waived'])
    const weir = weirIn(workspace.dir)
    await weir('schema plan --out first.json')
    await weir('schema apply first.json')
    workspace.append(
      'schemas/governance.yaml',
      'waivers: [{ rule: compatibility.TYPE_MISMATCH, subject: waived-value, owner: a, reason: b, until: 2099-12-31 }]\n',
    )
    workspace.write(
      'schemas/waived.avsc',
      reviewSchema(reviewFields.map(field => (field.name === 'stars' ? { ...field, type: 'string' } : field))),
    )
    expect(await weir('schema plan --out plan.json')).toMatchObject({ code: 0 })
    expect(await weir('schema apply plan.json')).toMatchObject({
      code: 0,
      out: expect.stringContaining('3 steps done'),
    })
    await using registry = await open()
    expect(await registry.level('waived-value')).toBe('BACKWARD_TRANSITIVE')
    expect(await registry.versions('waived-value')).toEqual([1, 2])
  })
})
