// Schemas, policies and reviews for tests of governance: a small review schema, and what people do to it.
import { parseNamedSchema } from '../../src/governance/named-schema.ts'
import type { SubjectPolicy } from '../../src/governance/policy.ts'
import type { Review } from '../../src/governance/review.ts'
import { type ReviewInput, reviewSchema } from '../../src/governance/review-schema.ts'

export const baseText = `{
  "type": "record",
  "name": "Review",
  "namespace": "weir.reviews",
  "doc": "A review.",
  "fields": [
    {"name": "review_id", "type": "string", "doc": "Id of the review."},
    {"name": "rating", "type": "double", "doc": "Stars, from 1.0 to 5.0."},
    {"name": "review_text", "type": ["null", "string"], "default": null, "doc": "Body of the review."},
    {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}, "doc": "Price paid."},
    {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["TEXT", "VIDEO"]}, "doc": "Kind of the review."},
    {"name": "taken_at", "type": {"type": "long", "logicalType": "timestamp-millis"}, "doc": "When it was taken in."}
  ]
}
`

/** The base with texts replaced. */
export function changed(...replacements: readonly (readonly [from: string, to: string])[]): string {
  return replacements.reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`not in the schema: ${from}`)
    return text.replace(from, () => to)
  }, baseText)
}

/** A field of the base as a line, to put another after it. */
export const ratingLine = '    {"name": "rating", "type": "double", "doc": "Stars, from 1.0 to 5.0."},\n'

export const plainPolicy: SubjectPolicy = {
  subject: 'reviews-value',
  entry: null,
  owner: 'team-reviews',
  schemaFile: null,
  level: null,
  autoRegister: false,
  docs: { of: 'fields', share: 1 },
  naming: { fields: 'snake_case', types: 'PascalCase', symbols: 'UPPER_SNAKE_CASE' },
  pii: null,
  block: [],
}

/** A review of a text against versions 1, 2, … */
export function reviewOf(
  candidate: string,
  versions: readonly string[] = [baseText],
  input: Partial<ReviewInput> = {},
): Review {
  return reviewSchema({
    file: 'schemas/review.avsc',
    candidate: parseNamedSchema(candidate),
    history: versions.map((text, i) => ({
      version: i + 1,
      id: i + 101,
      from: 'registry',
      schema: parseNamedSchema(text),
    })),
    level: 'BACKWARD',
    levelFrom: 'subject',
    policy: plainPolicy,
    waivers: [],
    today: '2026-11-24',
    strict: false,
    lookup: null,
    ...input,
  })
}
