// A report as one page without network and script, in the order in which a reviewer reads: the verdict, what changed, the evidence, who is
// affected, in what order to roll out.
import type { Report, Review, Verdict } from '../review.ts'
import { evidence } from './html-evidence.ts'
import { style } from './html-style.ts'
import { html, Markup, type Part } from './markup.ts'
import { type SharedReview, sharedReviews } from './shared-review.ts'
import {
  baseText,
  changesByField,
  count,
  failingVersions,
  headline,
  issuesOf,
  markOf,
  rolloutTitle,
  verdictWord,
} from './words.ts'

const sign: Readonly<Record<Verdict, string>> = { ok: '✓', warning: '!', breaking: '✕' }

export function htmlReport(report: Report): string {
  const { reviews, unusable } = report
  const shared = sharedReviews(reviews)
  const total = reviews.length + unusable.length
  const title =
    total === 1 ? `Schema review: ${(reviews[0] ?? unusable[0])!.subject}` : `Schema review: ${count(total, 'schema')}`
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="generator" content="weir">
<title>${title}</title>
<style>${styleSheet}</style>
</head>
<body>
<a class="skip" href="#reviews">Skip to the reviews</a>
<main id="reviews">
<div class="top"><h1>Schema review${total > 0 && html`: <b class="is-${report.verdict}">${sign[report.verdict]} ${verdictWord[report.verdict]}</b>`}</h1><small>${total === 0 ? 'No schema was looked at.' : `${count(total, 'schema')} looked at`}</small></div>
${total > 1 && overview(report, shared)}
${unusable.map(unusableArticle)}
${shared.map((each, i) => article(each, `review-${i}`))}
</main>
</body>
</html>
`
  return page.text
}

/** Made here, so not escaped. */
const styleSheet = new Markup(style)

function overview({ reviews, unusable }: Report, shared: readonly SharedReview[]): Markup {
  const articleOf = new Map(shared.flatMap(({ all }, i) => all.map(each => [each, i] as const)))
  return html`<nav aria-label="Schemas"><table>
<thead><tr><th scope="col">Subject</th><th scope="col">Verdict</th><th scope="col">In short</th></tr></thead>
<tbody>${unusable.map(({ subject }) => html`<tr><td>${subject}</td><td class="is-breaking"><b>Unusable</b></td><td>It cannot be reviewed.</td></tr>`)}
${reviews.map(
  review =>
    html`<tr><td><a href="#review-${articleOf.get(review)!}">${review.subject}</a></td><td class="is-${review.verdict}"><b>${verdictWord[review.verdict]}</b></td><td>${headline(review)}</td></tr>`,
)}</tbody></table></nav>`
}

function banner(verdict: Verdict, word: string, title: Part, sentence: string, id: string): Markup {
  return html`<header class="verdict ${verdict}"><span class="sign" aria-hidden="true">${sign[verdict]}</span><div><span class="word">${word}</span><h2 id="${id}">${title}</h2><p>${sentence}</p></div></header>`
}

function unusableArticle({ subject, file, findings }: Report['unusable'][number], index: number): Markup {
  return html`<article aria-labelledby="unusable-${index}">${banner('breaking', 'Unusable', subject, 'The schema is not valid, so nothing else can be said of it.', `unusable-${index}`)}
<h3>What is wrong</h3>${findings.map(
    ({ message, hint, place, rule }) =>
      html`<div class="card error"><h4><span class="tag error">${rule}</span>${place ? html`<code>${place.file}:${place.line}:${place.column}</code>` : file && html`<code>${file}</code>`}</h4><p>${message}</p>${hint && html`<p class="soft">${hint}</p>`}</div>`,
  )}</article>`
}

function article({ review, subjects, readers }: SharedReview, id: string): Markup {
  const title =
    subjects.length === 1 ? review.subject : subjects.map(each => html`<span class="subject">${each}</span>`)
  return html`<article id="${id}" aria-labelledby="${id}-title">
${banner(review.verdict, verdictWord[review.verdict], title, headline(review), `${id}-title`)}
${facts(review)}
${levels(review)}
${changes(review)}
${evidence(review)}
${affected(readers)}
${rollout(review)}
${quality(review)}
${waivers(review)}
<details><summary>The new schema</summary><pre><code>${review.candidate.schema}</code></pre></details>
</article>`
}

const fact = (name: string, value: Part) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`

function facts(review: Review): Markup {
  const { candidate, level, levelFrom, file, effect, quality, exitCode } = review
  return html`<dl class="facts">
${fact('Base', baseText(review))}
${fact('New schema', html`${file && html`<code>${file}</code> `}<code title="CRC-64-AVRO">${candidate.crc64}</code>`)}
${fact('SHA-256', html`<code title="${candidate.sha256}">${candidate.sha256.slice(0, 16)}…</code>`)}
${fact('Level asked for', html`<b>${level}</b> <span class="soft">(${levelFrom})</span>`)}
${fact('Owner', quality.owner ?? html`<span class="soft">none</span>`)}
${fact('Registering it', effect ? effect.text : html`<span class="soft">the registry was not asked</span>`)}
${fact('Exit code', exitCode)}
</dl>`
}

function levels(review: Review): Markup {
  return html`<ul class="levels" aria-label="Compatibility levels">${review.levels.map(each => {
    const asked = each.level === review.level
    return html`<li class="${each.compatible ? 'is-ok' : 'is-breaking'}${asked && ' asked'}"><b>${each.level.replaceAll('_', ' ')}</b><small>${
      each.compatible ? '✓ holds' : `✕ fails: ${failingVersions(each)}`
    }${asked && ' (asked for)'}</small></li>`
  })}</ul>`
}

const marks = {
  '+': ['new', 'new'],
  '-': ['gone', 'removed'],
  '~': ['edit', 'changed'],
  '>': ['move', 'renamed'],
} as const

function changes(review: Review): Markup {
  const { changes, base } = review
  if (changes.length === 0)
    return html`<h3>What changed</h3><p class="soft">${base === null ? 'There is no earlier version.' : 'Nothing: the schemas say the same.'}</p>`
  const issues = Map.groupBy(
    issuesOf(review).filter(issue => issue.waivedBy === null),
    issue => issue.field,
  )
  return html`<h3>What changed</h3><table class="changes"><thead><tr><th scope="col"><span class="unseen">Kind</span></th><th scope="col">Field</th><th scope="col">Change</th></tr></thead><tbody>${[
    ...changesByField(review),
  ].map(([field, own]) => {
    const mark = markOf(own)
    const [kind, word] = marks[mark]
    const worst = worstOf(issues.get(field) ?? [])
    return html`<tr><td><span class="mark ${kind}" title="${word}">${mark === '>' ? '→' : mark === '-' ? '−' : mark}</span></td><td><code>${field}</code>${
      worst && html` <span class="tag ${worst}">${worst === 'error' ? 'breaks' : 'look'}</span>`
    }</td><td>${own.map(change)}</td></tr>`
  })}</tbody></table>`
}

const worstOf = (issues: readonly { readonly level: string }[]): 'error' | 'warning' | null =>
  issues.some(issue => issue.level === 'error')
    ? 'error'
    : issues.some(issue => issue.level === 'warning')
      ? 'warning'
      : null

function change({ kind, text, before, after, guessedFrom }: Review['changes'][number]): Markup {
  const both = kind === 'doc-changed' || kind === 'order-changed' || kind === 'property-changed'
  return html`<div class="change">${text}${guessedFrom && html` <span class="soft">(${guessedFrom})</span>`}${
    both &&
    html`<br>${before && html`<del><code>${before}</code></del> `}${after && html`<ins><code>${after}</code></ins>`}`
  }</div>`
}

function affected(readers: SharedReview['readers']): Markup {
  return html`<h3>Who is affected</h3>${readers.map(
    ({ subjects, consumers }) =>
      html`${readers.length > 1 && html`<h4>Of ${subjects.join(', ')}</h4>`}${consumersPart(consumers)}`,
  )}`
}

function consumersPart(consumers: Review['consumers']): Markup {
  if (consumers === null) return html`<p class="soft">No pipelines were looked at.</p>`
  if (consumers.length === 0) return html`<p>No pipeline here reads the topic.</p>`
  const hit = consumers.filter(each => each.affected).length
  return html`<p>${hit} of ${count(consumers.length, 'consumer')} ${hit === 1 ? 'is' : 'are'} affected.</p><table><thead><tr><th scope="col">Pipeline</th><th scope="col">Group</th><th scope="col">Sink</th><th scope="col">Fields it reads</th><th scope="col">Affected</th></tr></thead><tbody>${consumers.map(
    each =>
      html`<tr><td>${each.pipeline}<br><small>${each.file}</small></td><td>${each.group}</td><td>${each.sink}</td><td>${
        each.fields === null
          ? 'the whole record'
          : each.fields.map(
              field => html`<code>${each.touched.includes(field) ? html`<b>${field}</b>` : field}</code> `,
            )
      }</td><td>${each.affected ? html`<span class="tag warning">yes${each.touched.length > 0 && `: ${each.touched.join(', ')}`}</span>` : html`<span class="tag good">no</span>`}</td></tr>`,
  )}</tbody></table>`
}

const chains: Readonly<Record<Review['rollout']['order'], readonly string[]>> = {
  'consumers-first': ['Consumers', 'then producers'],
  'producers-first': ['Producers', 'then consumers'],
  any: ['Producers and consumers, in any order'],
  'new-subject': ['New topic', 'consumers move', 'old topic ends'],
}

function rollout({ rollout }: Review): Markup {
  return html`<h3>Rollout: ${rolloutTitle[rollout.order].toLowerCase()}</h3>
<div class="order" aria-hidden="true">${chains[rollout.order].map((step, i) => html`${i > 0 && '→ '}<span>${step}</span>`)}</div>
<ol>${rollout.steps.map(step => html`<li>${step}</li>`)}</ol>`
}

function quality({ quality: { documented, documentedBefore, tags }, effect }: Review): Markup {
  const percent = (part: number) => `${Math.floor(part * 100)} %`
  return html`<h3>Documentation, tags and registration</h3><ul class="plain">
<li>${percent(documented)} documented${documentedBefore !== null && `, ${percent(documentedBefore)} before`}.</li>
${tags.map(({ field, before, after }) => html`<li><code>${field}</code> is tagged ${after.join(', ') || 'with nothing'}${before.join() !== after.join() && html` <span class="soft">(before: ${before.join(', ') || 'nothing'})</span>`}.</li>`)}
${effect?.normalized ? html`<li>With <code>normalize</code> the registry would store:<pre><code>${effect.normalized}</code></pre></li>` : null}</ul>`
}

function waivers({ waivers }: Review): Part {
  if (waivers.length === 0) return null
  return html`<h3>Waivers used</h3><table><thead><tr><th scope="col">Rule</th><th scope="col">Path</th><th scope="col">Owner</th><th scope="col">Reason</th><th scope="col">Until</th><th scope="col" class="number">Findings</th></tr></thead><tbody>${waivers.map(
    each =>
      html`<tr><td><code>${each.rule}</code></td><td>${each.path === null ? 'anywhere' : html`<code>${each.path}</code>`}</td><td>${each.owner}</td><td>${each.reason}</td><td>${each.until}</td><td class="number">${each.findings}</td></tr>`,
  )}</tbody></table>`
}
