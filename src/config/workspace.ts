// weir.yaml, found beside a pipeline or above it, with WEIR_BROKER, WEIR_REGISTRY and --data on top.
import { existsSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { WeirError } from '../core/errors.ts'
import type { WorkspaceDefinition } from './definition.ts'
import { knownVersion, readDefinitionText } from './lint.ts'
import { DefinitionError, type LocatedProblem, type Problems } from './problem.ts'
import { readPart } from './read.ts'
import { workspaceSpec } from './workspace-spec.ts'

export const workspaceFileName = 'weir.yaml'

export interface WorkspaceOverrides {
  /** --data: folder of the embedded store; relative to `cwd`. */
  readonly dataDir?: string | undefined
  /** Where a relative `dataDir` starts. Default: the start folder. */
  readonly cwd?: string | undefined
}

type Env = Readonly<Record<string, string | undefined>>

/**
 * The workspace of a folder, or of a file's folder: the nearest weir.yaml upwards, not beyond a repository's root; without one, the defaults,
 * with the store in `.weir` of the start folder.
 * @throws DefinitionError (config.*) for weir.yaml, config.invalid for the environment
 */
export function findWorkspace(start: string, env: Env, overrides: WorkspaceOverrides = {}): WorkspaceDefinition {
  const folder = folderOf(resolve(start))
  const file = findWorkspaceFile(folder)
  const read = file === null ? { data: '.weir' } : readWorkspace(file, env)
  for (const name of ['WEIR_BROKER', 'WEIR_REGISTRY'] as const) checkOverride(name, env[name])
  const dataDir =
    overrides.dataDir === undefined
      ? resolve(file === null ? folder : dirname(file), read.data)
      : resolve(overrides.cwd ?? folder, overrides.dataDir)
  return { file, broker: { kind: 'embedded' }, registry: { kind: 'embedded' }, dataDir }
}

/** The nearest weir.yaml from a folder upwards; null when there is none up to the root of the disk or of the repository. */
function findWorkspaceFile(folder: string): string | null {
  for (let at = folder; ; at = dirname(at)) {
    const file = join(at, workspaceFileName)
    if (existsSync(file)) return file
    if (existsSync(join(at, '.git')) || dirname(at) === at) return null
  }
}

/** What is wrong in a weir.yaml. */
export function lintWorkspaceFile(file: string, env: Env, strict = false): readonly LocatedProblem[] {
  return examineWorkspace(file, env, strict).problems.list()
}

function readWorkspace(file: string, env: Env): { readonly data: string } {
  const { problems, data } = examineWorkspace(file, env, false)
  if (problems.failed || data === undefined) throw new DefinitionError(problems.list())
  return { data }
}

function examineWorkspace(file: string, env: Env, strict: boolean): { problems: Problems; data: string | undefined } {
  const { problems, value } = readDefinitionText({ file: resolve(file) }, strict)
  if (!value) return { problems, data: undefined }
  const rest = { ...knownVersion(value, problems) }
  for (const field of ['broker', 'registry'] as const) {
    const written = value[field]
    if (written === undefined || written === 'embedded') continue
    delete rest[field]
    // An override makes what is written here without meaning for this run; it may be for another version.
    if (env[field === 'broker' ? 'WEIR_BROKER' : 'WEIR_REGISTRY']) continue
    problems.add({ code: 'config.invalid', pointer: `/${field}`, ...onlyEmbedded(field) })
  }
  const variables = { env, baseDir: dirname(resolve(file)) }
  const reading = {
    problems,
    variables,
    unset: 'error',
    resolved: new Map(),
    urls: new Map(),
    lost: new Set<string>(),
  } as const
  const fields = readPart(rest, workspaceSpec, '', reading) as { data?: string } | undefined
  return { problems, data: fields?.data }
}

const onlyEmbedded = (what: 'broker' | 'registry') => ({
  message: `This version has the embedded ${what} only.`,
  hint: `Write \`${what}: embedded\`, or leave it out.`,
})

function checkOverride(name: 'WEIR_BROKER' | 'WEIR_REGISTRY', value: string | undefined): void {
  if (value === undefined || value === '' || value === 'embedded') return
  const { message } = onlyEmbedded(name === 'WEIR_BROKER' ? 'broker' : 'registry')
  throw new WeirError('config.invalid', message, { at: name, hint: `Set ${name}=embedded, or unset it.` })
}

function folderOf(start: string): string {
  try {
    return statSync(start).isDirectory() ? start : dirname(start)
  } catch {
    return start
  }
}
