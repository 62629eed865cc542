// Mistakes with jobs, with lists that come from a request, and with conditional requests.
import { formatDuration } from '../../core/units.ts'
import type { Add } from './lint-auth.ts'
import type { HttpConfig, JobConfig } from './spec.ts'
import { expressionsOf, namesUnder, type Placed, partsOfRequest, requestsOf } from './texts.ts'

export function lintJob(config: HttpConfig, add: Add): void {
  const { job } = config
  if (job === undefined) lintWithout(config, add)
  else {
    lintNames(config, job, add)
    lintTag(job, add)
    lintPoll(config, job, add)
  }
}

function lintWithout(config: HttpConfig, add: Add): void {
  for (const [pointer, text] of [
    ...requestsOf(config).flatMap(each => partsOfRequest(...each)),
    ...expressionsOf(config),
  ])
    if (namesUnder('job', text).length > 0)
      add(
        pointer,
        'There is no `job` here.',
        'Add job: { submit, id, poll }, or remove the reference.',
        'error',
        'config.conflict',
      )
  config.errors.forEach((rule, i) => {
    if (rule.do === 'pending')
      add(
        `/errors/${i}/do`,
        '`pending` says that a job is not ready, and there is no `job`.',
        'Use `retry` for a passing fault, or `wait` when told to slow down.',
        'error',
        'config.conflict',
      )
  })
}

/** What `job` holds grows from call to call: its tag, then its id and what is kept of `submit`, then what is kept of the poll. */
function lintNames(config: HttpConfig, job: JobConfig, add: Add): void {
  const kept = Object.keys(job.keep ?? {})
  const pollKept = Object.keys(job.poll.keep ?? {})
  for (const [place, names] of [
    ['/job/keep', kept],
    ['/job/poll/keep', pollKept],
    ['/job/find/keep', Object.keys(job.find?.keep ?? {})],
  ] as const)
    for (const name of names)
      if (name === 'id' || name === 'tag')
        add(`${place}/${name}`, `\`job.${name}\` is weir's own.`, 'Choose another name.', 'error', 'config.conflict')
  const request = (pointer: string) =>
    requestsOf(config).flatMap(each => (each[0] === pointer ? partsOfRequest(...each) : []))
  const early = ['tag']
  const later = ['id', 'tag', ...kept]
  const last = [...later, ...pollKept]
  const check = (texts: readonly Placed[], known: readonly string[], when: string) => {
    for (const [pointer, text] of texts)
      for (const name of namesUnder('job', text))
        if (name !== '*' && !known.includes(name))
          add(
            pointer,
            `There is no \`job.${name}\` ${when}.`,
            last.includes(name) && known !== last
              ? `At that time \`job\` has ${known.join(', ')}.`
              : `\`job\` has ${known.join(', ')}; \`keep\` adds values of an answer.`,
            'error',
            'config.conflict',
          )
  }
  check(request('/job/submit'), early, 'before the job is submitted')
  check(request('/job/find/request'), early, 'while the job is looked up')
  check(request('/job/poll/request'), later, 'while the job is asked for')
  check([...request('/request'), ...expressionsOf(config)], last, 'in the result')
  if (!request('/request').some(([, text]) => namesUnder('job', text).length > 0))
    add(
      '/request',
      'The request of the result does not name the job: every job gives the same.',
      'Write {{ job.id }} where the id belongs.',
      'warning',
    )
  for (const name of kept)
    if (job.find && !Object.keys(job.find.keep ?? {}).includes(name))
      add(
        '/job/find',
        `A job that is looked up would have no \`job.${name}\`.`,
        `Add find: { keep: { ${name}: … } }, an expression over the answer of \`find\`.`,
        'error',
        'config.conflict',
      )
}

/** A tag that does not go out cannot be found. */
function lintTag({ submit, find }: JobConfig, add: Add): void {
  if (find === undefined) return
  const isTagIn = (texts: readonly Placed[]) =>
    texts.some(([, text]) => namesUnder('job', text).some(name => name === 'tag' || name === '*'))
  if (!isTagIn(partsOfRequest('', submit)))
    add(
      '/job/find',
      '`submit` does not send the tag that `find` looks for.',
      'Put {{ job.tag }} into a field of `submit` that the source keeps and lists.',
      'error',
      'config.conflict',
    )
  if (!isTagIn([...partsOfRequest('', find.request), ['', find.id]]))
    add(
      '/job/find',
      '`find` does not look for the tag: it would take any job for this one.',
      'Compare with it: body.jobs.filter(j, j.tag == job.tag).map(j, j.id).',
      'error',
      'config.conflict',
    )
}

function lintPoll({ errors }: HttpConfig, { poll }: JobConfig, add: Add): void {
  if (poll.give_up_after < poll.every)
    add(
      '/job/poll/give_up_after',
      `A job is given up after ${formatDuration(poll.give_up_after)}, before it is asked for a second time after ${formatDuration(poll.every)}.`,
      'Make `give_up_after` several times `every`.',
      'error',
      'config.conflict',
    )
  if (poll.ready === undefined && !errors.some(rule => rule.do === 'pending'))
    add(
      '/job/poll',
      'Nothing says when the job is ready: its result is read at once.',
      'Add poll: { ready: … }, or an error rule with do: pending.',
      'warning',
    )
  if (poll.keep !== undefined && poll.request === undefined)
    add(
      '/job/poll/keep',
      'Without a `request` under `poll` there is no answer to keep values of.',
      'Add it, or write the values into the expressions of the result.',
      'error',
      'config.conflict',
    )
}

/** Lists are asked for in the order they are written, each with the values of those before it. */
export function lintLists({ for_each }: HttpConfig, add: Add): void {
  const before: string[] = []
  for (const [name, list] of Object.entries(for_each ?? {})) {
    if (!Array.isArray(list) && 'request' in list)
      for (const [pointer, text] of partsOfRequest(`/for_each/${name}/request`, list.request)) {
        for (const used of namesUnder('split', text))
          if (used !== '*' && !before.includes(used))
            add(
              pointer,
              `There is no \`split.${used}\` before this list.`,
              before.length > 0
                ? `The lists before it are ${before.join(', ')}.`
                : 'A list may use the values of lists that are written before it.',
              'error',
              'config.conflict',
            )
        for (const variable of ['page', 'cursor'])
          if (namesUnder(variable, text).length > 0)
            add(pointer, `There is no \`${variable}\` for a list.`, 'Remove the reference.', 'error', 'config.conflict')
      }
    before.push(name)
  }
}

export function lintConditional(config: HttpConfig, add: Add): void {
  const { conditional, job, request, paginate, cursor } = config
  if (!conditional) return
  const conflict = (message: string, hint: string) => add('/conditional', message, hint, 'error', 'config.conflict')
  if (job) conflict('The result of a job is new each time.', 'Remove `conditional`.')
  if (request.method !== 'GET') conflict(`${request.method} has no conditional form.`, 'Remove `conditional`.')
  const parts = partsOfRequest('/request', request)
  const uses = (variable: string) => parts.some(([, text]) => namesUnder(variable, text).length > 0)
  if (uses('now'))
    add(
      '/conditional',
      'The request differs each time, because it holds `now`: it is never asked for conditionally.',
      'Remove `conditional`, or `now`.',
      'warning',
    )
  else if (paginate && !uses('cursor') && (cursor?.mode === 'membership' || cursor?.order === 'asc'))
    add(
      '/conditional',
      'Only the first page is compared: what is new on a later page alone is not seen.',
      'Use it where the newest come first, or where there is one page.',
      'warning',
    )
}
