// Global set-up of the vitest projects that run weir as processes: builds the package that is published, so that tests run what users run, and
// start it as fast as they do. Gone with the run.
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  export interface ProvidedContext {
    /** The folder of the built package. */
    weirPackage: string
  }
}

const root = resolve(import.meta.dirname, '../..')

export default function buildPackage(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'weir-package-'))
  execFileSync(process.execPath, [join(root, '.ci/build.ts'), '--out', join(folder, 'dist')], { stdio: 'pipe' })
  for (const each of ['package.json', 'schemas', 'pipelines'])
    cpSync(join(root, each), join(folder, each), { recursive: true })
  project.provide('weirPackage', folder)
  return () => rmSync(folder, { recursive: true, force: true })
}
