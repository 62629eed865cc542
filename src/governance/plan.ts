// A plan: what would be changed in a registry, bound by hash to everything that was looked at when it was decided. It is a file, and the
// record of the decision. Applying it again after a crash goes on where it stopped; applying it to a registry that has moved is refused.
import { createHash } from 'node:crypto'
import { WeirError } from '../core/errors.ts'
import { nestsDeeperThan } from '../core/json-scan.ts'
import { isObject } from '../core/json-text.ts'
import { compatibilityLevels, type CompatibilityLevel as Level } from '../schema/compatibility-level.ts'
import type { Review, Verdict } from './review.ts'

/** Version of the file format. */
export const planVersion = 1

/** A version as the registry showed it. */
export interface SeenVersion {
  readonly version: number
  readonly id: number
  /** SHA-256 of the schema text as the registry gave it, hex. */
  readonly sha256: string
}

/** What a registry holds of a subject: all that a plan depends on. */
export interface SubjectState {
  /** The subject's own level; null: none. */
  readonly level: Level | null
  readonly versions: readonly SeenVersion[]
}

export type PlanStep =
  | { readonly do: 'set-level'; readonly level: Level; readonly why: string }
  /** `version`: the one it will have. */
  | { readonly do: 'register'; readonly version: number; readonly why: string }

export interface PlannedSubject {
  readonly subject: string
  /** `create`: a new subject; `add`: a new version; `none`: the schema is there already. */
  readonly action: 'create' | 'add' | 'none'
  /** The schema file, relative to the root of the workspace; null for a schema that weir brings. */
  readonly file: string | null
  readonly schema: string
  /** SHA-256 of `schema`, hex. */
  readonly sha256: string
  readonly seen: SubjectState
  /** In this order. Empty: nothing is to do. */
  readonly steps: readonly PlanStep[]
  /** Versions that are no schema by Avro's rules, so that nothing can be held against them. */
  readonly unreadable: readonly number[]
  /** Pipelines that write it. */
  readonly pipelines: readonly string[]
  readonly review: Review
}

export interface PlanBody {
  readonly planVersion: typeof planVersion
  /** ISO time at which it was made. */
  readonly createdAt: string
  readonly weir: string
  /** Where the registry is, without secrets: `embedded`, or its address. */
  readonly registry: string
  readonly globalLevel: Level
  /** The policy that it was made under; null: there was none. */
  readonly policy: { readonly file: string; readonly sha256: string } | null
  readonly subjects: readonly PlannedSubject[]
  /** Subjects of the registry that no pipeline and no entry of the policy names; apply leaves them alone. */
  readonly others: readonly string[]
  readonly verdict: Verdict
}

export interface Plan extends PlanBody {
  /** SHA-256 over all of the above, hex. */
  readonly hash: string
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** The plan with its hash. */
export function sealPlan(body: PlanBody): Plan {
  return { ...body, hash: hashOf(body) }
}

/** Over JSON without white space whose keys are sorted, so that a plan that was printed anew is the same. */
function hashOf(body: object): string {
  return sha256(JSON.stringify(sorted(body)))
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map(key => [key, sorted(value[key])]),
  )
}

/** The plan of a file. @throws schema.plan_invalid for what is none, is of another version, or was changed after it was made */
export function readPlan(text: string, file: string): Plan {
  const invalid = (message: string, hint: string) => new WeirError('schema.plan_invalid', message, { at: file, hint })
  const again = 'Make a plan with `weir schema plan --out plan.json`.'
  if (nestsDeeperThan(text, maxDepth)) throw invalid(`The plan nests deeper than ${maxDepth} levels.`, again)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw invalid('The plan is not JSON.', again)
  }
  if (!isObject(value) || typeof value['planVersion'] !== 'number' || typeof value['hash'] !== 'string')
    throw invalid('This is not a plan of weir.', again)
  if (value['planVersion'] !== planVersion)
    throw invalid(
      `The plan is of version ${value['planVersion']}; this weir reads version ${planVersion}.`,
      'Make it and apply it with the same weir.',
    )
  const { hash, ...body } = value
  if (hashOf(body) !== hash)
    throw invalid(
      'The plan was changed after it was made: its content has another hash than it says.',
      `What is applied must be what was reviewed. ${again}`,
    )
  // The hash is no signature: whoever writes a file can write one that fits.
  if (!isBody(body)) throw invalid('The plan lacks what a plan of this version has.', again)
  return value as unknown as Plan
}

