// The steps of a plan, and which of them are done in a registry.
import { describe, expect, test } from 'vitest'
import {
  movedSince,
  type PlanBody,
  type PlannedSubject,
  readPlan,
  sealPlan,
  sha256,
  stepsDone,
} from '../../../src/governance/plan.ts'
import type { Review } from '../../../src/governance/review.ts'
import { stepsFor } from '../../../src/governance/steps.ts'

const version = (number: number, text = `schema ${number}`) => ({
  version: number,
  id: number * 10,
  sha256: sha256(text),
})
const seen = { level: null, versions: [version(1), version(2)] }
const wanted = { seen, globalLevel: 'BACKWARD', level: null, isNew: true, isWaived: false } as const
const short = (steps: ReturnType<typeof stepsFor>) =>
  steps.map(step => (step.do === 'register' ? `register ${step.version}` : step.level))

describe('steps', () => {
  test.each([
    ['a new version, no level asked for', {}, ['register 3']],
    ['a version that is there', { isNew: false }, []],
    ['a level alone', { isNew: false, level: 'FULL' }, ['FULL']],
    ['the level that it has', { isNew: false, level: 'FULL', seen: { ...seen, level: 'FULL' } }, []],
    ['level, then version, so that the registry holds the level too', { level: 'FULL' }, ['FULL', 'register 3']],
    [
      'a new subject: version, then level',
      { level: 'FULL', seen: { level: null, versions: [] } },
      ['register 1', 'FULL'],
    ],
    ['waived: open, register, close again', { isWaived: true }, ['NONE', 'register 3', 'BACKWARD']],
    ['waived, with a level', { isWaived: true, level: 'FULL' }, ['NONE', 'register 3', 'FULL']],
    [
      'waived, where the registry is open',
      { isWaived: true, level: 'FULL', globalLevel: 'NONE' },
      ['register 3', 'FULL'],
    ],
    ['waived, and open for good', { isWaived: true, seen: { ...seen, level: 'NONE' } }, ['register 3']],
  ] as const)('%s', (_, more, steps) => {
    expect(short(stepsFor({ ...wanted, ...more } as Parameters<typeof stepsFor>[0]))).toEqual(steps)
  })
})

const planned = (more: Partial<PlannedSubject> = {}): PlannedSubject => ({
  subject: 'orders-value',
  action: 'add',
  file: 'schemas/order.avsc',
  schema: 'schema 3',
  sha256: sha256('schema 3'),
  seen,
  steps: stepsFor({ ...wanted, level: 'FULL', isWaived: true }),
  unreadable: [],
  pipelines: [],
  review: { waivers: [] as Review['waivers'] } as Review,
  ...more,
})

describe('how far a plan is done', () => {
  const now = (level: 'NONE' | 'FULL' | null, versions = seen.versions, candidateVersion: number | null = null) => ({
    level,
    versions,
    candidateVersion,
  })
  // The id of what was registered, and its text as the registry prints it, were not known before.
  const added = [...seen.versions, { version: 3, id: 77, sha256: sha256('printed anew') }]

  test('a state for each step, told apart', () => {
    expect(stepsDone(planned(), now(null))).toBe(0)
    expect(stepsDone(planned(), now('NONE'))).toBe(1)
    expect(stepsDone(planned(), now('NONE', added, 3))).toBe(2)
    expect(stepsDone(planned(), now('FULL', added, 3))).toBe(3)
  })

  test('a registry that numbers past a deleted version is no other registry', () => {
    const skipped = [...seen.versions, { version: 4, id: 78, sha256: sha256('printed anew') }]
    expect(stepsDone(planned(), now('NONE', skipped, 4))).toBe(2)
  })

  test('anything else has moved, and says what', () => {
    const other = [...seen.versions, version(3, 'of somebody else')]
    expect(stepsDone(planned(), now(null, other))).toBeNull()
    expect(stepsDone(planned(), now('FULL'))).toBeNull()
    expect(stepsDone(planned(), now(null, [version(1)]))).toBeNull()
    expect(stepsDone(planned(), now(null, [version(1), version(2, 'changed')]))).toBeNull()
    expect(movedSince(planned(), now('FULL', [version(1), { ...version(2), id: 5 }, version(3)]))).toEqual([
      'the level of orders-value was none of its own and is FULL',
      'version 2 of orders-value had id 20 and has id 5',
      'orders-value has a new version 3 (id 30)',
    ])
    expect(movedSince(planned(), now(null, [version(2, 'changed')]))).toEqual([
      'version 1 of orders-value is gone',
      'version 2 of orders-value is another schema now',
    ])
  })
})

