// A vendor file: YAML text to a vendor, with everything that is wrong in it at once. What its parameters make of it is checked where they
// are known (use.ts).
import { isObject } from '../../core/json-text.ts'
import { remember } from '../../core/secret.ts'
import { suggestion } from '../../core/suggest.ts'
import type { SourceConnector } from '../../sources/source.ts'
import { checkValue } from '../check.ts'
import { decodeValue } from '../decode.ts'
import { type Problems, segment } from '../problem.ts'
import type { Reading } from '../resolve.ts'
import { branchOf, fieldShape, type Shape, scalarShapes, shapeOf } from '../shape.ts'
import { parseYaml } from '../yaml.ts'
import { modeParameter, parametersSpec, specOf } from './parameters.ts'
import { type Reference, referencesIn } from './references.ts'
import { type VendorFields, vendorSpec } from './spec.ts'
import type { Vendor, VendorMode } from './vendor.ts'

/** Finds the connector of a name that a vendor may be built on; never another vendor. */
export type FindBase = (name: string) => SourceConnector | undefined

export interface Bases {
  readonly find: FindBase
  readonly names: readonly string[]
}

/** The vendor in a text, or undefined with the reasons in `problems`, which are those of the vendor file. */
export function readVendor(text: string, bases: Bases, problems: Problems): Vendor | undefined {
  const written = parseYaml(text, problems)
  if (!written) return undefined
  const reading = readingOf(problems)
  const shape = shapeOf(vendorSpec)
  checkValue(written, shape, '', reading)
  if (problems.failed) return undefined
  const fields = decodeValue(written, shape, '', reading) as VendorFields
  checkParameters(fields, reading)
  const modes = modesOf(fields, bases, problems)
  checkModeDefaults(fields, reading)
  checkReferences(fields, modes, problems)
  if (problems.failed || modes.size === 0) return undefined
  const [first] = modes.values()
  return {
    name: fields.vendor,
    summary: fields.summary,
    status: fields.status,
    notes: fields.notes,
    config: parametersSpec(fields.parameters, fields.modes),
    parameters: fields.parameters,
    examples: fields.examples as Vendor['examples'],
    replayable: [...modes.values()].every(mode => mode.base.replayable),
    ...(first!.map === null ? {} : { mapping: first!.map }),
    modes,
    origin: { file: problems.file, text, places: problems.places },
  }
}

/** A vendor file knows no variables: its values come from parameters. */
export function readingOf(problems: Problems): Reading {
  return {
    problems,
    variables: { env: {}, baseDir: '/' },
    unset: 'error',
    resolved: new Map(),
    urls: new Map(),
    lost: new Set(),
  }
}

function checkParameters({ parameters, modes }: VendorFields, reading: Reading): void {
  const { problems } = reading
  for (const [name, parameter] of Object.entries(parameters)) {
    const at = `/parameters${segment(name)}`
    const conflict = (field: string, message: string, hint: string) =>
      problems.add({ code: 'config.conflict', message, pointer: at + segment(field), on: 'key', hint })
    if (modes && name === modeParameter)
      conflict('', '`mode` chooses between the modes already.', 'Give the parameter another name.')
    const { type, of, pattern, min, max, must_be } = parameter
    if (type === 'choice' && of === undefined)
      problems.add({
        code: 'config.missing_field',
        message: `\`${name}\` is a choice of nothing.`,
        pointer: at,
        on: 'key',
        hint: 'Add `of: [first, second]`.',
      })
    const only = (field: string, is: boolean, types: string) => {
      if (is) conflict(field, `\`${field}\` is for ${types}, not for ${type}.`, `Remove it, or change the type.`)
    }
    only('of', of !== undefined && type !== 'choice', 'choice')
    only('pattern', pattern !== undefined && type !== 'text' && type !== 'list', 'text and list')
    only('min', min !== undefined && type !== 'number', 'number')
    only('max', max !== undefined && type !== 'number', 'number')
    only('must_be', must_be !== undefined && type !== 'boolean', 'boolean')
    if (pattern !== undefined && !isPattern(pattern)) {
      problems.add({
        code: 'config.invalid',
        message: '`pattern` is no regular expression.',
        pointer: `${at}/pattern`,
        hint: 'Write it as JavaScript does, such as ^[A-Z0-9]{10}$.',
      })
      continue
    }
    if (parameter.default === undefined) continue
    if (type === 'secret') {
      if (typeof parameter.default === 'string') remember(parameter.default)
      conflict('default', 'A secret has no default: it would stand in the file.', 'Remove it; users write ${TOKEN}.')
    } else if (must_be) conflict('default', '`must_be` is for what a user writes.', 'Remove the default.')
    else checkValue(parameter.default, shapeOf(specOf(parameter)), `${at}/default`, reading)
  }
}

