// SIGNATURES ONLY for now: being filled in.
import { WeirError } from '../core/errors.ts'

/** What the expressions of a mapping see. */
export interface MappingVars {
  /** The item as the source gave it. */
  readonly this: unknown
  /** The variables of the split it came from. */
  readonly split: Readonly<Record<string, unknown>>
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** What the expressions of a mapping may use. */
export const mappingVariables = ['this', 'split', 'now'] as const

export interface Mapping {
  /** The record for the encoder, fields in the order of the schema. @throws map.failed, map.missing (`at` is `/<field>`) */
  apply(vars: MappingVars): Record<string, unknown>
}

/** Field of the record to CEL. Nullable fields left out become null, fields with a default get it, ingestion_timestamp gets `now`. @throws config.expression, config.mapping, schema.invalid */
export function compileMapping(map: Readonly<Record<string, string>>, schemaText: string): Mapping {
  throw new WeirError('internal', `not built yet ${schemaText.length} ${Object.keys(map).length}`)
}

/** For a pipeline without a mapping: fields of the same name from `this`. @throws schema.invalid */
export function identityMapping(schemaText: string): Mapping {
  throw new WeirError('internal', `not built yet ${schemaText.length}`)
}
