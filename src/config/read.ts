// One part of a definition, from plain YAML values to what code sees: variables, check, decode, in this order.
import type { TSchema } from '../core/spec.ts'
import { checkValue } from './check.ts'
import { decodeValue } from './decode.ts'
import { type Reading, resolveValue } from './resolve.ts'
import { shapeOf } from './shape.ts'

/**
 * Reads `value`, which stands at the pointer `base` of its file, by its spec. Mistakes go to `reading.problems`;
 * with an error at or under `base` there the result is partial.
 */
export function readPart(value: unknown, spec: TSchema, base: string, reading: Reading): unknown {
  const shape = shapeOf(spec)
  const resolved = resolveValue(value, shape, base, reading)
  checkValue(resolved, shape, base, reading)
  return decodeValue(resolved, shape, base, reading)
}
