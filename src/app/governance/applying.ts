// `weir schema apply`: an approved plan, step by step, in a registry that still is what the plan saw. Everything is looked at again before
// anything is changed; what is done already is passed over, so that the same plan goes on after a crash.
import { toWeirError, WeirError } from '../../core/errors.ts'
import {
  movedSince,
  type Plan,
  type PlannedSubject,
  type PlanStep,
  type SubjectState,
  stepsDone,
} from '../../governance/plan.ts'
import type { SchemaRegistry } from '../../pipeline/ports.ts'
import type { Bench } from './checking.ts'
import { planSubject } from './planning.ts'
import type { Place } from './registry-place.ts'
import { readHistory, type SubjectHistory, stateOf } from './state.ts'
import { type WorkspaceSubject, workspaceSubjects } from './subjects.ts'

export interface AppliedStep {
  readonly subject: string
  readonly step: PlanStep
  /** `done`: by this call; `was done`: before; `would be done`: in a dry run. */
  readonly outcome: 'done' | 'was done' | 'would be done'
  /** Of the version that was registered by this call. */
  readonly version: number | null
  readonly id: number | null
}

/** A planned subject, and how many of its steps are done. */
export interface Progress {
  readonly planned: PlannedSubject
  readonly done: number
}

/**
 * Looks at everything again that the plan was made of: registry, levels, versions, policy, schemas, and decides anew. `today`: YYYY-MM-DD.
 * @throws schema.moved with all that is not as the plan saw it; schema.breaking; schema.plan_invalid for steps that do not follow from it
 */
export async function examinePlan(plan: Plan, bench: Bench, place: Place, today: string): Promise<readonly Progress[]> {
  const { registry } = place
  const wanted = new Map(
    (await workspaceSubjects(bench.workspace.pipelines, bench.policy)).map(each => [each.subject, each]),
  )
  const moved = movedAround(plan, bench, place, wanted)
  const globalLevel = (await registry.level()) ?? 'BACKWARD'
  if (globalLevel !== plan.globalLevel) moved.push(`the global level was ${plan.globalLevel} and is ${globalLevel}`)
  const progress: (Progress & { readonly history: SubjectHistory })[] = []
  for (const planned of plan.subjects) {
    const history = await readHistory(registry, planned.subject)
    const state = stateOf(history)
    const found = state.versions.length === 0 ? null : await registry.lookup(planned.subject, planned.schema)
    const done = stepsDone(planned, { ...state, candidateVersion: found?.version ?? null })
    if (done === null) moved.push(...movedOrDifferent(planned, state))
    else progress.push({ planned, done, history })
  }
  if (moved.length > 0)
    throw new WeirError('schema.moved', `Since the plan was made, ${moved.join('; ')}. Nothing was changed.`, {
      hint: 'Make the plan anew and have it reviewed: weir schema plan --out plan.json',
    })
  for (const each of progress) decideAgain(each, wanted.get(each.planned.subject)!, plan, bench, today)
  return progress.map(({ planned, done }) => ({ planned, done }))
}

function movedAround(
  plan: Plan,
  { policy }: Bench,
  { name }: Place,
  wanted: ReadonlyMap<string, WorkspaceSubject>,
): string[] {
  const moved: string[] = []
  if (plan.registry !== name) moved.push(`the registry is another one: it was ${plan.registry} and is ${name}`)
  if ((plan.policy?.sha256 ?? null) !== (policy?.sha256 ?? null))
    moved.push(
      plan.policy === null
        ? 'a policy was written'
        : `the policy ${plan.policy.file} ${policy === null ? 'is gone' : 'was changed'}`,
    )
  for (const { subject, schema, file } of plan.subjects) {
    const here = wanted.get(subject)
    if (!here) moved.push(`no pipeline and no policy of this workspace names ${subject} any more`)
    else if (here.schema !== schema)
      moved.push(`the schema of ${subject} was changed${file === null ? '' : ` in ${file}`}`)
  }
  return moved
}

/** A level and versions that are each as they were, and yet in no state of the plan, were changed in another order than its own. */
function movedOrDifferent(planned: PlannedSubject, state: SubjectState): readonly string[] {
  const moved = movedSince(planned, state)
  return moved.length > 0 ? moved : [`${planned.subject} is in no state that the plan passes through`]
}