describe('the file of a plan', () => {
  const plan = sealPlan({
    planVersion: 1,
    createdAt: '2026-11-29T00:00:00.000Z',
    weir: '0.1.0',
    registry: 'embedded',
    globalLevel: 'BACKWARD',
    policy: null,
    subjects: [planned()],
    others: [],
    verdict: 'ok',
  })
  const refused = (text: string) => {
    try {
      readPlan(text, 'plan.json')
    } catch (error) {
      return error
    }
  }

  test('is read again as it was written, however it is printed', () => {
    expect(readPlan(JSON.stringify(plan), 'plan.json')).toEqual(plan)
    const turned = JSON.parse(JSON.stringify(plan, Object.keys(plan).reverse().concat(Object.keys(planned()))))
    expect(readPlan(JSON.stringify({ ...turned, ...plan }, null, 4), 'plan.json')).toEqual(plan)
  })

  test.each([
    ['its level', (text: string) => text.replace('"FULL"', '"NONE"')],
    ['its schema', (text: string) => text.replace('"schema 3"', '"schema 4"')],
    ['its verdict', (text: string) => text.replace('"verdict":"ok"', '"verdict":"warning"')],
    ['a step', (text: string) => text.replace('"register"', '"set-level"')],
    ['its hash', (text: string) => text.replace(plan.hash, sha256('another'))],
  ])('changed in %s, it is refused', (_, change) => {
    const text = JSON.stringify(plan)
    expect(change(text)).not.toBe(text)
    expect(refused(change(text))).toMatchObject({ code: 'schema.plan_invalid', at: 'plan.json' })
  })

  test.each(['', '{', '[]', 'null', '{}', '{"planVersion":1}'])('%j is no plan', text => {
    expect(refused(text)).toMatchObject({ code: 'schema.plan_invalid' })
  })

  test.each<[string, (body: Record<string, unknown>) => unknown]>([
    ['without subjects', ({ subjects: _, ...body }) => body],
    ['with a subject that is none', body => ({ ...body, subjects: [{}] })],
    ['with a step that is none', body => ({ ...body, subjects: [{ ...planned(), steps: [{ do: 'delete' }] }] })],
    [
      'with a level that is none',
      body => ({ ...body, subjects: [{ ...planned(), seen: { ...seen, level: '\u001b[31m' } }] }),
    ],
    ['with a policy that is none', body => ({ ...body, policy: 'mine' })],
  ])('%s, sealed all the same, it is no plan', (_, change) => {
    const { hash: _hash, ...body } = plan
    const text = JSON.stringify(sealPlan(change(body) as PlanBody))
    expect(refused(text)).toMatchObject({ code: 'schema.plan_invalid', at: 'plan.json' })
  })

  test('that nests without end is no plan', () => {
    const deep = '['.repeat(20_000) + ']'.repeat(20_000)
    expect(refused(`{"planVersion":1,"hash":"","subjects":${deep}}`)).toMatchObject({ code: 'schema.plan_invalid' })
  })

  test('of a later version it is not guessed at', () => {
    expect(refused(JSON.stringify({ ...plan, planVersion: 2 }))).toMatchObject({
      message: expect.stringContaining('version 2'),
    })
  })
})
