// Global set-up of the vitest projects that run weir as processes: builds the package that is published, so that tests run what users run, and
// start it as fast as they do. Gone with the run.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { buildPackageInto } from './build-package.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** The folder of the built package. */
    weirPackage: string
  }
}

export default function buildPackage(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'weir-package-'))
  buildPackageInto(folder)
  project.provide('weirPackage', folder)
  return () => rmSync(folder, { recursive: true, force: true })
}
