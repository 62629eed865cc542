// A report as Markdown, for a comment on a pull request. What comes from schemas is escaped: it can neither format, link, nor call people.
import { escapeActing } from '../../core/printable.ts'
import type { Report, Review, Verdict } from '../review.ts'
import { dataNotes, failedGroups, failedText } from './data-words.ts'
import { type SharedReview, sharedReviews } from './shared-review.ts'
import { defaultsText } from './text.ts'
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
  withHint,
} from './words.ts'

const sign: Readonly<Record<Verdict, string>> = { ok: '✅', warning: '⚠️', breaking: '❌' }
/** GitHub takes 65,536 characters in a comment. */
const maxLength = 60_000

export function markdownReport(report: Report): string {
  const { reviews, unusable } = report
  const all = [
    `## ${sign[report.verdict]} Schema review: ${count(reviews.length + unusable.length, 'schema')}`,
    '',
    ...(reviews.length > 1 || reviews.every(isUnchanged)
      ? table(
          ['', 'Subject', 'Verdict'],
          reviews.map(each => [
            sign[each.verdict],
            code(each.subject),
            isUnchanged(each) ? 'Unchanged.' : plain(headline(each)),
          ]),
        )
      : []),
    ...unusable.flatMap(({ subject, findings }) => [
      `### ❌ ${code(subject)} cannot be used`,
      '',
      ...findings.map(
        ({ message, hint, place }) =>
          `- ${plain(withHint(message, hint))}${place ? ` (${code(`${place.file}:${place.line}`)})` : ''}`,
      ),
      '',
    ]),
    ...sharedReviews(reviews.filter(review => !isUnchanged(review))).flatMap(reviewMarkdown),
  ].join('\n')
  if (all.length <= maxLength) return `${all.trimEnd()}\n`
  const end = all.lastIndexOf('\n', maxLength)
  return `${closeDetails(all.slice(0, end))}\n\n_The report is longer than a comment takes. The HTML form has all of it._\n`
}

const closeDetails = (text: string) =>
  text + '\n</details>'.repeat(text.split('<details>').length - text.split('</details>').length)

