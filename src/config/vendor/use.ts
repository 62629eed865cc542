// A vendor with its parameters filled in: the connector it is built on, with the fields that come of it, checked by that connector's own
// spec. A mistake is told at the parameter that brought it, else in the vendor file.
import { toWeirError } from '../../core/errors.ts'
import { isObject } from '../../core/json-text.ts'
import { fetchSpec } from '../../fetch/settings.ts'
import { compileExpression } from '../../mapping/expression.ts'
import { mappingVariables } from '../../mapping/mapping.ts'
import type { SourceConnector } from '../../sources/source.ts'
import { checkValue } from '../check.ts'
import { decodeValue } from '../decode.ts'
import { type Found, Problems, segment } from '../problem.ts'
import { type Reading, resolveValue } from '../resolve.ts'
import { type Shape, shapeOf } from '../shape.ts'
import { checkUrls } from '../urls.ts'
import { type Expanded, expandPart, type Given, type GivenParameters } from './expand.ts'
import { readingOf } from './load.ts'
import { modeParameter, sampleOf } from './parameters.ts'
import type { Vendor, VendorMode } from './vendor.ts'

/** What a pipeline gets from a vendor. */
export interface UsedVendor {
  readonly base: SourceConnector
  /** The config of the base connector, as its own code expects it. */
  readonly config: unknown
  readonly map: Readonly<Record<string, string>> | null
  /** Its `fetch`, as written: some fields, no defaults. */
  readonly fetch: Readonly<Record<string, unknown>>
  /** False when something is wrong. */
  readonly usable: boolean
}

export interface Use {
  /** The parameters as written. */
  readonly written: Readonly<Record<string, unknown>>
  /** Where they stand, and the reading of that file; its own spec has been checked. */
  readonly pointer: string
  readonly reading: Reading
  /** `fetch` of the pipeline, as written, variables resolved. */
  readonly fetch: Readonly<Record<string, unknown>>
  /** Problems that belong to the vendor file. */
  readonly vendorProblems: Problems
}

/** Makes the base connector's config. Whatever is wrong goes to the problems of either file. */
export function applyVendor(vendor: Vendor, use: Use): UsedVendor | undefined {
  const { pointer, reading, vendorProblems } = use
  const shape = shapeOf(vendor.config)
  const resolved = resolveValue(use.written, shape, pointer, reading)
  const written = isObject(resolved) ? resolved : {}
  const mode = vendor.modes.get(
    vendor.modes.has('') ? '' : String(written[modeParameter] ?? [...vendor.modes.keys()][0]),
  )
  if (!mode) return undefined
  const given = givenOf(vendor, mode, written, use)
  const missing = mode.needs.filter(name => given.get(name)?.value === undefined)
  for (const name of missing)
    reading.problems.add({
      code: 'config.missing_field',
      message: `Mode \`${String(written[modeParameter] ?? [...vendor.modes.keys()][0])}\` needs \`${name}\`: ${vendor.parameters[name]!.description}`,
      pointer,
      on: 'key',
      hint: `Add \`${name}: …\`.`,
    })
  if (missing.length > 0) return undefined
  const blame = (part: Part, found: Found) => tell(vendor, use, written, part, found)
  let usable = true
  const parts = partsOf(mode, given)
  for (const { made } of parts)
    for (const { parameter, message, hint } of made.problems) {
      usable = false
      add(vendor, use, written, parameter, { code: 'config.invalid', message, hint, pointer: '' })
    }
  const [source, fetch, map] = parts as [Part, Part, Part]
  warnUnused(vendor, use, written, parts)
  if (!usable) return undefined
  const merged = isObject(fetch.made.value) ? fetch.made.value : {}
  const config = checked(source, mode.base, merged, use, found => blame(source, found))
  checked(fetch, undefined, merged, use, found => blame(fetch, found))
  checkMap(map, found => blame(map, found))
  usable = config !== undefined && !vendorProblems.failed && !reading.problems.failedUnder(pointer)
  const texts = isObject(map.made.value) ? (map.made.value as Record<string, string>) : null
  return { base: mode.base, config, map: texts, fetch: merged, usable }
}

interface Part {
  readonly made: Expanded
  readonly shape: Shape
  /** Pointer in the vendor file, and what the part is called in messages: `/http`. */
  readonly at: string
  readonly root: string
}

const mapShape: Shape = { type: 'object', additionalProperties: { type: 'string', weir: 'expression' } }

function partsOf(mode: VendorMode, given: GivenParameters): readonly Part[] {
  const part = (value: unknown, shape: Shape, at: string, root: string): Part => ({
    made: expandPart(value, shape, at, given, root),
    shape,
    at,
    root,
  })
  return [
    part(mode.config, shapeOf(mode.base.config), mode.configAt, segment(mode.base.name)),
    part(mode.fetch ?? {}, shapeOf(fetchSpec), mode.fetchAt, '/fetch'),
    mode.map === mode.base.mapping
      ? { made: { value: mode.map, made: new Map(), problems: [] }, shape: mapShape, at: mode.mapAt, root: '/map' }
      : part(mode.map ?? undefined, mapShape, mode.mapAt, '/map'),
  ]
}

