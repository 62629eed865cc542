// `weir schema check` and `weir schema diff`: schemas of the workspace against what they were, without a registry unless one is named.
import { writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import type { Catalogue } from '../../config/catalogue.ts'
import { loadPolicy, usualRules } from '../../config/governance/load.ts'
import type { LocatedProblem } from '../../config/problem.ts'
import { WeirError } from '../../core/errors.ts'
import { patchOf } from '../../governance/edit.ts'
import { impactOf } from '../../governance/impact.ts'
import { jsonPlaces, linesOf } from '../../governance/json-places.ts'
import { type Mended, mend } from '../../governance/mend.ts'
import { readNamedSchema } from '../../governance/named-schema.ts'
import { personalNames } from '../../governance/personal.ts'
import { type GovernancePolicy, policyFor, type SubjectPolicy } from '../../governance/policy.ts'
import { reportOf } from '../../governance/report/words.ts'
import type { FilePlace, Report, Review, UnusableSchema } from '../../governance/review.ts'
import { type Evidence, type HistoricalSchema, reviewSchema } from '../../governance/review-schema.ts'
import type { RegisterLookup } from '../../governance/rollout.ts'
import type { NamedSchema } from '../../governance/schema-tree.ts'
import { type CompatibilityLevel, compatibilityLevels } from '../../schema/compatibility-level.ts'
import { loadCatalogue } from '../catalogue.ts'
import { type BaseCommit, baseCommit, historyInFiles, historyInGit, textOf } from './base.ts'
import { type Candidate, candidatesOf, type Workspace, workspaceOf } from './candidates.ts'
import { consumersOf } from './consumers.ts'
import { earlierFile } from './earlier-file.ts'
import { type Git, openGit } from './git.ts'
import type { Prove } from './proving.ts'

export { compatibilityLevels }

export interface CheckRequest {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** .avsc files; none: all of the workspace. */
  readonly files: readonly string[]
  /** The commit to compare with; null: the usual one, where there is a repository. */
  readonly against: string | null
  /** Files or folders of earlier versions, instead of a commit. */
  readonly history: readonly string[]
  /** Instead of the level of the policy. */
  readonly level: CompatibilityLevel | null
  readonly strict: boolean
  /** YYYY-MM-DD. */
  readonly today: string
  /** Writes the edits that make a schema keep its level. */
  readonly fix: boolean
  /** Proves candidates on the records of their topics; null: on none. */
  readonly prove: ((bench: Bench) => Promise<Prove>) | null
  readonly warn: (problem: LocatedProblem) => void
  /** Told in words, beside the report. */
  readonly note: (text: string) => void
}

/** What `--fix` did to a file, or could not do. */
export interface FixedFile extends Mended {
  readonly file: string
  /** True when the file was written: only when the level holds afterwards. */
  readonly written: boolean
  /** The edit; empty when there is none. */
  readonly patch: string
}

export interface CheckResult {
  readonly report: Report
  readonly fixed: readonly FixedFile[]
}

/** @throws usage.not_found, usage.invalid, config.* for a policy that cannot be used, schema.invalid for an earlier version that is none */
export async function checkSchemas(request: CheckRequest): Promise<CheckResult> {
  const { cwd, env, files, history, note } = request
  if (request.against !== null && history.length > 0)
    throw new WeirError('usage.invalid', '--against and --history exclude each other.', {
      hint: 'A schema is held against a commit, or against files of its history.',
    })
  const bench = await openBench(request)
  const { workspace } = bench
  const candidates = files.length > 0 ? candidatesOf(files, workspace, cwd) : workspace.candidates
  if (candidates.length === 0)
    throw new WeirError('usage.not_found', 'No schema is here: no pipeline and no policy names one.', {
      hint: 'Name the files: weir schema check schemas/raw-review.avsc',
    })
  if (files.length === 0)
    for (const file of workspace.unreadable)
      note(`The topic of ${file} cannot be read, so its schema is not checked: weir lint says why.`)
  const git = history.length > 0 ? null : await openGit(cwd, env)
  if (git === null && request.against !== null)
    throw new WeirError('usage.not_found', 'This folder is in no git repository, or git is not installed.', {
      hint: 'Name earlier versions: --history DIR',
    })
  const base = git && (await baseCommit(git, request.against, env))
  if (base?.name === 'HEAD' && request.against === null)
    note('There is no main branch here: compared with the last commit. Name another one with --against.')
  if (git === null && history.length === 0)
    note('No git repository and no --history: there is nothing to compare with.')
  const prove = request.prove && (await request.prove(bench))
  const reviews: Review[] = []
  const unusable: UnusableSchema[] = []
  const fixed: FixedFile[] = []
  for (const candidate of candidates) {
    const shown = shownPath(candidate.file, cwd)
    const text = textOf(candidate.file)
    const { schema, problems } = readNamedSchema(text)
    if (schema === null || problems.length > 0) {
      unusable.push(unusableSchema(candidate.subject, shown, text, problems))
      continue
    }
    const earlier = await historyFor(candidate, git, base, bench, request)
    const level = levelFor(bench.rules(candidate.subject), request.level)
    const mended = request.fix ? fixFile(candidate, schema, earlier, level.level, shown) : null
    if (mended) fixed.push(mended)
    const reviewed = mended?.written ? readNamedSchema(mended.text).schema! : schema
    const evidence = prove && (await prove(candidate.subject, reviewed, earlier.at(-1)?.schema ?? null))
    if (prove && !evidence) note(`${candidate.subject} has no topic here: nothing is proven on data.`)
    reviews.push(
      reviewOne(bench, {
        subject: candidate.subject,
        file: shown,
        schema: reviewed,
        history: earlier,
        ...level,
        strict: request.strict,
        today: request.today,
        ...(evidence ? { evidence } : {}),
      }),
    )
  }
  return { report: reportOf(reviews, unusable), fixed }
}

async function historyFor(
  { file, subject }: Candidate,
  git: Git | null,
  base: BaseCommit | null,
  bench: Bench,
  { history, cwd, env }: CheckRequest,
): Promise<readonly HistoricalSchema[]> {
  if (history.length > 0) return historyInFiles(history, subject, cwd)
  if (git === null || base === null) return []
  const own = await historyInGit(git, base, file)
  if (own.length > 0) return own
  const other = await earlierFile(git, base.commit, subject, bench, env)
  return other === null ? [] : historyInGit(git, base, other)
}

/** What reviews of a workspace share. */
export interface Bench {
  readonly workspace: Workspace
  readonly catalogue: Catalogue
  readonly policy: GovernancePolicy | null
  readonly cwd: string
  rules(subject: string): SubjectPolicy
}

/** @throws config.* for a policy that cannot be used */
export async function openBench({
  cwd,
  env,
  today,
  warn,
}: Pick<CheckRequest, 'cwd' | 'env' | 'today' | 'warn'>): Promise<Bench> {
  const catalogue = await loadCatalogue()
  const policy = loadPolicy(cwd, today, problem =>
    warn({ ...problem, message: `${shownPath(problem.file, cwd)}:${problem.line}: ${problem.message}` }),
  )
  const workspace = workspaceOf({ cwd, env, catalogue, policy })
  const rules = (subject: string): SubjectPolicy =>
    policy
      ? policyFor(policy, subject)
      : // Without a policy, names are still looked at.
        { ...usualRules, pii: { tags: [], names: personalNames, values: [] }, subject, entry: null, schemaFile: null }
  return { workspace, catalogue, policy, cwd, rules }
}

export function levelFor(
  rules: SubjectPolicy,
  asked: CompatibilityLevel | null,
): { readonly level: CompatibilityLevel; readonly levelFrom: Review['levelFrom'] } {
  if (asked !== null) return { level: asked, levelFrom: 'flag' }
  return rules.level === null
    ? { level: 'BACKWARD', levelFrom: 'default' }
    : { level: rules.level, levelFrom: 'policy' }
}

export interface ReviewRequest {
  readonly subject: string
  readonly file: string | null
  readonly schema: NamedSchema
  readonly history: readonly HistoricalSchema[]
  readonly level: CompatibilityLevel
  readonly levelFrom: Review['levelFrom']
  readonly strict: boolean
  readonly today: string
  /** What the registry says of this very schema; left out where none was asked. */
  readonly lookup?: RegisterLookup
  /** What was seen of the topic; left out where it was not looked at. */
  readonly evidence?: Evidence
}

/** A review with the policy and the consumers of the workspace. */
export function reviewOne({ policy, workspace, catalogue, cwd, rules }: Bench, request: ReviewRequest): Review {
  const { subject, schema, ...rest } = request
  const review = reviewSchema({
    ...rest,
    candidate: schema,
    policy: rules(subject),
    waivers: policy?.waivers ?? [],
    lookup: request.lookup ?? null,
  })
  const readers = consumersOf(workspace.pipelines, subject, catalogue, cwd)
  return { ...review, consumers: impactOf(readers, review.changes) }
}

/** Relative to the folder, when it is in it. */
export const shownPath = (file: string, cwd: string) => {
  const short = relative(cwd, file)
  return short === '' || short.startsWith('..') ? file : short
}

function unusableSchema(
  subject: string,
  file: string,
  text: string,
  problems: ReturnType<typeof readNamedSchema>['problems'],
): UnusableSchema {
  const place = (pointer: string): FilePlace => {
    try {
      const found = jsonPlaces(text).get(pointer)
      return { file, ...(found ? linesOf(text)(found.start) : { line: 1, column: 1 }) }
    } catch {
      // What is no JSON has no pointers.
      return { file, line: 1, column: 1 }
    }
  }
  const findings = problems
    .filter(problem => problem.severity === 'error')
    .map(({ message, pointer, hint }) => ({
      rule: 'schema.invalid',
      severity: 'error' as const,
      message,
      pointer,
      field: null,
      place: place(pointer),
      hint: hint === '' ? null : hint,
      waivedBy: null,
    }))
  return { subject, file, findings }
}

function fixFile(
  { file }: Candidate,
  schema: NamedSchema,
  history: readonly HistoricalSchema[],
  level: CompatibilityLevel,
  shown: string,
): FixedFile | null {
  const mended = mend(schema, history, level)
  if (mended.done.length === 0 && mended.remaining === 0) return null
  const written = mended.remaining === 0
  if (written) writeFileSync(file, mended.text)
  return { ...mended, file: shown, written, patch: patchOf(shown, schema.text, mended.text) }
}
