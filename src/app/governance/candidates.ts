// Which schemas a workspace has: those that its pipelines write, and those that its policy names.
import { existsSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import type { Catalogue } from '../../config/catalogue.ts'
import { examine } from '../../config/lint.ts'
import { findDefinitions } from '../../config/lint-files.ts'
import { weirErrorOf } from '../../core/errors.ts'
import { isObject } from '../../core/json-text.ts'
import { type GovernancePolicy, isPattern } from '../../governance/policy.ts'
import { valueSubject } from '../../schema/subject.ts'
import type { PipelineText } from './consumers.ts'

export interface Candidate {
  readonly subject: string
  /** Absolute path of the .avsc file. */
  readonly file: string
}

export interface Workspace {
  /** Each subject with its file, once; sorted by subject. */
  readonly candidates: readonly Candidate[]
  /** The pipeline files, also those that cannot run here, such as for want of secrets. */
  readonly pipelines: readonly PipelineText[]
  /** Pipelines whose topic cannot be read, so that their schemas are not among the candidates. */
  readonly unreadable: readonly string[]
}

interface Where {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly catalogue: Catalogue
  readonly policy: GovernancePolicy | null
}

/** Reads pipelines/ of the folder, else the folder. A pipeline that has mistakes elsewhere still names its schema. */
export function workspaceOf({ cwd, env, catalogue, policy }: Where): Workspace {
  const found = new Map<string, Candidate>()
  const add = (candidate: Candidate) => void found.set(`${candidate.subject}\n${candidate.file}`, candidate)
  const pipelines: PipelineText[] = []
  const unreadable: string[] = []
  for (const file of pipelineFiles(cwd)) {
    const { fields } = examine(file, { catalogue, env, unsetVariables: 'warning' })
    if (fields.pipeline !== undefined) pipelines.push({ file, fields })
    const written = writtenSchemas({ file, fields })
    for (const each of written) add(each)
    if (written.length === 0 && fields.pipeline !== undefined) unreadable.push(relative(cwd, file))
  }
  for (const { subject, schemaFile } of policy?.entries ?? [])
    if (schemaFile !== null && !isPattern(subject)) add({ subject, file: schemaFile })
  const candidates = [...found.values()].sort((a, b) => (a.subject < b.subject ? -1 : 1))
  return { candidates, pipelines, unreadable }
}

/** What a pipeline writes with a schema of the workspace: its topic first, then the topics of its sinks. Empty when the topic cannot be read. */
export function writtenSchemas({ file: pipeline, fields }: PipelineText): readonly Candidate[] {
  const { schema, subject, name } = fields.topic ?? {}
  if (typeof schema !== 'string' || (subject ?? name) === undefined) return []
  const fileOf = (path: string) => resolve(dirname(pipeline), path)
  const sinks = (fields.consume ?? []).flatMap((consumer): Candidate[] => {
    const config = isObject(consumer?.sink) ? consumer.sink['topic'] : undefined
    if (!isObject(config) || typeof config['topic'] !== 'string') return []
    // Without a schema of its own it writes records as they are.
    const own = typeof config['schema'] === 'string' ? config['schema'] : schema
    return [{ subject: valueSubject(config['topic']), file: fileOf(own) }]
  })
  return [{ subject: subject ?? valueSubject(name!), file: fileOf(schema) }, ...sinks]
}

function pipelineFiles(cwd: string): readonly string[] {
  const folder = join(cwd, 'pipelines')
  try {
    return findDefinitions([existsSync(folder) ? folder : cwd], cwd)
  } catch (error) {
    if (weirErrorOf(error)?.code === 'usage.not_found') return []
    throw error
  }
}

/** The candidates of files that are named: under every subject that the workspace has them for, else under the name of the file. */
export function candidatesOf(files: readonly string[], { candidates }: Workspace, cwd: string): readonly Candidate[] {
  return files.flatMap(written => {
    const file = resolve(cwd, written)
    const known = candidates.filter(candidate => candidate.file === file)
    return known.length > 0 ? known : [{ subject: basename(file).replace(/\.avsc$/, ''), file }]
  })
}
