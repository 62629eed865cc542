// `weir lint` and the lint of `weir doctor`: config/ with the connectors of this weir.
import { lintFormats } from '../config/format.ts'
import { type LintFilesResult, lintWorkspace, type RunLintOptions, runLint } from '../config/lint-files.ts'
import { weirErrorOf } from '../core/errors.ts'
import { loadCatalogue } from './catalogue.ts'

export { lintFormats }

/** The files behind the paths, what is wrong in them, and the text to print. @throws usage.not_found */
export async function lintPaths(
  paths: readonly string[],
  options: Omit<RunLintOptions, 'catalogue'>,
): Promise<LintFilesResult & { readonly text: string }> {
  return runLint(paths, { ...options, catalogue: await loadCatalogue() })
}

/** Counts for a folder that need not hold any pipeline. Variables that are not set are warnings: secrets need not be where one looks. */
export async function lintFolder(options: {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly paths: readonly string[]
}): Promise<{ readonly files: number; readonly errors: number; readonly warnings: number }> {
  try {
    const { cwd, env, paths } = options
    const { files, problems } = lintWorkspace(paths, {
      cwd,
      env,
      catalogue: await loadCatalogue(),
      unsetVariables: 'warning',
    })
    const errors = problems.filter(p => p.severity === 'error').length
    return { files: files.length, errors, warnings: problems.length - errors }
  } catch (error) {
    if (weirErrorOf(error)?.code === 'usage.not_found') return { files: 0, errors: 0, warnings: 0 }
    throw error
  }
}