function givenOf(
  { parameters }: Vendor,
  { defaults }: VendorMode,
  written: Readonly<Record<string, unknown>>,
  use: Use,
): GivenParameters {
  const given = new Map<string, Given>()
  for (const [name, parameter] of Object.entries(parameters)) {
    const { type } = parameter
    const fallback = defaults[name] ?? parameter.default
    const at = use.pointer + segment(name)
    // What could not be had, such as a secret where there are none, does not keep the rest from being checked.
    const isLost = [...use.reading.lost].some(lost => lost === at || lost.startsWith(`${at}/`))
    const value = isLost ? sampleOf(parameter) : Object.hasOwn(written, name) ? written[name] : fallback
    const outside = use.reading.resolved.get(at)?.outside.length ?? 0
    const isOpen = type === 'address' || type === 'duration'
    given.set(name, { type, value: value ?? undefined, secret: type === 'secret' || (outside > 0 && !isOpen) })
  }
  return given
}

/** Checks a part by its spec, its texts and addresses. Undefined when there is an error. */
function checked(
  { made, shape, root }: Part,
  base: SourceConnector | undefined,
  fetch: Readonly<Record<string, unknown>>,
  use: Use,
  blame: (found: Found) => void,
): unknown {
  const scratch = new Problems(use.vendorProblems.file, null, false)
  // Each place its own, so that the same mistake at two places is told twice.
  let place = 0
  for (const pointer of made.made.keys()) {
    place += 2
    const key = { start: place + 1, end: place + 2 }
    scratch.places.set(pointer, { start: place, end: place + 1, key, plain: false })
  }
  const reading = { ...readingOf(scratch), variables: use.reading.variables }
  for (const [pointer, { secret }] of made.made)
    if (secret) reading.resolved.set(pointer, { text: '', outside: ['secret'], names: [], nested: false })
  const value = made.value ?? {}
  checkValue(value, shape, root, reading)
  const config = decodeValue(value, shape, root, reading)
  const allowed = use.fetch['allow_private'] ?? fetch['allow_private']
  checkUrls(reading.urls, Array.isArray(allowed) ? allowed : [], scratch)
  if (base?.lint && !scratch.failed) {
    try {
      for (const problem of base.lint(config as never, use.reading.variables.baseDir))
        scratch.add({ ...problem, pointer: root + problem.pointer })
    } catch (thrown) {
      const { code, message, hint } = toWeirError(thrown)
      scratch.add({ code, message: `It could not be checked: ${message}`, pointer: root, hint })
    }
  }
  for (const found of scratch.found) blame(found)
  return scratch.failed ? undefined : config
}

function checkMap({ made, root }: Part, blame: (found: Found) => void): void {
  for (const [field, text] of Object.entries(isObject(made.value) ? made.value : {})) {
    try {
      compileExpression(String(text), Object.keys(mappingVariables))
    } catch (thrown) {
      const { message, at, hint } = toWeirError(thrown, 'config.expression')
      const where = at ? ` (${at})` : ''
      blame({
        code: 'config.expression',
        message: `\`${field}\`: ${message}${where}`,
        pointer: root + segment(field),
        hint,
      })
    }
  }
}

/** A problem of the expanded part, at the parameter that brought the value, else in the vendor file. */
function tell(
  vendor: Vendor,
  use: Use,
  written: Readonly<Record<string, unknown>>,
  { made: { made }, at, root }: Part,
  found: Found,
): void {
  let known = found.pointer
  while (known !== root && !made.has(known)) known = known.slice(0, known.lastIndexOf('/'))
  const rest = found.pointer.slice(known.length)
  const origin = made.get(known)
  const parameter = origin?.parameters.find(name => Object.hasOwn(written, name)) ?? origin?.parameters[0]
  const { span: _, ...plain } = found
  if (parameter !== undefined) add(vendor, use, written, parameter, { ...plain, pointer: rest }, known)
  else use.vendorProblems.add({ ...plain, pointer: (origin?.at ?? at) + rest })
}

/** `found.pointer` is relative to the value of the parameter. */
function add(
  vendor: Vendor,
  use: Use,
  written: Readonly<Record<string, unknown>>,
  parameter: string,
  found: Found,
  goesTo?: string,
): void {
  const message =
    goesTo === undefined ? found.message : `\`${parameter}\` goes to \`${dotted(goesTo)}\`: ${found.message}`
  if (Object.hasOwn(written, parameter))
    use.reading.problems.add({ ...found, message, pointer: use.pointer + segment(parameter) + found.pointer })
  else
    use.vendorProblems.add({
      ...found,
      message,
      pointer: `/parameters${segment(parameter)}${vendor.parameters[parameter]?.default === undefined ? '' : '/default'}`,
    })
}

const dotted = (pointer: string) => pointer.slice(1).replaceAll('/', '.').replaceAll('~1', '/').replaceAll('~0', '~')

/** What is written and has no effect in the chosen mode. */
function warnUnused(
  { parameters }: Vendor,
  use: Use,
  written: Readonly<Record<string, unknown>>,
  parts: readonly Part[],
): void {
  const used = new Set(parts.flatMap(({ made }) => [...made.made.values()].flatMap(each => each.parameters)))
  for (const name of Object.keys(written))
    if (Object.hasOwn(parameters, name) && !used.has(name) && !parameters[name]!.must_be)
      use.reading.problems.add({
        code: 'config.warning',
        message: `\`${name}\` has no effect in this mode.`,
        pointer: use.pointer + segment(name),
        on: 'key',
        hint: 'Remove it, or choose the mode that it is for.',
      })
}
