// What a policy must keep beyond the form of each field: rules that exist, subjects that exist, days that are still to come.
import { closest, suggestion } from '../../core/suggest.ts'
import { matches, overlap } from '../../governance/glob.ts'
import { isPattern } from '../../governance/policy.ts'
import { rules } from '../../governance/rules.ts'
import { type Problems, segment } from '../problem.ts'
import type { Partly } from '../rules.ts'
import type { PolicyCheck } from './load.ts'
import type { GovernanceFields } from './spec.ts'

type Fields = Partly<GovernanceFields>
type Waivers = NonNullable<Fields['waivers']>

/** Adds what is wrong; parts that have the wrong form were complained about, and are passed over. */
export function checkGovernance(fields: Fields, check: PolicyCheck, problems: Problems): void {
  const { defaults = {}, subjects = {}, waivers = [] } = fields
  checkEntry(defaults, '/defaults', problems)
  for (const [subject, entry = {}] of Object.entries(subjects)) {
    const pointer = `/subjects${segment(subject)}`
    checkEntry(entry, pointer, problems)
    if (entry.schema !== undefined && isPattern(subject))
      problems.add({
        code: 'config.conflict',
        message: '`schema` names the file of one subject, and this is a pattern.',
        pointer: `${pointer}/schema`,
        on: 'key',
        hint: 'Write an entry with the whole name of the subject.',
      })
  }
  checkPatterns(Object.keys(subjects), problems)
  if (check.subjects !== null) checkSubjects(subjects, waivers, check.subjects, problems)
  waivers.forEach((_, index) => {
    checkWaiver(waivers, index, check, problems)
  })
}

function checkEntry(entry: NonNullable<Fields['defaults']>, pointer: string, problems: Problems): void {
  entry.block?.forEach((rule, i) => {
    if (rule !== undefined) checkRule(rule, `${pointer}/block/${i}`, problems)
  })
  if (entry.docs_share !== undefined && (entry.docs === undefined || entry.docs === 'none'))
    problems.add({
      code: 'config.warning',
      message: '`docs_share` has no effect: `docs` here asks for none.',
      pointer: `${pointer}/docs_share`,
      on: 'key',
      hint: 'Add `docs: fields` or `docs: all`.',
    })
}

function checkRule(rule: string, pointer: string, problems: Problems): void {
  const known = Object.keys(rules)
  if (known.some(each => matches(rule, each))) return
  const families = [...new Set(known.map(each => `${each.split('.')[0]}.*`))]
  const near = closest(rule, known) ?? closest(rule, families)
  problems.add({
    code: 'config.invalid',
    message: isPattern(rule) ? `No rule fits the pattern \`${rule}\`.` : `There is no rule \`${rule}\`.`,
    pointer,
    hint:
      near === undefined
        ? `The rules are ${families.join(', ')}; docs/reference/rules.md lists them.`
        : `Did you mean ${near}?`,
  })
}

/** The first pattern that matches counts, so one that shares subjects with an earlier one holds for fewer than it says. */
function checkPatterns(subjects: readonly string[], problems: Problems): void {
  const patterns = subjects.filter(isPattern)
  patterns.forEach((pattern, i) => {
    // A wide pattern after a narrow one is how exceptions are written.
    const earlier = patterns.slice(0, i).find(each => overlap(each, pattern) && !matches(pattern, each))
    if (earlier === undefined) return
    problems.add({
      code: 'config.warning',
      message: matches(earlier, pattern)
        ? `\`${pattern}\` never counts: \`${earlier}\` stands before it and matches all of its subjects.`
        : `\`${pattern}\` and \`${earlier}\` match some of the same subjects; for those \`${earlier}\` counts, because it stands first.`,
      pointer: `/subjects${segment(pattern)}`,
      on: 'key',
      hint: 'Put the narrower pattern first, or make the two exclude each other.',
    })
  })
}

function checkSubjects(
  subjects: NonNullable<Fields['subjects']>,
  waivers: Waivers,
  written: ReadonlySet<string>,
  problems: Problems,
): void {
  const named = Object.keys(subjects).filter(subject => subjects[subject]?.schema !== undefined)
  const known = new Set([...written, ...named])
  for (const subject of Object.keys(subjects))
    unknownSubject(subject, known, `/subjects${segment(subject)}`, 'key', problems)
  waivers.forEach((waiver, i) => {
    if (waiver?.subject !== undefined) unknownSubject(waiver.subject, known, `/waivers/${i}/subject`, 'value', problems)
  })
}

function unknownSubject(
  subject: string,
  known: ReadonlySet<string>,
  pointer: string,
  on: 'key' | 'value',
  problems: Problems,
): void {
  if (isPattern(subject) ? [...known].some(each => matches(subject, each)) : known.has(subject)) return
  problems.add({
    code: 'config.warning',
    message: isPattern(subject)
      ? `No subject of this workspace fits \`${subject}\`.`
      : `No pipeline of this workspace has the subject \`${subject}\`.`,
    pointer,
    on,
    hint: isPattern(subject)
      ? 'A subject is the name of a topic with -value, unless the pipeline names another.'
      : `${suggestion(subject, [...known])} A subject that no pipeline writes needs \`schema: FILE.avsc\`.`,
  })
}

const dayMs = 86_400_000

function checkWaiver(waivers: Waivers, index: number, { today }: PolicyCheck, problems: Problems): void {
  const { rule, subject, path, reason, until } = waivers[index] ?? {}
  const pointer = `/waivers/${index}`
  if (rule !== undefined) checkRule(rule, `${pointer}/rule`, problems)
  if (reason !== undefined && reason !== '' && reason.trim() === '')
    problems.add({
      code: 'config.invalid',
      message: '`reason` is empty.',
      pointer: `${pointer}/reason`,
      hint: 'Say why it may pass: whoever reads the review has nothing else to go by.',
    })
  if (until !== undefined) checkUntil(until, today, `${pointer}/until`, problems)
  const twin = waivers.findIndex(each => each?.rule === rule && each?.subject === subject && each?.path === path)
  if (twin < index && rule !== undefined && subject !== undefined)
    problems.add({
      code: 'config.conflict',
      message: `The same is waived by entry ${twin + 1} already.`,
      pointer,
      hint: 'Keep one of them.',
    })
}

function checkUntil(until: string, today: string | null, pointer: string, problems: Problems): void {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(until)) return
  const time = Date.parse(`${until}T00:00:00Z`)
  if (Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== until)
    problems.add({
      code: 'config.invalid',
      message: `\`until\` is no day of the calendar: ${until}.`,
      pointer,
      hint: 'Write year-month-day, such as 2027-01-31.',
    })
  else if (today === null) return
  else if (until < today)
    problems.add({
      code: 'config.warning',
      message: `The waiver ran out on ${until}; it covers nothing any more.`,
      pointer,
      hint: 'Remove it, or let its owner decide anew.',
    })
  else if (time - Date.parse(`${today}T00:00:00Z`) > 366 * dayMs)
    problems.add({
      code: 'config.warning',
      message: `The waiver counts for more than a year, until ${until}.`,
      pointer,
      hint: 'A shorter time makes somebody look at it again.',
    })
}
