// What a candidate is held against without a registry: the same file at another commit, or files of a history.
import { readdirSync, statSync } from 'node:fs'
import { basename, join, relative, resolve } from 'node:path'
import { readText } from '../../config/text.ts'
import { WeirError } from '../../core/errors.ts'
import { parseNamedSchema } from '../../governance/named-schema.ts'
import type { HistoricalSchema } from '../../governance/review-schema.ts'
import type { Git } from './git.ts'

type Env = Readonly<Record<string, string | undefined>>

/** A commit to compare with, and how it is called. */
export interface BaseCommit {
  readonly commit: string
  readonly name: string
}

/**
 * Where the work tree began to differ from a branch: what a reviewer of the change sees as its base. Without a name, the branch that a merge
 * request of GitHub or GitLab goes into, else the main branch of the remote, else of this repository. null: there is no commit yet.
 * @throws usage.not_found for a name that stands for nothing, usage.invalid
 */
export async function baseCommit(git: Git, ref: string | null, env: Env): Promise<BaseCommit | null> {
  const head = await git.commit('HEAD')
  if (head === null) return null
  // A branch that CI names must be there: compared with anything else, a change could look like none.
  const named = ref ?? targetOf(env)
  if (named !== null) {
    const commit = await git.commit(named)
    if (commit !== null) return from(git, head, named, commit)
    throw new WeirError('usage.not_found', `git knows no ${named}.`, {
      hint: 'Fetch it first, such as `git fetch origin main`; CI mostly clones without history: `fetch-depth: 0`.',
    })
  }
  for (const name of mainBranches) {
    const commit = await git.commit(name)
    if (commit !== null) return from(git, head, name, commit)
  }
  return { commit: head, name: 'HEAD' }
}

const mainBranches = ['origin/HEAD', 'origin/main', 'origin/master', 'main', 'master']

/** What a merge request of GitHub or GitLab goes into; null outside of one. */
function targetOf(env: Env): string | null {
  const { GITHUB_BASE_REF: branch, CI_MERGE_REQUEST_DIFF_BASE_SHA: sha } = env
  return branch ? `origin/${branch}` : sha || null
}

async function from(git: Git, head: string, name: string, commit: string): Promise<BaseCommit> {
  const base = await git.mergeBase(commit, head)
  if (base === null || base === commit) return { commit, name }
  return { commit: base, name: `${name} (merge base ${base.slice(0, 10)})` }
}

/** What a file of the work tree was at a commit, and where it was then; null when it was not there. @throws usage.refused */
export async function earlierText(
  git: Git,
  commit: string,
  file: string,
): Promise<{ readonly path: string; readonly text: string } | null> {
  const own = git.pathOf(file)
  const kept = await git.fileAt(commit, own)
  if (kept !== null) return { path: own, text: kept }
  const path = await git.oldPath(commit, own)
  const text = path === own ? null : await git.fileAt(commit, path)
  return text === null ? null : { path, text }
}

/** The file at the commit as version 1; nothing when it was not there. @throws schema.invalid, usage.refused */
export async function historyInGit(git: Git, base: BaseCommit, file: string): Promise<readonly HistoricalSchema[]> {
  const then = await earlierText(git, base.commit, file)
  if (then === null) return []
  const from = `${base.name}:${then.path}`
  return [{ version: 1, id: null, from, schema: parseOld(then.text, from) }]
}

/** The largest schema file. */
const maxSchemaBytes = 1024 * 1024

/**
 * Versions from files, oldest first: by the last number in a name (`reviews.3.avsc`, `v12.avsc`), else by name. A folder stands for the .avsc
 * files in it, or in its folder that is named like the subject.
 * @throws usage.not_found, schema.invalid
 */
export function historyInFiles(paths: readonly string[], subject: string, cwd: string): readonly HistoricalSchema[] {
  const files = paths.flatMap(path => filesOf(resolve(cwd, path), subject, path))
  const numbered = files.map(file => ({ file, number: numberIn(file) }))
  const numbers = new Set(numbered.map(({ number }) => number))
  const byNumber = numbers.size === files.length && !numbers.has(null)
  const sorted = numbered.toSorted((a, b) =>
    byNumber ? a.number! - b.number! : basename(a.file).localeCompare(basename(b.file), 'en', { numeric: true }),
  )
  return sorted.map(({ file, number }, i) => {
    const from = relative(cwd, file) || file
    return { version: byNumber ? number! : i + 1, id: null, from, schema: parseOld(textOf(file), from) }
  })
}

function filesOf(path: string, subject: string, written: string): readonly string[] {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (!stat)
    throw new WeirError('usage.not_found', `There is no ${written}.`, {
      hint: 'Name .avsc files, or a folder of them.',
    })
  if (!stat.isDirectory()) return [path]
  const own = join(path, subject)
  const folder = /^[\w.-]+$/.test(subject) && statSync(own, { throwIfNoEntry: false })?.isDirectory() ? own : path
  return readdirSync(folder)
    .filter(name => name.endsWith('.avsc'))
    .map(name => join(folder, name))
}

/** The last number in the name of a file; null without one, and for one that is no version. */
function numberIn(file: string): number | null {
  const digits = /(\d{1,9})\D*$/.exec(basename(file, '.avsc'))?.[1]
  return digits === undefined || Number(digits) === 0 ? null : Number(digits)
}

/** @throws usage.not_found for a file that cannot be read */
export function textOf(file: string): string {
  const read = readText(file, maxSchemaBytes)
  if ('text' in read) return read.text
  throw new WeirError('usage.not_found', `The schema file ${basename(file)} cannot be used. ${read.failure.message}`, {
    at: file,
    hint: read.failure.hint,
  })
}

function parseOld(text: string, from: string) {
  try {
    return parseNamedSchema(text)
  } catch (error) {
    if (!(error instanceof WeirError)) throw error
    throw new WeirError(error.code, `The earlier version is not usable: ${error.message}`, {
      at: `${from}${error.at ? ` ${error.at}` : ''}`,
      hint: 'Compare with a version that is valid: --against another commit.',
    })
  }
}
