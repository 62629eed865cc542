// The review as a whole: verdict and exit code, waivers, blocking rules, rollout, examples, defaults, what the two engines say.
import { expect, test } from 'vitest'
import { impactOf } from '../../../src/governance/impact.ts'
import type { Waiver } from '../../../src/governance/policy.ts'
import { cpuMs } from '../../support/cpu-time.ts'
import { baseText, changed, plainPolicy, ratingLine, reviewOf } from '../../support/review-scene.ts'

const line = (text: string) => `${ratingLine}    ${text},\n`
const optional = changed([
  ratingLine,
  line('{"name": "lang", "type": ["null", "string"], "default": null, "doc": "L."}'),
])
const required = changed([ratingLine, line('{"name": "lang", "type": "string", "doc": "L."}')])
const scale = changed(['"scale": 2', '"scale": 3'])
const waiver: Waiver = {
  index: 4,
  rule: 'silent.decimal-scale',
  subject: 'reviews-value',
  path: 'Review.price',
  owner: 'anna',
  reason: 'No data yet.',
  until: '2026-11-24',
}

test('a compatible change is fine at the level, and all seven levels are told', () => {
  const review = reviewOf(optional)
  expect(review).toMatchObject({
    verdict: 'ok',
    exitCode: 0,
    level: 'BACKWARD',
    base: { version: 1, id: 101, from: 'registry' },
    reasons: [],
    findings: [],
  })
  expect(review.levels.map(each => [each.level, each.compatible])).toEqual(
    ['NONE', 'BACKWARD', 'BACKWARD_TRANSITIVE', 'FORWARD', 'FORWARD_TRANSITIVE', 'FULL', 'FULL_TRANSITIVE'].map(
      level => [level, true],
    ),
  )
  expect(review.candidate).toMatchObject({
    crc64: expect.stringMatching(/^[0-9a-f]{16}$/),
    sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
  })
})

test('a reason has rule, pointer, line, path, both parts, versions and direction', () => {
  const review = reviewOf(required, [baseText, baseText, changed(['Id of the review.', 'The id.'])], {
    level: 'BACKWARD_TRANSITIVE',
  })
  expect(review).toMatchObject({ verdict: 'breaking', exitCode: 1 })
  expect(review.reasons).toEqual([
    {
      rule: 'READER_FIELD_MISSING_DEFAULT_VALUE',
      direction: 'backward',
      message: 'the reader needs it, it was not written, and it has no default',
      field: 'Review.lang',
      pointer: '/fields/2',
      place: { file: 'schemas/review.avsc', line: 9, column: 5 },
      before: null,
      after: '{"name":"lang","type":"string","doc":"L."}',
      versions: [1, 2, 3],
      breaks: true,
      waivedBy: null,
      fix: expect.objectContaining({ remaining: 0 }),
    },
  ])
  expect(review.levels.find(each => each.level === 'BACKWARD')!.failing).toEqual([
    { version: 3, direction: 'backward', reasons: 1 },
  ])
  expect(review.levels.find(each => each.level === 'BACKWARD_TRANSITIVE')!.failing.map(each => each.version)).toEqual([
    3, 2, 1,
  ])
})

test('what the level does not ask for is told, and breaks nothing', () => {
  const review = reviewOf(required, [baseText], { level: 'FORWARD' })
  expect(review).toMatchObject({ verdict: 'ok', reasons: [{ breaks: false }], rollout: { order: 'producers-first' } })
})

test('a silent break is a warning: exit code 3 with --strict', () => {
  expect(reviewOf(scale)).toMatchObject({ verdict: 'warning', exitCode: 0 })
  expect(reviewOf(scale, [baseText], { strict: true })).toMatchObject({ verdict: 'warning', exitCode: 3 })
})

test('the policy blocks a rule; a waiver lets it pass until its last day and no longer', () => {
  const policy = { ...plainPolicy, block: ['silent.*'] }
  expect(reviewOf(scale, [baseText], { policy })).toMatchObject({
    verdict: 'breaking',
    exitCode: 1,
    findings: [{ severity: 'error' }],
  })
  const waived = reviewOf(scale, [baseText], { policy, waivers: [waiver] })
  expect(waived).toMatchObject({
    verdict: 'ok',
    findings: [{ severity: 'error', waivedBy: 4 }],
    waivers: [{ index: 4, findings: 1, owner: 'anna' }],
  })
  expect(reviewOf(scale, [baseText], { policy, waivers: [waiver], today: '2026-11-25' })).toMatchObject({
    verdict: 'breaking',
    waivers: [],
  })
  expect(reviewOf(scale, [baseText], { policy, waivers: [{ ...waiver, path: 'Review.rating' }] })).toMatchObject({
    verdict: 'breaking',
    waivers: [],
  })
})

