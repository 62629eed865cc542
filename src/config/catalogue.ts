// What a definition may name: the connectors and sinks that are there. Passed in, so that tests and editors bring their own.
import type { SinkConnector } from '../sinks/sink.ts'
import type { SourceConnector } from '../sources/source.ts'

export interface Catalogue {
  readonly sources: Readonly<Record<string, SourceConnector>>
  readonly sinks: Readonly<Record<string, SinkConnector>>
}

/** The connector of that name; names such as `constructor` find nothing. */
export function ownEntry<T>(map: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(map, key) ? map[key] : undefined
}
