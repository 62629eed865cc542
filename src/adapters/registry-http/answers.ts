// What an answer of a registry means: a value, a refusal with Confluent's error code, or no answer of a registry at all. A 404 without such
// a code is a wrong address or a proxy, never "not found": taken for it, each record of a topic would be dead.
import { WeirError } from '../../core/errors.ts'
import { isObject } from '../../core/json-text.ts'
import { escapeActing } from '../../core/printable.ts'
import { redact } from '../../core/secret.ts'
import { type Answer, unavailable } from './transport.ts'

/** A registry's own no, for the caller to make sense of. */
export interface Refusal {
  readonly status: number
  /** As in 40401; the status where the registry gives no finer one. */
  readonly code: number
  /** The registry's words, made safe to show. */
  readonly message: string
}

export type Reply =
  | { readonly refusal: null; readonly value: unknown }
  | { readonly refusal: Refusal; readonly value?: never }

/** @throws registry.unavailable, registry.denied */
export function replyOf(answer: Answer, place: string): Reply {
  const { status, contentType, body, redirectTo } = answer
  if (status >= 300 && status < 400)
    throw unavailable(place, `it redirects (${status}) to ${redirectTo ?? 'nowhere'}, where weir does not follow`)
  const json = contentType === '' || contentType.includes('json') ? parsed(body) : undefined
  if (status >= 200 && status < 300) {
    if (json !== undefined) return { refusal: null, value: json }
    throw unavailable(place, `it answers with ${contentType === '' ? 'something' : contentType} that is no JSON`)
  }
  const refusal = refusalOf(status, json)
  if (status === 401 || status === 403) throw denied(status, refusal, place)
  if (mayPass(status)) throw unavailable(place, `it answers ${status}${refusal ? `: ${refusal.message}` : ''}`)
  if (refusal === null || (status === 404 && Math.floor(refusal.code / 100) !== 404))
    throw unavailable(place, `it answers ${status} without an error code of a schema registry`)
  return { refusal }
}

/** True for a status that another try may not meet. */
export function mayPass(status: number): boolean {
  return status >= 500 || status === 408 || status === 429
}

/** A refusal that the caller has no better name for. `what`: as in "to register the schema". */
export function refused({ code, status, message }: Refusal, what: string, place: string): WeirError {
  const said = `The schema registry refuses ${what}: ${message} (error ${code}).`
  switch (code) {
    case 42201:
    case 42209:
      return new WeirError('schema.invalid', said, { at: place })
    case 42203:
    case 42208:
      return new WeirError('usage.invalid', said, { at: place })
    default:
      return new WeirError('registry.denied', said, {
        at: place,
        hint:
          code === 42205
            ? 'The subject or the registry is in a mode that allows no writing.'
            : `It answered ${status}: ask who runs it.`,
      })
  }
}

function denied(status: number, refusal: Refusal | null, place: string): WeirError {
  const said = refusal === null || refusal.message === '' ? '' : `: ${refusal.message}`
  return status === 401
    ? new WeirError('registry.denied', `The schema registry at ${place} refuses the login (401)${said}.`, {
        at: place,
        hint: 'Check the credentials under `registry`: name and password, or the token.',
      })
    : new WeirError('registry.denied', `The schema registry at ${place} does not allow what is asked (403)${said}.`, {
        at: place,
        hint: 'Ask who runs it for access to the subjects of this pipeline.',
      })
}

function refusalOf(status: number, json: unknown): Refusal | null {
  if (!isObject(json) || !Number.isSafeInteger(json['error_code'])) return null
  return { status, code: json['error_code'] as number, message: inWords(json['message']) }
}

const maxMessage = 600

/** The registry's words on one line, cut, without the schema texts that Confluent quotes in them, and without secrets. */
function inWords(message: unknown): string {
  if (typeof message !== 'string') return ''
  const text = redact(escapeActing(message.slice(0, 100_000)))
    .replaceAll(/,? ?\{oldSchema: '.*?'\}(?=[,\]]|$)/g, '')
    .replaceAll(/,? ?\{validateFields: [^{}]*\}/g, '')
    .trim()
    .replace(/\.$/, '')
  return text.length > maxMessage ? `${text.slice(0, maxMessage).toWellFormed()}...` : text
}

/** undefined for what is no JSON. */
function parsed(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

// ------------------------------------------------------------------------------------------------------- shapes of values

/** A schema as it stands under an id or a version. */
export interface SchemaAnswer {
  readonly text: string
  readonly id: number | null
  readonly version: number | null
}

/** @throws registry.unavailable for another shape; schema.invalid for what is no Avro, or is not whole in itself */
export function schemaIn(value: unknown, place: string): SchemaAnswer {
  if (!isObject(value) || typeof value['schema'] !== 'string') throw misshapen('a schema', place)
  const { schema, schemaType, references, id, version } = value
  const name = Number.isSafeInteger(id) ? `The schema with id ${id}` : 'A schema'
  if (typeof schemaType === 'string' && schemaType.toUpperCase() !== 'AVRO')
    throw new WeirError('schema.invalid', `${name} is ${inWords(schemaType)}, and weir reads Avro.`, { at: place })
  if (Array.isArray(references) && references.length > 0)
    throw new WeirError('schema.invalid', `${name} refers to schemas of other subjects.`, {
      at: place,
      hint: 'Register it with what it refers to written out.',
    })
  const whole = (each: unknown) => (Number.isSafeInteger(each) ? (each as number) : null)
  return { text: schema as string, id: whole(id), version: whole(version) }
}

/** @throws registry.unavailable for another shape */
export function idIn(value: unknown, place: string): number {
  if (isObject(value) && Number.isSafeInteger(value['id'])) return value['id'] as number
  throw misshapen('an id', place)
}

/** @throws registry.unavailable for another shape */
export function listIn<T extends 'string' | 'number'>(
  value: unknown,
  type: T,
  place: string,
): (T extends 'string' ? string : number)[] {
  if (Array.isArray(value) && value.every(each => typeof each === type)) return value
  throw misshapen('a list', place)
}

/** True or false, and why. @throws registry.unavailable for another shape */
export function verdictIn(
  value: unknown,
  place: string,
): { readonly compatible: boolean; readonly reasons: readonly string[] } {
  if (!isObject(value) || typeof value['is_compatible'] !== 'boolean') throw misshapen('a verdict', place)
  const messages = Array.isArray(value['messages']) ? value['messages'] : []
  return { compatible: value['is_compatible'], reasons: messages.flatMap(reasonIn) }
}

/** One reason of Confluent's verbose answer; what only quotes the old schema is none. */
function reasonIn(message: unknown): readonly string[] {
  const words = inWords(message)
  if (/^\{(?:oldSchema|oldSchemaVersion|validateFields|compatibility)\b/.test(words)) return []
  const found = /^\{errorType:\s*'(\w+)',\s*description:\s*'(.*)',\s*additionalInfo:\s*'.*'\}$/.exec(words)
  return words === '' ? [] : [found ? `${found[1]}: ${found[2]}` : words]
}

export function misshapen(wanted: string, place: string): WeirError {
  return unavailable(place, `its answer is JSON, but not ${wanted} as a schema registry gives it`)
}