function isPattern(text: string): boolean {
  try {
    new RegExp(text, 'u')
    return true
  } catch {
    return false
  }
}

function modesOf(fields: VendorFields, bases: Bases, problems: Problems): Map<string, VendorMode> {
  const found = new Map<string, VendorMode>()
  const shared = { fetch: fields.fetch ?? null, map: fields.map ?? null }
  if ((fields.source === undefined) === (fields.modes === undefined))
    problems.add({
      code: fields.source ? 'config.conflict' : 'config.missing_field',
      message: fields.source ? '`source` and `modes` both say where to read.' : 'The vendor has no `source`.',
      pointer: fields.source ? '/modes' : '',
      on: 'key',
      hint: fields.source ? 'Keep one of them.' : 'Add `source: { http: { … } }`, or `modes`.',
    })
  else if (fields.source) {
    const mode = modeOf(fields.source, '/source', [], bases, problems)
    if (mode)
      found.set('', {
        ...mode,
        needs: [],
        defaults: {},
        fetch: shared.fetch,
        fetchAt: '/fetch',
        map: shared.map ?? mode.base.mapping ?? null,
        mapAt: '/map',
      })
  } else
    for (const [name, written] of Object.entries(fields.modes!)) {
      const at = `/modes${segment(name)}`
      const mode = modeOf(written, at, ['summary', 'needs', 'defaults', 'fetch', 'map'], bases, problems)
      if (!mode) continue
      found.set(name, {
        ...mode,
        needs: written.needs ?? [],
        defaults: written.defaults ?? {},
        fetch: written.fetch ?? shared.fetch,
        fetchAt: written.fetch ? `${at}/fetch` : '/fetch',
        map: written.map ?? shared.map ?? mode.base.mapping ?? null,
        mapAt: written.map ? `${at}/map` : '/map',
      })
    }
  return found
}

function checkModeDefaults({ modes, parameters }: VendorFields, reading: Reading): void {
  for (const [mode, { defaults, needs = [] }] of Object.entries(modes ?? {})) {
    needs.forEach((name, i) => {
      if (Object.hasOwn(parameters, name)) return
      reading.problems.add({
        code: 'config.conflict',
        message: `There is no parameter \`${name}\`.`,
        pointer: `/modes${segment(mode)}/needs/${i}`,
        hint: suggestion(name, Object.keys(parameters)),
      })
    })
    for (const [name, value] of Object.entries(defaults ?? {})) {
      const at = `/modes${segment(mode)}/defaults${segment(name)}`
      const parameter = Object.hasOwn(parameters, name) ? parameters[name] : undefined
      if (parameter && parameter.type !== 'secret') checkValue(value, shapeOf(specOf(parameter)), at, reading)
      else
        reading.problems.add({
          code: 'config.conflict',
          message: parameter
            ? 'A secret has no default: it would stand in the file.'
            : `There is no parameter \`${name}\`.`,
          pointer: at,
          on: 'key',
          hint: parameter ? 'Remove it; users write ${TOKEN}.' : suggestion(name, Object.keys(parameters)),
        })
    }
  }
}

