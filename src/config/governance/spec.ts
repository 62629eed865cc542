// What schemas/governance.yaml may hold: what a team asks of its schemas, per subject, and what it lets pass until when.
// One description gives type, check, reference page and editor schema.
import { fields, path, type Static, share, Type } from '../../core/spec.ts'
import { namingStyles, piiKinds } from '../../governance/policy.ts'
import { compatibilityLevels } from '../../schema/compatibility-level.ts'

const oneOf = <T extends string>(values: readonly T[], o: { description: string; default?: T }) =>
  Type.Unsafe<T>({ type: 'string', enum: values, ...o })

const text = (description: string, maxLength = 500) => Type.String({ description, minLength: 1, maxLength })
const texts = (description: string, maxItems = 200) =>
  Type.Array(Type.String({ minLength: 1, maxLength: 249 }), { description, maxItems })

const style = (what: string) => Type.Optional(oneOf(namingStyles, { description: `How ${what} are written.` }))

const ruleFields = {
  owner: Type.Optional(text('Who answers for the schema: a team, a mailbox.', 200)),
  level: Type.Optional(
    oneOf(compatibilityLevels, {
      description:
        'The compatibility level. `weir schema apply` writes it to the registry; lint, plan and run hold it whatever the registry has. Omitted: the level that the registry has.',
    }),
  ),
  auto_register: Type.Optional(
    Type.Boolean({
      description:
        'true: a run registers the schema by itself where it breaks neither level nor policy. false: only `weir schema apply` does, and a run refuses to start until it did. Omitted: false.',
    }),
  ),
  docs: Type.Optional(
    oneOf(['none', 'fields', 'all'] as const, {
      description: 'What must have a doc: nothing, every field, or every field and every named type. Omitted: none.',
    }),
  ),
  docs_share: Type.Optional(
    share({ description: 'The share of that which must have a doc. Omitted: 100%.', min: 0, max: 1 }),
  ),
  naming: Type.Optional(
    fields(
      {
        fields: style('names of fields'),
        types: style('names of records, enums and fixed types'),
        symbols: style('symbols of enums'),
      },
      'How names are written. Omitted: any.',
    ),
  ),
  pii: Type.Optional(
    fields(
      {
        tags: texts('Tags of a field with personal data: it must carry one of them in `confluent:tags`.', 50),
        names: texts('Names of fields that say that they hold personal data; `*` stands for anything.'),
        values: Type.Array(oneOf(piiKinds, { description: 'A kind of personal data.' }), {
          description: 'What sampled values are looked through for, in fields without a tag.',
          maxItems: piiKinds.length,
          default: [],
        }),
      },
      'Personal data: how it is marked, and how a field that should be marked is known. Omitted: not looked for.',
    ),
  ),
  block: Type.Optional(
    texts(
      'Rules, or patterns of rules such as `silent.*`, whose findings keep a schema from being registered though its level holds.',
    ),
  ),
}

const waiverSpec = fields(
  {
    rule: text('The rule that is waived, or a pattern such as `silent.*`.', 249),
    subject: text('The subject, or a pattern with `*`.', 255),
    path: Type.Optional(
      text('The field, such as RawReview.rating, or its JSON pointer. Omitted: the whole schema.', 1000),
    ),
    owner: text('Who decided it.', 200),
    reason: text('Why it may pass.', 2000),
    until: Type.String({
      description: 'The last day on which it counts, in UTC.',
      pattern: '^\\d{4}-\\d{2}-\\d{2}$',
      examples: ['2027-01-31'],
    }),
  },
  'A finding that may pass until a day. It is shown in every review that uses it.',
)

export const governanceSpec = fields(
  {
    version: Type.Literal(1, { description: 'Version of this file format.', default: 1 }),
    defaults: fields(ruleFields, 'What holds for every subject that does not say otherwise.'),
    subjects: Type.Record(
      Type.String({ minLength: 1, maxLength: 255 }),
      fields(
        {
          schema: Type.Optional(
            path({
              description:
                'The .avsc file of the subject, where no pipeline of the workspace writes it. Relative to this file.',
            }),
          ),
          ...ruleFields,
        },
        'What holds for this subject.',
      ),
      {
        description:
          'Subjects, or patterns with `*`, and what holds for them. The exact name wins, else the first pattern that matches; what an entry does not say comes from `defaults`.',
        default: {},
        maxProperties: 1000,
      },
    ),
    waivers: Type.Array(waiverSpec, { description: 'What may pass, and until when.', default: [], maxItems: 500 }),
  },
  'What is asked of the schemas of a workspace.',
)

export type GovernanceFields = Static<typeof governanceSpec>
