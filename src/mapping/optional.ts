// The library's optional values: what `this.?title` gives.
import { Optional } from '@marcbachmann/cel-js'

/** The value in an optional, null when there is none; other values as they are. */
export function unwrap(value: unknown): unknown {
  return value instanceof Optional ? (value.orValue(null) ?? null) : value
}
