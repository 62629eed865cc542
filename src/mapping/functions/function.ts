// How a function of the mapping language is described: once, for the environment, the reference page and the tests of its examples.

/** CEL types: string, int (a bigint), double (a number), bool, bytes, list, map, dyn, google.protobuf.Timestamp (a Date), null. */
export interface Parameter {
  readonly name: string
  readonly type: string
}

export interface Example {
  /** CEL, over the variable `this`. */
  readonly expression: string
  readonly this?: unknown
  /** What it gives, as JSON: timestamps as ISO 8601, bytes as Base64. */
  readonly gives: unknown
}

export interface MappingFunction {
  readonly name: string
  readonly group:
    | 'Missing values'
    | 'Lists'
    | 'Text'
    | 'Numbers'
    | 'Regular expressions'
    | 'Dates'
    | 'Hashes and encodings'
    | 'Reviews'
  readonly parameters: readonly Parameter[]
  readonly returns: string
  /** One or two plain sentences. */
  readonly doc: string
  readonly examples: readonly Example[]
  /**
   * True: null or a missing optional as first argument gives null, without a call. False: `run` sees null for both.
   * Arguments of type dyn arrive with optionals unwrapped.
   */
  readonly nullGivesNull: boolean
  /** @throws Failure */
  run(...args: never[]): unknown
}

/** Keeps the argument types of `run` while describing a function. */
export function define(fn: MappingFunction): MappingFunction {
  return fn
}

export const text: Parameter = { name: 'text', type: 'string' }
