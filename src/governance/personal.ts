// Item 10: tags of personal data, and new fields that look personal and carry none.
import { type Comparison, newFields } from './comparison.ts'
import { type Found, warning } from './found.ts'
import { matches } from './glob.ts'
import type { FieldOutline, PlacedField } from './outline.ts'
import type { PiiRule } from './policy.ts'

/** Names that mostly hold personal data, for subjects whose policy does not say. */
export const personalNames: readonly string[] = [
  '*email*',
  '*e_mail*',
  '*phone*',
  '*mobile_number*',
  '*first_name*',
  '*firstname*',
  '*last_name*',
  '*lastname*',
  '*surname*',
  '*full_name*',
  '*fullname*',
  '*user_name*',
  '*username*',
  '*display_name*',
  '*customer_name*',
  '*reviewer_name*',
  '*author_name*',
  '*person_name*',
  '*nickname*',
  '*street*',
  '*postal*',
  '*postcode*',
  '*zip_code*',
  '*home_address*',
  '*billing_address*',
  '*shipping_address*',
  '*ip_address*',
  '*birth*',
  '*passport*',
  '*iban*',
  '*credit_card*',
  '*card_number*',
  '*social_security*',
  '*ssn',
  'ssn*',
  '*tax_id*',
  '*gender*',
  '*avatar*',
  '*geo_location*',
  '*latitude*',
  '*longitude*',
  '*device_id*',
]

/** Tags of a field: `confluent:tags` in the schema, and what the metadata of the subject says of its path. */
export function tagsOf(
  field: FieldOutline,
  path: string,
  metadata: Readonly<Record<string, readonly string[]>>,
): readonly string[] {
  const inline = field.json['confluent:tags']
  const own = Array.isArray(inline) ? inline.filter(each => typeof each === 'string') : []
  const named = Object.entries(metadata).flatMap(([pattern, tags]) =>
    matches(pattern.replaceAll('**', '*'), path) ? tags : [],
  )
  return [...new Set([...own, ...named])]
}

/** True for a name that looks personal; `userEmail` is looked at as `user_email` too. */
export function looksPersonal(name: string, patterns: readonly string[]): boolean {
  const lower = name.toLowerCase()
  const snake = name.replace(/([a-z\d])([A-Z])/g, '$1_$2').toLowerCase()
  return patterns.some(pattern => matches(pattern.toLowerCase(), lower) || matches(pattern.toLowerCase(), snake))
}

/** Personal data found by looking at sampled values. */
export interface PersonalValues {
  /** Field path in words. */
  readonly field: string
  /** What they look like: `email`, `phone`, `name`. */
  readonly kind: string
  readonly records: number
  readonly matching: number
}

/**
 * True for a field, by its path in words, whose values are not to be shown: it is tagged, its name looks personal, its sampled values do,
 * or it is part of one of these.
 */
export function personalPaths({
  rule,
  fields,
  metadata,
  values,
}: Omit<PersonalInput, 'comparison'>): (path: string) => boolean {
  const patterns = rule?.names ?? personalNames
  const personal = new Set([
    ...values.map(({ field }) => field),
    ...fields
      .filter(({ path, field }) => isTagged(rule, field, path, metadata) || looksPersonal(field.name, patterns))
      .map(({ path }) => path),
  ])
  return path => {
    for (let end = path.length; end > 0; end = path.lastIndexOf('.', end - 1))
      if (personal.has(path.slice(0, end)) || personal.has(path.slice(0, end).replace(/(\[\]|\{\})+$/, ''))) return true
    return false
  }
}

function isTagged(
  rule: PiiRule | null,
  field: FieldOutline,
  path: string,
  metadata: Readonly<Record<string, readonly string[]>>,
): boolean {
  const tags = tagsOf(field, path, metadata)
  if (rule === null || rule.tags.length === 0) return tags.length > 0
  const accepted = rule.tags.map(tag => tag.toLowerCase())
  return tags.some(tag => accepted.includes(tag.toLowerCase()))
}

export interface PersonalInput {
  readonly rule: PiiRule | null
  readonly comparison: Comparison | null
  readonly fields: readonly PlacedField[]
  readonly metadata: Readonly<Record<string, readonly string[]>>
  readonly values: readonly PersonalValues[]
}

/** Untagged fields that look personal: new ones by name, all by sampled values; and tags that were dropped. */
export function personalFindings({ rule, comparison, fields, metadata, values }: PersonalInput): readonly Found[] {
  const patterns = rule?.names ?? personalNames
  const tag = rule?.tags[0] ?? 'PII'
  const hint = `Add "confluent:tags": [${JSON.stringify(tag)}] to the field, or leave it out.`
  const isNew = newFields(comparison)
  const found = fields.flatMap(({ path, field }): Found[] => {
    if (isTagged(rule, field, path, metadata)) return []
    const where = { pointer: field.pointer, field: path }
    const seen = values.find(each => each.field === path)
    if (seen)
      return [
        warning(
          'pii.values',
          `${seen.matching} of ${seen.records} sampled values look like personal data (${seen.kind}), and the field has no tag`,
          hint,
          where,
        ),
      ]
    return isNew(path) && looksPersonal(field.name, patterns)
      ? [
          warning(
            'pii.untagged',
            'the name of the new field looks like personal data, and the field has no tag',
            hint,
            where,
          ),
        ]
      : []
  })
  const dropped = (comparison?.fields ?? []).flatMap(({ path, before, after }): Found[] => {
    if (!before || !after) return []
    const gone = tagsOf(before, path, {}).filter(each => !tagsOf(after, path, metadata).includes(each))
    return gone.length === 0
      ? []
      : [
          warning(
            'pii.tag-dropped',
            `the tag ${gone.join(', ')} is gone: sinks and examples do not mask the field any more`,
            'Keep the tag while the field holds what it did.',
            { pointer: after.pointer, field: path },
          ),
        ]
  })
  return [...found, ...dropped]
}