/** The review and the steps once more, of the versions that the plan saw. @throws schema.breaking, schema.plan_invalid */
function decideAgain(
  { planned, done, history }: Progress & { readonly history: SubjectHistory },
  wanted: WorkspaceSubject,
  plan: Plan,
  bench: Bench,
  today: string,
): void {
  const { subject, seen, steps, action } = planned
  if (done === steps.length) return
  const versions = history.versions.slice(0, seen.versions.length)
  const before = { level: seen.level, versions }
  const found = action === 'none' ? foundIn(planned) : null
  const again = planSubject(bench, wanted, before, found, plan.globalLevel, today)
  const registers = steps.slice(done).some(step => step.do === 'register')
  // What records said is not asked again; what they said then still counts.
  const breaking = [again, planned].find(({ review }) => review.verdict === 'breaking')
  if (registers && breaking)
    throw new WeirError('schema.breaking', `${subject}: ${whyBreaking(breaking, planned)}`, {
      hint: 'Mend the schema, or waive it in schemas/governance.yaml with owner, reason and end date; then make the plan anew.',
    })
  if (JSON.stringify(again.steps.map(bare)) !== JSON.stringify(steps.map(bare)))
    throw new WeirError('schema.plan_invalid', `The steps of ${subject} do not follow from what the plan saw.`, {
      hint: 'Make the plan anew: weir schema plan --out plan.json',
    })
}

const bare = (step: PlanStep) => (step.do === 'set-level' ? step.level : 'register')

/** The version that a schema is already, as the review of the plan says. */
const foundIn = ({ review, seen }: PlannedSubject) => review.effect?.version ?? seen.versions.at(-1)?.version ?? null

function whyBreaking({ review }: PlannedSubject, planned: PlannedSubject): string {
  const ranOut = planned.review.waivers.length > review.waivers.length
  const reasons = review.reasons.filter(reason => reason.breaks && reason.waivedBy === null)
  const findings = review.findings.filter(finding => finding.severity === 'error' && finding.waivedBy === null)
  const [first] = [
    ...reasons.map(each => `${each.message} (${each.rule})`),
    ...findings.map(each => `${each.message} (${each.rule})`),
  ]
  const more = reasons.length + findings.length - 1
  const what = `${first ?? 'the review finds it breaking'}${more > 0 ? ` (and ${more} more)` : ''}`
  return ranOut ? `a waiver that the plan used has run out: ${what}` : `the change is breaking: ${what}`
}

type ChangedRegistry = Pick<SchemaRegistry, 'setLevel' | 'register' | 'versions'>

/**
 * Does the steps that are left, in their order, and tells each. `registry`: null for a dry run.
 * @throws registry.*; schema.moved when somebody else registered a version meanwhile; what was done before stays done
 */
export async function applySteps(
  progress: readonly Progress[],
  registry: ChangedRegistry | null,
  tell: (step: AppliedStep) => Promise<void> | void,
): Promise<void> {
  for (const { planned, done } of progress)
    for (const [index, step] of planned.steps.entries()) {
      const { subject } = planned
      if (index < done) await tell({ subject, step, outcome: 'was done', version: null, id: null })
      else if (registry === null) await tell({ subject, step, outcome: 'would be done', version: null, id: null })
      else if (step.do === 'set-level') {
        await registry.setLevel(step.level, subject)
        await tell({ subject, step, outcome: 'done', version: null, id: null })
      } else
        try {
          const { version, id } = await registry.register(subject, planned.schema)
          await tell({ subject, step, outcome: 'done', version, id })
          await requireAlone(planned, version, registry)
        } catch (error) {
          await closeAgain(planned, index, registry, error)
          throw error
        }
    }
}

/** The level that was taken away for a waived change comes back, whatever became of the change. */
async function closeAgain(
  { subject, steps }: PlannedSubject,
  index: number,
  registry: Pick<SchemaRegistry, 'setLevel'>,
  error: unknown,
): Promise<void> {
  const [before, after] = [steps[index - 1], steps[index + 1]]
  if (before?.do !== 'set-level' || after?.do !== 'set-level') return
  await registry.setLevel(after.level, subject).catch(() => {
    const { code, message } = toWeirError(error)
    throw new WeirError(code, `${message} The level of ${subject} is still ${before.level}.`, {
      hint: 'Apply the plan again: it goes on where it stopped.',
      cause: error,
    })
  })
}

/** @throws schema.moved for a version that the plan did not see: nothing was held against it */
async function requireAlone(
  { subject, seen }: PlannedSubject,
  version: number,
  registry: Pick<SchemaRegistry, 'versions'>,
): Promise<void> {
  const known = new Set([version, ...seen.versions.map(each => each.version)])
  const others = (await registry.versions(subject)).filter(each => !known.has(each))
  if (others.length === 0) return
  const which = `version ${others.join(', ')} of ${subject}`
  throw new WeirError('schema.moved', `While the plan was applied, somebody else registered ${which}.`, {
    hint: `Version ${version} is registered, and was not held against it: look at both with weir schema history ${subject}.`,
  })
}
