// The evidence of the page: reasons with their fixes, findings, records under both schemas, retained data, defaults.
import type { Example, Review, ReviewedReason } from '../review.ts'
import { dataNotes, failedGroups, failedText } from './data-words.ts'
import { html, type Markup, type Part } from './markup.ts'
import { defaultsText } from './text.ts'
import { count, directionText, type Issue, issuesOf } from './words.ts'

export function evidence(review: Review): Markup {
  const findings = issuesOf(review).filter(issue => !issue.rule.startsWith('compatibility.'))
  const parts = [
    review.reasons.length > 0 && html`<h4>Why versions cannot read each other</h4>${review.reasons.map(reasonCard)}`,
    findings.length > 0 && html`<h4>Findings</h4>${findings.map(findingCard)}`,
    review.data && dataCheck(review.data),
    ...review.examples.map(exampleTable),
    review.filledDefaults.length > 0 &&
      html`<h4>Defaults that fill old data</h4><ul class="plain">${defaultsText(review).map(line => html`<li>${line}</li>`)}</ul>`,
  ].filter(part => part !== false && part !== null)
  return html`<h3>Evidence</h3>${parts.length > 0 ? parts : html`<p class="soft">Nothing speaks against it.</p>`}`
}

function reasonCard(reason: ReviewedReason): Markup {
  const { rule, field, place, message, before, after, fix, waivedBy, breaks } = reason
  const state = waivedBy !== null ? 'waived' : breaks ? 'error' : 'note'
  return html`<div class="card ${state}"><h4><code>${field}</code><span class="tag ${breaks && waivedBy === null && 'error'}">${rule}</span>${
    waivedBy !== null
      ? html`<span class="tag">waived</span>`
      : !breaks && html`<span class="tag">the level does not ask for it</span>`
  }${place && html`<small>${place.file}:${place.line}:${place.column}</small>`}</h4>
<p>${sentence(message)} <span class="soft">${sentence(directionText(reason))}</span></p>
${(before || after) && html`<p>${before && html`<del><code>${clip(before)}</code></del> `}${after && html`<ins><code>${clip(after)}</code></ins>`}</p>`}
${fix && fixPart(fix)}</div>`
}

/** With a full stop. What may be the name of a field keeps its case. */
const sentence = (text: string) => {
  const begins = /^(the|a|an|it|old|new|reader|readers|no|field)\b/.test(text)
  return `${begins ? text.charAt(0).toUpperCase() + text.slice(1) : text}${/[.!?]$/.test(text) ? '' : '.'}`
}
const clip = (text: string) => (text.length > 600 ? `${text.slice(0, 599)}…` : text)

function fixPart({ text, patch, remaining, steps }: NonNullable<ReviewedReason['fix']>): Markup {
  return html`<div class="fix"><b>Fix:</b> ${text}${
    patch !== null &&
    html` <span class="tag ${remaining === 0 && 'good'}">${remaining === 0 ? 'checked: the level holds then' : `checked: ${count(remaining, 'reason')} would remain`}</span>`
  }${patch !== null && html`<details><summary>The edit</summary><pre class="patch"><code>${patch.split('\n').map(patchLine)}</code></pre></details>`}${
    steps.length > 0 &&
    html`<details><summary>Or in ${count(steps.length, 'step')}</summary><ol>${steps.map(step => html`<li>${step}</li>`)}</ol></details>`
  }</div>`
}

function patchLine(line: string): Markup {
  if (line.startsWith('+')) return html`<span class="add">${line}</span>\n`
  return line.startsWith('-') ? html`<span class="cut">${line}</span>\n` : html`${line}\n`
}

function findingCard({ rule, level, message, hint, field, file, line, column, waivedBy }: Issue): Markup {
  const state = waivedBy !== null ? 'waived' : level
  return html`<div class="card ${state}"><h4>${field && html`<code>${field}</code>`}<span class="tag ${waivedBy === null && level}">${rule}</span>${waivedBy !== null && html`<span class="tag">waived</span>`}${
    file && field && html`<small>${file}:${line}:${column}</small>`
  }</h4><p>${sentence(message)}</p>${hint && html`<p class="soft">${hint}</p>`}</div>`
}

const markWords = { same: '', changed: 'changed', defaulted: 'default', lost: 'lost' } as const

function exampleTable({ direction, from, error, fields }: Example): Markup {
  const title =
    direction === 'old-by-new' ? 'An old record, read with the new schema' : 'A new record, read with the old schema'
  const same = fields.filter(row => row.mark === 'same').length
  return html`<h4>${title} <small>(${from})</small></h4>${error && html`<p class="is-breaking">It cannot be read: ${error}</p>`}
${
  fields.length > 0 &&
  html`<div class="scroll"><table><thead><tr><th scope="col"><span class="unseen">Mark</span></th><th scope="col">Field</th><th scope="col">As written</th><th scope="col">As read</th></tr></thead><tbody>${fields.map(
    row =>
      html`<tr class="${row.mark}"><td>${row.mark !== 'same' && html`<span class="tag ${row.mark === 'defaulted' ? 'good' : 'warning'}">${markWords[row.mark]}</span>`}</td><td><code>${row.field}</code></td><td>${valueCell(row.before, 'not written')}</td><td>${error ? null : valueCell(row.after, 'not read')}</td></tr>`,
  )}</tbody></table></div>`
}${!error && same > 0 && same < fields.length && html`<p class="soft">${count(same, 'field')} ${same === 1 ? 'reads' : 'read'} as written.</p>`}`
}

const valueCell = (value: string | null, absent: string): Part =>
  value === null ? html`<span class="soft">${absent}</span>` : html`<code>${value}</code>`

function dataCheck(data: NonNullable<Review['data']>): Markup {
  const { topic, failed, failures, changed, ids } = data
  const notes = dataNotes(data)
  return html`<h4>Retained records of ${topic}</h4><p class="${failed > 0 ? 'is-breaking' : 'is-ok'}"><b>${failedText(data)}.</b></p>
${failures.length > 0 && html`<table><thead><tr><th scope="col">Why</th><th scope="col">Partition/offset</th></tr></thead><tbody>${failedGroups(failures).map(each => html`<tr><td>${each.message}</td><td><code>${each.places}</code></td></tr>`)}</tbody></table>`}
${
  changed.length > 0 &&
  html`<table><thead><tr><th scope="col">Field</th><th scope="col" class="number">Records that read differently</th><th scope="col">Before</th><th scope="col">After</th></tr></thead><tbody>${changed.map(
    each =>
      html`<tr><td><code>${each.field}</code></td><td class="number">${each.records.toLocaleString('en-US')}</td><td><code>${clip(each.example.before)}</code></td><td><code>${clip(each.example.after)}</code></td></tr>`,
  )}</tbody></table>`
}
${
  ids.length > 0 &&
  html`<table><thead><tr><th scope="col">Schema id</th><th scope="col">Version</th><th scope="col" class="number">Records</th></tr></thead><tbody>${ids.map(
    each =>
      html`<tr><td>${each.id}</td><td>${each.version ?? 'not of this subject'}</td><td class="number">${each.records.toLocaleString('en-US')}</td></tr>`,
  )}</tbody></table>`
}
${notes.length > 0 && html`<ul class="plain">${notes.map(line => html`<li>${line}</li>`)}</ul>`}`
}
