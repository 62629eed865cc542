// A report for a terminal.
import { escapeActing } from '../../core/printable.ts'
import type { Example, Report, Review, Verdict } from '../review.ts'
import { dataNotes, failedGroups, failedText } from './data-words.ts'
import { type SharedReview, sharedReviews } from './shared-review.ts'
import {
  baseText,
  changesByField,
  count,
  directionText,
  failingVersions,
  headline,
  issuesOf,
  isUnchanged,
  markOf,
  rolloutTitle,
  verdictWord,
} from './words.ts'

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'

export interface TextOptions {
  readonly paint: (style: Style, text: string) => string
  /** Characters in a line. */
  readonly width: number
}

const colourOf: Readonly<Record<Verdict, Style>> = { ok: 'green', warning: 'yellow', breaking: 'red' }

export function textReport(report: Report, options: TextOptions): string {
  const { paint } = options
  const unusable = report.unusable.flatMap(({ subject, findings }) => [
    `${paint('red', 'Unusable')}  ${paint('bold', safe(subject))}`,
    ...findings.flatMap(({ message, hint, place, field, rule }) => [
      `  ${paint('red', safe(rule))} ${safe(message)}`,
      ...(place
        ? [`    ${paint('dim', `${safe(place.file)}:${place.line}:${place.column}`)}`]
        : field
          ? [`    ${safe(field)}`]
          : []),
      ...(hint ? wrap(`hint: ${safe(hint)}`, 4, options.width) : []),
    ]),
    '',
  ])
  const reviews = sharedReviews(report.reviews).flatMap(shared => [
    ...reviewText(shared, options),
    ...(isUnchanged(shared.review) ? [] : ['']),
  ])
  return `${[...unusable, ...reviews, closing(report, options)].join('\n')}\n`
}

const safe = (text: string) => escapeActing(text)

function closing({ reviews, unusable, verdict }: Report, { paint }: TextOptions): string {
  const all = reviews.length + unusable.length
  if (all === 0) return paint('dim', 'No schema was looked at.')
  const parts = (['breaking', 'warning', 'ok'] as const)
    .map(each => [each, reviews.filter(review => review.verdict === each).length] as const)
    .filter(([, n]) => n > 0)
  const words = { breaking: 'breaking', warning: 'to look at', ok: 'compatible' }
  return paint(
    colourOf[verdict],
    `${count(all, 'schema')} checked: ${[...(unusable.length > 0 ? [`${unusable.length} unusable`] : []), ...parts.map(([each, n]) => `${n} ${words[each]}`)].join(', ')}.`,
  )
}

