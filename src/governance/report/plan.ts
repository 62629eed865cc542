// A plan for a terminal: a line a subject, below it what changes, who is affected and what is to do.
import { escapeActing } from '../../core/printable.ts'
import type { Plan, PlannedSubject, PlanStep } from '../plan.ts'
import type { Verdict } from '../review.ts'
import type { Style, TextOptions } from './text.ts'
import { changesByField, count, failingVersions, headline, markOf, rolloutTitle, verdictWord } from './words.ts'

const safe = (text: string) => escapeActing(text)
const colourOf: Readonly<Record<Verdict, Style>> = { ok: 'green', warning: 'yellow', breaking: 'red' }

export function planText(plan: Plan, options: Pick<TextOptions, 'paint'>): string {
  const { paint } = options
  const { subjects, others, verdict, registry, policy } = plan
  const idle = subjects.filter(({ steps, action }) => steps.length === 0 && action === 'none')
  const busy = subjects.filter(each => !idle.includes(each))
  return `${[
    paint('dim', `registry ${safe(registry)}, level ${plan.globalLevel}; policy ${safe(policy?.file ?? 'none')}`),
    '',
    ...busy.flatMap(each => [...subjectText(each, options), '']),
    ...idle.map(each => `${paint('dim', '=')} ${safe(each.subject)}  ${paint('dim', effectText(each))}`),
    ...(idle.length > 0 ? [''] : []),
    ...(others.length > 0
      ? [
          paint(
            'dim',
            `- ${count(others.length, 'subject')} of the registry that nothing here names, left alone: ${safe(others.slice(0, 5).join(', '))}${others.length > 5 ? ', …' : ''}`,
          ),
          '',
        ]
      : []),
    paint(colourOf[verdict], closing(plan, busy)),
    paint('dim', `plan ${plan.hash}`),
  ].join('\n')}\n`
}

function closing({ verdict }: Plan, busy: readonly PlannedSubject[]): string {
  if (busy.length === 0) return 'Nothing to do: the registry is as the workspace says.'
  const made = (action: PlannedSubject['action'], word: string) => {
    const found = busy.filter(each => each.action === action).length
    return found === 0 ? [] : [count(found, word)]
  }
  const levels = busy.filter(({ steps }) => steps.some(step => step.do === 'set-level')).length
  const what = [
    ...made('create', 'new subject'),
    ...made('add', 'new version'),
    ...(levels > 0 ? [count(levels, 'level')] : []),
  ]
  return `${what.join(', ')}. ${verdictWord[verdict]}.`
}

const effectText = ({ review }: PlannedSubject) => safe(review.effect?.text ?? '')

function subjectText(planned: PlannedSubject, { paint }: Pick<TextOptions, 'paint'>): readonly string[] {
  const { subject, action, file, review, steps, pipelines, unreadable } = planned
  const [mark, style] = ({ create: ['+', 'green'], add: ['~', 'yellow'], none: ['~', 'yellow'] } as const)[action]
  const line = (label: string, text: string) => `    ${paint('dim', label.padEnd(12))}${text}`
  const failing = review.levels.filter(each => !each.compatible)
  return [
    `${paint(style, mark)} ${paint('bold', safe(subject))}${file ? paint('dim', `  ${safe(file)}`) : ''}`,
    ...(action === 'none'
      ? [line('schema', effectText(planned))]
      : [
          line('verdict', paint(colourOf[review.verdict], safe(headline(review)))),
          ...changesText(planned, paint),
          ...troubleText(planned, paint),
          line(
            'levels',
            failing.length === 0
              ? 'all seven hold'
              : `${review.levels
                  .filter(each => each.compatible)
                  .map(each => each.level)
                  .join(
                    ', ',
                  )} hold; ${failing.map(each => `${each.level} fails at ${failingVersions(each)}`).join(', ')}`,
          ),
          line('rollout', `${rolloutTitle[review.rollout.order]}: ${safe(review.rollout.steps.join(' '))}`),
          ...(review.consumers ?? []).map(each =>
            line(
              'reader',
              `${each.affected ? paint('yellow', 'affected') : 'safe    '}  ${safe(`${each.pipeline}/${each.group} (${each.sink})`)}, reads ${safe(each.fields === null ? 'the whole record' : each.fields.join(', ') || 'no field')}`,
            ),
          ),
        ]),
    ...(unreadable.length > 0
      ? [
          line(
            'not held',
            paint('yellow', `against ${unreadable.map(each => `v${each}`).join(', ')}: no schema by the rules of Avro`),
          ),
        ]
      : []),
    ...(pipelines.length > 0 ? [line('written by', safe(pipelines.join(', ')))] : []),
    ...review.waivers.map(each =>
      line(
        'waiver',
        safe(`${each.rule}${each.path ? ` at ${each.path}` : ''} until ${each.until}, ${each.owner}: ${each.reason}`),
      ),
    ),
    ...steps.map((step, i) => line(i === 0 ? 'to do' : '', stepText(planned, step))),
  ]
}

function changesText({ review }: PlannedSubject, paint: TextOptions['paint']): readonly string[] {
  return [...changesByField(review)].flatMap(([field, changes]) => {
    const mark = markOf(changes)
    const style = mark === '+' ? 'green' : mark === '-' ? 'red' : 'yellow'
    return [`      ${paint(style, mark)} ${safe(field)}: ${safe(changes.map(({ text }) => text).join('; '))}`]
  })
}

/** What keeps it from being fine, each with its way out. */
function troubleText({ review }: PlannedSubject, paint: TextOptions['paint']): readonly string[] {
  const state = (waivedBy: number | null, text: string, style: Style) =>
    waivedBy === null ? paint(style, text) : paint('dim', `waived ${text}`)
  return [
    ...review.reasons
      .filter(({ breaks }) => breaks)
      .flatMap(({ rule, field, message, pointer, versions, fix, waivedBy }) => [
        `      ${state(waivedBy, rule, 'red')} ${safe(field)}${pointer === null ? '' : ` at ${safe(pointer || '/')}`}: ${safe(message)} (${versions.map(version => `v${version}`).join(', ')})`,
        ...(fix && waivedBy === null ? [`        ${paint('dim', 'fix:')} ${safe(fix.text)}`] : []),
      ]),
    ...review.findings
      .filter(({ severity }) => severity !== 'note')
      .flatMap(({ rule, field, message, hint, severity, waivedBy }) => [
        `      ${state(waivedBy, rule, severity === 'error' ? 'red' : 'yellow')} ${safe(field ?? '')}${field === null ? '' : ': '}${safe(message)}`,
        ...(hint && waivedBy === null ? [`        ${paint('dim', 'hint:')} ${safe(hint)}`] : []),
      ]),
  ]
}

/** A step in words. */
export function stepText({ seen }: Pick<PlannedSubject, 'seen'>, step: PlanStep): string {
  if (step.do === 'set-level') return `set the level to ${step.level}: ${safe(step.why)}`
  const last = seen.versions.at(-1)?.version
  return last === undefined ? 'register the first version' : `register a version after ${last}`
}
