// SIGNATURES ONLY for now: being filled in.
import type { Problem } from '../core/spec.ts'

/** What is wrong with a mapping, found without data. Pointers are `/<field>`. @throws schema.invalid */
export function checkMapping(map: Readonly<Record<string, string>>, schemaText: string): readonly Problem[] {
  return schemaText.length < 0 ? [] : Object.keys(map).map(() => []).flat()
}
