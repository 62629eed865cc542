// Rules between the files of a workspace: what one pipeline does must not undo or repeat what another does.
import { dirname, relative, resolve } from 'node:path'
import { isObject } from '../core/json-text.ts'
import { rawTopic } from './keep-raw.ts'
import type { LintedPipeline } from './lint.ts'
import { segment } from './problem.ts'
import { deadLetterTopic } from './rules.ts'

/** Where something was claimed first. */
interface Claim {
  readonly file: string
  readonly pipeline: string
}

/** Adds to the problems of each file what contradicts the files before it. */
export function checkConflicts(pipelines: readonly LintedPipeline[]): void {
  const claims = new Map<string, Claim>()
  const topics = new Map<string, LintedPipeline>()
  for (const linted of pipelines) {
    const claim = (kind: string, value: string, pointer: string, message: (at: string) => string, hint: string) => {
      const mark = `${kind}\0${value}`
      const first = claims.get(mark)
      if (!first) claims.set(mark, { file: linted.file, pipeline: linted.fields.pipeline ?? '' })
      else if (first.file !== linted.file || kind === 'path') {
        const at = first.file === linted.file ? 'this file' : relative(dirname(linted.file), first.file)
        linted.problems.add({ code: 'config.conflict', message: message(at), pointer, hint })
      }
    }
    const { pipeline, topic, consume } = linted.fields
    if (pipeline !== undefined)
      claim(
        'pipeline',
        pipeline,
        '/pipeline',
        at => `The pipeline \`${pipeline}\` is defined in ${at} too: the two would share their cursors.`,
        'Give each pipeline a name of its own.',
      )
    consume?.forEach((consumer, i) => {
      if (consumer?.group !== undefined && topic?.name !== undefined)
        claim(
          'group',
          `${topic.name}\0${consumer.group}`,
          `/consume/${i}/group`,
          at =>
            `The group \`${consumer.group}\` consumes the topic in ${at} too: the two would share the records between them.`,
          'Give each consumer a group of its own.',
        )
      for (const [path, pointer] of sinkPaths(consumer?.sink, `/consume/${i}/sink`))
        claim(
          'path',
          resolve(dirname(linted.file), path),
          pointer,
          at => `Another sink of ${at} writes to this file.`,
          'Give each sink a file of its own.',
        )
    })
    checkTopic(linted, topics)
  }
  checkDeadLetters(pipelines, topics)
}

/** The files a sink writes, as written: field `path` of the sink. */
function sinkPaths(sink: unknown, pointer: string): readonly (readonly [path: string, pointer: string])[] {
  if (!isObject(sink)) return []
  return Object.entries(sink).flatMap(([name, config]) =>
    isObject(config) && typeof config['path'] === 'string' && !config['path'].includes('${')
      ? [[config['path'], `${pointer}${segment(name)}/path`] as const]
      : [],
  )
}

/** One topic has one schema and one number of partitions. */
function checkTopic(linted: LintedPipeline, topics: Map<string, LintedPipeline>): void {
  const { topic } = linted.fields
  if (topic?.name === undefined) return
  const first = topics.get(topic.name)
  if (!first) {
    topics.set(topic.name, linted)
    return
  }
  const other = first.fields.topic ?? {}
  const at = relative(dirname(linted.file), first.file)
  const differ = (field: 'subject' | 'partitions', here: unknown, there: unknown) => {
    if (here === there || here === undefined || there === undefined) return
    linted.problems.add({
      code: 'config.conflict',
      message: `\`${field}\` of the topic \`${topic.name}\` is ${String(here)} here and ${String(there)} in ${at}.`,
      pointer: `/topic${segment(field)}`,
      hint: 'One topic has one schema and one number of partitions: make them equal.',
    })
  }
  differ('partitions', topic.partitions, other.partitions)
  differ('subject', topic.subject ?? `${topic.name}-value`, other.subject ?? `${topic.name}-value`)
}

/** Dead letters have their own schema: their topic cannot be the topic of records of another pipeline. */
function checkDeadLetters(pipelines: readonly LintedPipeline[], topics: ReadonlyMap<string, LintedPipeline>): void {
  for (const { file, fields, problems } of pipelines) {
    if (fields.topic?.name === undefined) continue
    if (fields.source?.keep_raw !== undefined) checkRaw({ file, fields, problems }, fields.topic.name, topics)
    const name = fields.dead_letter?.topic ?? deadLetterTopic(fields.topic.name)
    const owner = topics.get(name)
    if (!owner || owner.file === file) continue
    problems.add({
      code: 'config.conflict',
      message: `The dead letters would go into \`${name}\`, the topic of records of ${relative(dirname(file), owner.file)}.`,
      pointer: '/dead_letter/topic',
      hint: 'Give the dead letters a topic of their own.',
    })
  }
}

/** So have raw pages. */
function checkRaw(
  { file, problems }: Pick<LintedPipeline, 'file' | 'fields' | 'problems'>,
  topic: string,
  topics: ReadonlyMap<string, LintedPipeline>,
): void {
  const owner = topics.get(rawTopic(topic))
  if (!owner || owner.file === file) return
  problems.add({
    code: 'config.conflict',
    message: `The raw pages would go into \`${rawTopic(topic)}\`, the topic of records of ${relative(dirname(file), owner.file)}.`,
    pointer: '/source/keep_raw',
    hint: 'Give one of the topics another name.',
  })
}