function reviewText({ review, subjects, readers }: SharedReview, options: TextOptions): readonly string[] {
  const { paint, width } = options
  const file = review.file ? paint('dim', `  ${safe(review.file)}`) : ''
  if (isUnchanged(review))
    return subjects.map(each => `${paint('green', 'Unchanged')}  ${paint('bold', safe(each))}${file}`)
  const title = (text: string) => ['', paint('bold', text)]
  const colour = colourOf[review.verdict]
  const { rollout, effect, data, waivers, quality } = review
  const verdict = verdictWord[review.verdict]
  return [
    ...subjects.map(
      (each, i) =>
        `${i === 0 ? paint(colour, verdict) : ' '.repeat(verdict.length)}  ${paint('bold', safe(each))}${i === 0 ? file : ''}`,
    ),
    ...wrap(safe(headline(review)), 2, width),
    paint(
      'dim',
      `  base ${safe(baseText(review))}; candidate ${review.candidate.crc64}; level ${review.level} (${review.levelFrom})`,
    ),
    ...title('Levels'),
    ...review.levels.map(each => {
      const mark = each.compatible ? paint('green', 'holds') : paint('red', 'fails')
      const name = each.level.padEnd(20)
      return `  ${each.level === review.level ? paint('bold', name) : name} ${mark}${each.compatible ? '' : `  ${failingVersions(each)}`}`
    }),
    ...(review.changes.length > 0 ? title('Changes') : []),
    ...[...changesByField(review)].flatMap(([field, changes]) => {
      const mark = markOf(changes)
      const style = mark === '+' ? 'green' : mark === '-' ? 'red' : 'yellow'
      return [
        `  ${paint(style, mark)} ${safe(field)}`,
        ...changes.flatMap(each =>
          wrap(safe(each.text) + (each.guessedFrom ? ` (${safe(each.guessedFrom)})` : ''), 6, width),
        ),
      ]
    }),
    ...reasonsText(review, options),
    ...findingsText(review, options),
    ...(review.filledDefaults.length > 0 ? title('Defaults that fill old data') : []),
    ...defaultsText(review).flatMap(line => wrap(line, 2, width)),
    ...review.examples.flatMap(example => exampleText(example, options)),
    ...(data ? [...title('Data'), ...dataText(data)] : []),
    ...(readers.some(each => each.consumers) ? [...title('Consumers'), ...readersText(readers)] : []),
    ...title(`Rollout: ${rolloutTitle[rollout.order]}`),
    ...rollout.steps.flatMap((step, i) => wrap(`${i + 1}. ${safe(step)}`, 2, width)),
    ...title('Quality'),
    `  ${Math.floor(quality.documented * 100)} % documented${quality.documentedBefore === null ? '' : ` (before ${Math.floor(quality.documentedBefore * 100)} %)`}; owner ${safe(quality.owner ?? 'none')}`,
    ...quality.tags.map(
      ({ field, before, after }) =>
        `  tags of ${safe(field)}: ${safe(before.join(', ') || 'none')} -> ${safe(after.join(', ') || 'none')}`,
    ),
    ...(effect
      ? [
          ...title('Register'),
          ...wrap(safe(effect.text), 2, width),
          ...(effect.normalized ? ['  normalize would change the text'] : []),
        ]
      : []),
    ...(waivers.length > 0 ? title('Waivers used') : []),
    ...waivers.flatMap(each =>
      wrap(
        `${safe(each.rule)}${each.path ? ` at ${safe(each.path)}` : ''}, until ${each.until}, by ${safe(each.owner)}: ${safe(each.reason)} (${count(each.findings, 'finding')})`,
        2,
        width,
      ),
    ),
  ]
}

function reasonsText(review: Review, { paint, width }: TextOptions): readonly string[] {
  if (review.reasons.length === 0) return []
  return [
    '',
    paint('bold', 'Reasons'),
    ...review.reasons.flatMap(reason => {
      const state =
        reason.waivedBy !== null
          ? paint('dim', 'waived ')
          : reason.breaks
            ? ''
            : paint('dim', 'not asked for by the level ')
      return [
        `  ${state}${paint(reason.breaks && reason.waivedBy === null ? 'red' : 'yellow', reason.rule)}  ${safe(reason.field)}${reason.place ? paint('dim', `  ${safe(reason.place.file)}:${reason.place.line}:${reason.place.column}`) : ''}`,
        ...wrap(`${safe(reason.message)} (${directionText(reason)})`, 4, width),
        ...(reason.before ? [`    - ${clip(safe(reason.before), width - 6)}`] : []),
        ...(reason.after ? [`    + ${clip(safe(reason.after), width - 6)}`] : []),
        ...(reason.fix
          ? wrap(
              `fix: ${safe(reason.fix.text)}${reason.fix.patch !== null ? (reason.fix.remaining === 0 ? ' Checked: then the level holds.' : ` Checked: ${count(reason.fix.remaining, 'other reason')} would remain.`) : ''}`,
              4,
              width,
            )
          : []),
        ...(reason.fix?.steps ?? []).flatMap((step, i) => wrap(`${i + 1}. ${safe(step)}`, 6, width)),
      ]
    }),
  ]
}