/** A schema of the greatest depth, in a review. */
const maxDepth = 1000

/** True when it has all that applying it reads. */
function isBody({ registry, globalLevel, policy, subjects }: Json): boolean {
  return (
    typeof registry === 'string' &&
    isLevel(globalLevel) &&
    (policy === null || (isObject(policy) && areTexts(policy, 'file', 'sha256'))) &&
    areAll(subjects, isPlanned)
  )
}

const isPlanned = (each: Json): boolean =>
  areTexts(each, 'subject', 'action', 'schema') &&
  (each['file'] === null || typeof each['file'] === 'string') &&
  isObject(each['seen']) &&
  (each['seen']['level'] === null || isLevel(each['seen']['level'])) &&
  areAll(each['seen']['versions'], ({ version, id, sha256 }) => isWhole(version) && isWhole(id) && isText(sha256)) &&
  areAll(each['steps'], step => (step['do'] === 'set-level' ? isLevel(step['level']) : step['do'] === 'register')) &&
  isObject(each['review']) &&
  Array.isArray(each['review']['waivers'])

type Json = Readonly<Record<string, unknown>>
const isText = (value: unknown) => typeof value === 'string'
const isWhole = (value: unknown) => Number.isSafeInteger(value)
const isLevel = (value: unknown) => compatibilityLevels.some(level => level === value)
const areTexts = (each: Json, ...keys: readonly string[]) => keys.every(key => isText(each[key]))
const areAll = (value: unknown, fits: (each: Json) => boolean) =>
  Array.isArray(value) && value.every(each => isObject(each) && fits(each))

/** What a registry holds of a subject now, and which of its versions the schema of the plan is. */
export interface StateNow extends SubjectState {
  readonly candidateVersion: number | null
}

/** How many steps of a planned subject are done; null: the registry is in none of the states that the plan passes through. */
export function stepsDone(planned: PlannedSubject, now: StateNow): number | null {
  let level = planned.seen.level
  let registered = false
  let found = isState(planned, level, registered, now) ? 0 : null
  for (const [index, step] of planned.steps.entries()) {
    if (step.do === 'set-level') level = step.level
    else registered = true
    if (isState(planned, level, registered, now)) found = index + 1
  }
  return found
}

function isState({ seen }: PlannedSubject, level: Level | null, registered: boolean, now: StateNow): boolean {
  const unchanged = seen.versions.every((each, i) => {
    const there = now.versions[i]
    return there?.version === each.version && there.id === each.id && there.sha256 === each.sha256
  })
  if (!unchanged || level !== now.level) return false
  const added = now.versions.slice(seen.versions.length)
  // The id of a new version was not known before; that it is the plan's, the registry says.
  return registered ? added.length === 1 && added[0]!.version === now.candidateVersion : added.length === 0
}

/** What moved, one sentence each. */
export function movedSince(planned: PlannedSubject, now: SubjectState): readonly string[] {
  const { seen, subject } = planned
  const moved: string[] = []
  const level = (each: Level | null) => each ?? 'none of its own'
  if (seen.level !== now.level)
    moved.push(`the level of ${subject} was ${level(seen.level)} and is ${level(now.level)}`)
  for (const { version, id, sha256: hash } of seen.versions) {
    const there = now.versions.find(each => each.version === version)
    if (!there) moved.push(`version ${version} of ${subject} is gone`)
    else if (there.id !== id) moved.push(`version ${version} of ${subject} had id ${id} and has id ${there.id}`)
    else if (there.sha256 !== hash) moved.push(`version ${version} of ${subject} is another schema now`)
  }
  for (const { version, id } of now.versions)
    if (!seen.versions.some(each => each.version === version))
      moved.push(`${subject} has a new version ${version} (id ${id})`)
  return moved
}
