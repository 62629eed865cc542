// The package that is published, built into a folder.
import { execFileSync } from 'node:child_process'
import { cpSync } from 'node:fs'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../..')

/** @throws when the build fails */
export function buildPackageInto(folder: string): void {
  execFileSync(process.execPath, [join(root, '.ci/build.ts'), '--out', join(folder, 'dist')], { stdio: 'pipe' })
  for (const each of ['package.json', 'schemas', 'pipelines'])
    cpSync(join(root, each), join(folder, each), { recursive: true })
}
