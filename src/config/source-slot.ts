// The `source` of a pipeline: a connector in code, a vendor that comes with weir, or a vendor file of the user's own (`./my-vendor.yaml`).
// A vendor is a connector with fields already filled in; after this file nobody knows the difference but by its name.
import { realpathSync } from 'node:fs'
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path'
import { isObject } from '../core/json-text.ts'
import { fetchSpec } from '../fetch/settings.ts'
import type { SourceConnector } from '../sources/source.ts'
import { type Catalogue, codeSource, ownEntry } from './catalogue.ts'
import { Problems, segment } from './problem.ts'
import { type Reading, resolveValue } from './resolve.ts'
import { shapeOf } from './shape.ts'
import { type Chosen, readSlot } from './slot.ts'
import { readText } from './text.ts'
import { type Bases, readVendor } from './vendor/load.ts'
import { applyVendor } from './vendor/use.ts'
import { isVendor, type Vendor } from './vendor/vendor.ts'

export interface ChosenSource extends Chosen<SourceConnector> {
  /** The name of the vendor or the path of its file, as written; null without one. */
  readonly vendor: string | null
  /** The vendor's mapping; null: the connector's own. */
  readonly map: Readonly<Record<string, string>> | null
  /** The vendor's `fetch`, as written. */
  readonly fetch: Readonly<Record<string, unknown>>
}

const beside = ['every', 'cron', 'concurrency', 'provenance', 'keep_raw']
const pointer = '/source'
const isPath = (key: string) => /^\.{0,2}\//.test(key) || /\.ya?ml$/i.test(key)

/** The connector behind `source`, its config checked. `fetch` is that of the pipeline as written. */
export function readSource(
  value: Readonly<Record<string, unknown>>,
  fetch: unknown,
  catalogue: Catalogue,
  strict: boolean,
  reading: Reading,
): ChosenSource | undefined {
  const own = new Map<string, OwnVendor>()
  for (const key of Object.keys(value)) {
    if (!isPath(key)) continue
    const found = readOwnVendor(key, catalogue, strict, reading)
    if (!found) return undefined
    own.set(key, found)
  }
  const chosen = readSlot<SourceConnector | Vendor>(
    value,
    {
      names: Object.keys(catalogue.sources),
      get: name => own.get(name)?.vendor ?? ownEntry(catalogue.sources, name),
    },
    'connector',
    beside,
    pointer,
    reading,
  )
  if (!chosen) return undefined
  const { connector } = chosen
  if (!isVendor(connector)) return { ...chosen, connector, vendor: null, map: null, fetch: {} }
  return useVendor({ ...chosen, connector }, value[chosen.name], fetch, own.get(chosen.name)?.problems, strict, reading)
}

function useVendor(
  chosen: Chosen<Vendor>,
  written: unknown,
  fetch: unknown,
  known: Problems | undefined,
  strict: boolean,
  reading: Reading,
): ChosenSource | undefined {
  const { connector: vendor, name } = chosen
  if (vendor.status === 'retired')
    reading.problems.add({
      code: 'config.warning',
      message: `\`${name}\` is retired. ${vendor.notes['status'] ?? ''}`.trim(),
      pointer: chosen.pointer,
      on: 'key',
      hint: 'Use it for recorded data; `weir connectors` lists the others.',
    })
  if (!chosen.usable && reading.problems.failedUnder(chosen.pointer)) return undefined
  const vendorProblems = known ?? problemsOf(vendor, strict)
  if (!known) reading.problems.attach(vendorProblems)
  const resolved = isObject(fetch) ? resolveValue(fetch, shapeOf(fetchSpec), '/fetch', reading) : {}
  const used = applyVendor(vendor, {
    written: isObject(written) ? written : {},
    pointer: chosen.pointer,
    reading,
    fetch: isObject(resolved) ? resolved : {},
    vendorProblems,
  })
  if (!used) return undefined
  const { base, config, map, usable } = used
  return {
    name: base.name,
    connector: base,
    config,
    pointer: chosen.pointer,
    usable,
    vendor: name,
    map,
    fetch: merged(used.fetch, isObject(resolved) ? resolved : {}),
  }
}

/** Field by field: what the pipeline says wins. */
function merged(under: Readonly<Record<string, unknown>>, over: Readonly<Record<string, unknown>>) {
  const result: Record<string, unknown> = { ...under }
  for (const [key, value] of Object.entries(over)) {
    const below = result[key]
    result[key] = isObject(below) && isObject(value) ? merged(below, value) : value
  }
  return result
}

/** A list for problems in a vendor file that was read before. */
export function problemsOf({ origin }: Vendor, strict: boolean): Problems {
  const problems = new Problems(origin.file, origin.text, strict)
  for (const [at, place] of origin.places) problems.places.set(at, place)
  return problems
}

/** The connectors in code, which a vendor may be built on. */
export function basesOf({ sources }: Catalogue): Bases {
  return { find: name => codeSource(sources, name), names: Object.keys(sources) }
}

interface OwnVendor {
  readonly vendor: Vendor
  readonly problems: Problems
}

/** A vendor file of the user's own, which lies under the folder of the definition. */
function readOwnVendor(key: string, catalogue: Catalogue, strict: boolean, reading: Reading): OwnVendor | undefined {
  const { baseDir } = reading.variables
  const refuse = (message: string, hint: string): undefined => {
    reading.problems.add({ code: 'config.invalid', message, pointer: pointer + segment(key), on: 'key', hint })
  }
  if (!key.startsWith('./') || key.split('/').includes('..'))
    return refuse(
      `\`${key}\` is not below this file.`,
      'Write the path of a vendor file from here, beginning with ./ and without `..`.',
    )
  const file = resolve(baseDir, key)
  const read = readText(file)
  if ('failure' in read && read.failure.text === undefined)
    return refuse(
      `The vendor file ${key} cannot be used. ${read.failure.message}`,
      read.failure.missing ? 'The path is relative to this file; `weir connectors new` writes one.' : read.failure.hint,
    )
  if (leavesFolder(file, baseDir))
    return refuse(`\`${key}\` is a symlink out of this folder.`, 'Put the vendor file below this file.')
  const { vendor, problems } = readVendorFile(file, basesOf(catalogue), strict)
  reading.problems.attach(problems)
  return vendor && { vendor, problems }
}

/** A vendor file and what is wrong in it. */
export function readVendorFile(
  file: string,
  bases: Bases,
  strict: boolean,
): { readonly vendor: Vendor | undefined; readonly problems: Problems } {
  const read = readText(file)
  if ('failure' in read) {
    const { code, message, hint, text, offset = 0 } = read.failure
    const problems = new Problems(file, text ?? null, strict)
    problems.add({ code, message, hint, pointer: '', span: { start: offset, end: offset + 1 } })
    return { vendor: undefined, problems }
  }
  const problems = new Problems(file, read.text, strict)
  return { vendor: readVendor(read.text, bases, problems), problems }
}

function leavesFolder(file: string, baseDir: string): boolean {
  try {
    const inside = relative(realpathSync(baseDir), realpathSync(dirname(file)) + sep)
    const target = relative(realpathSync(baseDir), realpathSync(file))
    return [inside, target].some(each => each === '..' || each.startsWith(`..${sep}`) || isAbsolute(each))
  } catch {
    return false
  }
}