test('a waiver covers a reason too', () => {
  const all = { ...waiver, rule: 'compatibility.READER_FIELD_MISSING_DEFAULT_VALUE', path: 'Review.lang' }
  expect(reviewOf(required, [baseText], { waivers: [all] })).toMatchObject({
    verdict: 'ok',
    exitCode: 0,
    reasons: [{ breaks: true, waivedBy: 4 }],
  })
})

test('a new subject has nothing to be compatible with', () => {
  expect(reviewOf(baseText, [])).toMatchObject({
    base: null,
    verdict: 'ok',
    changes: [],
    rollout: { order: 'any' },
    examples: [],
  })
})

test.each<[name: string, candidate: string, order: string]>([
  ['both ways', optional, 'any'],
  ['backward only', changed([ratingLine, '']), 'consumers-first'],
  ['forward only', required, 'producers-first'],
  [
    'neither',
    changed(
      [ratingLine, ''],
      ['"name": "taken_at"', '"name": "seen"'],
      ['"doc": "When it was taken in."', '"doc": "X."'],
      ['"timestamp-millis"', '"timestamp-micros"'],
    ),
    'new-subject',
  ],
])('rollout: %s', (_name, candidate, order) => expect(reviewOf(candidate).rollout.order).toBe(order))

test('defaults that fill data of old versions, not of those that have the field', () => {
  expect(reviewOf(optional, [baseText, optional]).filledDefaults).toEqual([
    { field: 'Review.lang', version: 1, value: 'null' },
  ])
})

test('an old record under the new schema: changed meaning, defaults and losses are marked', () => {
  const candidate = changed(
    ['"scale": 2', '"scale": 3'],
    [ratingLine, line('{"name": "lang", "type": "string", "default": "en", "doc": "L."}').replace(ratingLine, '')],
  )
  const [old, fresh] = reviewOf(candidate).examples
  const marks = (example: typeof old) =>
    Object.fromEntries(
      example!.fields.filter(row => row.mark !== 'same').map(row => [row.field, [row.mark, row.before, row.after]]),
    )
  expect(marks(old)).toEqual({
    'Review.price': ['changed', '12.34', '1.234'],
    'Review.lang': ['defaulted', null, '"en"'],
    'Review.rating': ['lost', '4.5', null],
  })
  expect(fresh).toMatchObject({ direction: 'new-by-old', error: expect.stringContaining('rating') })
})

test('an alias carries the value over in the one direction, and loses it in the other', () => {
  const candidate = changed(['"name": "review_text"', '"name": "body", "aliases": ["review_text"]'])
  const [old, fresh] = reviewOf(candidate).examples
  expect(old!.fields.find(row => row.field === 'Review.body')).toEqual({
    field: 'Review.body',
    before: '"review_text 1"',
    after: '"review_text 1"',
    mark: 'same',
  })
  expect(fresh!.fields.filter(row => row.mark !== 'same').map(row => [row.field, row.mark])).toEqual([
    ['Review.review_text', 'defaulted'],
    ['Review.body', 'lost'],
  ])
})

test('the engines disagree: Avro takes a default of the second branch, the codec of weir does not', () => {
  const candidate = changed([
    ratingLine,
    line('{"name": "lang", "type": ["null", "string"], "default": "en", "doc": "L."}'),
  ])
  const review = reviewOf(candidate)
  expect(review.levels.find(each => each.level === 'FULL')!.compatible).toBe(true)
  expect(review.findings.map(each => each.rule)).toContain('engine.disagrees')
})

test('no disagreement where both read: promotions, aliases, enum defaults, namespaces', () => {
  const candidates = [
    optional,
    scale,
    changed(['weir.reviews', 'weir.other']),
    changed(['"name": "review_text"', '"name": "body", "aliases": ["review_text"]']),
    changed(['["TEXT", "VIDEO"]', '["TEXT"], "default": "TEXT"']),
    changed(['"type": "double"', '"type": ["int", "double"]']),
  ]
  for (const candidate of candidates)
    expect(reviewOf(candidate).findings.map(each => each.rule)).not.toContain('engine.disagrees')
})

