// The registry of a workspace as plans name it. One that is embedded and not there yet is empty: what only looks must not create it.
import type { WorkspaceDefinition } from '../../config/definition.ts'
import type { Clock, Random } from '../../core/clock.ts'
import { WeirError } from '../../core/errors.ts'
import type { SchemaRegistry } from '../../pipeline/ports.ts'
import { openRegistry, storeExists } from '../open.ts'
import type { ReadRegistry } from './state.ts'

/** A registry that is looked at, and how it is called. */
export interface Place<R extends ReadRegistry = ReadRegistry> {
  readonly registry: R
  /** `embedded`, or the address, without secrets. */
  readonly name: string
}

/** The registry to change. @throws registry.*, log.* */
export async function openPlace(
  workspace: WorkspaceDefinition,
  clock: Clock,
  random: Random,
): Promise<Place<SchemaRegistry> & AsyncDisposable> {
  const registry = await openRegistry(workspace, clock, random)
  return { registry, name: nameOf(workspace), [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose]() }
}

/** The registry to look at. @throws registry.*, log.* */
export async function lookAtPlace(
  workspace: WorkspaceDefinition,
  clock: Clock,
  random: Random,
): Promise<Place & AsyncDisposable> {
  const { registry } = workspace
  const exists = registry.kind === 'http' || storeExists({ ...workspace, broker: { kind: 'embedded' } })
  if (exists) return openPlace(workspace, clock, random)
  return { registry: empty, name: nameOf(workspace), async [Symbol.asyncDispose]() {} }
}

const nameOf = ({ registry }: WorkspaceDefinition) => (registry.kind === 'embedded' ? 'embedded' : registry.url)

const unknown = (subject: string) =>
  Promise.reject(
    new WeirError('registry.unknown_subject', `There is no subject ${subject}.`, {
      hint: 'The embedded registry is empty: a pipeline or a plan fills it.',
    }),
  )

const empty: ReadRegistry = {
  level: async subject => (subject === undefined ? 'BACKWARD' : null),
  versions: unknown,
  deletedVersions: async () => [],
  version: unknown,
  lookup: async () => null,
  subjects: async () => [],
}
