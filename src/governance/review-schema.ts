// The review itself: everything that is known about a candidate, joined to what a reviewer signs. A pure function over plain data.
import type { CompatibilityLevel } from '../schema/compatibility-level.ts'
import { compatibilityLevels } from '../schema/compatibility-level.ts'
import { aliasFindings } from './alias-rules.ts'
import { type Comparison, compare, type SharedValues } from './comparison.ts'
import { changesOf } from './diff.ts'
import { avscRefusal, generatedExamples } from './example.ts'
import { fingerprintsOf } from './fingerprint.ts'
import { type Found, warning } from './found.ts'
import { jsonPlaces, linesOf } from './json-places.ts'
import { checkHistory, type HistoryVerdict } from './levels.ts'
import { everythingIn, outlineOf, type TypeOutline } from './outline.ts'
import { type PersonalValues, personalFindings, tagsOf } from './personal.ts'
import { blocks, type SubjectPolicy, type Waiver, waiverFor } from './policy.ts'
import { documentedShare, qualityFindings } from './quality.ts'
import { reviewedReasons } from './reasons.ts'
import { failedText } from './report/data-words.ts'
import {
  type Consumer,
  type DataCheck,
  type Example,
  type FilePlace,
  type Finding,
  type Review,
  reviewVersion,
  type UsedWaiver,
} from './review.ts'
import { filledDefaults, type RegisterLookup, registerEffect, rolloutOf } from './rollout.ts'
import type { NamedSchema } from './schema-tree.ts'
import { silentBreaks } from './silent.ts'
import { schemaProblems } from './validity.ts'

/** A version that the candidate is held against. */
export interface HistoricalSchema {
  readonly version: number
  /** Its id in the registry, where it has one. */
  readonly id: number | null
  /** Where it was read: `origin/main:schemas/raw-review.avsc`, `registry`. */
  readonly from: string
  readonly schema: NamedSchema
}

/** What was seen outside of the schemas. */
export interface Evidence {
  readonly consumers?: readonly Consumer[]
  readonly data?: DataCheck
  /** Instead of generated ones. */
  readonly examples?: readonly Example[]
  readonly sharedValues?: readonly SharedValues[]
  readonly personalValues?: readonly PersonalValues[]
}

export interface ReviewInput {
  /** The file of the candidate, for places; null when it is none. */
  readonly file: string | null
  readonly candidate: NamedSchema
  /** In ascending order; the last one is the base. Empty for a new subject. */
  readonly history: readonly HistoricalSchema[]
  readonly level: CompatibilityLevel
  readonly levelFrom: Review['levelFrom']
  readonly policy: SubjectPolicy
  readonly waivers: readonly Waiver[]
  /** YYYY-MM-DD in UTC: waivers count until their last day. */
  readonly today: string
  /** Warnings end with exit code 3. */
  readonly strict: boolean
  /** What the registry says of this very schema; null where it was not asked. */
  readonly lookup: RegisterLookup | null
  /** Field path or pattern to tags, from the metadata of the subject. */
  readonly tags?: Readonly<Record<string, readonly string[]>>
  readonly evidence?: Evidence
}

