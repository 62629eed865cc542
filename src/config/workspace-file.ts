// Where weir.yaml is looked for, and what holds without one. Small: who needs no more than this loads no parser.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

export const workspaceFileName = 'weir.yaml'
/** Folder of the embedded store where nothing else is said. */
export const defaultDataDir = '.weir'

/** The nearest weir.yaml from a folder upwards; null when there is none up to the root of the disk or of the repository. */
export function findWorkspaceFile(folder: string): string | null {
  for (let at = folder; ; at = dirname(at)) {
    const file = join(at, workspaceFileName)
    if (existsSync(file)) return file
    if (existsSync(join(at, '.git')) || dirname(at) === at) return null
  }
}
