// `weir schema plan`: what the workspace would change in a registry, subject by subject, each with its review.
import { relative } from 'node:path'
import { parseNamedSchema } from '../../governance/named-schema.ts'
import { type Plan, type PlannedSubject, planVersion, sealPlan, sha256 } from '../../governance/plan.ts'
import type { Verdict } from '../../governance/review.ts'
import type { Evidence } from '../../governance/review-schema.ts'
import { stepsFor } from '../../governance/steps.ts'
import type { CompatibilityLevel } from '../../schema/compatibility-level.ts'
import { type Bench, reviewOne } from './checking.ts'
import type { Prove } from './proving.ts'
import type { Place } from './registry-place.ts'
import { readHistory, type SubjectHistory, stateOf } from './state.ts'
import { type WorkspaceSubject, workspaceSubjects } from './subjects.ts'
import { historyFrom } from './versions.ts'

export interface PlanTime {
  /** ISO. */
  readonly now: string
  /** YYYY-MM-DD. */
  readonly today: string
  readonly version: string
}

/** More subjects of others are not listed. */
const maxOthers = 1000

/** The plan for all subjects of the workspace. `prove`: on the records of their topics, where something would be registered. @throws registry.*, schema.invalid, config.conflict */
export async function makePlan(
  bench: Bench,
  { registry, name }: Place,
  time: PlanTime,
  prove: Prove | null = null,
): Promise<Plan> {
  const globalLevel = (await registry.level()) ?? 'BACKWARD'
  const wanted = await workspaceSubjects(bench.workspace.pipelines, bench.policy)
  const subjects: PlannedSubject[] = []
  for (const each of wanted) {
    const history = await readHistory(registry, each.subject)
    const found = history.versions.length === 0 ? null : await registry.lookup(each.subject, each.schema)
    // What is a version already is registered as it is, whatever the data says.
    const base = historyFrom(history.versions).versions.at(-1)?.schema ?? null
    const evidence = prove && found === null ? await prove(each.subject, parseNamedSchema(each.schema), base) : null
    subjects.push(planSubject(bench, each, history, found?.version ?? null, globalLevel, time.today, evidence))
  }
  const known = new Set(wanted.map(({ subject }) => subject))
  const others = (await registry.subjects()).filter(subject => !known.has(subject)).slice(0, maxOthers)
  return sealPlan({
    planVersion,
    createdAt: time.now,
    weir: time.version,
    registry: name,
    globalLevel,
    policy: bench.policy && { file: relative(bench.cwd, bench.policy.file), sha256: bench.policy.sha256 },
    subjects,
    others,
    verdict: worst(subjects),
  })
}

/** One subject: its review against the versions that are given, and what is to do. `found`: the version that the schema is already. */
export function planSubject(
  bench: Bench,
  { subject, file, schema, pipelines }: WorkspaceSubject,
  history: SubjectHistory,
  found: number | null,
  globalLevel: CompatibilityLevel,
  today: string,
  evidence: Evidence | null = null,
): PlannedSubject {
  const rules = bench.rules(subject)
  const seen = stateOf(history)
  const latest = seen.versions.at(-1)?.version ?? null
  // What is a version already is held against the versions before it.
  const before = found === null ? history.versions : history.versions.filter(({ version }) => version < found)
  const { versions, unreadable } = historyFrom(before)
  const review = reviewOne(bench, {
    subject,
    file: file && relative(bench.cwd, file),
    schema: parseNamedSchema(schema),
    history: versions,
    level: rules.level ?? history.level ?? globalLevel,
    levelFrom: rules.level !== null ? 'policy' : history.level !== null ? 'subject' : 'global',
    strict: false,
    today,
    lookup: { found, latest, normalized: null },
    ...(evidence ? { evidence } : {}),
  })
  const isWaived = review.reasons.some(reason => reason.breaks && reason.waivedBy !== null)
  const isNew = found === null
  return {
    subject,
    action: !isNew ? 'none' : latest === null ? 'create' : 'add',
    file: review.file,
    schema,
    sha256: sha256(schema),
    seen,
    steps: stepsFor({ seen, globalLevel, level: rules.level, isNew, isWaived }),
    unreadable,
    pipelines,
    review,
  }
}

/** Of what would be registered: what is there already is nobody's decision any more. */
function worst(subjects: readonly PlannedSubject[]): Verdict {
  const verdicts = subjects.filter(({ action }) => action !== 'none').map(({ review }) => review.verdict)
  return verdicts.includes('breaking') ? 'breaking' : verdicts.includes('warning') ? 'warning' : 'ok'
}
