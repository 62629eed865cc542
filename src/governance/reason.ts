// Why a reader's schema cannot read what a writer's schema wrote.

/** The rules of Avro Java's SchemaCompatibility. */
export const rules = [
  'NAME_MISMATCH',
  'FIXED_SIZE_MISMATCH',
  'MISSING_ENUM_SYMBOLS',
  'READER_FIELD_MISSING_DEFAULT_VALUE',
  'TYPE_MISMATCH',
  'MISSING_UNION_BRANCH',
] as const
export type Rule = (typeof rules)[number]

export interface Reason {
  readonly rule: Rule
  /** JSON pointer in the reader's schema text; '' is the root. */
  readonly pointer: string
  /** The name of the reader's schema reference whose text the pointer is in; null for the schema itself. */
  readonly reference: string | null
  /** As Avro Java tells the place: it follows names into their definitions, and counts the branches of the writer's union. */
  readonly location: string
  /** Field names from the root record on: `RawReview.tags[].name`; `[]` is an item of an array, `{}` a value of a map. */
  readonly path: string
  /** As Avro Java words it: the missing symbols, the name of the field, ... Registries hand it out as additionalInfo. */
  readonly message: string
  /** The reader's part as JSON. */
  readonly reader: unknown
  /** The writer's part as JSON. */
  readonly writer: unknown
  /** For a missing branch of a union: why the branch that comes nearest cannot read it. Empty when none is near. */
  readonly because: readonly Reason[]
}

/** A sentence for people: what the reader cannot do. */
export function sentenceOf({ rule, path, message, because }: Reason): string {
  const place = path === '' ? 'the schema' : path
  switch (rule) {
    case 'NAME_MISMATCH':
      return message.startsWith('expected: ')
        ? `${place}: ${message.slice('expected: '.length)} was written, the reader has another name and no alias for it`
        : `${place}: ${message}`
    case 'FIXED_SIZE_MISMATCH':
      return `${place}: bytes ${message}`
    case 'MISSING_ENUM_SYMBOLS':
      return `${place}: the reader does not know the symbols ${message} and has no default for them`
    case 'READER_FIELD_MISSING_DEFAULT_VALUE':
      return `${place}: the reader needs it, it was not written, and it has no default`
    case 'TYPE_MISMATCH':
      return `${place}: ${message}`
    case 'MISSING_UNION_BRANCH':
      return because.length > 0 ? because.map(sentenceOf).join('; ') : `${place}: ${message}`
  }
}

/** The text of one reason as Confluent's registry gives it. `reader`: which of the two schemas is the reader. */
export function confluentText(reason: Reason, reader: 'new' | 'old'): string {
  const writer = reader === 'new' ? 'old' : 'new'
  return `{errorType:'${reason.rule}', description:'${description(reason, reader, writer)}', additionalInfo:'${reason.message}'}`
}

function description({ rule, location, message }: Reason, reader: string, writer: string): string {
  switch (rule) {
    case 'FIXED_SIZE_MISMATCH':
      return `The size of FIXED type field at path '${location}' in the ${reader} schema does not match with the ${writer} schema`
    case 'TYPE_MISMATCH':
      return `The type (path '${location}') of a field in the ${reader} schema does not match with the ${writer} schema`
    case 'NAME_MISMATCH':
      return `The name of the schema has changed (path '${location}')`
    case 'MISSING_ENUM_SYMBOLS':
      return `The ${reader} schema is missing enum symbols '${message}' at path '${location}' in the ${writer} schema`
    case 'MISSING_UNION_BRANCH':
      return `The ${reader} schema is missing a type inside a union field at path '${location}' in the ${writer} schema`
    case 'READER_FIELD_MISSING_DEFAULT_VALUE':
      return `The field '${message}' at path '${location}' in the ${reader} schema has no default value and is missing in the ${writer} schema`
  }
}
