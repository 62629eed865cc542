// `weir lint`: many files at once. Finds them, checks each, then what they must keep among themselves.
import { readdirSync, statSync } from 'node:fs'
import { basename, join, relative, resolve } from 'node:path'
import { WeirError } from '../core/errors.ts'
import { suggestion } from '../core/suggest.ts'
import { isCassetteFile, lintCassette } from './cassette/load.ts'
import { checkConflicts } from './conflicts.ts'
import type { PipelineDefinition } from './definition.ts'
import { formatProblems, type LintFormat } from './format.ts'
import { checkPolicies, lintPolicyFiles, policyFilesOf } from './governance/lint.ts'
import { isPolicyFile, policyFile } from './governance/load.ts'
import { examine, type LintOptions } from './lint.ts'
import type { LocatedProblem } from './problem.ts'
import { basesOf, readVendorFile } from './source-slot.ts'
import { readText } from './text.ts'
import { lintVendor } from './vendor/lint.ts'
import { brokerKind, lintWorkspaceFile } from './workspace.ts'
import { findWorkspaceFile, workspaceFileName } from './workspace-file.ts'

/** More files than this in one call are a mistake in the path. */
const maxFiles = 2000
const maxFolderDepth = 8

export interface LintFilesResult {
  readonly problems: readonly LocatedProblem[]
  /** The files that were checked, absolute. */
  readonly files: readonly string[]
  /** Those of them that can run. */
  readonly definitions: readonly PipelineDefinition[]
}

export interface RunLintOptions extends LintOptions {
  /** Where relative paths start, and what shown paths are relative to. */
  readonly cwd: string
  readonly format?: LintFormat
  readonly colour?: boolean
}

/** Checks pipeline files, and those between each other. Paths are files, or folders that are searched. @throws usage.not_found */
export function lintWorkspace(
  paths: readonly string[],
  options: LintOptions & { readonly cwd: string },
): LintFilesResult {
  // A run reads the workspace of the folder it starts in, so what is wrong there is wrong with each pipeline.
  const inForce = findWorkspaceFile(options.cwd)
  const named = [...new Set([...findDefinitions(paths, options.cwd), ...(inForce === null ? [] : [inForce])])]
  const workspaces = named.filter(file => basename(file) === workspaceFileName)
  const known = { broker: brokerKind(options.cwd, options.env), ...options }
  const cassettes = named.filter(file => basename(file) !== workspaceFileName && isCassetteFile(file))
  const policyFiles = named.filter(
    file => !workspaces.includes(file) && !cassettes.includes(file) && isPolicyFile(file),
  )
  const others = named.filter(file => ![...workspaces, ...cassettes, ...policyFiles].includes(file))
  const vendors = others.filter(isVendorFile)
  const pipelines = others.filter(file => !vendors.includes(file)).map(file => examine(file, known))
  checkConflicts(pipelines)
  const whole = paths.some(path => isFolder(resolve(options.cwd, path)))
  const policies = [...new Set([...policyFiles, ...policyFilesOf(pipelines, whole ? options.cwd : null)])]
  const files = [...new Set([...named, ...policies])]
  const problems = [
    ...workspaces.flatMap(file => lintWorkspaceFile(file, options.env, options)),
    ...vendors.flatMap(file => lintVendorFile(file, options)),
    ...cassettes.flatMap(lintCassette),
    ...lintPolicyFiles(policies, whole ? pipelines : null, options),
    ...pipelines.flatMap(pipeline => pipeline.problems.list().filter(({ file }) => !vendors.includes(file))),
    ...checkPolicies(pipelines, options),
  ]
  return { problems, files, definitions: pipelines.flatMap(({ definition }) => definition ?? []) }
}

