// Item 11: documentation, naming, owner.
import { type Comparison, newFields } from './comparison.ts'
import { type Found, note, warning } from './found.ts'
import { everythingIn, type PlacedField, type PlacedType, shortName, type TypeOutline } from './outline.ts'
import type { NamingStyle, SubjectPolicy } from './policy.ts'

/** Share of what has a doc, 0 to 1; 1 when there is nothing to document. */
export function documentedShare(root: TypeOutline, of: 'fields' | 'all'): number {
  const { fields, named } = everythingIn(root)
  const docs = [...fields.map(({ field }) => field.doc), ...(of === 'all' ? named.map(({ type }) => docOf(type)) : [])]
  return docs.length === 0 ? 1 : docs.filter(doc => doc !== null && doc.trim() !== '').length / docs.length
}

const docOf = (type: TypeOutline) => (typeof type.json['doc'] === 'string' ? type.json['doc'] : null)

/** What the policy asks of docs, names and owner, and the schema does not have. */
export function qualityFindings(
  root: TypeOutline,
  policy: SubjectPolicy,
  comparison: Comparison | null,
): readonly Found[] {
  const { fields, named } = everythingIn(root)
  return [
    ...docFindings(root, fields, policy, comparison),
    ...namingFindings(fields, named, policy),
    ...ownerFindings(policy),
  ]
}

function docFindings(
  root: TypeOutline,
  fields: readonly PlacedField[],
  { docs }: SubjectPolicy,
  comparison: Comparison | null,
): readonly Found[] {
  if (docs === null) return []
  const share = documentedShare(root, docs.of)
  const percent = (part: number) => `${Math.floor(part * 100)} %`
  const hint = 'Say what the field holds, its unit, and what null means.'
  const isNew = newFields(comparison)
  const missing = fields
    .filter(({ field }) => field.doc === null || field.doc.trim() === '')
    .map(({ path, field }) => {
      const where = { pointer: field.pointer, field: path }
      return isNew(path) && comparison
        ? warning('docs.missing', 'the new field has no doc', hint, where)
        : note('docs.missing', 'the field has no doc', hint, where)
    })
  return share >= docs.share
    ? missing
    : [
        warning(
          'docs.share',
          `${percent(share)} of the ${docs.of === 'fields' ? 'fields' : 'fields and types'} are documented, the policy asks for ${percent(docs.share)}`,
          hint,
          { pointer: '', field: null },
        ),
        ...missing,
      ]
}

const shapes: Readonly<Record<NamingStyle, RegExp>> = {
  snake_case: /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/,
  camelCase: /^[a-z][a-zA-Z0-9]*$/,
  PascalCase: /^[A-Z][a-zA-Z0-9]*$/,
  UPPER_SNAKE_CASE: /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/,
  any: /^/,
}

function namingFindings(
  fields: readonly PlacedField[],
  named: readonly PlacedType[],
  { naming }: SubjectPolicy,
): readonly Found[] {
  const check = (rule: string, what: string, name: string, style: NamingStyle, pointer: string, field: string) =>
    shapes[style].test(name)
      ? []
      : [
          warning(
            rule,
            `${what} ${name} is not ${style}`,
            'A new name is free; a name in use is kept, or changed with an alias.',
            { pointer, field },
          ),
        ]
  return [
    ...fields.flatMap(({ path, field }) =>
      check('naming.field', 'the field', field.name, naming.fields, field.pointer, path),
    ),
    ...named.flatMap(({ path, type }) => [
      ...check('naming.type', 'the type', shortName(type.fullName!), naming.types, type.pointer, path),
      ...type.symbols.flatMap(symbol =>
        check('naming.symbol', 'the symbol', symbol, naming.symbols, type.pointer, path),
      ),
    ]),
  ]
}

function ownerFindings({ owner }: SubjectPolicy): readonly Found[] {
  if (owner !== null) return []
  return [
    note('owner.missing', 'the subject has no owner', 'Name one at the subject in schemas/governance.yaml.', {
      pointer: null,
      field: null,
    }),
  ]
}
