// Two more words for describing the configuration of this source.
import { type TSchema, Type } from '../../core/spec.ts'

export const oneOf = <T extends string>(values: readonly T[], o: { description: string; default?: T }) =>
  Type.Unsafe<T>({ type: 'string', enum: values, ...o })

/** An object of which exactly one field is written. */
export const choice = <T extends Record<string, TSchema>>(properties: T, description: string) => {
  const optional = Object.fromEntries(
    Object.entries(properties).map(([key, value]) => [key, Type.Optional(value)]),
  ) as { [K in keyof T]: ReturnType<typeof Type.Optional<T[K]>> }
  return Type.Object(optional, { additionalProperties: false, minProperties: 1, maxProperties: 1, description })
}
