// What a replay came to against what the cassette expects: each difference is a problem at its line. And the other way round, the
// expectations that a replay would meet.
import type { Cassette, Expectations } from '../../config/cassette/spec.ts'
import { type Problems, segment } from '../../config/problem.ts'
import type { Answering } from './answering.ts'
import { differenceIn, dotted, shown } from './match.ts'
import type { Outcome } from './replay.ts'

type Differ = (pointer: string, message: string, hint?: string) => void

/** Adds what differs to the problems of the cassette. After a request that nothing answered only that is told: the rest follows from it. */
export function compare({ expect, exchanges }: Cassette, outcome: Outcome, calls: Answering, problems: Problems): void {
  if (calls.isLost) return
  const differ: Differ = (pointer, message, hint) =>
    problems.add({ code: 'cassette.differs', message, pointer, on: 'key', ...(hint ? { hint } : {}) })
  const failures = outcome.failures.map(({ code, message }) => `${code}: ${message}`)
  const codes = outcome.failures.map(({ code }) => code as string)
  if (expect.failure === undefined && failures.length > 0)
    differ('/expect', `The poll was given up: ${failures[0]}`, `If that is meant, write \`failure: ${codes[0]}\`.`)
  else if (expect.failure !== undefined && !codes.includes(expect.failure))
    differ(
      '/expect/failure',
      `The poll should be given up with ${expect.failure}; it was ${failures.length === 0 ? 'not given up' : `given up with ${failures[0]}`}.`,
    )
  compareRecords(expect, outcome, differ)
  compareRefused(expect, outcome, differ)
  compareCursor(expect, outcome, differ)
  for (const [reason, count] of Object.entries(expect.drops ?? {})) {
    const actual = outcome.drops.get(reason as never) ?? 0
    if (actual !== count)
      differ(`/expect/drops${segment(reason)}`, `Dropped as ${reason}: ${count} expected, ${actual} came.`)
  }
  for (const [host, state] of Object.entries(expect.breakers ?? {})) {
    const actual = outcome.breakers.get(host) ?? 'closed'
    if (actual !== state)
      differ(`/expect/breakers${segment(host)}`, `The breaker of ${host} should be ${state}; it is ${actual}.`)
  }
  exchanges.forEach(({ request, times }, i) => {
    const used = calls.used[i]!
    if (used === times) return
    const what = `${request.method} ${request.path ?? request.url}`
    differ(
      `/exchanges/${i}`,
      used === 0
        ? `Exchange ${i + 1}, ${what}, was never asked for.`
        : `Exchange ${i + 1}, ${what}, was asked for ${used} of ${times} times.`,
      'The source stopped before it, or asks otherwise.',
    )
  })
  if (expect.requests !== undefined && expect.requests !== calls.asked)
    differ('/expect/requests', `${expect.requests} requests expected, ${calls.asked} made.`)
}

function compareRecords({ records: wanted }: Expectations, { records, refused }: Outcome, differ: Differ): void {
  if (!wanted) return
  for (const [i, record] of wanted.entries()) {
    const actual = records[i]
    const at = `/expect/records/${i}`
    if (actual === undefined) continue
    for (const [field, value] of Object.entries(record)) {
      const difference = differenceIn(value, actual[field], '')
      if (difference)
        differ(
          at + segment(field),
          `Record ${i + 1}: ${dotted(field, difference.at)} is ${shown(difference.actual)}, expected is ${shown(difference.expected)}.`,
        )
    }
  }
  if (records.length < wanted.length)
    differ(
      `/expect/records/${records.length}`,
      `Record ${records.length + 1} is missing: ${wanted.length} expected, ${records.length} came.`,
      refused.length > 0 ? `The first dead letter: ${refused[0]!.code}: ${refused[0]!.message}` : undefined,
    )
  if (records.length > wanted.length)
    differ(
      '/expect/records',
      `${wanted.length} records expected, ${records.length} came; the first one more: ${shown(records[wanted.length])}`,
    )
}

function compareRefused({ dead_letters: wanted = {} }: Expectations, { refused }: Outcome, differ: Differ): void {
  const actual = tally(refused.map(({ code }) => code))
  for (const code of new Set([...Object.keys(wanted), ...actual.keys()])) {
    const [expected, came] = [wanted[code] ?? 0, actual.get(code) ?? 0]
    if (expected === came) continue
    const first = refused.find(error => error.code === code)
    differ(
      code in wanted ? `/expect/dead_letters${segment(code)}` : '/expect',
      `Dead letters with ${code}: ${expected} expected, ${came} came.`,
      first && `The first: ${first.message}${first.at ? ` (at ${first.at})` : ''}`,
    )
  }
}

function compareCursor({ cursor: wanted = {} }: Expectations, { cursor }: Outcome, differ: Differ): void {
  for (const [split, words] of Object.entries(wanted)) {
    const at = `/expect/cursor${segment(split)}`
    if (!cursor.has(split))
      differ(at, `There is no split ${split}; there are: ${[...cursor.keys()].join(', ') || 'none'}.`)
    else if (differenceIn(words, cursor.get(split), ''))
      differ(at, `The cursor of ${split} is ${shown(cursor.get(split))}, expected is ${shown(words)}.`)
  }
}

/** The expectations that this outcome meets. Fields without a value are left out, and stamps of the replay itself, which say nothing. */
export function expectationsOf(outcome: Outcome, requests: number): Expectations {
  const { beganMs, endedMs, records, refused, failures, cursor, drops, breakers } = outcome
  const some = <T>(name: string, map: ReadonlyMap<string, T>) =>
    map.size > 0 ? { [name]: Object.fromEntries(map) } : {}
  const isStamp = (value: unknown) => typeof value === 'number' && value >= beganMs && value <= endedMs
  return {
    requests,
    records: records.map(record =>
      Object.fromEntries(Object.entries(record).filter(([, value]) => value !== null && !isStamp(value))),
    ),
    ...some('dead_letters', tally(refused.map(({ code }) => code))),
    ...(failures[0] ? { failure: failures[0].code } : {}),
    ...some('cursor', cursor),
    ...some('drops', drops),
    ...some('breakers', new Map([...breakers].filter(([, state]) => state !== 'closed'))),
  }
}

function tally(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return counts
}
