// What a definition may name: the connectors and sinks that are there. Passed in, so that tests and editors bring their own.
import type { SinkConnector } from '../sinks/sink.ts'
import type { SourceConnector } from '../sources/source.ts'
import { isVendor, type Vendor } from './vendor/vendor.ts'

export interface Catalogue {
  /** Connectors in code and vendor files. A vendor may be read when its entry is looked at, so that a start reads only what it names. */
  readonly sources: Readonly<Record<string, SourceConnector | Vendor>>
  readonly sinks: Readonly<Record<string, SinkConnector>>
}

/** The connector of that name; names such as `constructor` find nothing. */
export function ownEntry<T>(map: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(map, key) ? map[key] : undefined
}

/** The connector in code of that name; undefined for a vendor. */
export function codeSource(sources: Catalogue['sources'], key: string): SourceConnector | undefined {
  const found = ownEntry(sources, key)
  return found === undefined || isVendor(found) ? undefined : found
}
