// Producer, third step: records to Avro bytes with their key and identity. One that does not fit leaves the batch (I5).
import { WeirError } from '../core/errors.ts'
import { failpoint } from '../core/failpoint.ts'
import type { Header, OutRecord } from '../core/record.ts'
import type { Expression } from '../mapping/expression.ts'
import type { Encoder } from '../schema/codec.ts'
import type { Slabs } from '../schema/slabs.ts'
import { identityHeader, identityOf } from './identity.ts'
import { asItemError, type ItemFailure, type MappedItem } from './map.ts'

export interface EncodeOptions {
  readonly encoder: Encoder
  readonly schemaId: number
  /** CEL over `record`, `this`, `split`; null: no key. */
  readonly key: Expression | null
  readonly maxRecordBytes: number
}

/** What one record costs beside key, value and headers: length fields of the wire format. */
const recordOverheadBytes = 64

/** `slabs`: where the values stand; they are good until its `reuse`. Omitted: they may be kept. */
export type EncodeBatch = (
  mapped: readonly MappedItem[],
  split: Readonly<Record<string, unknown>>,
  prefix: string,
  now: number,
  extra?: readonly Header[],
  slabs?: Slabs,
) => EncodedBatch

export interface EncodedBatch {
  readonly records: readonly OutRecord[]
  readonly failures: readonly ItemFailure[]
  readonly bytes: number
}

/** Makes the encode step of a pipeline. */
export function createEncode(options: EncodeOptions): EncodeBatch {
  const { encoder, schemaId, key, maxRecordBytes } = options

  return (mapped, split, prefix, now, extra = [], slabs) => {
    failpoint('encode.before')
    const records: OutRecord[] = []
    const failures: ItemFailure[] = []
    let bytes = 0
    const extraBytes = extra.reduce((sum, [name, content]) => sum + name.length + content.length * 3, 0)
    const vars = { record: undefined as unknown, this: undefined as unknown, split }
    for (const { item, record } of mapped) {
      let step: 'key.failed' | 'encode.invalid' = 'encode.invalid'
      try {
        const value = encoder.encode(record, schemaId, slabs)
        step = 'key.failed'
        vars.record = record
        vars.this = item.value
        const recordKey = key === null ? null : keyBytes(key.evaluate(vars), slabs)
        const id = identityOf(prefix, item.position)
        const size = value.length + (recordKey?.length ?? 0) + Buffer.byteLength(id) + extraBytes + recordOverheadBytes
        if (size > maxRecordBytes)
          throw new WeirError(
            'encode.too_large',
            `The encoded record has ${size} bytes, the topic takes ${maxRecordBytes}.`,
            { hint: 'Map fewer or shorter fields, or raise topic.max_record.' },
          )
        records.push({
          key: recordKey,
          value,
          headers: extra.length === 0 ? [[identityHeader, id]] : [[identityHeader, id], ...extra],
          timestampMs: now,
        })
        bytes += size
      } catch (error) {
        failures.push({ item, stage: 'encode', error: asItemError(error, step) })
      }
    }
    return { records, failures, bytes }
  }
}

function keyBytes(value: unknown, slabs: Slabs | undefined): Uint8Array | null {
  if (value === null || value instanceof Uint8Array) return value
  if (typeof value !== 'string' && typeof value !== 'bigint' && typeof value !== 'number' && typeof value !== 'boolean')
    throw new WeirError('key.failed', 'The key is neither text, number nor bytes.', {
      at: '/topic/key',
      hint: 'Give one scalar, such as record.product_asin.',
    })
  const text = String(value)
  return slabs === undefined ? Buffer.from(text) : slabs.write(text)
}
