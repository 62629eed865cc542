// A vendor file on its own: `weir lint my-vendor.yaml`. Each example is put in, and each mode once with values that fit.
import { dirname } from 'node:path'
import { isObject } from '../../core/json-text.ts'
import type { Problems } from '../problem.ts'
import { readPart } from '../read.ts'
import type { Reading } from '../resolve.ts'
import { readingOf } from './load.ts'
import { modeParameter, sampleOf } from './parameters.ts'
import { applyVendor, type UsedVendor } from './use.ts'
import type { Vendor } from './vendor.ts'

/** Adds what is wrong with the vendor once its parameters are filled in. */
export function lintVendor(vendor: Vendor, problems: Problems): void {
  const covered = new Set<string>()
  vendor.examples.forEach((example, i) => {
    covered.add(String(example.config[modeParameter] ?? [...vendor.modes.keys()][0]))
    tryOut(vendor, example.config, `/examples/${i}/config`, problems)
  })
  if (problems.failed) return
  for (const mode of vendor.modes.keys())
    if (!covered.has(mode)) tryOut(vendor, samplesFor(vendor, mode), '/parameters', problems)
}

/** What the vendor comes to in a mode, with values that fit: for showing what it promises. */
export function sampleOfVendor(vendor: Vendor, mode: string, problems: Problems): UsedVendor | undefined {
  return tryOut(vendor, samplesFor(vendor, mode), '/parameters', problems)
}

function samplesFor({ parameters }: Vendor, mode: string): Readonly<Record<string, unknown>> {
  const samples = Object.entries(parameters)
    .filter(([, { default: fallback, type }]) => fallback === undefined && type !== 'boolean')
    .map(([name, parameter]) => [name, parameter.type === 'secret' ? '${SAMPLE}' : sampleOf(parameter)])
  const agreed = Object.entries(parameters).flatMap(([name, { must_be }]) => (must_be ? [[name, true]] : []))
  return Object.fromEntries([...samples, ...agreed, ...(mode === '' ? [] : [[modeParameter, mode]])])
}

/** Variables of an example count as set: `${TOKEN}` stands for a value that its user has. */
function tryOut(
  vendor: Vendor,
  config: Readonly<Record<string, unknown>>,
  pointer: string,
  problems: Problems,
): UsedVendor | undefined {
  const value = 'value-of-a-variable'
  const env = new Proxy<Record<string, string>>(
    {},
    { get: () => value, getOwnPropertyDescriptor: () => ({ value, enumerable: true, configurable: true }) },
  )
  const reading: Reading = { ...readingOf(problems), variables: { env, baseDir: dirname(problems.file) } }
  const before = problems.found.length
  readPart(config, vendor.config, pointer, reading)
  if (problems.found.slice(before).some(({ code }) => code !== 'config.warning')) return undefined
  const written = isObject(config) ? config : {}
  return applyVendor(vendor, { written, pointer, reading, fetch: {}, vendorProblems: problems })
}