function modeOf(
  slot: Readonly<Record<string, unknown>>,
  at: string,
  beside: readonly string[],
  bases: Bases,
  problems: Problems,
): Pick<VendorMode, 'base' | 'config' | 'configAt'> | undefined {
  const keys = Object.keys(slot).filter(key => !beside.includes(key))
  for (const key of keys.slice(1))
    problems.add({
      code: 'config.invalid',
      message: `Two connectors: \`${keys[0]}\` and \`${key}\`.`,
      pointer: at + segment(key),
      on: 'key',
      hint: 'Keep one; a second way to use the vendor is a second mode.',
    })
  const [name] = keys
  const base = name === undefined ? undefined : bases.find(name)
  if (base) return { base, config: slot[name!] ?? {}, configAt: at + segment(name!) }
  problems.add({
    code: name === undefined ? 'config.missing_field' : 'config.invalid',
    message: name === undefined ? 'A connector is missing here.' : `There is no connector \`${name}\`.`,
    pointer: name === undefined ? at : at + segment(name),
    on: 'key',
    hint: suggestion(name ?? '', [...bases.names, ...beside]),
  })
  return undefined
}

/** Every ${params.name} must be one of the parameters, and every parameter should be used. */
function checkReferences(fields: VendorFields, modes: ReadonlyMap<string, VendorMode>, problems: Problems): void {
  const used = new Set<string>()
  const check = (text: string, at: string, kind: Parameters<typeof referencesIn>[1]) => {
    const { found, bad } = referencesIn(text, kind)
    for (const { start, message, hint } of bad)
      problems.add({
        code: 'config.variable',
        message,
        pointer: at,
        hint,
        span: problems.spanIn(at, text, start + 1),
      })
    for (const each of found) {
      used.add(each.name)
      const wrong = wrongWith(each, fields)
      const span = problems.spanIn(at, text, each.start + 1)
      if (wrong)
        problems.add({ ...wrong, pointer: at, span: span && { ...span, end: span.start + each.end - each.start } })
    }
  }
  for (const mode of modes.values()) {
    walk(mode.config, shapeOf(mode.base.config), mode.configAt, check)
    walk(mode.fetch ?? {}, undefined, mode.fetchAt, (text, at) => check(text, at, 'plain'))
    if (mode.map !== mode.base.mapping)
      for (const [field, text] of Object.entries(mode.map ?? {})) check(text, mode.mapAt + segment(field), 'expression')
  }
  for (const [name, { must_be }] of Object.entries(fields.parameters))
    if (!used.has(name) && !must_be && !problems.failed)
      problems.add({
        code: 'config.warning',
        message: `The parameter \`${name}\` is used nowhere.`,
        pointer: `/parameters${segment(name)}`,
        on: 'key',
        hint: `Write \${params.${name}} where the value belongs, or remove it.`,
      })
}

function wrongWith(
  { name, where }: Reference,
  { parameters, modes }: VendorFields,
): { code: 'config.variable'; message: string; hint: string } | undefined {
  const code = 'config.variable'
  const known = Object.keys(parameters)
  const parameter = Object.hasOwn(parameters, name) ? parameters[name] : undefined
  if (modes && name === modeParameter)
    return {
      code,
      message: '`mode` chooses the mode and has no value elsewhere.',
      hint: 'Write the value out in each mode.',
    }
  if (!parameter) return { code, message: `There is no parameter \`${name}\`.`, hint: suggestion(name, known) }
  if (where === 'string')
    return {
      code,
      message: 'A parameter stands inside the quotes of an expression.',
      hint: 'Take it out of the quotes: it comes with its own. Join texts with +.',
    }
  if (where === 'expression' && parameter.type === 'secret')
    return {
      code,
      message: 'A secret cannot stand in an expression.',
      hint: 'Put it into a header, a query or `auth`.',
    }
  return undefined
}

type VisitText = (text: string, at: string, kind: 'expression' | 'template' | 'plain') => void

function walk(value: unknown, shape: Shape | undefined, at: string, visit: VisitText): void {
  if (typeof value === 'string') {
    const kinds = scalarShapes(shape ?? {}).map(each => each.weir)
    visit(value, at, kinds.includes('expression') ? 'expression' : 'template')
    return
  }
  const meant = shape?.anyOf ? shape.anyOf[branchOf(shape.anyOf, value)] : shape
  if (Array.isArray(value))
    value.forEach((item, i) => {
      walk(item, meant?.items, at + segment(i), visit)
    })
  else if (isObject(value))
    for (const [key, field] of Object.entries(value))
      walk(field, meant && fieldShape(meant, key), at + segment(key), visit)
}
