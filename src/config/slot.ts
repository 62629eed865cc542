// The places of connectors: exactly one source under `source`, exactly one sink under `sink`, each read by its own spec.
import { toWeirError } from '../core/errors.ts'
import type { Problem, TSchema } from '../core/spec.ts'
import { closest, suggestion } from '../core/suggest.ts'
import { ownEntry } from './catalogue.ts'
import { readCluster } from './cluster.ts'
import { nameOf } from './complaint.ts'
import type { ClusterDefinition } from './definition.ts'
import { segment } from './problem.ts'
import { readPart } from './read.ts'
import type { Reading } from './resolve.ts'

/** What sources and sinks have in common for a definition. */
interface Connector {
  readonly config: TSchema
  readonly cluster?: true
  lint?(config: unknown, baseDir: string): readonly Problem[]
}

export interface Chosen<C> {
  readonly name: string
  readonly connector: C
  readonly config: unknown
  readonly pointer: string
  /** False when its config has an error. */
  readonly usable: boolean
  /** The cluster that its config names. */
  readonly cluster?: ClusterDefinition
}

/** The connectors that a slot may name; `get` may read one that is asked for the first time. */
export interface Choices<C> {
  readonly names: readonly string[]
  get(name: string): C | undefined
}

export const choicesOf = <C>(map: Readonly<Record<string, C>>): Choices<C> => ({
  names: Object.keys(map),
  get: name => ownEntry(map, name),
})

/** Reads the one connector of a slot. `beside` names the slot's own fields, which are not connectors. */
export function readSlot<C>(
  value: Record<string, unknown>,
  choices: Choices<C>,
  kind: 'connector' | 'sink',
  beside: readonly string[],
  pointer: string,
  reading: Reading,
): Chosen<C> | undefined {
  const keys = Object.keys(value).filter(key => !beside.includes(key))
  const known = keys.filter(key => choices.get(key) !== undefined)
  for (const key of keys) if (!known.includes(key)) unknown(key, known, choices.names, kind, beside, pointer, reading)
  for (const extra of known.slice(1))
    reading.problems.add({
      code: 'config.invalid',
      message: `${nameOf(pointer)} names two ${kind}s: \`${known[0]}\` and \`${extra}\`.`,
      pointer: pointer + segment(extra),
      on: 'key',
      hint: `Keep one; a second ${kind} needs ${kind === 'sink' ? 'a consumer' : 'a pipeline'} of its own.`,
    })
  if (keys.length === 0)
    reading.problems.add({
      code: 'config.missing_field',
      message: `${nameOf(pointer)} needs a ${kind}.`,
      pointer,
      on: 'key',
      hint: suggestion('', choices.names),
    })
  const [name] = known
  return name === undefined ? undefined : readConnector(name, value[name], choices.get(name)!, pointer, reading)
}

function unknown(
  key: string,
  known: readonly string[],
  catalogue: readonly string[],
  kind: 'connector' | 'sink',
  beside: readonly string[],
  pointer: string,
  reading: Reading,
): void {
  // Beside a connector, or when it looks like one of the slot's own fields, the key is a mistyped field.
  const field = known.length > 0 || (closest(key, catalogue) === undefined && closest(key, beside) !== undefined)
  reading.problems.add({
    code: field ? 'config.unknown_field' : 'config.invalid',
    message: field ? `\`${key}\` is not a field of ${nameOf(pointer)}.` : `There is no ${kind} \`${key}\`.`,
    pointer: pointer + segment(key),
    on: 'key',
    hint: suggestion(key, field && beside.length > 0 ? beside : catalogue),
  })
}

function readConnector<C>(name: string, value: unknown, connector: C, slot: string, reading: Reading): Chosen<C> {
  const pointer = slot + segment(name)
  const { config: spec, lint, cluster: namesCluster } = connector as Connector
  const config = readPart(value ?? {}, spec, pointer, reading)
  const cluster = namesCluster && readCluster(config, value, pointer, reading)
  const lost = [...reading.lost].some(at => at === pointer || at.startsWith(`${pointer}/`))
  const usable = !lost && !reading.problems.failedUnder(pointer)
  if (usable && lint) {
    try {
      for (const problem of lint.call(connector, config, reading.variables.baseDir))
        reading.problems.add({ ...problem, pointer: pointer + problem.pointer })
    } catch (thrown) {
      const { code, message, hint } = toWeirError(thrown)
      reading.problems.add({ code, message: `\`${name}\` could not be checked: ${message}`, pointer, on: 'key', hint })
    }
  }
  return {
    name,
    connector,
    config,
    pointer,
    usable: usable && !reading.problems.failedUnder(pointer),
    ...(cluster ? { cluster } : {}),
  }
}
