// The subjects of a workspace, each with the schema that its files say it has: of topics, of dead letters, of raw pages, of the topics of
// sinks, and those that the policy names.
import { rawTopic } from '../../config/keep-raw.ts'
import { deadLetterTopic } from '../../config/rules.ts'
import { WeirError } from '../../core/errors.ts'
import type { GovernancePolicy } from '../../governance/policy.ts'
import { valueSubject } from '../../schema/subject.ts'
import { deadLetterSchemaText, rawPageSchemaText } from '../parts.ts'
import { textOf } from './base.ts'
import { writtenSchemas } from './candidates.ts'
import type { PipelineText } from './consumers.ts'

export interface WorkspaceSubject {
  readonly subject: string
  /** Absolute path of the .avsc file; null for a schema that weir brings. */
  readonly file: string | null
  readonly schema: string
  /** Pipelines that write it. */
  readonly pipelines: readonly string[]
}

/** All subjects, by name. @throws config.conflict for a subject with two schemas, usage.not_found for a file that cannot be read */
export async function workspaceSubjects(
  pipelines: readonly PipelineText[],
  policy: GovernancePolicy | null,
): Promise<readonly WorkspaceSubject[]> {
  const own = { letters: await deadLetterSchemaText(), pages: await rawPageSchemaText() }
  const found = new Map<string, WorkspaceSubject>()
  const add = (each: WorkspaceSubject): void => {
    const known = found.get(each.subject)
    if (known && known.schema !== each.schema) throw twoSchemas(known, each)
    found.set(each.subject, {
      ...each,
      file: known?.file ?? each.file,
      pipelines: [...new Set([...(known?.pipelines ?? []), ...each.pipelines])],
    })
  }
  for (const pipeline of pipelines) for (const each of written(pipeline, own)) add(each)
  for (const { subject, schemaFile } of policy?.entries ?? [])
    if (schemaFile !== null) add({ subject, file: schemaFile, schema: textOf(schemaFile), pipelines: [] })
  return [...found.values()].sort((a, b) => (a.subject < b.subject ? -1 : 1))
}

/** The schemas that weir brings. */
interface OwnSchemas {
  readonly letters: string
  readonly pages: string
}

/** What one pipeline writes: its topic, its dead letters, the pages it keeps, the topics of its sinks. */
function written(pipeline: PipelineText, { letters, pages }: OwnSchemas): readonly WorkspaceSubject[] {
  const { topic, dead_letter, source } = pipeline.fields
  if (typeof topic?.name !== 'string') return []
  const pipelines = [pipeline.fields.pipeline ?? pipeline.file]
  const schemas = writtenSchemas(pipeline).map(({ subject, file }) => ({
    subject,
    file,
    schema: textOf(file),
    pipelines,
  }))
  if (schemas.length === 0) return []
  const ownSchema = (name: string, schema: string): WorkspaceSubject => ({
    subject: valueSubject(name),
    file: null,
    schema,
    pipelines,
  })
  const deadLetters = ownSchema(dead_letter?.topic ?? deadLetterTopic(topic.name), letters)
  const kept = source?.keep_raw === undefined ? [] : [ownSchema(rawTopic(topic.name), pages)]
  return [...schemas, deadLetters, ...kept]
}

function twoSchemas(first: WorkspaceSubject, second: WorkspaceSubject): WeirError {
  const name = ({ file, pipelines }: WorkspaceSubject) => file ?? (pipelines.join(', ') || 'weir')
  return new WeirError(
    'config.conflict',
    `${first.subject} has one schema in ${name(first)} and another in ${name(second)}.`,
    { hint: 'A subject has one schema at a time: make the two equal, or give one of them another subject.' },
  )
}
