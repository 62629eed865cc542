// The body of a delivery as items: decompressed within the cap, decoded, its id and its records found. One that cannot be read is refused as
// a whole; an item in it that is none becomes a dead letter with its bytes (I5).
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { toWeirError, WeirError } from '../../core/errors.ts'
import { decodeUtf8, isObject, jsonOf, parseJson, spanOf } from '../../core/json-text.ts'
import type { Item } from '../../core/record.ts'
import { formatBytes } from '../../core/units.ts'
import { compileExpression, type Expression } from '../../mapping/expression.ts'
import { hashOf } from '../memory.ts'
import { invalid } from './refusal.ts'
import { deliveryVars, type WebhookConfig } from './spec.ts'

/** A delivery that may be stored. */
export interface Delivery {
  /** Its name in the memory. */
  readonly hash: string
  readonly items: readonly Item[]
  /** As they were sent. */
  readonly bytes: number
}

/** A request whose sender is proven. */
export interface ProvenRequest {
  readonly headers: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string>>
  readonly body: Buffer
}

export type ReadDelivery = (request: ProvenRequest) => Promise<Delivery>

interface Bad {
  readonly raw: Uint8Array
  readonly error: WeirError
  readonly place: string
}

interface Decoded {
  readonly body: unknown
  readonly bad: readonly Bad[]
  rawOf(value: unknown): Uint8Array
}

const unzip = promisify(gunzip)
const maxIdLength = 200

/** Makes what reads deliveries. What it gives throws Refusal, or the WeirError of a body that cannot be read. */
export function createReader(config: WebhookConfig): ReadDelivery {
  const records = compileExpression(config.records, deliveryVars)
  const id = config.id === undefined ? undefined : compileExpression(config.id, deliveryVars)
  return async ({ headers, query, body }) => {
    if (body.length === 0) throw invalid(400, 'The body is empty', 'Send the items as JSON.')
    const bytes = isGzip(headers, body) ? await inflated(body, config.max_body) : body
    const decoded = config.format === 'ndjson' ? decodeLines(bytes) : decodeJson(bytes)
    const vars = { headers, query, body: decoded.body }
    const hash = id === undefined ? hashOf('body', bytes) : hashOf('id', idText(id, vars))
    return { hash, bytes: body.length, items: itemsOf(decoded, listOf(records, vars), hash, config.max_records) }
  }
}

function isGzip(headers: Readonly<Record<string, string>>, body: Buffer): boolean {
  return headers['content-encoding']?.trim().toLowerCase() === 'gzip' || (body[0] === 0x1f && body[1] === 0x8b)
}

async function inflated(body: Buffer, maxBytes: number): Promise<Buffer> {
  try {
    return await unzip(body, { maxOutputLength: maxBytes })
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
      throw invalid(413, `The body has more than ${formatBytes(maxBytes)} once decompressed`, 'Raise `max_body`.')
    throw invalid(400, 'The body is not whole gzip', 'It was cut short or changed on the way.')
  }
}

function decodeJson(bytes: Buffer): Decoded {
  const text = decodeUtf8(bytes)
  const body = parseJson(text, { name: 'body', line: 1 })
  return {
    body,
    bad: [],
    rawOf(value) {
      const span = spanOf(text, body, value)
      return Buffer.from(value === body ? text : span ? text.slice(span.start, span.end) : jsonOf(value))
    },
  }
}

function decodeLines(bytes: Buffer): Decoded {
  const values: unknown[] = []
  const lines = new Map<unknown, string>()
  const bad: Bad[] = []
  let number = 0
  for (const line of decodeUtf8(bytes).split(/\r?\n/)) {
    number++
    if (line.trim() === '') continue
    try {
      const value = parseJson(line, { name: 'body', line: number })
      values.push(value)
      lines.set(value, line)
    } catch (thrown) {
      bad.push({ raw: Buffer.from(line), error: toWeirError(thrown), place: `line ${number}` })
    }
  }
  // Where no line is good, the body is of another kind.
  if (values.length === 0 && bad.length > 0) throw bad[0]!.error
  return { body: values, bad, rawOf: value => Buffer.from(lines.get(value) ?? jsonOf(value)) }
}

/** @throws source.shape */
function listOf(records: Expression, vars: Readonly<Record<string, unknown>>): readonly unknown[] {
  let list: unknown
  try {
    list = records.evaluate(vars)
  } catch (cause) {
    throw shapeError(`The delivery does not fit \`records\`: ${toWeirError(cause).message}`, cause)
  }
  if (Array.isArray(list)) return list
  if (isObject(list)) return [list]
  throw shapeError(`\`records\` gives ${list === null ? 'null' : `a ${typeof list}`}, not a list or an object`)
}

function shapeError(message: string, cause?: unknown): WeirError {
  return new WeirError('source.shape', message, { hint: 'Look at a delivery and at `records`.', cause })
}

function idText(id: Expression, vars: Readonly<Record<string, unknown>>): string {
  let value: unknown
  try {
    value = id.evaluate(vars)
  } catch {
    value = null
  }
  const text = typeof value === 'string' ? value : /^(number|bigint)$/.test(typeof value) ? String(value) : ''
  if (text === '')
    throw invalid(400, 'The delivery has no id', '`id` must give a text or a number; look at a delivery.')
  if (text.length > maxIdLength)
    throw invalid(400, `The id of the delivery is longer than ${maxIdLength} characters`, 'Look at `id`.')
  return text
}

function itemsOf({ bad, rawOf }: Decoded, list: readonly unknown[], hash: string, maxRecords: number): Item[] {
  const count = list.length + bad.length
  if (count > maxRecords)
    throw invalid(413, `The delivery has ${count} items, at most ${maxRecords} are taken`, 'Raise `max_records`.')
  const good = list.map((value, n): Item => {
    const base = { raw: () => rawOf(value), position: `${hash}.${n}`, place: `item ${n + 1} of delivery ${hash}` }
    if (isObject(value)) return { ...base, value }
    const what = value === null ? 'null' : Array.isArray(value) ? 'a list' : `a ${typeof value}`
    return {
      ...base,
      value: undefined,
      error: new WeirError('source.item_shape', `The item is ${what}, not an object`, {
        at: base.place,
        hint: 'Check the expression in `records`.',
      }),
    }
  })
  const failed = bad.map(({ raw, error, place }, n): Item => {
    const position = `${hash}.${list.length + n}`
    return { raw, error, position, value: undefined, place: `${place} of delivery ${hash}` }
  })
  return [...good, ...failed]
}
