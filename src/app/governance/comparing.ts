// `weir schema diff A B`: two schemas, wherever they are.
import { existsSync } from 'node:fs'
import { basename, normalize, resolve } from 'node:path'
import { WeirError } from '../../core/errors.ts'
import { parseNamedSchema } from '../../governance/named-schema.ts'
import { reportOf } from '../../governance/report/words.ts'
import type { Report } from '../../governance/review.ts'
import type { HistoricalSchema } from '../../governance/review-schema.ts'
import type { SchemaRegistry } from '../../pipeline/ports.ts'
import { textOf } from './base.ts'
import { type CheckRequest, levelFor, openBench, reviewOne, shownPath } from './checking.ts'
import { openGit } from './git.ts'
import { versionAt } from './versions.ts'

export interface DiffRequest extends Pick<CheckRequest, 'cwd' | 'env' | 'level' | 'strict' | 'today' | 'warn'> {
  /** A file, `REF:path`, or `subject@version`. */
  readonly before: string
  readonly after: string
  /** Opened when a version of a registry is named. */
  readonly registry: () => Promise<SchemaRegistry>
}

interface Named extends HistoricalSchema {
  readonly subject: string | null
  /** Absolute, for what is a file of the work tree. */
  readonly file: string | null
}

/** The second schema as the candidate, the first as its base. @throws usage.*, registry.*, schema.invalid, config.* */
export async function compareSchemas(request: DiffRequest): Promise<Report> {
  const { cwd } = request
  const [before, after] = [await schemaAt(request.before, request), await schemaAt(request.after, request)]
  const bench = await openBench(request)
  const known = bench.workspace.candidates.find(({ file }) => file === after.file || file === before.file)
  const subject = after.subject ?? before.subject ?? known?.subject ?? basename(request.after).replace(/\.avsc$/, '')
  const file = after.file === null ? null : shownPath(after.file, cwd)
  const review = reviewOne(bench, {
    subject,
    file,
    schema: after.schema,
    history: [before],
    ...levelFor(bench.rules(subject), request.level),
    strict: request.strict,
    today: request.today,
  })
  return reportOf([review], [])
}

async function schemaAt(written: string, { cwd, env, registry }: DiffRequest): Promise<Named> {
  const file = resolve(cwd, written)
  if (existsSync(file)) {
    const from = shownPath(file, cwd)
    return { version: 1, id: null, from, subject: null, file, schema: parseAt(textOf(file), from) }
  }
  const [, subject, version] = /^(.+)@(\d{1,10}|latest)$/.exec(written) ?? []
  if (subject !== undefined) {
    const found = await versionAt(await registry(), subject, version === 'latest' ? 'latest' : Number(version))
    return { ...found, from: `${subject}@${found.version}`, subject, file: null }
  }
  const [, ref, path] = /^([^:]+):(.+)$/.exec(written) ?? []
  if (ref !== undefined) return inGit(ref, path!, written, cwd, env)
  throw new WeirError('usage.not_found', `There is no schema ${written}.`, {
    hint: 'Name a file, a file at a commit (origin/main:schemas/raw-review.avsc), or a version of a registry (raw_reviews-value@3).',
  })
}

async function inGit(ref: string, path: string, written: string, cwd: string, env: DiffRequest['env']): Promise<Named> {
  const git = await openGit(cwd, env)
  const commit = git && (await git.commit(ref))
  // git itself counts paths from the root of the repository; people are in a folder of it.
  const text =
    commit &&
    ((await git.fileAt(commit, git.pathOf(resolve(cwd, path)))) ?? (await git.fileAt(commit, normalize(path))))
  if (typeof text === 'string')
    return { version: 1, id: null, from: written, subject: null, file: null, schema: parseAt(text, written) }
  throw new WeirError('usage.not_found', `git has no ${written}.`, {
    hint: 'Write a commit and the path of the file in it, such as origin/main:schemas/raw-review.avsc; fetch the branch first.',
  })
}

function parseAt(text: string, from: string) {
  try {
    return parseNamedSchema(text)
  } catch (error) {
    if (!(error instanceof WeirError)) throw error
    throw new WeirError(error.code, error.message, {
      at: `${from}${error.at ? ` ${error.at}` : ''}`,
      ...(error.hint ? { hint: error.hint } : {}),
    })
  }
}
