// What a run may register (I14): nothing that breaks the level in effect, whatever level the registry itself holds, nothing that the policy
// blocks, and nothing at all where the policy leaves that to `weir schema apply`. A level is never written here.
import { WeirError } from '../../core/errors.ts'
import { checkLevel, type HistoryBreak } from '../../governance/levels.ts'
import { parseNamedSchema } from '../../governance/named-schema.ts'
import {
  type GovernancePolicy,
  policyFor,
  type SubjectPolicy,
  type Waiver,
  waiverFor,
} from '../../governance/policy.ts'
import { type Reason, sentenceOf } from '../../governance/reason.ts'
import type { Finding } from '../../governance/review.ts'
import { reviewSchema } from '../../governance/review-schema.ts'
import type { RegisteredSchema, SchemaRegistry } from '../../pipeline/ports.ts'
import type { CompatibilityLevel } from '../../schema/compatibility-level.ts'
import { type ReadRegistry, readHistory } from './state.ts'
import { historyFrom } from './versions.ts'

/** @throws registry.incompatible, schema.policy, schema.not_registered, and what the registry throws */
export async function registerUnder(
  policy: GovernancePolicy,
  registry: SchemaRegistry,
  subject: string,
  schema: string,
  today: string,
): Promise<RegisteredSchema> {
  const rules = policyFor(policy, subject)
  const { found, level, left } = await judge(registry, rules, policy.waivers, schema, today)
  if (left.length > 0) throw incompatible(subject, level, rules, left)
  if (found !== null) return found
  if (!rules.autoRegister) throw notRegistered(subject, policy.file)
  const [first, ...more] = await blockedBy(registry, rules, level, policy.waivers, schema, today)
  if (first) throw blockedError(subject, [first, ...more])
  const registered = await registry.register(subject, schema)
  // The registry holds its own level alone, and may have taken another version since it was asked.
  const again = await judge(registry, rules, policy.waivers, schema, today)
  if (again.left.length > 0) throw incompatible(subject, level, rules, again.left)
  return registered
}

/** What the policy blocks, though the level holds, in a schema that is not registered yet. @throws registry.* */
export async function blockedBy(
  registry: ReadRegistry,
  policy: SubjectPolicy,
  level: CompatibilityLevel,
  waivers: readonly Waiver[],
  schema: string,
  today: string,
): Promise<readonly Finding[]> {
  if (policy.block.length === 0) return []
  const { findings } = reviewSchema({
    file: null,
    candidate: parseNamedSchema(schema),
    history: historyFrom((await readHistory(registry, policy.subject)).versions).versions,
    level,
    levelFrom: 'policy',
    policy,
    waivers,
    today,
    strict: false,
    lookup: null,
  })
  return findings.filter(({ severity, waivedBy }) => severity === 'error' && waivedBy === null)
}

/** A finding in words. */
export const blockedText = ({ field, message, rule }: Finding) =>
  `${field === null ? '' : `${field}: `}${message} (${rule})`

function blockedError(subject: string, [first, ...more]: readonly [Finding, ...Finding[]]): WeirError {
  const others = more.length > 0 ? ` (and ${more.length} more)` : ''
  return new WeirError('schema.policy', `The schema of ${subject} breaks its policy: ${blockedText(first)}${others}.`, {
    hint: `${first.hint ?? ''} weir schema check shows every finding.`.trim(),
  })
}

function notRegistered(subject: string, file: string): WeirError {
  return new WeirError(
    'schema.not_registered',
    `The schema of ${subject} is not in the registry, and the policy does not let a run register it.`,
    {
      at: file,
      hint: 'Review and apply it: weir schema plan --out plan.json, then weir schema apply plan.json. Or write `auto_register: true` for the subject.',
    },
  )
}

/** One reason why a level does not hold, that no waiver covers. */
interface Left {
  readonly reason: Reason
  readonly version: number
  readonly direction: HistoryBreak['direction']
}

interface Judgement {
  /** The version that the schema is already. */
  readonly found: RegisteredSchema | null
  readonly level: CompatibilityLevel
  readonly left: readonly Left[]
}

/** Holds a schema against the registry's history under the level in effect: of the policy, else of the subject, else of the registry. */
export async function judge(
  registry: ReadRegistry,
  rules: SubjectPolicy,
  waivers: readonly Waiver[],
  schema: string,
  today: string,
): Promise<Judgement> {
  const { subject } = rules
  const numbers = await registry.versions(subject).catch((error: unknown) => {
    if (error instanceof WeirError && error.code === 'registry.unknown_subject') return []
    throw error
  })
  const found = numbers.length === 0 ? null : await registry.lookup(subject, schema)
  const level = rules.level ?? (await registry.level(subject)) ?? (await registry.level()) ?? 'BACKWARD'
  // Where the policy says no level, what is in the registry was the registry's to take.
  if (level === 'NONE' || (found !== null && rules.level === null)) return { found, level, left: [] }
  const before = numbers.filter(number => found === null || number < found.version)
  const wanted = level.endsWith('_TRANSITIVE') ? before : before.slice(-1)
  const versions = await Promise.all(wanted.map(number => registry.version(subject, number)))
  const breaks = checkLevel(level, parseNamedSchema(schema), historyFrom(versions).versions)
  // What was registered under a waiver goes on when the waiver has run out: it was for the change.
  const until = found === null ? today : null
  const left = breaks.flatMap(({ reasons, version, direction }) =>
    reasons
      .filter(({ rule, path, pointer }) => {
        const asked = { rule: `compatibility.${rule}`, subject, field: path, pointer }
        return waiverFor(waivers, asked, until) === null
      })
      .map(reason => ({ reason, version, direction })),
  )
  return { found, level, left }
}

function incompatible(
  subject: string,
  level: CompatibilityLevel,
  rules: SubjectPolicy,
  left: readonly Left[],
): WeirError {
  const first = left[0]!
  const from = rules.level === null ? 'the level of the registry' : 'the level of the policy'
  const more = left.length > 1 ? ` (and ${left.length - 1} more)` : ''
  return new WeirError(
    'registry.incompatible',
    `The schema of ${subject} breaks ${level}, ${from}: ${sentenceFor(first)}${more}.`,
    { hint: `${fixFor(first)} weir schema check shows every reason with its fix.` },
  )
}

/** What fails, with version, rule and JSON pointer. */
export function sentenceFor({ reason, version, direction }: Left): string {
  const whom =
    direction === 'backward'
      ? `it cannot read what version ${version} wrote`
      : `version ${version} cannot read what it writes`
  return `${whom}: ${sentenceOf(reason)} (${reason.rule} at ${reason.pointer === '' ? '/' : reason.pointer})`
}

export const fixFor = ({ reason }: Left): string => fixes[reason.rule]

const fixes: Readonly<Record<Reason['rule'], string>> = {
  NAME_MISMATCH: 'Keep the name, or add the old one as an alias.',
  FIXED_SIZE_MISMATCH: 'Keep the size, and add a new field for the new one.',
  MISSING_ENUM_SYMBOLS: 'Keep the symbols, or give the enum a default.',
  READER_FIELD_MISSING_DEFAULT_VALUE: 'Give the field a default.',
  TYPE_MISMATCH: 'Keep the type, and add a new field for the new one.',
  MISSING_UNION_BRANCH: 'Keep the branches of the union.',
}