/** @throws schema.too_complex */
export function reviewSchema(input: ReviewInput): Review {
  const { candidate, history, level, policy, evidence = {}, file } = input
  const root = outlineOf(candidate)
  const base = history.at(-1) ?? null
  const baseRoot = base && outlineOf(base.schema)
  const comparison = baseRoot && compare(baseRoot, root, evidence.sharedValues)
  const verdict = checkHistory(candidate, history)
  const waive = waiving(input)
  const place = placing(candidate.text, file)
  const reasons = reviewedReasons({ candidate, root, history, verdict, level, file }).map(reason => ({
    ...reason,
    place: place(reason.pointer),
    waivedBy: reason.breaks ? waive(`compatibility.${reason.rule}`, reason.field, reason.pointer) : null,
  }))
  const found = [
    ...doubtful(candidate),
    ...(comparison ? findingsAgainst(comparison, verdict, base!, candidate) : []),
    ...aliasFindings(root, comparison),
    ...personalFindings({
      rule: policy.pii,
      comparison,
      fields: everythingIn(root).fields,
      metadata: input.tags ?? {},
      values: evidence.personalValues ?? [],
    }),
    ...qualityFindings(root, policy, comparison),
    ...dataFindings(evidence.data, root),
  ]
  const findings = found.map((each): Finding => {
    const severity = each.severity !== 'error' && blocks(policy, each.rule) ? 'error' : each.severity
    return {
      ...each,
      severity,
      place: place(each.pointer),
      waivedBy: severity === 'note' ? null : waive(each.rule, each.field, each.pointer),
    }
  })
  const state = verdictOf(reasons, findings)
  const { crc64, sha256 } = fingerprintsOf(candidate)
  return {
    reviewVersion,
    subject: policy.subject,
    file,
    base: base && { version: base.version, id: base.id, from: base.from },
    candidate: { crc64, sha256, schema: candidate.text },
    level,
    levelFrom: input.levelFrom,
    verdict: state,
    exitCode: state === 'breaking' ? 1 : state === 'warning' && input.strict ? 3 : 0,
    levels: levelVerdicts(verdict),
    reasons,
    findings,
    rollout: rolloutOf(base && readableOf(verdict)),
    changes: comparison ? changesOf(comparison) : [],
    filledDefaults: filledDefaults(
      root,
      history.map(({ version, schema }) => ({ version, root: outlineOf(schema) })),
    ),
    quality: {
      documentedBefore: baseRoot && documentedShare(baseRoot, policy.docs?.of ?? 'fields'),
      documented: documentedShare(root, policy.docs?.of ?? 'fields'),
      owner: policy.owner,
      tags: tagChanges(root, comparison, input.tags ?? {}),
    },
    consumers: evidence.consumers ?? null,
    examples:
      evidence.examples ??
      (base && comparison
        ? generatedExamples({ text: base.schema.text, root: baseRoot! }, { text: candidate.text, root }, comparison)
        : []),
    data: evidence.data ?? null,
    effect: input.lookup && registerEffect(input.lookup),
    waivers: usedWaivers(input.waivers, [...reasons, ...findings]),
  }
}

/** Line and column of a pointer; the nearest that is there, for what is not. */
function placing(text: string, file: string | null): (pointer: string | null) => FilePlace | null {
  if (file === null) return () => null
  const places = jsonPlaces(text)
  const lineAndColumn = linesOf(text)
  return pointer => {
    for (let at = pointer ?? ''; ; at = at.slice(0, at.lastIndexOf('/'))) {
      const found = places.get(at)
      if (found) return { file, ...lineAndColumn(found.start) }
      if (at === '') return { file, line: 1, column: 1 }
    }
  }
}

function waiving({
  waivers,
  today,
  policy: { subject },
}: ReviewInput): (rule: string, field: string | null, pointer: string | null) => number | null {
  return (rule, field, pointer) => waiverFor(waivers, { rule, subject, field, pointer }, today)?.index ?? null
}

function findingsAgainst(
  comparison: Comparison,
  verdict: HistoryVerdict,
  base: HistoricalSchema,
  candidate: NamedSchema,
): readonly Found[] {
  return [...silentBreaks(comparison), ...engineFindings(verdict, base, candidate)]
}

/** What is valid, and some reader may take for something else. */
function doubtful({ text }: NamedSchema): readonly Found[] {
  return schemaProblems(text)
    .filter(problem => problem.severity === 'warning')
    .map(({ message, pointer, hint }) => warning('schema.doubtful', message, hint, { pointer, field: null }))
}

