// What a git repository held at another commit. Only reads, never calls the network, and hands git no text that it could take for an option.
import { execFile } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path'
import { WeirError } from '../../core/errors.ts'
import { escapeActing } from '../../core/printable.ts'

type Env = Readonly<Record<string, string | undefined>>

export interface Git {
  /** The commit that a name stands for; null when it stands for none. */
  commit(ref: string): Promise<string | null>
  /** Where two commits began to differ; null when that is not known, as in a shallow clone. */
  mergeBase(a: string, b: string): Promise<string | null>
  /** How git calls a file, by its absolute path: from the root, with `/`, and without links on the way. */
  pathOf(file: string): string
  /** The text of a file at a commit; null when it was not there. @throws usage.refused when it was, and git has not got it */
  fileAt(commit: string, path: string): Promise<string | null>
  /** The path that a file had at a commit, when it was moved since; else its own. @throws usage.refused when git cannot tell */
  oldPath(commit: string, path: string): Promise<string>
}

const timeoutMs = 30_000
const maxOutputBytes = 16 * 1024 * 1024

/** The repository of a folder; null when the folder is in none. @throws usage.refused when git is not there, or does not read it */
export async function openGit(folder: string, env: Env): Promise<Git | null> {
  const { out: top, failure } = await tried(folder, env, ['rev-parse', '--show-toplevel'])
  if (top === null) {
    // What is not compared must not look as if nothing had changed.
    if (!isInRepository(folder)) return null
    throw new WeirError('usage.refused', `git does not read this repository: ${failure || 'it is not installed'}`, {
      hint: 'Mend that, or name earlier versions in files: --history DIR.',
    })
  }
  const root = top.replace(/\n$/, '')
  const git = (...args: string[]) => run(root, env, args)
  const moves = new Map<string, Promise<ReadonlyMap<string, string>>>()
  return {
    commit: async ref => {
      checkRef(ref)
      return trimmed(await git('rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`))
    },
    mergeBase: async (a, b) => trimmed(await git('merge-base', a, b)),
    pathOf: file => relative(root, unlinked(file)).split(sep).join('/'),
    fileAt: async (commit, path) => {
      const text = await git('cat-file', 'blob', `${commit}:${path}`)
      if (text === null && !path.startsWith('../') && !isAbsolute(path)) await requireAbsent(commit, path)
      return text
    },
    oldPath: async (commit, path) => {
      const known = moves.get(commit) ?? movesSince(commit)
      moves.set(commit, known)
      return (await known).get(path) ?? path
    },
  }

  /** A clone may lack blobs (`--filter`): then what a file was is not known, and that it was not there would be a guess. */
  async function requireAbsent(commit: string, path: string): Promise<void> {
    const listed = await git('ls-tree', '-z', commit, '--', path)
    if (listed !== null && !/^\d+ blob /.test(listed)) return
    throw incomplete(`git has not got ${path} as it was at ${commit.slice(0, 10)}.`)
  }

  /** New path to old one, of what git sees as moved between the commit and the work tree. */
  async function movesSince(commit: string): Promise<ReadonlyMap<string, string>> {
    const out = await git(
      'diff',
      '--name-status',
      '--find-renames=40%',
      '--diff-filter=R',
      '--no-ext-diff',
      '-z',
      commit,
    )
    if (out === null) throw incomplete(`git cannot tell which files were moved since ${commit.slice(0, 10)}.`)
    const parts = out.split('\0')
    const found = new Map<string, string>()
    for (let i = 0; i + 2 < parts.length; i += 3) found.set(parts[i + 2]!, parts[i + 1]!)
    return found
  }
}

/** Git counts paths without links, and knows nothing behind one. */
function unlinked(file: string): string {
  for (let at = dirname(file), rest = basename(file); ; rest = join(basename(at), rest), at = dirname(at)) {
    if (existsSync(at)) return join(realpathSync(at), rest)
    if (dirname(at) === at) return file
  }
}

const incomplete = (message: string) =>
  new WeirError('usage.refused', message, {
    hint: 'Clone with all files (without --filter), or fetch them: git fetch --refetch --no-filter.',
  })

const trimmed = (text: string | null) => (text === null || text.trim() === '' ? null : text.trim())

/** @throws usage.invalid */
function checkRef(ref: string): void {
  if (ref !== '' && !ref.startsWith('-') && ref.length <= 500 && !/[\u0000-\u0020\u007f]/.test(ref)) return
  throw new WeirError('usage.invalid', 'This is no name of a commit.', {
    hint: 'Name a branch, a tag or a commit, such as origin/main.',
  })
}

function isInRepository(folder: string): boolean {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, '.git'))) return true
    if (dirname(at) === at) return false
  }
}

/** What git prints; null when it fails. @throws usage.refused when it does not end or prints too much */
async function run(cwd: string, env: Env, args: readonly string[]): Promise<string | null> {
  return (await tried(cwd, env, args)).out
}

interface Tried {
  readonly out: string | null
  /** What it says about why; empty when it could not be started. */
  readonly failure: string
}

function tried(cwd: string, env: Env, args: readonly string[]): Promise<Tried> {
  const quiet = ['-c', 'core.fsmonitor=false', '-c', 'core.quotePath=false']
  const own = { ...env, LC_ALL: 'C', GIT_TERMINAL_PROMPT: '0', GIT_NO_LAZY_FETCH: '1', GIT_OPTIONAL_LOCKS: '0' }
  const options = { cwd, env: own, timeout: timeoutMs, maxBuffer: maxOutputBytes }
  return new Promise((resolve, reject) => {
    execFile('git', [...quiet, ...args], options, (error, stdout, stderr) => {
      if (!error) resolve({ out: stdout, failure: '' })
      else if (error.killed || error.code === ('ERR_CHILD_PROCESS_STDIO_MAXBUFFER' as never))
        reject(new WeirError('usage.refused', `git ${args[0]} took too long or printed too much.`, { cause: error }))
      else resolve({ out: null, failure: escapeActing(stderr.trim().split('\n')[0]!.slice(0, 500)) })
    })
  })
}
