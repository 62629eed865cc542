// `weir lint` and the lint of `weir doctor`: config/ with the connectors of this weir.

import type { PipelineDefinition } from '../config/definition.ts'
import { formatProblems, lintFormats } from '../config/format.ts'
import { type LintFilesResult, lintWorkspace, type RunLintOptions, runLint } from '../config/lint-files.ts'
import type { LocatedProblem } from '../config/problem.ts'
import { weirErrorOf } from '../core/errors.ts'
import { loadCatalogue } from './catalogue.ts'
import { brokerHere, type Explanation, explainPipeline } from './guarantee.ts'

export { lintFormats }

/**
 * The files behind the paths, what is wrong in them, and the text to print. `further`: more that can be wrong with the pipelines that can run.
 * @throws usage.not_found, and what `further` throws
 */
export async function lintPaths(
  paths: readonly string[],
  options: Omit<RunLintOptions, 'catalogue'>,
  further?: (definitions: readonly PipelineDefinition[]) => Promise<readonly LocatedProblem[]>,
): Promise<LintFilesResult & { readonly text: string }> {
  const result = runLint(paths, { ...options, catalogue: await loadCatalogue() })
  const more = (await further?.(result.definitions)) ?? []
  if (more.length === 0) return result
  const problems = [...result.problems, ...more]
  const { format = 'pretty', colour = false, cwd } = options
  return { ...result, problems, text: formatProblems(problems, { format, colour, cwd, files: result.files.length }) }
}

/** What the pipelines that can run guarantee, on the broker that a run from `cwd` would use. */
export async function explainPipelines(
  definitions: readonly PipelineDefinition[],
  { cwd, env }: { readonly cwd: string; readonly env: Readonly<Record<string, string | undefined>> },
): Promise<readonly Explanation[]> {
  const catalogue = await loadCatalogue()
  const broker = brokerHere(cwd, env)
  return definitions.map(definition => explainPipeline(definition, broker, catalogue, cwd))
}

export interface FolderLint {
  readonly files: number
  readonly errors: number
  readonly warnings: number
  /** Those that can run. */
  readonly definitions: readonly PipelineDefinition[]
}

/** Counts for a folder that need not hold any pipeline. Variables that are not set are warnings: secrets need not be where one looks. */
export async function lintFolder(options: {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly paths: readonly string[]
}): Promise<FolderLint> {
  try {
    const { cwd, env, paths } = options
    const { files, problems, definitions } = lintWorkspace(paths, {
      cwd,
      env,
      catalogue: await loadCatalogue(),
      unsetVariables: 'warning',
    })
    const errors = problems.filter(p => p.severity === 'error').length
    return { files: files.length, errors, warnings: problems.length - errors, definitions }
  } catch (error) {
    if (weirErrorOf(error)?.code === 'usage.not_found') return { files: 0, errors: 0, warnings: 0, definitions: [] }
    throw error
  }
}
