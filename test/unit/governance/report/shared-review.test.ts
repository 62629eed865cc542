// One schema of several subjects: those who read see one review and whom it holds for, programs get one a subject.
import { expect, test } from 'vitest'
import { type ReportFormat, renderReport } from '../../../../src/governance/report/render.ts'
import { reportOf } from '../../../../src/governance/report/words.ts'
import type { Consumer } from '../../../../src/governance/review.ts'
import { baseText, changed, plainPolicy, reviewOf } from '../../../support/review-scene.ts'

type Input = Parameters<typeof reviewOf>[2]

const candidate = changed(['"rating", "type": "double"', '"rating", "type": "int"'])
const ofSubject = (subject: string, consumers: readonly Consumer[] | null = null, more: Input = {}) =>
  reviewOf(candidate, [baseText], {
    policy: { ...plainPolicy, subject, owner: null },
    ...(consumers && { evidence: { consumers } }),
    ...more,
  })
const reads = (pipeline: string): Consumer => ({
  pipeline,
  file: `pipelines/${pipeline}.yaml`,
  group: pipeline,
  sink: 'log',
  fields: ['rating'],
  touched: ['rating'],
  affected: true,
})
const render = (reviews: readonly ReturnType<typeof reviewOf>[], format: ReportFormat) =>
  renderReport(reportOf(reviews, []), format, { paint: (_style, text) => text, width: 100, version: '1.2.3' })
const times = (text: string, part: string) => text.split(part).length - 1

const alike = [ofSubject('a-value', [reads('low')]), ofSubject('b-value', []), ofSubject('c-value', [])]

test('in the terminal: the subjects, one review, and the consumers of each', () => {
  const text = render(alike, 'text')
  expect(text).toMatch(/^Breaking {2}a-value {2}schemas\/review\.avsc\n {10}b-value\n {10}c-value\n {2}1 reason/)
  expect(times(text, 'TYPE_MISMATCH')).toBe(1)
  expect(text).toContain(`Consumers
  of a-value
    ! low / low (log): reads rating
  of b-value, c-value
    No pipeline here reads the topic.
`)
  expect(text).toContain('3 schemas checked: 3 breaking.')
})

test('in Markdown: a row for each in the table, one review below', () => {
  const text = render(alike, 'markdown')
  expect(times(text, '\n### ')).toBe(1)
  expect(text).toContain('\n### ❌ `a-value`, `b-value`, `c-value`: breaking\n')
  for (const { subject } of alike) expect(text).toContain(`| ❌ | \`${subject}\` |`)
  expect(text).toMatch(
    /\nOf `a-value`:\n\n\|.*\n.*\n\| ⚠️ \| `low` \|.*\n\nOf `b-value`, `c-value`:\n\nNo pipeline here/,
  )
})

test('in the page: a row for each in the overview that leads to the one article', () => {
  const page = render(alike, 'html')
  expect(times(page, '<article')).toBe(1)
  expect(page).toContain(
    '<h2 id="review-0-title"><span class="subject">a-value</span><span class="subject">b-value</span><span class="subject">c-value</span></h2>',
  )
  for (const { subject } of alike) expect(page).toContain(`<a href="#review-0">${subject}</a>`)
  expect(page).toContain('<h4>Of a-value</h4><p>1 of 1 consumer is affected.</p>')
  expect(page).toContain('<h4>Of b-value, c-value</h4><p>No pipeline here reads the topic.</p>')
})

test('consumers that are the same for all are told once', () => {
  const text = render([ofSubject('a-value', []), ofSubject('b-value', [])], 'text')
  expect(text).toContain('Consumers\n  No pipeline here reads the topic.\n')
})

test.each<[what: string, more: Input]>([
  ['level', { level: 'FULL' }],
  ['place of the level', { levelFrom: 'policy' }],
  ['file', { file: 'schemas/other.avsc' }],
  ['owner', { policy: { ...plainPolicy, subject: 'b-value', owner: 'anna' } }],
  ['effect', { lookup: { found: null, latest: 3, normalized: null } }],
])('another %s is another review', (_what, more) => {
  const both = [ofSubject('a-value'), ofSubject('b-value', null, more)]
  expect(times(render(both, 'text'), 'Rollout: ')).toBe(2)
  expect(times(render(both, 'html'), '<article')).toBe(2)
})

test('another base is another review', () => {
  const other = reviewOf(candidate, [baseText, baseText], {
    policy: { ...plainPolicy, subject: 'b-value', owner: null },
  })
  expect(times(render([ofSubject('a-value'), other], 'html'), '<article')).toBe(2)
})

test('new subjects share a review too', () => {
  const lookup = { found: null, latest: null, normalized: null }
  const fresh = ['a-value', 'b-value'].map(subject =>
    reviewOf(baseText, [], { policy: { ...plainPolicy, subject }, lookup }),
  )
  expect(times(render(fresh, 'html'), '<article')).toBe(1)
})

test('unchanged ones have a line each', () => {
  const unchanged = ['a-value', 'b-value'].map(subject =>
    reviewOf(baseText, [baseText], { policy: { ...plainPolicy, subject } }),
  )
  expect(render(unchanged, 'text')).toMatch(/^Unchanged {2}a-value {2}\S+\nUnchanged {2}b-value {2}\S+\n/)
})

test('programs get one a subject', () => {
  expect(JSON.parse(render(alike, 'json')).reviews.map((each: { subject: string }) => each.subject)).toEqual([
    'a-value',
    'b-value',
    'c-value',
  ])
  expect(times(render(alike, 'junit'), '<testsuite ')).toBe(3)
})
