// The JSON Schema of the JSON form. A field that is added here and in review.ts does not raise the version; one that goes, or means
// something else, does.
import { compatibilityLevels } from '../../schema/compatibility-level.ts'
import { rules } from '../reason.ts'
import { reviewVersion } from '../review.ts'

type Schema = Readonly<Record<string, unknown>>

const text: Schema = { type: 'string' }
const whole: Schema = { type: 'integer' }
const yes: Schema = { type: 'boolean' }
const share: Schema = { type: 'number', minimum: 0, maximum: 1 }
const orNull = (schema: Schema): Schema => ({ anyOf: [schema, { type: 'null' }] })
const list = (items: Schema): Schema => ({ type: 'array', items })
const oneOf = (...values: readonly (string | number)[]): Schema => ({ enum: values })
const fields = (properties: Readonly<Record<string, Schema>>, description?: string): Schema => ({
  type: 'object',
  ...(description === undefined ? {} : { description }),
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
})

const level = oneOf(...compatibilityLevels)
const verdict = oneOf('ok', 'warning', 'breaking')
const exitCode = oneOf(0, 1, 3)
const direction = oneOf('backward', 'forward')
const place = orNull(fields({ file: text, line: whole, column: whole }, 'Line and column from 1.'))

const finding = fields({
  rule: text,
  severity: oneOf('error', 'warning', 'note'),
  message: text,
  pointer: orNull(text),
  field: orNull(text),
  place,
  hint: orNull(text),
  waivedBy: orNull(whole),
})

const fix = fields(
  { text, patch: orNull(text), remaining: whole, steps: list(text) },
  'An edit that was made and checked, or steps over several releases.',
)

const reason = fields({
  rule: oneOf(...rules),
  direction,
  message: text,
  field: text,
  pointer: orNull(text),
  before: orNull(text),
  after: orNull(text),
  versions: list(whole),
  breaks: yes,
  place,
  fix: orNull(fix),
  waivedBy: orNull(whole),
})

const change = fields({
  kind: oneOf(
    'field-added',
    'field-removed',
    'field-renamed',
    'type-changed',
    'nullability-changed',
    'default-changed',
    'order-changed',
    'doc-changed',
    'alias-added',
    'alias-removed',
    'symbol-added',
    'symbol-removed',
    'name-changed',
    'namespace-changed',
    'property-changed',
  ),
  field: text,
  pointer: orNull(text),
  before: orNull(text),
  after: orNull(text),
  text,
  guessedFrom: orNull(text),
})

const example = fields({
  direction: oneOf('old-by-new', 'new-by-old'),
  from: text,
  error: orNull(text),
  fields: list(
    fields({
      field: text,
      before: orNull(text),
      after: orNull(text),
      mark: oneOf('same', 'changed', 'defaulted', 'lost'),
    }),
  ),
})

const failedRecord = fields({ partition: whole, offset: text, message: text })

const data = fields(
  {
    topic: text,
    records: whole,
    retained: whole,
    tombstones: whole,
    failed: whole,
    failures: list(failedRecord),
    damaged: fields({ records: whole, first: list(failedRecord) }),
    changed: list(fields({ field: text, records: whole, example: fields({ before: text, after: text }) })),
    lost: list(fields({ field: text, records: whole })),
    ids: list(fields({ id: whole, version: orNull(whole), records: whole })),
    refused: list(fields({ id: whole, version: orNull(whole), records: whole, message: text })),
    readers: list(fields({ version: whole, records: whole, failed: whole, message: orNull(text) })),
    deadLetters: orNull(
      fields({ topic: text, letters: whole, records: whole, failed: whole, failures: list(failedRecord) }),
    ),
  },
  'What retained records do under the candidate.',
)

const review = fields({
  reviewVersion: { const: reviewVersion },
  subject: text,
  file: orNull(text),
  base: orNull(fields({ version: orNull(whole), id: orNull(whole), from: text })),
  candidate: fields({ crc64: text, sha256: text, schema: text }),
  level,
  levelFrom: oneOf('flag', 'policy', 'subject', 'global', 'default'),
  verdict,
  exitCode,
  levels: list(
    fields({ level, compatible: yes, failing: list(fields({ version: whole, direction, reasons: whole })) }),
  ),
  reasons: list(reason),
  findings: list(finding),
  rollout: fields({ order: oneOf('consumers-first', 'producers-first', 'any', 'new-subject'), steps: list(text) }),
  changes: list(change),
  filledDefaults: list(fields({ field: text, version: whole, value: text })),
  quality: fields({
    documentedBefore: orNull(share),
    documented: share,
    owner: orNull(text),
    tags: list(fields({ field: text, before: list(text), after: list(text) })),
  }),
  consumers: orNull(
    list(
      fields({
        pipeline: text,
        file: text,
        group: text,
        sink: text,
        fields: orNull(list(text)),
        touched: list(text),
        affected: yes,
      }),
    ),
  ),
  examples: list(example),
  data: orNull(data),
  effect: orNull(
    fields({
      effect: oneOf('new-subject', 'new-version', 'no-op', 'revert'),
      version: orNull(whole),
      latest: orNull(whole),
      text,
      normalized: orNull(text),
    }),
  ),
  waivers: list(
    fields({ index: whole, rule: text, path: orNull(text), owner: text, reason: text, until: text, findings: whole }),
  ),
})

/** Draft 7, as the schemas for editors. */
export function reviewJsonSchema(): Schema {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Schema review of weir',
    description: 'What weir schema check, diff and plan print with --format json.',
    ...fields({
      reviewVersion: { const: reviewVersion },
      verdict,
      exitCode,
      reviews: list(review),
      unusable: list(fields({ subject: text, file: orNull(text), findings: list(finding) })),
    }),
  }
}
