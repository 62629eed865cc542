// schemas/governance.yaml: YAML text to the policy, with everything that is wrong in it at once. Reads that one file.
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import type { GovernancePolicy, PolicyEntry, SubjectRules, Waiver } from '../../governance/policy.ts'
import { DefinitionError, type LocatedProblem, Problems, segment } from '../problem.ts'
import { readPart } from '../read.ts'
import type { Reading } from '../resolve.ts'
import type { Partly } from '../rules.ts'
import { readText } from '../text.ts'
import { knownVersion } from '../version.ts'
import { parseYaml } from '../yaml.ts'
import { checkGovernance } from './rules.ts'
import { type GovernanceFields, governanceSpec } from './spec.ts'

/** The largest policy: a large organisation has thousands of subjects. */
const maxPolicyBytes = 1024 * 1024

/** Where the policy of a workspace stands, relative to its root. */
export const policyFile = join('schemas', 'governance.yaml')

/** The nearest schemas/governance.yaml from a folder upwards, not beyond a repository's root; null when there is none. */
export function findPolicyFile(folder: string): string | null {
  for (let at = resolve(folder); ; at = dirname(at)) {
    const file = join(at, policyFile)
    if (existsSync(file)) return file
    if (existsSync(join(at, '.git')) || dirname(at) === at) return null
  }
}

/** True for a file that is named governance.yaml, or holds what a policy holds and no pipeline. */
export function isPolicyFile(file: string): boolean {
  if (basename(file) === basename(policyFile)) return true
  const read = readText(file, maxPolicyBytes)
  const text = 'text' in read ? read.text : read.failure.text
  return (
    text !== undefined &&
    /^["']?(defaults|subjects|waivers)["']?\s*:/m.test(text) &&
    !/^["']?(pipeline|source|topic|consume|vendor|exchanges)["']?\s*:/m.test(text)
  )
}

/** What may be asked of a policy beyond its form. */
export interface PolicyCheck {
  /** The day, YYYY-MM-DD, by which waivers run out; null: none has. */
  readonly today: string | null
  /** Subjects that the pipelines of the workspace write; null: not known, so no subject is called unknown. */
  readonly subjects: ReadonlySet<string> | null
  readonly strict?: boolean
}

export interface ReadPolicy {
  /** There when nothing is wrong but warnings. */
  readonly policy: GovernancePolicy | undefined
  readonly problems: Problems
}

/** The policy of a folder, or null when no file says any. @throws DefinitionError (config.*) with every problem; warnings go to `warn` */
export function loadPolicy(
  folder: string,
  today: string,
  warn?: (problem: LocatedProblem) => void,
): GovernancePolicy | null {
  const file = findPolicyFile(folder)
  if (file === null) return null
  const { policy, problems } = readPolicy(file, { today, subjects: null })
  if (!policy) throw new DefinitionError(problems.list())
  for (const problem of problems.list()) warn?.(problem)
  return policy
}

/** Reads and checks a policy file. Never throws for what it holds. */
export function readPolicy(file: string, check: PolicyCheck): ReadPolicy {
  const read = readText(file, maxPolicyBytes)
  if (!('text' in read)) {
    const { code, message, hint, text, offset = 0 } = read.failure
    const problems = new Problems(file, text ?? null, check.strict ?? false)
    problems.add({ code, message, hint, pointer: '', span: { start: offset, end: offset + 1 } })
    return { policy: undefined, problems }
  }
  return parsePolicy(file, read.text, check)
}

/** The same of a text, under a file name that need not exist. */
export function parsePolicy(file: string, text: string, check: PolicyCheck): ReadPolicy {
  const problems = new Problems(file, text, check.strict ?? false)
  const written = parseYaml(text, problems)
  if (!written) return { policy: undefined, problems }
  refuseVariables(written, '', problems)
  if (problems.failed) return { policy: undefined, problems }
  const reading: Reading = {
    problems,
    variables: { env: {}, baseDir: dirname(file) },
    unset: 'error',
    resolved: new Map(),
    urls: new Map(),
    lost: new Set(),
  }
  const fields = (readPart(knownVersion(written, problems), governanceSpec, '', reading) ??
    {}) as Partly<GovernanceFields>
  checkGovernance(fields, check, problems)
  if (problems.failed) return { policy: undefined, problems }
  return { policy: policyOf(file, text, fields as GovernanceFields), problems }
}

/** A policy is the same wherever it is read. */
function refuseVariables(value: unknown, pointer: string, problems: Problems): void {
  if (typeof value === 'string' && /\$\{[A-Za-z_]/.test(value) && !pointer.endsWith('/reason'))
    problems.add({
      code: 'config.variable',
      message: 'A policy holds no variables: it says the same wherever it is read.',
      pointer,
      hint: 'Write the value out.',
    })
  if (typeof value !== 'object' || value === null) return
  for (const [key, field] of Object.entries(value)) refuseVariables(field, pointer + segment(key), problems)
}

function policyOf(file: string, text: string, { defaults, subjects, waivers }: GovernanceFields): GovernancePolicy {
  return {
    file,
    sha256: createHash('sha256').update(text).digest('hex'),
    defaults: { ...usualRules, ...rulesOf(defaults) },
    entries: Object.entries(subjects).map(
      ([subject, { schema, ...entry }]): PolicyEntry => ({
        subject,
        schemaFile: schema === undefined ? null : resolve(dirname(file), schema),
        rules: rulesOf(entry),
      }),
    ),
    waivers: waivers.map((waiver, index): Waiver => ({ ...waiver, index, path: waiver.path ?? null })),
  }
}

/** What holds where nothing is written. */
export const usualRules: SubjectRules = {
  owner: null,
  level: null,
  autoRegister: false,
  docs: null,
  naming: { fields: 'any', types: 'any', symbols: 'any' },
  pii: null,
  block: [],
}

/** The rules that are written, and no others. */
function rulesOf(written: GovernanceFields['defaults']): Partial<SubjectRules> {
  const { owner, level, auto_register, docs, docs_share, naming, pii, block } = written
  return {
    ...(owner === undefined ? {} : { owner }),
    ...(level === undefined ? {} : { level }),
    ...(auto_register === undefined ? {} : { autoRegister: auto_register }),
    ...(docs === undefined ? {} : { docs: docs === 'none' ? null : { of: docs, share: docs_share ?? 1 } }),
    ...(naming === undefined ? {} : { naming: { ...usualRules.naming, ...naming } }),
    ...(pii === undefined ? {} : { pii }),
    ...(block === undefined ? {} : { block }),
  }
}
