// The lock file is whole, so that `npm ci` of a fresh clone works: npm refuses a lock that leaves out an optional
// platform package, which a registry without that package's version makes it do without a word.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, it } from 'vitest'

interface Locked {
  readonly version?: string
  readonly integrity?: string
  readonly resolved?: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

const root = resolve(import.meta.dirname, '../..')
const lock = JSON.parse(readFileSync(resolve(root, 'package-lock.json'), 'utf8')) as {
  packages: Record<string, Locked>
}
const { '': project, ...packages } = lock.packages

it('holds each dependency of each package, the optional ones of other platforms too', () => {
  const missing = Object.entries(packages).flatMap(([where, one]) =>
    Object.keys({ ...one.dependencies, ...one.optionalDependencies })
      .filter(name => !resolvable(where, name))
      .map(name => `${where} needs ${name}`),
  )
  expect(missing).toEqual([])
})

it('has an exact version and an integrity for each package, and names no registry', () => {
  expect(project).toBeDefined()
  const odd = Object.entries(packages).filter(([, one]) => !one.version || !one.integrity || one.resolved !== undefined)
  expect(odd.map(([where]) => where)).toEqual([])
})

/** npm's own search: the package's folder of modules, then that of each folder above. */
function resolvable(where: string, name: string): boolean {
  for (let folder = where; ; folder = folder.replace(/\/?node_modules\/(@[^/]+\/)?[^/]+$/, '')) {
    if (packages[`${folder ? `${folder}/` : ''}node_modules/${name}`]) return true
    if (folder === '') return false
  }
}
