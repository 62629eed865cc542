// Words for describing configuration once: type, check, editor schema and reference page come from these (typebox makes JSON Schema).
// A field's `weir` annotation tells the loader how to turn the written text into the value that code sees.
import Type, { type Static, type TSchema } from 'typebox'
import type { Secret } from './secret.ts'

export type { Static, TSchema }
export { Type }

/**
 * duration, size, share: text with a unit, becomes milliseconds, bytes, a number from 0 to 1.
 * secret: may hold ${VAR} or ${file:}; becomes a Secret when it does. expression: CEL; ${} is refused.
 * template: text with {{ CEL }} parts. name: an identifier; ${VAR} in it is not secret. path: a file path, relative to the definition.
 * address: host:port or a URL; ${VAR} in it is not secret, so that errors can name what could not be reached.
 */
export type FieldKind =
  | 'duration'
  | 'size'
  | 'share'
  | 'secret'
  | 'expression'
  | 'template'
  | 'name'
  | 'path'
  | 'address'

interface FieldOptions<T> {
  /** One plain sentence a newcomer understands. */
  description: string
  /** As written in YAML. */
  default?: string
  min?: T
  max?: T
}

type Bounds = { weirMin?: number; weirMax?: number }
const bounds = (o: { min?: number; max?: number }): Bounds => ({
  ...(o.min === undefined ? {} : { weirMin: o.min }),
  ...(o.max === undefined ? {} : { weirMax: o.max }),
})
const common = (o: { description: string; default?: string }) => ({
  description: o.description,
  ...(o.default === undefined ? {} : { default: o.default }),
})

/** Milliseconds in code; `30s`, `5m`, `1h30m` in YAML. min and max in milliseconds. */
export const duration = (o: FieldOptions<number>) =>
  Type.Unsafe<number>({
    type: 'string',
    weir: 'duration' satisfies FieldKind,
    pattern: '^(\\d+(\\.\\d+)?(ms|s|m|h|d))+$',
    examples: ['30s', '5m'],
    ...common(o),
    ...bounds(o),
  })

/** Bytes in code; `64kb`, `16mb` in YAML. min and max in bytes. */
export const size = (o: FieldOptions<number>) =>
  Type.Unsafe<number>({
    type: 'string',
    weir: 'size' satisfies FieldKind,
    pattern: '^\\d+(\\.\\d+)?([bB]|[kKmMgG][bB])$',
    examples: ['64kb', '16mb'],
    ...common(o),
    ...bounds(o),
  })

/** 0 to 1 in code; `50%` in YAML. */
export const share = (o: FieldOptions<number>) =>
  Type.Unsafe<number>({
    type: 'string',
    weir: 'share' satisfies FieldKind,
    pattern: '^\\d+(\\.\\d+)?%$',
    examples: ['50%'],
    ...common(o),
    ...bounds(o),
  })

/** Text that may hold a secret: `reveal` it where it leaves for its destination. */
export const secret = (o: { description: string }) =>
  Type.Unsafe<string | Secret>({ type: 'string', weir: 'secret' satisfies FieldKind, minLength: 1, ...common(o) })

/** A CEL expression, as text. `vars` names the variables it may use. */
export const expression = (o: { description: string; vars: readonly string[]; default?: string }) =>
  Type.Unsafe<string>({
    type: 'string',
    weir: 'expression' satisfies FieldKind,
    minLength: 1,
    weirVars: o.vars,
    ...common(o),
  })

/** Text in which each {{ CEL }} is replaced by its value; may hold a secret. */
export const template = (o: { description: string; vars: readonly string[]; default?: string }) =>
  Type.Unsafe<string | Secret>({ type: 'string', weir: 'template' satisfies FieldKind, weirVars: o.vars, ...common(o) })

/** An identifier: pipeline, topic, group. A variable in it is resolved but is no secret. */
export const name = (o: { description: string; pattern?: string; maxLength?: number; default?: string }) =>
  Type.Unsafe<string>({
    type: 'string',
    weir: 'name' satisfies FieldKind,
    minLength: 1,
    maxLength: o.maxLength ?? 249,
    ...(o.pattern ? { pattern: o.pattern } : {}),
    ...common(o),
  })

/** A file path or glob, relative to the file it is written in. The loader leaves it as written; `baseDir` resolves it. */
export const path = (o: { description: string; default?: string }) =>
  Type.Unsafe<string>({ type: 'string', weir: 'path' satisfies FieldKind, minLength: 1, ...common(o) })

/** Where something is: host:port, or a URL. Its form is checked by the rules of the file it stands in. */
export const address = (o: { description: string; examples: readonly string[] }) =>
  Type.Unsafe<string>({
    type: 'string',
    weir: 'address' satisfies FieldKind,
    minLength: 1,
    maxLength: 2000,
    examples: o.examples,
    ...common(o),
  })

/** An object that refuses fields it does not know. Optional fields are wrapped in Type.Optional by the caller. */
export const fields = <T extends Record<string, TSchema>>(properties: T, description?: string) =>
  Type.Object(properties, { additionalProperties: false, ...(description ? { description } : {}) })

/** A mistake in a definition, found without running it. */
export interface Problem {
  readonly severity: 'error' | 'warning'
  readonly code: import('./errors.ts').Code
  readonly message: string
  /** JSON pointer into the definition. */
  readonly pointer: string
  readonly hint?: string
}