test('personal data: a new field that looks personal, a tag that is dropped, sampled values', () => {
  const pii = { tags: ['PII'], names: ['*email*'], values: [] }
  const policy = { ...plainPolicy, pii }
  const mail = (tags: string) =>
    changed([
      ratingLine,
      line(`{"name": "userEmail", "type": ["null", "string"], "default": null, "doc": "L."${tags}}`),
    ])
  const rules = (candidate: string, base = baseText) =>
    reviewOf(candidate, [base], {
      policy: { ...policy, naming: { fields: 'any', types: 'any', symbols: 'any' } },
    }).findings.map(each => `${each.rule} ${each.field}`)
  const tagged = mail(', "confluent:tags": ["PII"]')
  expect(rules(mail(''))).toEqual(['pii.untagged Review.userEmail'])
  expect(rules(mail(', "confluent:tags": ["OTHER"]'))).toEqual(['pii.untagged Review.userEmail'])
  expect(rules(tagged)).toEqual([])
  expect(rules(mail(''), tagged)).toEqual(['pii.tag-dropped Review.userEmail'])
  const seen = reviewOf(optional, [baseText], {
    policy,
    evidence: { personalValues: [{ field: 'Review.review_text', kind: 'email', records: 100, matching: 40 }] },
  })
  expect(seen.findings).toMatchObject([{ rule: 'pii.values', field: 'Review.review_text', place: { line: 10 } }])
  expect(reviewOf(tagged, [baseText], { policy }).quality.tags).toEqual([
    { field: 'Review.userEmail', before: [], after: ['PII'] },
  ])
})

test('docs and names as the policy asks, and the owner', () => {
  const candidate = changed([ratingLine, line('{"name": "userLang", "type": ["null", "string"], "default": null}')])
  const review = reviewOf(candidate, [baseText], { policy: { ...plainPolicy, owner: null } })
  expect(review.findings.map(each => `${each.severity} ${each.rule}`)).toEqual([
    'warning docs.share',
    'warning docs.missing',
    'warning naming.field',
    'note owner.missing',
  ])
  expect(review.quality).toMatchObject({ documentedBefore: 1, documented: 6 / 7, owner: null })
})

test.each([
  [null, null, 'new-subject'],
  [null, 3, 'new-version'],
  [3, 3, 'no-op'],
  [1, 3, 'revert'],
] as const)('registering, found %s with latest %s: %s', (found, latest, effect) => {
  expect(reviewOf(baseText, [baseText], { lookup: { found, latest, normalized: null } }).effect).toMatchObject({
    effect,
    version: found,
    latest,
  })
})

test('readers are affected by what they read, of a rename by the old name', () => {
  const { changes } = reviewOf(
    changed(
      ['"scale": 2', '"scale": 3'],
      ['"name": "review_text"', '"name": "text"'],
      ['Id of the review.', 'The id.'],
      [ratingLine, line('{"name": "lang", "type": ["null", "string"], "default": null, "doc": "L."}')],
    ),
  )
  const reader = { pipeline: 'p', file: 'p.yaml', group: 'g', sink: 'log' }
  const impact = (fields: readonly string[] | null) => impactOf([{ ...reader, fields }], changes)[0]
  expect(impact(['price', 'rating'])).toMatchObject({ touched: ['price'], affected: true })
  expect(impact(['review_text'])).toMatchObject({ touched: ['review_text'], affected: true })
  expect(impact(['review_id', 'lang'])).toMatchObject({ touched: [], affected: false })
  expect(impact(null)).toMatchObject({ touched: [], affected: true })
})

test('a schema whose root is no record is reviewed too', () => {
  expect(
    reviewOf('{"type": "enum", "name": "E", "symbols": ["A"]}', [
      '{"type": "enum", "name": "E", "symbols": ["A", "B"]}',
    ]),
  ).toMatchObject({ verdict: 'breaking', examples: [], reasons: [{ field: 'E' }] })
  expect(reviewOf('"string"', ['"string"'])).toMatchObject({ verdict: 'ok', examples: [] })
})

test('five thousand fields that all break are reviewed in about a second', () => {
  const wide = (type: string) =>
    JSON.stringify({
      type: 'record',
      name: 'Wide',
      fields: Array.from({ length: 5000 }, (_, i) => ({ name: `f${i}`, type })),
    })
  const started = cpuMs()
  expect(reviewOf(wide('int'), [wide('string')]).reasons).toHaveLength(10_000)
  expect(cpuMs() - started).toBeLessThan(2500)
})

test('two hundred fields against fifty versions take well under a second', () => {
  const wide = (count: number) =>
    JSON.stringify({
      type: 'record',
      name: 'Wide',
      fields: Array.from({ length: count }, (_, i) => ({
        name: `field_${i}`,
        type: ['null', 'string'],
        default: null,
        doc: `Field ${i}.`,
      })),
    })
  const versions = Array.from({ length: 50 }, (_, i) => wide(150 + i))
  reviewOf(wide(200), versions.slice(0, 2))
  const started = cpuMs()
  expect(reviewOf(wide(200), versions)).toMatchObject({ verdict: 'ok' })
  expect(cpuMs() - started).toBeLessThan(1000)
})
