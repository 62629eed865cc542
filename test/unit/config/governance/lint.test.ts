// Schemas against their policy, in `weir lint`: each finding at its line in the schema file, blocked ones as errors, waived ones not at all.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { lintWorkspace } from '../../../../src/config/lint-files.ts'
import { corpusCatalogue } from '../../../support/corpus-catalogue.ts'
import {
  type GovernedWorkspace,
  governedWorkspace,
  reviewFields,
  reviewSchema,
} from '../../../support/governed-workspace.ts'

let workspace: GovernedWorkspace
beforeEach(() => {
  workspace = governedWorkspace()
  workspace.write(
    'pipelines/reviews.yaml',
    'pipeline: reviews\nsource: { file: { paths: [../data/a.jsonl] } }\ntopic: { name: reviews, schema: ../schemas/reviews.avsc }\n',
  )
})
afterEach(() => workspace[Symbol.dispose]())

const lint = (policy: string, { strict = false, today = '2026-11-29' } = {}) => {
  workspace.write('schemas/governance.yaml', policy)
  const { problems } = lintWorkspace(['pipelines'], {
    cwd: workspace.dir,
    env: {},
    catalogue: corpusCatalogue,
    strict,
    today,
  })
  return problems.map(({ code, severity, file, line, column, message, hint }) => ({
    code,
    severity,
    at: `${file.slice(workspace.dir.length + 1)}:${line}:${column}`,
    message,
    hint,
  }))
}
const asked = `defaults:
  docs: fields
  naming: { fields: snake_case, types: PascalCase }
  pii: { tags: [PII], names: ["*email*"] }
`
const write = (...more: typeof reviewFields) =>
  workspace.write('schemas/reviews.avsc', reviewSchema([...reviewFields, ...more]))

test('a schema that has what is asked for is fine', () => {
  expect(lint(asked)).toEqual([])
})

test('docs, names and personal data are told at the field', () => {
  write({ name: 'authorEmail', type: 'string' })
  expect(lint(asked)).toMatchObject([
    {
      code: 'schema.policy',
      severity: 'warning',
      message: expect.stringContaining('75 % of the fields are documented'),
    },
    { at: 'schemas/reviews.avsc:10:13', severity: 'warning', message: expect.stringContaining('(naming.field)') },
    { at: 'schemas/reviews.avsc:10:13', severity: 'warning', message: expect.stringContaining('(pii.untagged)') },
  ])
})

test('a blocked rule is an error, a waived one nothing, until its waiver runs out', () => {
  write({ name: 'author_email', type: 'string', doc: 'Address of the author.' })
  const blocking = `${asked}  block: ["pii.*"]\n`
  expect(lint(blocking)).toMatchObject([
    { severity: 'error', hint: expect.stringContaining('"confluent:tags": ["PII"]') },
  ])
  const waived = `${blocking}waivers:
  - { rule: pii.untagged, subject: reviews-value, path: Review.author_email, owner: a, reason: b, until: 2026-11-29 }
`
  expect(lint(waived)).toEqual([])
  expect(lint(waived, { today: '2026-11-30' })).toMatchObject([
    { code: 'config.warning', at: 'schemas/governance.yaml:7:106' },
    { severity: 'error' },
  ])
})

test('a tag, in whatever case, marks a field with personal data', () => {
  write({ name: 'author_email', type: 'string', doc: 'Address.', 'confluent:tags': ['pii'] })
  expect(lint(asked)).toEqual([])
})

test('schemas that only the policy names are checked too', () => {
  const naming = (file: string) => `${asked}subjects:\n  orders-value: { schema: ${file} }\n`
  workspace.write('schemas/orders.avsc', reviewSchema([{ name: 'Id', type: 'string', doc: 'Id.' }], 'Order'))
  expect(lint(naming('orders.avsc'))).toMatchObject([{ at: 'schemas/orders.avsc:7:13', code: 'schema.policy' }])
  workspace.write('schemas/orders.avsc', '{')
  expect(lint(naming('orders.avsc'))).toMatchObject([
    { at: 'schemas/orders.avsc:1:1', severity: 'error', message: expect.stringContaining('(schema.invalid)') },
  ])
  expect(lint(naming('order.avsc'))).toMatchObject([{ at: 'schemas/governance.yaml:6:27', code: 'config.schema' }])
})

test('a subject without an owner is told where the policy blocks it', () => {
  expect(lint('defaults: { block: [owner.missing] }\n')).toMatchObject([
    { severity: 'error', message: expect.stringContaining('the subject has no owner') },
  ])
  expect(lint('defaults: { owner: a, block: [owner.missing] }\n')).toEqual([])
})

test('with --strict each of them is an error', () => {
  write({ name: 'Votes', type: 'int', doc: 'Votes.' })
  expect(lint(asked, { strict: true })).toMatchObject([{ severity: 'error' }])
})
