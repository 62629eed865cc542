// `weir lint`: many files at once. Finds them, checks each, then what they must keep among themselves.
import { readdirSync, statSync } from 'node:fs'
import { basename, join, relative, resolve } from 'node:path'
import { WeirError } from '../core/errors.ts'
import { suggestion } from '../core/suggest.ts'
import { checkConflicts } from './conflicts.ts'
import { formatProblems, type LintFormat } from './format.ts'
import { examine, type LintOptions } from './lint.ts'
import type { LocatedProblem } from './problem.ts'
import { readText } from './text.ts'
import { lintWorkspaceFile, workspaceFileName } from './workspace.ts'

/** More files than this in one call are a mistake in the path. */
const maxFiles = 2000
const maxFolderDepth = 8

export interface LintFilesResult {
  readonly problems: readonly LocatedProblem[]
  /** The files that were checked, absolute. */
  readonly files: readonly string[]
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
  const files = findDefinitions(paths, options.cwd)
  const workspaces = files.filter(file => basename(file) === workspaceFileName)
  const pipelines = files.filter(file => basename(file) !== workspaceFileName).map(file => examine(file, options))
  checkConflicts(pipelines)
  const problems = [
    ...workspaces.flatMap(file => lintWorkspaceFile(file, options.env, options.strict)),
    ...pipelines.flatMap(pipeline => pipeline.problems.list()),
  ]
  return { problems, files }
}

/** What `weir lint` does: the files, what is wrong in them, and the text to print. @throws usage.not_found */
export function runLint(
  paths: readonly string[],
  options: RunLintOptions,
): LintFilesResult & { readonly text: string } {
  const { problems, files } = lintWorkspace(paths.length > 0 ? paths : defaultPaths(options.cwd), options)
  const { format = 'pretty', colour = false, cwd } = options
  return { problems, files, text: formatProblems(problems, { format, colour, cwd, files: files.length }) }
}

function defaultPaths(cwd: string): readonly string[] {
  const folder = join(cwd, 'pipelines')
  return isFolder(folder)
    ? [folder, ...(isFile(join(cwd, workspaceFileName)) ? [join(cwd, workspaceFileName)] : [])]
    : [cwd]
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
  if (basename(file) === workspaceFileName) return true
  const read = readText(file)
  const text = 'text' in read ? read.text : read.failure.text
  if (text !== undefined) return /^["']?(pipeline|source|topic|consume|dead_letter)["']?\s*:/m.test(text)
  return 'failure' in read && read.failure.code === 'config.unreadable' && !read.failure.missing
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
function isFile(path: string): boolean {
  try {
    return stat(path)?.isFile() ?? false
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
