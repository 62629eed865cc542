// What a pipeline must keep beyond the form of each field: names that work, waits in order, one use of each group, a cron that comes.
import { Cron } from 'croner'
import { isObject } from '../core/json-text.ts'
import { valueSubject } from '../schema/subject.ts'
import { nameOf } from './complaint.ts'
import type { PipelineFields } from './pipeline-spec.ts'
import { type Problems, segment } from './problem.ts'

/** What a definition holds when parts of it are wrong: every field may be missing. */
export type Partly<T> = T extends readonly (infer U)[]
  ? readonly Partly<U>[]
  : T extends object
    ? { readonly [K in keyof T]?: Partly<T[K]> | undefined }
    : T

export type PartlyFields = Partly<PipelineFields>

/** From here on a cron line must come within what croner searches; any fixed day does. */
const anyDay = new Date('2026-01-01T00:00:00Z')

export function checkRules(fields: PartlyFields, problems: Problems): void {
  checkSchedule(fields, problems)
  checkNames(fields, problems)
  checkWaits(fields.fetch?.retry?.backoff, '/fetch/retry/backoff', problems)
  checkBudget(fields.fetch?.rate_limit, problems)
  const groups = new Set<string>()
  fields.consume?.forEach((consumer, i) => {
    const pointer = `/consume/${i}`
    checkWaits(consumer?.retry?.backoff, `${pointer}/retry/backoff`, problems)
    checkLoop(consumer?.sink, fields, `${pointer}/sink`, problems)
    if (consumer?.group === undefined) return
    if (groups.has(consumer.group))
      problems.add({
        code: 'config.conflict',
        message: `The group \`${consumer.group}\` is used twice: the two consumers would share the records between them.`,
        pointer: `${pointer}/group`,
        hint: 'Give each consumer a group of its own.',
      })
    groups.add(consumer.group)
  })
}

/** A sink that writes to a topic must not feed the topic it reads, nor mix its records into the dead letters. */
function checkLoop(sink: unknown, { topic, dead_letter }: PartlyFields, pointer: string, problems: Problems): void {
  const config = isObject(sink) ? sink['topic'] : undefined
  const target = isObject(config) ? config['topic'] : undefined
  if (target === undefined || topic?.name === undefined) return
  const dead = dead_letter?.topic ?? deadLetterTopic(topic.name)
  if (target !== topic.name && target !== dead) return
  problems.add({
    code: 'config.conflict',
    message:
      target === dead
        ? 'The sink writes into the dead letters.'
        : 'The sink writes into the topic that it reads: an endless loop.',
    pointer: `${pointer}/topic/topic`,
    hint: 'Name another topic.',
  })
}

function checkSchedule({ source }: PartlyFields, problems: Problems): void {
  if (source?.cron === undefined) return
  const pointer = '/source/cron'
  if (source.every !== undefined)
    problems.add({
      code: 'config.conflict',
      message: '`every` and `cron` both say when to poll.',
      pointer,
      on: 'key',
      hint: 'Keep one of them.',
    })
  const hint = 'Five fields: minute, hour, day, month, weekday. "*/5 * * * *" is every five minutes, in UTC.'
  try {
    if (new Cron(source.cron, { paused: true, timezone: 'UTC' }).nextRun(anyDay) === null)
      problems.add({ code: 'config.invalid', message: '`cron` names a time that never comes.', pointer, hint })
  } catch {
    problems.add({ code: 'config.invalid', message: `\`cron\` is no cron line.`, pointer, hint })
  }
}

function checkNames({ topic, dead_letter }: PartlyFields, problems: Problems): void {
  const named = [
    [topic?.name, '/topic/name'],
    [dead_letter?.topic, '/dead_letter/topic'],
  ] as const
  for (const [name, pointer] of named)
    if (name === '.' || name === '..')
      problems.add({
        code: 'config.invalid',
        message: `${nameOf(pointer)} cannot be \`${name}\`.`,
        pointer,
        hint: 'Use a word: topics are folders to some brokers.',
      })
  if (topic?.name === undefined) return
  if (dead_letter?.topic === topic.name)
    problems.add({
      code: 'config.conflict',
      message: 'The dead letters would go into the topic itself.',
      pointer: '/dead_letter/topic',
      hint: `Use another name, such as ${deadLetterTopic(topic.name)}.`,
    })
  if (dead_letter?.topic === undefined && topic.name.length <= 249 && deadLetterTopic(topic.name).length > 249)
    problems.add({
      code: 'config.invalid',
      message: 'The name of the topic leaves no room for that of its dead letters (249 characters).',
      pointer: '/topic/name',
      hint: 'Shorten it, or name the dead-letter topic: dead_letter: { topic: … }.',
    })
  if (topic.subject?.endsWith('-key'))
    problems.add({
      code: 'config.invalid',
      message: '`subject` is one of keys (-key), but holds the schema of values.',
      pointer: '/topic/subject',
      hint: `Leave it out: it is ${valueSubject(topic.name)} then.`,
    })
  else if (topic.subject?.endsWith('-value') && topic.subject !== valueSubject(topic.name))
    problems.add({
      code: 'config.warning',
      message: '`subject` is that of another topic.',
      pointer: '/topic/subject',
      hint: `Leave it out: it is ${valueSubject(topic.name)} then. Consumers look there.`,
    })
}

export const deadLetterTopic = (topic: string) => `${topic}_dlq`

/** A budget that the spacing of calls can never use up. */
function checkBudget(limit: NonNullable<PartlyFields['fetch']>['rate_limit'], problems: Problems): void {
  const { requests, per, budget } = limit ?? {}
  if (!requests || !per || !budget?.requests || !budget.per) return
  if (Math.ceil((budget.per / per) * requests) > budget.requests) return
  problems.add({
    code: 'config.warning',
    message: '`budget` has no effect: `requests` and `per` allow no more calls than that.',
    pointer: '/fetch/rate_limit/budget',
    hint: 'Remove it, or let calls go faster: the budget then holds them when it is used up.',
  })
}

function checkWaits(
  backoff: { readonly min?: number | undefined; readonly max?: number | undefined } | undefined,
  pointer: string,
  problems: Problems,
): void {
  if (backoff?.min === undefined || backoff.max === undefined || backoff.min <= backoff.max) return
  const on = problems.places.has(pointer + segment('max')) ? 'max' : 'min'
  problems.add({
    code: 'config.invalid',
    message: '`max` is shorter than `min`.',
    pointer: pointer + segment(on),
    hint: 'min is the first wait, max the longest.',
  })
}