function findingsText(review: Review, { paint, width }: TextOptions): readonly string[] {
  const findings = issuesOf(review).filter(issue => !issue.rule.startsWith('compatibility.'))
  if (findings.length === 0) return []
  return [
    '',
    paint('bold', 'Findings'),
    ...findings.flatMap(({ level, rule, message, field, hint, waivedBy, file, line, column }) => [
      `  ${waivedBy !== null ? paint('dim', 'waived ') : ''}${paint(level === 'error' ? 'red' : level === 'warning' ? 'yellow' : 'dim', `${level} ${safe(rule)}`)}${field ? `  ${safe(field)}` : ''}${file && field ? paint('dim', `  ${safe(file)}:${line}:${column}`) : ''}`,
      ...wrap(safe(message), 4, width),
      ...(hint ? wrap(`hint: ${safe(hint)}`, 4, width) : []),
    ]),
  ]
}

/** A line for each field and default: versions that do not have it. */
export function defaultsText(review: Review): readonly string[] {
  return [...Map.groupBy(review.filledDefaults, each => `${each.field} ${each.value}`).values()].map(
    group =>
      `${safe(group[0]!.field)} is ${safe(group[0]!.value)} in records of version ${group.map(each => each.version).join(', ')}`,
  )
}

function exampleText(example: Example, { paint, width }: TextOptions): readonly string[] {
  const heading =
    example.direction === 'old-by-new'
      ? 'An old record, read with the new schema'
      : 'A new record, read with the old schema'
  const rows = example.fields.filter(row => row.mark !== 'same')
  if (rows.length === 0 && !example.error) return []
  const marks = { changed: ['~', 'yellow'], defaulted: ['+', 'green'], lost: ['-', 'red'], same: [' ', 'dim'] } as const
  return [
    '',
    `${paint('bold', heading)}${paint('dim', ` (${safe(example.from)})`)}`,
    ...(example.error ? wrap(paint('red', `cannot be read: ${safe(example.error)}`), 2, width) : []),
    ...rows.map(
      ({ field, before, after, mark }) =>
        `  ${paint(marks[mark][1], marks[mark][0])} ${safe(field)}: ${clip(safe(before ?? '(not written)'), 40)} -> ${clip(safe(after ?? '(not read)'), 40)}`,
    ),
    ...(example.error ? [] : [paint('dim', `  ${count(example.fields.length - rows.length, 'field')} as before`)]),
  ]
}

function dataText(data: NonNullable<Review['data']>): readonly string[] {
  return [
    `  ${safe(failedText(data))}`,
    ...failedGroups(data.failures).map(({ places, message }) => `    ${safe(message)}: ${safe(places)}`),
    ...data.changed.map(
      each =>
        `  ${safe(each.field)}: ${safe(each.example.before)} becomes ${safe(each.example.after)} in ${each.records.toLocaleString('en-US')} of ${count(data.records, 'record')}`,
    ),
    ...data.ids.map(
      each =>
        `  schema id ${each.id}${each.version === null ? '' : ` (version ${each.version})`}: ${count(each.records, 'record')}`,
    ),
    ...dataNotes(data).map(note => `  ${safe(note)}`),
  ]
}

function readersText(readers: SharedReview['readers']): readonly string[] {
  return readers.flatMap(({ subjects, consumers }) => [
    ...(readers.length > 1 ? [`  of ${safe(subjects.join(', '))}`] : []),
    ...consumersText(consumers).map(line => (readers.length > 1 ? `  ${line}` : line)),
  ])
}

function consumersText(consumers: Review['consumers']): readonly string[] {
  if (consumers === null) return ['  No pipelines were looked at.']
  if (consumers.length === 0) return ['  No pipeline here reads the topic.']
  return consumers.map(each => {
    const what = !each.affected
      ? 'not affected'
      : each.touched.length > 0
        ? `reads ${each.touched.join(', ')}`
        : 'takes the whole record'
    return `  ${each.affected ? '!' : ' '} ${safe(each.pipeline)} / ${safe(each.group)} (${safe(each.sink)}): ${safe(what)}`
  })
}

const clip = (text: string, max: number) =>
  text.length > Math.max(20, max) ? `${text.slice(0, Math.max(20, max) - 1)}…` : text

/** Lines of at most `width` characters, each indented. Words longer than that stay whole. */
function wrap(text: string, indent: number, width: number): readonly string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && indent + line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].map(each => ' '.repeat(indent) + each)
}
