// A schema text as the registry takes it: checked, in the form it is kept in, and as types that can be compared.
import { parseNamedSchema, parseStoredSchema } from '../../governance/named-schema.ts'
import { inlinedForm, normalForm } from '../../governance/normal-form.ts'
import type { NamedSchema, ReferencedSchema } from '../../governance/schema-tree.ts'
import { ordered, printJson } from '../../schema/json-text.ts'

export interface AvroText {
  /** As it is kept: without white space, attributes in a stable order; with `normalize` in normal form. */
  readonly text: string
  readonly schema: NamedSchema
}

/** @throws schema.invalid with the first problem, its place and what to do */
export function readAvro(text: string, references: readonly ReferencedSchema[], normalize: boolean): AvroText {
  return remembered(`${normalize}`, text, references, () => {
    const schema = parseNamedSchema(text, references)
    return { text: normalize ? normalForm(schema) : printJson(ordered(schema.json)), schema }
  })
}

/** A schema that was taken before, maybe by another rule than that of today. @throws schema.invalid when it cannot be compared at all */
export function storedAvro(text: string, references: readonly ReferencedSchema[]): NamedSchema {
  return remembered('stored', text, references, () => ({ text, schema: parseStoredSchema(text, references) })).schema
}

/** The text with the types it refers to in it. */
export function wholeText(text: string, references: readonly ReferencedSchema[]): string {
  return references.length === 0 ? text : inlinedForm(storedAvro(text, references))
}

const memory = new Map<string, AvroText>()
const maxRemembered = 32
/** Larger texts are read again: remembering them would cost more memory than time. */
const maxRememberedLength = 64 * 1024

/** Clients send the same schema again and again. */
function remembered(
  how: string,
  text: string,
  references: readonly ReferencedSchema[],
  read: () => AvroText,
): AvroText {
  const key = JSON.stringify([how, text, ...references.map(each => [each.name, each.text])])
  const known = memory.get(key)
  if (known) return known
  const found = read()
  if (key.length > maxRememberedLength) return found
  if (memory.size >= maxRemembered) memory.delete(memory.keys().next().value!)
  memory.set(key, found)
  return found
}
