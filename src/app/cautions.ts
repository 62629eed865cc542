// What a workspace allows although it is not safe: told at each start of a run, so that it does not stay for ever unnoticed.
import type { WorkspaceDefinition } from '../config/definition.ts'

export interface Caution {
  readonly message: string
  readonly hint: string
}

/** One for each setting that trades safety for ease. */
export function cautionsOf({ broker, registry }: WorkspaceDefinition): readonly Caution[] {
  const cautions: Caution[] = []
  const add = (applies: boolean, message: string, hint: string) => applies && cautions.push({ message, hint })
  const anyCertificate = (what: string) =>
    `${what} may show any certificate (tls: insecure): anyone on the way can read and change everything.`
  if (broker.kind === 'kafka') {
    add(broker.tls?.verify === false, anyCertificate('The broker'), 'Name its authority in `tls: { ca }`.')
    add(
      broker.sasl !== null && broker.tls === null,
      'The login goes to the broker over a connection that is not encrypted (sasl: insecure): who listens can log in as us.',
      'Add `tls: true`.',
    )
    add(
      registry.kind === 'embedded',
      'A cluster with an embedded registry: the schema ids in its records mean nothing to other machines.',
      'Name a registry that all machines reach: `registry: { url: … }`, or WEIR_REGISTRY.',
    )
  }
  if (registry.kind === 'http')
    add(registry.tls?.verify === false, anyCertificate('The registry'), 'Name its authority in `tls: { ca }`.')
  return cautions
}