/** Item 4.8: a reader that weir calls compatible and that avsc does not serve. Names are compared without namespace, as weir itself decodes. */
function engineFindings(verdict: HistoryVerdict, base: HistoricalSchema, candidate: NamedSchema): readonly Found[] {
  if (base.schema.root.kind !== 'record' || candidate.root.kind !== 'record') return []
  const { oldByNew, newByOld } = readableOf(verdict)
  const check = (compatible: boolean, writer: NamedSchema, reader: NamedSchema, what: string): readonly Found[] => {
    const refusal = compatible ? avscRefusal(writer.text, reader.text) : null
    return refusal === null
      ? []
      : [
          warning(
            'engine.disagrees',
            `${what} by Avro's rules, but the decoder of weir, avsc in JavaScript, refuses it: ${refusal}`,
            'Readers in JavaScript, weir among them, will fail; change the schema, or move them first.',
            { pointer: '', field: null },
          ),
        ]
  }
  return [
    ...check(oldByNew, base.schema, candidate, 'the candidate reads old data'),
    ...check(newByOld, candidate, base.schema, 'the base reads new data'),
  ]
}

/** Item 14 as a finding: records that cannot be read, or read as something else, are worth more than any rule. */
function dataFindings(data: DataCheck | undefined, root: TypeOutline): readonly Found[] {
  if (!data) return []
  const { fields } = everythingIn(root)
  const pointerOf = (field: string) => fields.find(each => each.path === field)?.field.pointer ?? ''
  const where = { pointer: '', field: null }
  return [
    ...(data.failed > 0
      ? [warning('data.unreadable', failedText(data), 'The report names them, with the reason each.', where)]
      : []),
    ...data.changed.map(each =>
      warning(
        'data.changed',
        `${each.example.before} becomes ${each.example.after} in ${each.records.toLocaleString('en-US')} of ${data.records.toLocaleString('en-US')} records`,
        'Keep the meaning of the field, or add a new one.',
        { pointer: pointerOf(each.field), field: each.field },
      ),
    ),
  ]
}

function readableOf({ breaks }: HistoryVerdict): { readonly oldByNew: boolean; readonly newByOld: boolean } {
  const fails = (direction: string) => breaks.some(each => each.isLatest && each.direction === direction)
  return { oldByNew: !fails('backward'), newByOld: !fails('forward') }
}

function verdictOf(reasons: readonly Review['reasons'][number][], findings: readonly Finding[]): Review['verdict'] {
  const open = findings.filter(each => each.waivedBy === null)
  if (reasons.some(each => each.breaks && each.waivedBy === null) || open.some(each => each.severity === 'error'))
    return 'breaking'
  return open.some(each => each.severity === 'warning') ? 'warning' : 'ok'
}

/** Every level with all versions that fail. */
export function levelVerdicts({ levels }: HistoryVerdict): Review['levels'] {
  return compatibilityLevels.map(level => ({
    level,
    compatible: levels[level].length === 0,
    failing: levels[level].map(({ version, direction, reasons }) => ({ version, direction, reasons: reasons.length })),
  }))
}

function tagChanges(
  root: TypeOutline,
  comparison: Comparison | null,
  metadata: Readonly<Record<string, readonly string[]>>,
): Review['quality']['tags'] {
  const before = new Map(comparison?.fields.map(pair => [pair.path, pair.before]))
  return everythingIn(root)
    .fields.map(({ path, field }) => {
      const old = before.get(path)
      return { field: path, before: old ? tagsOf(old, path, metadata) : [], after: tagsOf(field, path, metadata) }
    })
    .filter(each => each.before.length > 0 || each.after.length > 0)
}

function usedWaivers(
  waivers: readonly Waiver[],
  waived: readonly { readonly waivedBy: number | null }[],
): readonly UsedWaiver[] {
  return waivers
    .map(({ index, rule, path, owner, reason, until }) => ({
      index,
      rule,
      path,
      owner,
      reason,
      until,
      findings: waived.filter(each => each.waivedBy === index).length,
    }))
    .filter(each => each.findings > 0)
}
