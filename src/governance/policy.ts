// What a team asks of its schemas, per subject: schemas/governance.yaml as plain data. config/governance.ts makes it from the file;
// every rule of a review, of lint and of a run takes it from here.

import type { CompatibilityLevel as Level } from '../schema/compatibility-level.ts'
import { matches } from './glob.ts'

export const namingStyles = ['snake_case', 'camelCase', 'PascalCase', 'UPPER_SNAKE_CASE', 'any'] as const
export type NamingStyle = (typeof namingStyles)[number]

/** Kinds of personal data that values are looked through for. */
export const piiKinds = ['email', 'phone', 'name', 'ip', 'card', 'iban'] as const
export type PiiKind = (typeof piiKinds)[number]

/** Share of what must have a doc, 0 to 1. `of`: fields alone, or named types and enum symbols' types too. */
export interface DocsRule {
  readonly of: 'fields' | 'all'
  readonly share: number
}

export interface NamingRule {
  readonly fields: NamingStyle
  readonly types: NamingStyle
  readonly symbols: NamingStyle
}

export interface PiiRule {
  /** Tags of which a field with personal data must carry one; compared without case. */
  readonly tags: readonly string[]
  /** Patterns of field names (`*` stands for anything), compared without case. */
  readonly names: readonly string[]
  readonly values: readonly PiiKind[]
}

/** What holds for one subject. */
export interface SubjectPolicy {
  readonly subject: string
  /** The entry of the file it comes from, as written; null: the defaults alone. */
  readonly entry: string | null
  readonly owner: string | null
  /** Absolute path of the schema file, where the entry names it. */
  readonly schemaFile: string | null
  /** null: the level that the registry has. */
  readonly level: Level | null
  /** A run may register the schema by itself, when nothing is in the way. */
  readonly autoRegister: boolean
  /** null: no doc is asked for. */
  readonly docs: DocsRule | null
  readonly naming: NamingRule
  readonly pii: PiiRule | null
  /** Patterns of rules whose findings break the policy, though the level holds: `silent.*`. */
  readonly block: readonly string[]
}

/** A decision to let a finding pass, until a day. */
export interface Waiver {
  /** Where it stands in the list of the file, from 0. */
  readonly index: number
  /** A rule, or a pattern of rules. */
  readonly rule: string
  /** A subject, or a pattern of subjects. */
  readonly subject: string
  /** Field path, such as `RawReview.rating`, or the JSON pointer; null: anywhere in the schema. */
  readonly path: string | null
  readonly owner: string
  readonly reason: string
  /** Last day on which it counts, YYYY-MM-DD, in UTC. */
  readonly until: string
}

/** Fields of an entry that are not written there come from the defaults. */
export type SubjectRules = Omit<SubjectPolicy, 'subject' | 'entry' | 'schemaFile'>

export interface PolicyEntry {
  /** An exact subject, or a pattern with `*`. */
  readonly subject: string
  readonly schemaFile: string | null
  readonly rules: Partial<SubjectRules>
}

export interface GovernancePolicy {
  /** Absolute path of the file. */
  readonly file: string
  /** SHA-256 of the file, hex: a plan is bound to it. */
  readonly sha256: string
  readonly defaults: SubjectRules
  readonly entries: readonly PolicyEntry[]
  readonly waivers: readonly Waiver[]
}

/** The rules of a subject: its exact entry, else the first pattern of the file that matches; what that does not say, from the defaults. */
export function policyFor(policy: GovernancePolicy, subject: string): SubjectPolicy {
  const entry =
    policy.entries.find(each => each.subject === subject) ??
    policy.entries.find(each => isPattern(each.subject) && matches(each.subject, subject))
  return {
    ...policy.defaults,
    ...entry?.rules,
    subject,
    entry: entry?.subject ?? null,
    schemaFile: entry?.schemaFile ?? null,
  }
}

export const isPattern = (text: string): boolean => text.includes('*')

/** What a waiver is asked about. */
export interface Waivable {
  readonly rule: string
  readonly subject: string
  readonly field: string | null
  readonly pointer: string | null
}

/** The first waiver that covers it. `today`, YYYY-MM-DD, or null: also those that have run out. */
export function waiverFor(waivers: readonly Waiver[], found: Waivable, today: string | null): Waiver | null {
  return (
    waivers.find(
      waiver =>
        (today === null || today <= waiver.until) &&
        matches(waiver.rule, found.rule) &&
        matches(waiver.subject, found.subject) &&
        (waiver.path === null || waiver.path === found.field || waiver.path === found.pointer),
    ) ?? null
  )
}

/** True when the policy says that a finding of this rule must not be registered. */
export function blocks(policy: SubjectPolicy, rule: string): boolean {
  return policy.block.some(pattern => matches(pattern, rule))
}
