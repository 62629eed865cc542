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

/** Rejects with registry.unavailable when the registry cannot be asked: the batch is tried again, no record is dead for it. */
export type Decode = (
  records: readonly LogRecord[],
) => Promise<{ readonly decoded: DecodedRecord[]; readonly failures: RecordFailure[] }>

const maxDecoders = 1000

/** Makes the decode step. `readerText` is the schema the pipeline knows; null: as written. Tombstones (null values) are passed over. */
export function createDecode(registry: SchemaRegistry, readerText: string | null): Decode {
  const decoders = new Map<number, Decoder | WeirError>()

  const decoderOf = async (id: number): Promise<Decoder> => {
    let decoder = decoders.get(id)
    if (decoder === undefined) {
      try {
        decoder = compileDecoder(await registry.byId(id), readerText)
      } catch (error) {
        if (codeOf(error) === 'registry.unavailable') throw error
        decoder =
          codeOf(error) === 'registry.unknown_id'
            ? new WeirError('decode.unknown_schema', `The registry has no schema with id ${id}.`, {
                cause: error,
                hint: 'Was the value written with another registry?',
              })
            : asItemError(error, 'decode.invalid')
      }
      // An unknown id may be registered later, so only what is known for good is kept.
      if (!(decoder instanceof WeirError) || decoder.code !== 'decode.unknown_schema') {
        if (decoders.size >= maxDecoders) decoders.clear()
        decoders.set(id, decoder)
      }
    }
    if (decoder instanceof WeirError) throw decoder
    return decoder
  }

  return async records => {
    const decoded: DecodedRecord[] = []
    const failures: RecordFailure[] = []
    for (const log of records) {
      if (log.value === null) continue
      let schemaId: number | null = null
      try {
        schemaId = readSchemaId(log.value)
        const known = decoders.get(schemaId)
        const decoder = known === undefined || known instanceof WeirError ? await decoderOf(schemaId) : known
        decoded.push({ log, schemaId, value: decoder.decode(log.value) })
      } catch (error) {
        if (codeOf(error) === 'registry.unavailable') throw error
        failures.push({ log, stage: 'decode', error: asItemError(error, 'decode.invalid'), attempts: 1, schemaId })
      }
    }
    return { decoded, failures }
  }
}
