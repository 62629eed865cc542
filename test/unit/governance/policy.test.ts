// Patterns, the rules of a subject, and what waivers cover.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parsePolicy } from '../../../src/config/governance/load.ts'
import { matches, overlap } from '../../../src/governance/glob.ts'
import { blocks, policyFor, waiverFor } from '../../../src/governance/policy.ts'
import { rules } from '../../../src/governance/rules.ts'

const policyOf = (text: string) => {
  const { policy, problems } = parsePolicy('/w/schemas/governance.yaml', text, { today: '2026-11-29', subjects: null })
  expect(problems.failed).toBe(false)
  return policy!
}

const asRegex = (pattern: string) =>
  new RegExp(
    `^${pattern
      .split('*')
      .map(part => part.replace(/[.[\]]/g, '\\$&'))
      .join('.*')}$`,
    's',
  )

describe('patterns', () => {
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 7 })
  const text = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 8 })

  test('match as the regular expression with .* for each * does', () => {
    fc.assert(
      fc.property(pattern, text, (p, t) => matches(p, t) === asRegex(p).test(t)),
      { numRuns: 2000 },
    )
  })

  test('overlap exactly when some text fits both', () => {
    const texts = ['']
    for (let from = 0, n = 0; n < 7; n++) {
      const to = texts.length
      for (; from < to; from++) texts.push(`${texts[from]}a`, `${texts[from]}b`)
    }
    const short = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 4 })
    fc.assert(
      fc.property(
        short,
        short,
        (p, q) => overlap(p, q) === texts.some(each => asRegex(p).test(each) && asRegex(q).test(each)),
      ),
      { numRuns: 500 },
    )
  })

  test('many stars take no time', () => {
    expect(matches('*a'.repeat(2000), 'a'.repeat(4000))).toBe(true)
    expect(matches(`${'*a'.repeat(2000)}b`, 'a'.repeat(4000))).toBe(false)
  })
})

describe('the rules of a subject', () => {
  const policy = policyOf(`
defaults: { owner: everybody, level: BACKWARD, docs: fields, docs_share: 50%, block: ["silent.*"] }
subjects:
  "orders*": { level: FULL }
  "*-value": { owner: somebody, docs: none }
  orders-value: { level: NONE, auto_register: true, schema: orders.avsc, naming: { fields: snake_case } }
waivers:
  - { rule: "silent.*", subject: "orders*", path: Order.total, owner: a, reason: b, until: 2026-11-29 }
`)

  test('the exact entry wins over patterns, whatever their order; the rest comes from the defaults', () => {
    expect(policyFor(policy, 'orders-value')).toEqual({
      subject: 'orders-value',
      entry: 'orders-value',
      owner: 'everybody',
      schemaFile: '/w/schemas/orders.avsc',
      level: 'NONE',
      autoRegister: true,
      docs: { of: 'fields', share: 0.5 },
      naming: { fields: 'snake_case', types: 'any', symbols: 'any' },
      pii: null,
      block: ['silent.*'],
    })
  })

  test('of patterns the first one that matches counts', () => {
    expect(policyFor(policy, 'orders_dlq-value')).toMatchObject({ entry: 'orders*', level: 'FULL', owner: 'everybody' })
    expect(policyFor(policy, 'reviews-value')).toMatchObject({ entry: '*-value', owner: 'somebody', docs: null })
    expect(policyFor(policy, 'reviews-key')).toMatchObject({ entry: null, owner: 'everybody', autoRegister: false })
  })

  test('a waiver covers its rule, subject and field, its last day included', () => {
    const found = { rule: 'silent.decimal-scale', subject: 'orders-value', field: 'Order.total', pointer: '/fields/1' }
    const covers = (more: Partial<typeof found>, today: string | null = '2026-11-29') =>
      waiverFor(policy.waivers, { ...found, ...more }, today)?.index ?? null
    expect(covers({})).toBe(0)
    expect(covers({}, '2026-11-30')).toBeNull()
    expect(covers({}, null)).toBe(0)
    expect(covers({ rule: 'docs.missing' })).toBeNull()
    expect(covers({ subject: 'reviews-value' })).toBeNull()
    expect(covers({ field: 'Order.total.cents' })).toBeNull()
  })

  test('a rule is blocked by its name or by a pattern', () => {
    const rulesOf = policyFor(policy, 'orders-value')
    expect(blocks(rulesOf, 'silent.uuid')).toBe(true)
    expect(blocks(rulesOf, 'docs.missing')).toBe(false)
  })
})

test('the table of rules has every rule that a finding can carry, and no other, with a sentence each', () => {
  for (const text of Object.values(rules)) expect(text).toMatch(/\.$/)
  const folder = join(import.meta.dirname, '../../../src/governance')
  const families = [...new Set(Object.keys(rules).map(rule => rule.split('.')[0]))].join('|')
  const carried = readdirSync(folder)
    .filter(file => file.endsWith('.ts') && file !== 'rules.ts')
    .flatMap(file => [
      ...readFileSync(join(folder, file), 'utf8').matchAll(new RegExp(`'((?:${families})\\.[a-z-]+)'`, 'g')),
    ])
    .map(([, rule]) => rule!)
    .filter(rule => rule !== 'schema.avsc')
  const built = Object.keys(rules).filter(rule => /^(compatibility|silent)\./.test(rule))
  expect([...new Set([...carried, ...built])].sort()).toEqual(Object.keys(rules).sort())
})