/** What `weir lint` does: the files, what is wrong in them, and the text to print. @throws usage.not_found */
export function runLint(
  paths: readonly string[],
  options: RunLintOptions,
): LintFilesResult & { readonly text: string } {
  const { problems, files, definitions } = lintWorkspace(paths.length > 0 ? paths : defaultPaths(options.cwd), options)
  const { format = 'pretty', colour = false, cwd } = options
  return { problems, files, definitions, text: formatProblems(problems, { format, colour, cwd, files: files.length }) }
}

function defaultPaths(cwd: string): readonly string[] {
  const folder = join(cwd, 'pipelines')
  return [isFolder(folder) ? folder : cwd]
}

/**
 * The definition files behind paths. A file that is named is one whatever it holds; in a folder those that look like a pipeline are taken.
 * @throws usage.not_found for a path that is not there, or a folder without a pipeline
 */
export function findDefinitions(paths: readonly string[], cwd: string): readonly string[] {
  const found = new Set<string>()
  for (const path of paths) {
    const absolute = resolve(cwd, path)
    if (isFolder(absolute)) {
      const before = found.size
      searchFolder(absolute, 0, found)
      if (found.size === before)
        throw new WeirError('usage.not_found', `No pipeline is in ${relative(cwd, absolute) || 'this folder'}.`, {
          hint: 'A pipeline is a .yaml file with `pipeline:` in the first column.',
        })
    } else if (exists(absolute)) found.add(absolute)
    else throw new WeirError('usage.not_found', `There is no ${path}.`, { hint: nearby(absolute) })
    if (found.size > maxFiles)
      throw new WeirError('usage.refused', `More than ${maxFiles} files.`, { hint: 'Name a folder further down.' })
  }
  return [...found]
}

function searchFolder(folder: string, depth: number, found: Set<string>): void {
  for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (found.size > maxFiles) return
    const path = join(folder, entry.name)
    if (entry.isDirectory()) {
      if (depth < maxFolderDepth && !entry.name.startsWith('.') && entry.name !== 'node_modules')
        searchFolder(path, depth + 1, found)
    } else if (/\.ya?ml$/.test(entry.name) && entry.isFile() && looksLikeDefinition(path)) found.add(path)
  }
}

/** Other YAML may stand in the same folder: compose files, CI. What cannot be read is reported, not passed over. */
function looksLikeDefinition(file: string): boolean {
  if (basename(file) === workspaceFileName || basename(file) === basename(policyFile)) return true
  const read = readText(file)
  const text = 'text' in read ? read.text : read.failure.text
  if (text !== undefined)
    return /^["']?(pipeline|source|topic|consume|dead_letter|vendor|exchanges)["']?\s*:/m.test(text)
  return 'failure' in read && read.failure.code === 'config.unreadable' && !read.failure.missing
}

/** A vendor of the user's own: `vendor:` in the first column, and no pipeline. */
function isVendorFile(file: string): boolean {
  const read = readText(file)
  const text = 'text' in read ? read.text : read.failure.text
  return text !== undefined && /^["']?vendor["']?\s*:/m.test(text) && !/^["']?(pipeline|topic)["']?\s*:/m.test(text)
}

/** Everything that is wrong in a vendor file, its examples filled in. */
function lintVendorFile(file: string, { catalogue, strict }: LintOptions): readonly LocatedProblem[] {
  const { vendor, problems } = readVendorFile(file, basesOf(catalogue), strict ?? false)
  if (vendor) lintVendor(vendor, problems)
  return problems.list()
}

function nearby(path: string): string {
  try {
    const names = readdirSync(resolve(path, '..')).filter(name => /\.ya?ml$/.test(name))
    return names.length > 0 ? suggestion(basename(path), names) : 'Check the path.'
  } catch {
    return 'Check the path.'
  }
}

const stat = (path: string) => statSync(path, { throwIfNoEntry: false })
function isFolder(path: string): boolean {
  try {
    return stat(path)?.isDirectory() ?? false
  } catch {
    return false
  }
}
function exists(path: string): boolean {
  try {
    return stat(path) !== undefined
  } catch {
    // What may not be looked at, or has an impossible name, is reported by the check of the file.
    return true
  }
}
