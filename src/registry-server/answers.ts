// How values and refusals look on the wire.
import { RegistryRefusal } from '../adapters/registry-embedded/refusal.ts'
import type { SchemaContent, Setting, StoredVersion } from '../adapters/registry-embedded/rows.ts'
import { codeOf, codes, weirErrorOf } from '../core/errors.ts'

export const mediaType = 'application/vnd.schemaregistry.v1+json'
const mediaTypes = [mediaType, 'application/vnd.schemaregistry+json', 'application/json']

/** The body is this JSON text as it stands. */
export class RawJson {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** The type to answer in, or null when the client takes none of ours. */
export function answerType(accept: string | undefined): string | null {
  if (accept === undefined || accept.trim() === '') return mediaType
  const ranges = accept
    .split(',')
    .map(range => range.split(';').map(each => each.trim().toLowerCase()))
    .filter(([, ...parameters]) => !parameters.some(each => /^q=0(\.0*)?$/.test(each)))
    .map(([range]) => range)
  if (ranges.some(range => range === '*/*' || range === 'application/*')) return mediaType
  return mediaTypes.find(type => ranges.includes(type)) ?? null
}

/** A request body that we read as JSON. Without a type it is taken for JSON. */
export const readsType = (type: string | undefined): boolean =>
  type === undefined || [...mediaTypes, 'application/octet-stream'].includes(type.split(';')[0]!.trim().toLowerCase())

export interface ErrorAnswer {
  readonly status: number
  readonly body: { readonly error_code: number; readonly message: string }
}

const answer = (code: number, message: string): ErrorAnswer => ({
  status: code < 1000 ? code : Math.floor(code / 100),
  body: { error_code: code, message },
})

/** What is wrong with a schema, with its place; null for anything else. */
export function invalidSchema(thrown: unknown): string | null {
  if (thrown instanceof RegistryRefusal) return thrown.errorCode === 42201 ? thrown.message : null
  const error = weirErrorOf(thrown)
  if (error?.code !== 'schema.invalid' && error?.code !== 'schema.too_complex') return null
  return error.at === undefined ? error.message : `${error.message} (at ${error.at})`
}

/** Any thrown value as an answer. What is not a refusal is told to `unexpected`, never to the client. */
export function errorAnswer(thrown: unknown, unexpected: (thrown: unknown) => void): ErrorAnswer {
  if (thrown instanceof RegistryRefusal) return answer(thrown.errorCode, thrown.message)
  const invalid = invalidSchema(thrown)
  if (invalid !== null) return answer(42201, invalid)
  const code = codeOf(thrown)
  unexpected(thrown)
  if (code === 'log.busy') return answer(50002, 'The store is locked by another process')
  if (code.startsWith('log.')) return answer(50001, `Error in the backend data store: ${codes[code].doc}`)
  return answer(500, 'Internal Server Error')
}

/** A version as `GET /subjects/{s}/versions/{v}` gives it. */
export const shownVersion = ({ subject, version, id, text, references, metadata, deleted }: StoredVersion) => ({
  subject,
  version,
  id,
  ...(references.length > 0 ? { references } : {}),
  ...(metadata === null ? {} : { metadata }),
  schema: text,
  ...(deleted ? { deleted } : {}),
})

/** A schema as `GET /schemas/ids/{id}` gives it. */
export const shownSchema = ({ text, references, metadata }: SchemaContent, maxId: number | null) => ({
  schema: text,
  ...(references.length > 0 ? { references } : {}),
  ...(metadata === null ? {} : { metadata }),
  ...(maxId === null ? {} : { maxId }),
})

export const shownConfig = (
  { level, normalize }: Pick<Setting, 'level' | 'normalize'>,
  levelName: 'compatibility' | 'compatibilityLevel',
) => ({
  ...(level === null ? {} : { [levelName]: level }),
  ...(normalize === null ? {} : { normalize }),
})
