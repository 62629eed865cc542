// Who reads a subject among the pipelines of a workspace, and which fields of the record each of them uses. Works on pipelines as they are
// written, so that a check without secrets sees all of them.
import { relative } from 'node:path'
import { type Catalogue, ownEntry } from '../../config/catalogue.ts'
import type { PartlyFields } from '../../config/rules.ts'
import { isObject } from '../../core/json-text.ts'
import type { Reader } from '../../governance/impact.ts'
import { fieldsRead } from '../../mapping/fields-read.ts'
import { mappingVariables } from '../../mapping/mapping.ts'
import { processVariables } from '../../pipeline/process.ts'
import { valueSubject } from '../../schema/subject.ts'

/** A pipeline file as it is written; what is wrong in it is missing. */
export interface PipelineText {
  /** Absolute path. */
  readonly file: string
  readonly fields: PartlyFields
}

type Consume = NonNullable<PartlyFields['consume']>[number]

/** The readers of a subject: consumers of its topic, and pipelines that read the topic as their source. `cwd`: shown paths are relative to it. */
export function consumersOf(
  pipelines: readonly PipelineText[],
  subject: string,
  catalogue: Catalogue,
  cwd: string,
): readonly Reader[] {
  return pipelines.flatMap(({ file: path, fields }) => {
    const file = relative(cwd, path) || path
    const pipeline = fields.pipeline ?? file
    return [
      ...ownConsumers(fields, subject, catalogue, { pipeline, file }),
      ...bridge(fields, subject, { pipeline, file }),
    ]
  })
}

type Whose = Pick<Reader, 'pipeline' | 'file'>

function ownConsumers(
  { topic, consume }: PartlyFields,
  subject: string,
  catalogue: Catalogue,
  whose: Whose,
): readonly Reader[] {
  if (topic?.name === undefined || (topic.subject ?? valueSubject(topic.name)) !== subject) return []
  return (consume ?? []).map((consumer): Reader => {
    const sink = sinkOf(consumer)
    return {
      ...whose,
      group: consumer?.group ?? '',
      sink: sink.connector,
      fields: fieldsUsed(stepsOf(consumer), sink, catalogue),
    }
  })
}

interface ChosenSink {
  readonly connector: string
  readonly config: unknown
}

function sinkOf(consumer: Consume): ChosenSink {
  const [entry] = Object.entries(isObject(consumer?.sink) ? consumer.sink : {})
  return { connector: entry?.[0] ?? '', config: entry?.[1] ?? {} }
}

type Step = { readonly filter: string } | { readonly map: Readonly<Record<string, string>> }

const stepsOf = (consumer: Consume): readonly Step[] =>
  (consumer?.process ?? []).flatMap(step => (step && ('filter' in step || 'map' in step) ? [step as Step] : []))

/** The fields that the steps of a consumer and its sink read; null: the whole record. */
export function fieldsUsed(steps: readonly Step[], sink: ChosenSink, { sinks }: Catalogue): readonly string[] | null {
  const used = new Set<string>()
  const read = (text: string): boolean => {
    const paths = readBy(text, processVariables, 'record')
    for (const path of paths ?? []) used.add(path)
    return paths !== null
  }
  for (const step of steps) {
    const texts = 'filter' in step ? [step.filter] : Object.values(step.map)
    if (!texts.every(read)) return null
    // What comes after a map sees the record that the map makes.
    if ('map' in step) return [...used].sort()
  }
  const taken = ownEntry(sinks, sink.connector)?.takes?.(sink.config as never) ?? null
  if (taken === null) return null
  return [...new Set([...used, ...taken])].sort()
}

/** A pipeline whose source is the topic of the subject, on this cluster or another. */
function bridge({ source, map, topic }: PartlyFields, subject: string, whose: Whose): readonly Reader[] {
  const config = isObject(source) ? (source as Record<string, unknown>)['kafka'] : undefined
  if (!isObject(config) || config['format'] !== 'avro' || valueSubject(String(config['topic'])) !== subject) return []
  const fields = isObject(map) ? valuesRead(map as Readonly<Record<string, string>>) : null
  return [{ ...whose, group: `source of ${whose.pipeline}`, sink: `topic ${topic?.name ?? ''}`, fields }]
}

/** What a mapping reads of `this.value`, where a record of a topic stands; null: all of it. */
function valuesRead(map: Readonly<Record<string, string>>): readonly string[] | null {
  const used = new Set<string>()
  for (const text of Object.values(map)) {
    const paths = readBy(text, mappingVariables, 'this')
    if (paths === null || paths.includes('value')) return null
    for (const path of paths) if (path.startsWith('value.')) used.add(path.slice('value.'.length))
  }
  return [...used].sort()
}

/** An expression that is no CEL may read anything; lint tells what is wrong with it. */
function readBy(text: unknown, vars: Parameters<typeof fieldsRead>[1], variable: string): readonly string[] | null {
  if (typeof text !== 'string') return null
  try {
    return fieldsRead(text, vars, variable)
  } catch {
    return null
  }
}
