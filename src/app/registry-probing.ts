// Probes a registry by its address.
import { type ProbeFinding, probeRegistry, type RegistryProbe } from '../adapters/registry-http/probe.ts'
import { parseServiceUrl } from '../config/addresses.ts'
import type { HttpRegistryDefinition, WorkspaceDefinition } from '../config/definition.ts'
import type { Clock, Random } from '../core/clock.ts'
import { WeirError } from '../core/errors.ts'

export type { ProbeFinding, RegistryProbe }

export interface Probing {
  readonly url: string
  /** For a registry that is not that of the workspace; null: none. */
  readonly auth: HttpRegistryDefinition['auth']
  /** Where `url` is the address of its registry, its credentials and tls are used. */
  readonly workspace: Pick<WorkspaceDefinition, 'registry'>
  readonly clock: Clock
  readonly random: Random
  readonly onTried: (done: number, total: number) => void
}

const timeoutMs = 10_000

/** @throws usage.invalid, registry.unavailable, registry.denied */
export async function probe({ url: text, auth, workspace, clock, random, onTried }: Probing): Promise<RegistryProbe> {
  const url = parseServiceUrl(text)
  if ('message' in url)
    throw new WeirError('usage.invalid', `The address ${url.message}`, { at: 'url', hint: url.hint })
  const address = url.href.replace(/\/+$/, '')
  const own = workspace.registry.kind === 'http' && workspace.registry.url === address ? workspace.registry : null
  return probeRegistry({
    url: address,
    auth: auth ?? own?.auth ?? null,
    tls: own?.tls ?? null,
    timeoutMs,
    clock,
    random,
    onTried,
  })
}
