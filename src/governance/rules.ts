// The rules that findings of a review carry: stable names, for waivers, `block` of the policy, and programs.
import type { Rule } from './reason.ts'

/** What each rule says, in one sentence. Those of compatibility break levels; the others break a policy that blocks them. */
const others = {
  'schema.invalid': 'The schema breaks the rules of Avro.',
  'schema.doubtful': 'The schema is valid, and some reader may take it for something else, or not at all.',
  'silent.decimal-scale': 'The scale of a decimal changed: old numbers are read as others.',
  'silent.decimal-precision': 'The precision of a decimal changed: old or new numbers may not fit.',
  'silent.timestamp-unit': 'The unit of a time changed, such as milliseconds to microseconds.',
  'silent.date-timestamp': 'A date became a moment, or the other way.',
  'silent.local-timestamp': 'A moment became a time without a zone, or the other way.',
  'silent.uuid': 'The logical type uuid came or went.',
  'silent.logical-type': 'A logical type came, went or changed.',
  'silent.rounding': 'A wider number type that cannot hold every old value exactly.',
  'silent.bytes-text': 'Bytes are read as text.',
  'silent.enum-default': 'The default of an enum stands in for symbols that are not known.',
  'silent.rename': 'A field that may be left out was renamed without an alias: its old values are lost.',
  'silent.namespace': 'The namespace of a type changed: registries take it, readers in JavaScript break.',
  'silent.javascript-name': 'A name that breaks readers in JavaScript.',
  'default.none': 'A field that may be null has no default.',
  'alias.ambiguous': 'An alias that stands for two fields.',
  'alias.dropped': 'An alias is gone that old data needs.',
  'docs.missing': 'A field has no doc.',
  'docs.share': 'Fewer fields or types have a doc than the policy asks for.',
  'naming.field': 'The name of a field has another form than the policy asks for.',
  'naming.type': 'The name of a type has another form than the policy asks for.',
  'naming.symbol': 'A symbol of an enum has another form than the policy asks for.',
  'engine.disagrees': "Compatible by Avro's rules, and refused by avsc, which decodes in JavaScript.",
  'data.unreadable': 'Retained records cannot be read with the new schema.',
  'data.changed': 'Retained records read differently with the new schema.',
  'owner.missing': 'The subject has no owner.',
  'pii.untagged': 'The name of a field looks like personal data, and the field has no tag.',
  'pii.values': 'Sampled values of a field look like personal data, and the field has no tag.',
  'pii.tag-dropped': 'A field lost a tag of personal data.',
} as const satisfies Record<string, string>

/** Avro Java's, in which a reader cannot read what a writer wrote; of the two, one is the schema and one a version before it. */
const compatibility: Readonly<Record<Rule, string>> = {
  NAME_MISMATCH: 'A named type has another name, and no alias for the old one.',
  FIXED_SIZE_MISMATCH: 'A fixed type has another size.',
  MISSING_ENUM_SYMBOLS: 'The reader does not know a symbol that may have been written, and its enum has no default.',
  READER_FIELD_MISSING_DEFAULT_VALUE: 'The reader needs a field that was not written, and it has no default.',
  TYPE_MISMATCH: 'A type cannot be read as the other.',
  MISSING_UNION_BRANCH: 'The reader has no branch for a type that may have been written.',
}

/** Every rule with what it says. */
export const rules: Readonly<Record<string, string>> = {
  ...Object.fromEntries(Object.entries(compatibility).map(([rule, text]) => [`compatibility.${rule}`, text])),
  ...others,
}
