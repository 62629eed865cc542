// A vendor as the rest of config/ and the command line see it: described like a connector, and made into one when a pipeline names it.
import type { TSchema } from '../../core/spec.ts'
import type { SourceConnector } from '../../sources/source.ts'
import type { Places } from '../problem.ts'
import type { Parameter, statuses } from './spec.ts'

/** A connector with the fields that it gets, parameters not yet put in. Pointers are those of the vendor file. */
export interface VendorMode {
  readonly base: SourceConnector
  readonly config: unknown
  readonly configAt: string
  /** Parameters that this mode cannot do without. */
  readonly needs: readonly string[]
  /** Defaults of parameters that differ in this mode. */
  readonly defaults: Readonly<Record<string, unknown>>
  readonly fetch: Readonly<Record<string, unknown>> | null
  readonly fetchAt: string
  readonly map: Readonly<Record<string, string>> | null
  readonly mapAt: string
}

export interface Vendor {
  readonly name: string
  readonly summary: string
  readonly status: (typeof statuses)[number]
  /** Cost, freshness, limits and the like, in the order of the file. */
  readonly notes: Readonly<Record<string, string>>
  /** The spec of its parameters. */
  readonly config: TSchema
  readonly parameters: Readonly<Record<string, Parameter>>
  readonly examples: readonly { readonly title: string; readonly config: Record<string, unknown> }[]
  readonly replayable: boolean
  readonly mapping?: Readonly<Record<string, string>>
  /** By name; a vendor without modes has one under the empty name. */
  readonly modes: ReadonlyMap<string, VendorMode>
  /** Where it is written, for problems. */
  readonly origin: { readonly file: string; readonly text: string; readonly places: Places }
}

/** True for a source that is a vendor file, false for one that is code. */
export function isVendor<S extends object>(source: S | Vendor): source is Vendor {
  return 'modes' in source && 'origin' in source
}
