// weir.yaml, found beside a pipeline or above it, with WEIR_BROKER, WEIR_REGISTRY and --data on top.
import { statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { WeirError } from '../core/errors.ts'
import { isObject } from '../core/json-text.ts'
import { type AddressFault, parseBrokers, parseServiceUrl } from './addresses.ts'
import { readKafka, valueAt } from './broker.ts'
import type { RegistryFields } from './broker-spec.ts'
import type { WorkspaceDefinition } from './definition.ts'
import { readDefinitionText } from './lint.ts'
import { DefinitionError, type LocatedProblem, Problems } from './problem.ts'
import { readPart } from './read.ts'
import { readRegistry } from './registry.ts'
import { readServe } from './registry-serve.ts'
import type { Reading } from './resolve.ts'
import type { Partly } from './rules.ts'
import { knownVersion } from './version.ts'
import { findWorkspaceFile, workspaceFileName } from './workspace-file.ts'
import { type WorkspaceFields, workspaceSpec } from './workspace-spec.ts'

export interface WorkspaceOptions {
  /** --data: folder of the embedded store; relative to `cwd`. */
  readonly dataDir?: string | undefined
  /** Where a relative `dataDir` starts. Default: the start folder. */
  readonly cwd?: string | undefined
  /** Told what is allowed in weir.yaml, but likely not meant. */
  readonly warn?: ((problem: LocatedProblem) => void) | undefined
}

type Env = Readonly<Record<string, string | undefined>>

/**
 * The workspace of a folder, or of a file's folder: the nearest weir.yaml upwards, not beyond a repository's root; without one, the defaults,
 * with the store in `.weir` of the start folder.
 * @throws DefinitionError (config.*) for weir.yaml, config.invalid for the environment
 */
export function findWorkspace(start: string, env: Env, options: WorkspaceOptions = {}): WorkspaceDefinition {
  const folder = folderOf(resolve(start))
  const file = findWorkspaceFile(folder)
  const { problems, data, broker, registry } = examineWorkspace(file, overridesIn(env), env, {})
  if (problems.failed || data === undefined || !broker || !registry) throw new DefinitionError(problems.list())
  for (const problem of file === null ? [] : problems.list()) options.warn?.(problem)
  const dataDir =
    options.dataDir === undefined
      ? resolve(file === null ? folder : dirname(file), data)
      : resolve(options.cwd ?? folder, options.dataDir)
  return { file, broker, registry, dataDir }
}

/** What is wrong in a weir.yaml. `options.unsetVariables`: as for pipelines. */
export function lintWorkspaceFile(file: string, env: Env, options: WorkspaceLint = {}): readonly LocatedProblem[] {
  return examineWorkspace(file, overridesIn(env), env, options).problems.list()
}

/**
 * The kind of broker that pipelines run on from this folder, as far as that can be told: `null` where weir.yaml or the environment is wrong.
 * Needs no secret.
 */
export function brokerKind(start: string, env: Env): WorkspaceDefinition['broker']['kind'] | null {
  try {
    const overrides = overridesIn(env)
    const file = findWorkspaceFile(folderOf(resolve(start)))
    const { broker, problems } = examineWorkspace(file, overrides, env, { unsetVariables: 'warning' })
    return problems.failedUnder('/broker') ? null : (broker?.kind ?? null)
  } catch {
    return null
  }
}

export interface WorkspaceLint {
  readonly strict?: boolean
  readonly unsetVariables?: 'error' | 'warning'
}

interface Examined {
  readonly problems: Problems
  readonly data: string | undefined
  readonly broker: WorkspaceDefinition['broker'] | undefined
  readonly registry: WorkspaceDefinition['registry'] | undefined
}

/** Reads weir.yaml with the overrides in their places; without a file, what the overrides say. */
function examineWorkspace(file: string | null, overrides: Overrides, env: Env, options: WorkspaceLint): Examined {
  const { problems, value } =
    file === null
      ? { problems: new Problems(workspaceFileName, null, false), value: {} }
      : readDefinitionText({ file: resolve(file) }, options.strict ?? false)
  if (!value) return { problems, data: undefined, broker: undefined, registry: undefined }
  const written = overridden(knownVersion(value, problems), overrides)
  const reading: Reading = {
    problems,
    variables: { env, baseDir: file === null ? '.' : dirname(resolve(file)) },
    unset: options.unsetVariables ?? 'error',
    resolved: new Map(),
    urls: new Map(),
    lost: new Set(),
  }
  const fields = (readPart(written, workspaceSpec, '', reading) ?? {}) as Partly<WorkspaceFields>
  const kafka = isObject(fields.broker) ? fields.broker.kafka : undefined
  const broker = kafka ? readKafka(kafka, valueAt(written, ['broker', 'kafka']), '/broker/kafka', reading) : embedded
  const registry = registryOf(fields, written, reading)
  const isEmbedded = fields.registry === 'embedded' || (isObject(fields.registry) && 'embedded' in fields.registry)
  if (kafka && isEmbedded)
    problems.add({
      code: 'config.warning',
      message: 'A cluster with an embedded registry: the schema ids in its records mean nothing to other machines.',
      pointer: 'registry' in value ? '/registry' : '/broker',
      on: 'key',
      hint: 'Name a registry that all machines reach: `registry: { url: … }`.',
    })
  return { problems, data: fields.data, broker, registry }
}

const embedded = { kind: 'embedded' } as const

function registryOf(
  { registry }: Partly<WorkspaceFields>,
  written: Record<string, unknown>,
  reading: Reading,
): Examined['registry'] {
  if (!isObject(registry)) return embedded
  if ('url' in registry || !('embedded' in registry))
    return readRegistry(registry as Partly<RegistryFields>, written['registry'], '/registry', reading)
  const serve = isObject(registry.embedded) ? registry.embedded.serve : undefined
  if (!isObject(serve)) return embedded
  const there = valueAt(written, ['registry', 'embedded', 'serve'])
  return { kind: 'embedded', serve: readServe(serve, there, '/registry/embedded/serve', reading) }
}

interface Overrides {
  readonly brokers: 'embedded' | readonly string[] | undefined
  readonly registryUrl: 'embedded' | string | undefined
}

/** @throws config.invalid at WEIR_BROKER or WEIR_REGISTRY */
function overridesIn(env: Env): Overrides {
  const refuse = (name: string, { message, hint }: AddressFault): never => {
    throw new WeirError('config.invalid', `${name} ${message}`, { at: name, hint })
  }
  const { WEIR_BROKER: broker, WEIR_REGISTRY: registry } = env
  const brokers = broker === undefined || broker === '' || broker === 'embedded' ? broker : parseBrokers(broker, true)
  if (typeof brokers === 'object' && 'message' in brokers)
    return refuse('WEIR_BROKER', { ...brokers, hint: `${brokers.hint} Or: WEIR_BROKER=embedded.` })
  const url =
    registry === undefined || registry === '' || registry === 'embedded' ? registry : parseServiceUrl(registry)
  if (typeof url === 'object' && 'message' in url)
    return refuse('WEIR_REGISTRY', { ...url, hint: `${url.hint} Or: WEIR_REGISTRY=embedded.` })
  return {
    brokers: brokers === '' ? undefined : (brokers as Overrides['brokers']),
    registryUrl: url === '' || url === undefined ? undefined : typeof url === 'string' ? url : url.href,
  }
}

/** The addresses replaced, all that is written beside them kept. An `embedded` override makes what is written without meaning. */
function overridden(value: Record<string, unknown>, { brokers, registryUrl }: Overrides): Record<string, unknown> {
  const { broker, registry } = value
  const kafka = valueAt(broker, ['kafka'])
  return {
    ...value,
    ...(brokers === undefined
      ? {}
      : { broker: brokers === 'embedded' ? brokers : { kafka: { ...(isObject(kafka) ? kafka : {}), brokers } } }),
    ...(registryUrl === undefined
      ? {}
      : {
          registry:
            registryUrl === 'embedded'
              ? isObject(registry) && isObject(registry['embedded'])
                ? registry
                : registryUrl
              : { ...(isObject(registry) && !('embedded' in registry) ? registry : {}), url: registryUrl },
        }),
  }
}

function folderOf(start: string): string {
  try {
    return statSync(start).isDirectory() ? start : dirname(start)
  } catch {
    return start
  }
}
