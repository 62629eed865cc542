// Pipeline files as checked definitions, with the connectors of this weir.
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { PipelineDefinition } from '../config/definition.ts'
import { loadPipeline } from '../config/lint.ts'
import { findDefinitions } from '../config/lint-files.ts'
import type { LocatedProblem } from '../config/problem.ts'
import { readText } from '../config/text.ts'
import { weirErrorOf } from '../core/errors.ts'
import { loadCatalogue } from './catalogue.ts'

type Env = Readonly<Record<string, string | undefined>>

/** The definition of a pipeline file. @throws DefinitionError (config.*) with every problem in it */
export async function loadDefinition(
  file: string,
  env: Env,
  warn?: (problem: LocatedProblem) => void,
): Promise<PipelineDefinition> {
  return loadPipeline(resolve(file), { catalogue: await loadCatalogue(), env, ...(warn ? { warn } : {}) })
}

/** The file that defines the pipeline of that name, looked for in `pipelines/` of the folder, else in the folder; null when there is none. */
export function findDefinitionFile(pipeline: string, cwd: string): string | null {
  const folder = join(cwd, 'pipelines')
  try {
    return findDefinitions([existsSync(folder) ? folder : cwd], cwd).find(file => nameIn(file) === pipeline) ?? null
  } catch (error) {
    if (weirErrorOf(error)?.code.startsWith('usage.')) return null
    throw error
  }
}

/** The pipeline's name as it is written, without checking the rest of the file. */
function nameIn(file: string): string | undefined {
  const read = readText(file)
  return 'text' in read ? /^pipeline:\s*["']?([^\s"'#]+)/m.exec(read.text ?? '')?.[1] : undefined
}
