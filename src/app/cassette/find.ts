// Which cassettes belong to what is named: a cassette file, a pipeline file, a vendor file, the name of a vendor, or a folder of them.
import { existsSync, readdirSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { isCassetteFile, readCassette } from '../../config/cassette/load.ts'
import { WeirError } from '../../core/errors.ts'
import { codeFolder } from '../../core/shipped.ts'
import { suggestion } from '../../core/suggest.ts'
import { vendorFileOf } from './subject.ts'

const shipped = join(codeFolder, 'sources/vendors')
const maxFolderDepth = 8
const maxCassettes = 2000

/** The files, absolute, in the order of their names. @throws usage.not_found */
export function findCassettes(targets: readonly string[], cwd: string): readonly string[] {
  if (targets.length === 0) return some(cassettesIn(cwd), 'this folder')
  return [...new Set(targets.flatMap(target => cassettesOf(target, cwd)))]
}

function cassettesOf(target: string, cwd: string): readonly string[] {
  const path = resolve(cwd, target)
  const found = statSync(path, { throwIfNoEntry: false })
  if (found?.isDirectory()) return some(cassettesIn(path), target)
  if (found) {
    if (isCassetteFile(path)) return [path]
    const beside = cassettesIn(join(dirname(path), 'cassettes')).filter(file => testedBy(file) === path)
    return some(beside, target)
  }
  const folder = join(shipped, 'cassettes', target)
  if (/^[a-z][a-z0-9_]*$/.test(target) && existsSync(join(shipped, `${target}.yaml`)))
    return some(cassettesIn(folder), target)
  const vendors = readdirSync(shipped).flatMap(name => /^(.+)\.yaml$/.exec(name)?.[1] ?? [])
  throw new WeirError('usage.not_found', `There is no ${target}.`, {
    hint: `Name a cassette, a pipeline or vendor file, a folder, or a vendor. ${suggestion(target, vendors)}`,
  })
}

/** The pipeline or vendor file that a cassette tests; undefined for a broken one and for one of a vendor of weir. */
function testedBy(file: string): string | undefined {
  const { cassette } = readCassette(file)
  if (cassette?.pipeline !== undefined) return resolve(dirname(file), cassette.pipeline)
  return cassette?.vendor === undefined ? undefined : vendorFileOf(file, cassette.vendor)
}

function cassettesIn(folder: string, depth = 0): readonly string[] {
  if (!existsSync(folder)) return []
  const found: string[] = []
  for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) {
      if (depth < maxFolderDepth && !entry.name.startsWith('.') && entry.name !== 'node_modules')
        found.push(...cassettesIn(path, depth + 1))
    } else if (entry.isFile() && /\.ya?ml$/.test(entry.name) && isCassetteFile(path)) found.push(path)
    if (found.length > maxCassettes)
      throw new WeirError('usage.refused', `More than ${maxCassettes} cassettes.`, {
        hint: 'Name a folder further down.',
      })
  }
  return found
}

function some(files: readonly string[], target: string): readonly string[] {
  if (files.length > 0) return files
  throw new WeirError('usage.not_found', `No cassette belongs to ${relative('.', target) || target}.`, {
    hint: 'Cassettes of a file stand in `cassettes/` beside it and name it by `pipeline:` or `vendor:`; `weir record` writes one.',
  })
}