/** Text that is shown as it is: no markup, no mention, no reference. */
const plain = (text: string) =>
  escapeActing(text)
    .replace(/[&<>]/g, each => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[each]!)
    .replace(/[\\`*_{}[\]|~#!$]/g, '\\$&')
    .replaceAll('@', '@\u200b')
    .replaceAll('://', ':\u200b//')

/** A code span: with a fence longer than any inside, and bars escaped for tables. */
function code(text: string): string {
  const shown = escapeActing(text)
  if (shown === '') return ''
  const fence = '`'.repeat(Math.max(0, ...(shown.match(/`+/g) ?? []).map(run => run.length)) + 1)
  const pad = shown.startsWith('`') || shown.endsWith('`') ? ' ' : ''
  return `${fence}${pad}${shown.replaceAll('|', '\\|')}${pad}${fence}`
}

const table = (titles: readonly string[], rows: readonly (readonly string[])[]): readonly string[] => {
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return rows.length === 0 ? [] : [row(titles), row(titles.map(() => '---')), ...rows.map(row), '']
}

const section = (title: string, body: readonly string[]): readonly string[] =>
  body.length === 0 ? [] : [`#### ${title}`, '', ...body, '']
const folded = (title: string, body: readonly string[]): readonly string[] =>
  body.length === 0 ? [] : ['<details>', `<summary>${title}</summary>`, '', ...body, '', '</details>', '']

const clip = (text: string) => (text.length > 300 ? `${text.slice(0, 299)}…` : text)

function reviewMarkdown({ review, subjects, readers }: SharedReview): readonly string[] {
  const { rollout, data, effect, waivers, quality } = review
  const issues = issuesOf(review).filter(issue => !issue.rule.startsWith('compatibility.'))
  return [
    `### ${sign[review.verdict]} ${subjects.map(code).join(', ')}: ${verdictWord[review.verdict].toLowerCase()}`,
    '',
    plain(headline(review)),
    '',
    `Base: ${plain(baseText(review))}. Candidate: ${code(review.candidate.crc64)}${review.file ? ` in ${code(review.file)}` : ''}. Level: ${code(review.level)} (${review.levelFrom}).`,
    '',
    ...table(
      review.levels.map(({ level }) =>
        level === review.level ? `**${level.replaceAll('_', ' ')}**` : level.replaceAll('_', ' '),
      ),
      [review.levels.map(each => (each.compatible ? '✅' : `❌ ${failingVersions(each)}`))],
    ),
    ...section(
      'Changes',
      table(
        ['', 'Field', 'Change'],
        [...changesByField(review)].map(([field, changes]) => [
          code(markOf(changes)),
          code(field),
          changes
            .map(each => plain(each.text) + (each.guessedFrom ? ` (${plain(each.guessedFrom)})` : ''))
            .join('<br>'),
        ]),
      ),
    ),
    ...section('Why it breaks', review.reasons.flatMap(reasonMarkdown)),
    ...section(
      'Findings',
      table(
        ['', 'Rule', 'Field', 'What'],
        issues.map(each => [
          each.waivedBy !== null ? 'waived' : each.level === 'error' ? '❌' : each.level === 'warning' ? '⚠️' : 'note',
          code(each.rule),
          each.field ? code(each.field) : '',
          plain(withHint(each.message, each.hint)),
        ]),
      ),
    ),
    ...folded(
      'Defaults that fill old data',
      defaultsText(review).map(line => `- ${plain(line)}`),
    ),
    ...review.examples.flatMap(({ direction, from, error, fields }) =>
      folded(
        `${direction === 'old-by-new' ? 'An old record, read with the new schema' : 'A new record, read with the old schema'} (${plain(from)})`,
        [
          ...(error ? [`Cannot be read: ${plain(error)}`, ''] : []),
          ...table(
            ['', 'Field', 'Written', 'Read'],
            fields.map(row => [
              row.mark === 'same' ? '' : row.mark,
              code(row.field),
              row.before === null ? '' : code(clip(row.before)),
              row.after === null ? '' : code(clip(row.after)),
            ]),
          ),
        ],
      ),
    ),
    ...(data
      ? section('Data', [
          `${plain(failedText(data))}.`,
          '',
          ...table(
            ['Why', 'Records, as partition/offset'],
            failedGroups(data.failures).map(({ message, places }) => [plain(message), code(places)]),
          ),
          ...table(
            ['Field', 'Records that read differently', 'Before', 'After'],
            data.changed.map(each => [
              code(each.field),
              String(each.records),
              code(clip(each.example.before)),
              code(clip(each.example.after)),
            ]),
          ),
          ...table(
            ['Schema id', 'Version', 'Records'],
            data.ids.map(each => [
              String(each.id),
              each.version === null ? '' : String(each.version),
              String(each.records),
            ]),
          ),
          ...dataNotes(data).flatMap(note => [`- ${plain(note)}`]),
        ])
      : []),
    ...(readers.some(each => each.consumers) ? section('Who is affected', readersMarkdown(readers)) : []),
    ...section(
      `Rollout: ${rolloutTitle[rollout.order].toLowerCase()}`,
      rollout.steps.map((step, i) => `${i + 1}. ${plain(step)}`),
    ),
    ...folded('Documentation, owner, tags, registration', [
      `- ${Math.floor(quality.documented * 100)} % documented${quality.documentedBefore === null ? '' : `, before ${Math.floor(quality.documentedBefore * 100)} %`}`,
      `- Owner: ${quality.owner === null ? 'none' : plain(quality.owner)}`,
      ...quality.tags.map(
        ({ field, before, after }) =>
          `- Tags of ${code(field)}: ${plain(before.join(', ') || 'none')} → ${plain(after.join(', ') || 'none')}`,
      ),
      ...(effect ? [`- ${plain(effect.text)}`] : []),
    ]),
    ...section(
      'Waivers used',
      table(
        ['Rule', 'Path', 'Owner', 'Reason', 'Until'],
        waivers.map(each => [
          code(each.rule),
          each.path === null ? '' : code(each.path),
          plain(each.owner),
          plain(each.reason),
          each.until,
        ]),
      ),
    ),
  ]
}

function readersMarkdown(readers: SharedReview['readers']): readonly string[] {
  return readers.flatMap(({ subjects, consumers }) => [
    ...(readers.length > 1 ? [`Of ${subjects.map(code).join(', ')}:`, ''] : []),
    ...consumersMarkdown(consumers),
  ])
}

function consumersMarkdown(consumers: Review['consumers']): readonly string[] {
  if (consumers === null) return ['No pipelines were looked at.', '']
  if (consumers.length === 0) return ['No pipeline here reads the topic.', '']
  return table(
    ['', 'Pipeline', 'Group', 'Sink', 'Fields it reads that change'],
    consumers.map(each => [
      each.affected ? '⚠️' : '',
      code(each.pipeline),
      code(each.group),
      code(each.sink),
      each.fields === null ? 'the whole record' : each.touched.map(code).join(', '),
    ]),
  )
}

function reasonMarkdown(reason: Review['reasons'][number]): readonly string[] {
  const state = reason.waivedBy !== null ? ' (waived)' : reason.breaks ? '' : ' (the level does not ask for it)'
  const { fix } = reason
  return [
    `- **${plain(reason.rule)}** at ${code(reason.field)}${reason.place ? `, ${code(`${reason.place.file}:${reason.place.line}`)}` : ''}${state}  `,
    `  ${plain(reason.message)} (${directionText(reason)})`,
    ...(reason.before || reason.after
      ? [`  ${code(clip(reason.before ?? '(nothing)'))} → ${code(clip(reason.after ?? '(nothing)'))}`]
      : []),
    ...(fix
      ? [
          `  - Fix: ${plain(fix.text)}${fix.patch !== null && fix.remaining === 0 ? ' Checked: then the level holds.' : ''}`,
        ]
      : []),
    ...(fix?.steps ?? []).map((step, i) => `    ${i + 1}. ${plain(step)}`),
  ]
}
