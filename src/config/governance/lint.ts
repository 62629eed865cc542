// Policies in `weir lint`: the policy files themselves, and the schemas of pipelines against the policy of their subject. Connects to nothing.
import { dirname, resolve } from 'node:path'
import { isObject } from '../../core/json-text.ts'
import { jsonPlaces } from '../../governance/json-places.ts'
import { blocks, type GovernancePolicy, policyFor, waiverFor } from '../../governance/policy.ts'
import { type Found, schemaFindings } from '../../governance/schema-findings.ts'
import { valueSubject } from '../../schema/subject.ts'
import type { TopicDefinition } from '../definition.ts'
import type { LintedPipeline, LintOptions } from '../lint.ts'
import { type LocatedProblem, Problems, segment } from '../problem.ts'
import { deadLetterTopic, type PartlyFields } from '../rules.ts'
import { readText } from '../text.ts'
import { findPolicyFile, readPolicy } from './load.ts'

/** The largest schema file. */
const maxSchemaBytes = 1024 * 1024

/** The policies in force for the pipelines, and for a folder. */
export function policyFilesOf(pipelines: readonly LintedPipeline[], folder: string | null): readonly string[] {
  const folders = new Set([
    ...(folder === null ? [] : [resolve(folder)]),
    ...pipelines.map(({ file }) => dirname(file)),
  ])
  return [...new Set([...folders].flatMap(folder => findPolicyFile(folder) ?? []))]
}

/** What is wrong in the policy files. `pipelines`: all of the workspace, or null where not all are known. */
export function lintPolicyFiles(
  files: readonly string[],
  pipelines: readonly LintedPipeline[] | null,
  { today, strict }: LintOptions,
): readonly LocatedProblem[] {
  const subjects = pipelines && new Set(pipelines.flatMap(({ fields }) => subjectsOf(fields)))
  const written = new Set((pipelines ?? []).flatMap(({ definition }) => definition?.topic.subject ?? []))
  return files.flatMap(file => {
    const { policy, problems } = readPolicy(file, { today: today ?? null, subjects, strict: strict ?? false })
    const own = policy ? namedSchemas(policy, written, today ?? null, strict ?? false, problems) : []
    return [...problems.list(), ...own]
  })
}

/** The schemas that the policy itself names, but for those that a pipeline brings. */
function namedSchemas(
  policy: GovernancePolicy,
  written: ReadonlySet<string>,
  today: string | null,
  strict: boolean,
  problems: Problems,
): readonly LocatedProblem[] {
  return policy.entries.flatMap(({ subject, schemaFile }) => {
    if (schemaFile === null || written.has(subject)) return []
    const read = readText(schemaFile, maxSchemaBytes)
    if ('text' in read) return checkSchema({ subject, schemaFile, schemaText: read.text }, policy, today, strict)
    problems.add({
      code: 'config.schema',
      message: `The schema file cannot be used. ${read.failure.message}`,
      pointer: `/subjects${segment(subject)}/schema`,
      hint: read.failure.missing ? 'The path is relative to this file.' : read.failure.hint,
    })
    return []
  })
}

/** The subjects that a pipeline writes: of its topic, its dead letters, and the topics of its sinks. */
function subjectsOf({ topic, dead_letter, consume }: PartlyFields): readonly string[] {
  if (topic?.name === undefined) return []
  const sinks = (consume ?? []).flatMap(consumer => {
    const config = isObject(consumer?.sink) ? consumer.sink['topic'] : undefined
    return isObject(config) && typeof config['topic'] === 'string' ? [valueSubject(config['topic'])] : []
  })
  return [
    topic.subject ?? valueSubject(topic.name),
    valueSubject(dead_letter?.topic ?? deadLetterTopic(topic.name)),
    ...sinks,
  ]
}

/** What the policy says of the schemas of pipelines: each schema once a subject, its problems at their lines in the .avsc file. */
export function checkPolicies(
  pipelines: readonly LintedPipeline[],
  { today, strict }: LintOptions,
): readonly LocatedProblem[] {
  const policies = new Map<string, GovernancePolicy | undefined>()
  const seen = new Set<string>()
  return pipelines.flatMap(({ definition }) => {
    if (!definition) return []
    const file = findPolicyFile(definition.baseDir)
    const { subject, schemaFile } = definition.topic
    if (file === null || seen.has(`${subject} ${schemaFile}`)) return []
    seen.add(`${subject} ${schemaFile}`)
    if (!policies.has(file)) policies.set(file, readPolicy(file, { today: null, subjects: null }).policy)
    const policy = policies.get(file)
    return policy ? checkSchema(definition.topic, policy, today ?? null, strict ?? false) : []
  })
}

function checkSchema(
  { subject, schemaFile, schemaText }: Pick<TopicDefinition, 'subject' | 'schemaFile' | 'schemaText'>,
  policy: GovernancePolicy,
  today: string | null,
  strict: boolean,
): readonly LocatedProblem[] {
  const rules = policyFor(policy, subject)
  const problems = new Problems(schemaFile, schemaText, strict)
  const places = placesIn(schemaText)
  for (const found of schemaFindings(schemaText, rules)) {
    const blocked = blocks(rules, found.rule)
    if (found.severity === 'note' && !blocked) continue
    if (waiverFor(policy.waivers, { ...found, subject }, today)) continue
    problems.add({
      code: 'schema.policy',
      message: `${subject}: ${messageOf(found)} (${found.rule})`,
      pointer: found.pointer ?? '',
      span: places.get(`${found.pointer ?? ''}/name`) ?? places.get(found.pointer ?? ''),
      severity: found.severity === 'error' || blocked ? 'error' : 'warning',
      ...(found.hint ? { hint: found.hint } : {}),
    })
  }
  return problems.list()
}

/** None where the text is no JSON: then the schema as a whole is what is wrong. */
function placesIn(text: string): ReturnType<typeof jsonPlaces> {
  try {
    return jsonPlaces(text)
  } catch {
    return new Map()
  }
}

const messageOf = ({ field, message }: Found) => (field === null ? message : `${field}: ${message}`)
