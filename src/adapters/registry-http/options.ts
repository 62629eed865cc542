// How an HTTP registry is opened: address, credentials, deadlines. app/open.ts makes these from a workspace.
import type { Clock, Random } from '../../core/clock.ts'
import type { Secret } from '../../core/secret.ts'

/** Asked for anew at every call, so that a rotated secret works without a restart. */
export type Credential = () => Promise<Secret> | Secret

export type RegistryAuth =
  | { readonly username: string; readonly password: Credential }
  | { readonly bearer: Credential }

export interface RegistryTls {
  /** PEM; null takes the machine's authorities. */
  readonly ca: string | null
  readonly cert: string | null
  readonly key: Credential | null
  /** Name the certificate must carry; null: the host of the address. */
  readonly serverName: string | null
  readonly verify: boolean
}

export interface HttpRegistryOptions {
  /** http or https, with the path under which the API stands, such as `/apis/ccompat/v7`. It may be a private address. */
  readonly url: string
  readonly auth: RegistryAuth | null
  /** Only with an https address; null there means the machine's authorities and the host's own name. */
  readonly tls: RegistryTls | null
  /** Until a question is answered, its tries again included. */
  readonly timeoutMs: number
  /** An id in use is compared with what the registry says now after this long. Default 30 seconds. */
  readonly recheckMs?: number
  readonly clock: Clock
  readonly random: Random
}
