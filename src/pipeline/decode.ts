// Consumer, second step: bytes of the topic to records, with the schema each was written with, resolved to the reader's.
import { codeOf, WeirError } from '../core/errors.ts'
import type { LogRecord } from '../core/record.ts'
import { compileDecoder, type Decoder } from '../schema/codec.ts'
import { readSchemaId } from '../schema/wire.ts'
import { asItemError } from './map.ts'
import type { DecodedRecord, SchemaRegistry } from './ports.ts'

/** A record of the topic that a stage of the consumer cannot take further. */
export interface RecordFailure {
  readonly log: LogRecord
  readonly stage: 'decode' | 'process' | 'deliver'
  readonly error: WeirError
  readonly attempts: number
  readonly schemaId: number | null
}

/**
 * Rejects when the registry gives no answer, or one that cannot be believed (registry.unavailable, registry.denied, registry.mismatch):
 * no record is dead for that. The registry is asked for each id once a batch, so that it can say when an id has come to stand for
 * something else; it keeps what it knows.
 */
export type Decode = (
  records: readonly LogRecord[],
) => Promise<{ readonly decoded: DecodedRecord[]; readonly failures: RecordFailure[] }>

const maxDecoders = 1000

/** Makes the decode step. `readerText` is the schema the pipeline knows; null: as written. Tombstones (null values) are passed on as they are. */
export function createDecode(registry: Pick<SchemaRegistry, 'byId'>, readerText: string | null): Decode {
  const compiled = new Map<number, { readonly text: string; readonly decoder: Decoder | WeirError }>()

  const decoderOf = async (id: number): Promise<Decoder | WeirError> => {
    let text: string
    try {
      text = await registry.byId(id)
    } catch (error) {
      return faultOfRecord(id, error)
    }
    const known = compiled.get(id)
    if (known?.text === text) return known.decoder
    const decoder = compile(text, readerText)
    if (compiled.size >= maxDecoders) compiled.clear()
    compiled.set(id, { text, decoder })
    return decoder
  }

  return async records => {
    const decoders = new Map<number, Decoder | WeirError>()
    const decoded: DecodedRecord[] = []
    const failures: RecordFailure[] = []
    const fail = (log: LogRecord, thrown: unknown, schemaId: number | null) => {
      failures.push({ log, stage: 'decode', error: asItemError(thrown, 'decode.invalid'), attempts: 1, schemaId })
    }
    for (const log of records) {
      if (log.value === null) {
        decoded.push({ log, schemaId: null, value: null })
        continue
      }
      let schemaId: number
      try {
        schemaId = readSchemaId(log.value)
      } catch (error) {
        fail(log, error, null)
        continue
      }
      let decoder = decoders.get(schemaId)
      if (decoder === undefined) decoders.set(schemaId, (decoder = await decoderOf(schemaId)))
      try {
        if (decoder instanceof WeirError) throw decoder
        decoded.push({ log, schemaId, value: decoder.decode(log.value) })
      } catch (error) {
        fail(log, error, schemaId)
      }
    }
    return { decoded, failures }
  }
}

function compile(text: string, readerText: string | null): Decoder | WeirError {
  try {
    return compileDecoder(text, readerText)
  } catch (error) {
    return asItemError(error, 'decode.invalid')
  }
}

/** What the registry knows for sure to be wrong with the id of a record. @throws the error when it says nothing about the record */
function faultOfRecord(id: number, error: unknown): WeirError {
  switch (codeOf(error)) {
    case 'registry.unknown_id':
      return new WeirError('decode.unknown_schema', `The registry has no schema with id ${id}.`, {
        cause: error,
        hint: 'Was the value written with another registry?',
      })
    case 'schema.invalid':
      return asItemError(error, 'decode.invalid')
    default:
      throw error
  }
}
