// Producer, third step: records to Avro bytes with their key and identity. One that does not fit leaves the batch (I5).
import { WeirError } from '../core/errors.ts'
import { failpoint } from '../core/failpoint.ts'
import { changeHeader, type Header, type OutRecord } from '../core/record.ts'
import type { DeletedKey } from '../mapping/deleted-key.ts'
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
  /** The key of an item that is gone, over what is left of it; omitted: the source tells of none. */
  readonly deletedKey?: DeletedKey
  readonly maxRecordBytes: number
}

/** What one record costs beside key, value and headers: length fields of the wire format. */
const recordOverheadBytes = 64

/** What headers cost at most. */
export function headerBytes(headers: readonly Header[]): number {
  return headers.reduce((sum, [name, content]) => sum + name.length + content.length * 3, 0)
}

/** What a record costs without extra headers. */
export function encodedBytes(value: Uint8Array | null, key: Uint8Array | null, id: string): number {
  return (value?.length ?? 0) + (key?.length ?? 0) + Buffer.byteLength(id) + recordOverheadBytes
}

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
  const { encoder, schemaId, key, deletedKey, maxRecordBytes } = options

  return (mapped, split, prefix, now, extra = [], slabs) => {
    failpoint('encode.before')
    const records: OutRecord[] = []
    const failures: ItemFailure[] = []
    let bytes = 0
    const extraBytes = headerBytes(extra)
    const vars = { record: undefined as unknown, this: undefined as unknown, split }
    for (const { item, record } of mapped) {
      let step: 'key.failed' | 'encode.invalid' = 'encode.invalid'
      try {
        const isGone = item.change === 'deleted'
        const value = isGone ? null : encoder.encode(record, schemaId, slabs)
        step = 'key.failed'
        vars.record = record
        vars.this = item.value
        const recordKey = isGone
          ? keyOfGone(deletedKey?.(item.value, split), slabs)
          : key === null
            ? null
            : keyBytes(key.evaluate(vars), slabs)
        const id = identityOf(prefix, item.position)
        const marked = item.change === undefined ? extra : [[changeHeader, item.change] as const, ...extra]
        const size = encodedBytes(value, recordKey, id) + (marked === extra ? extraBytes : headerBytes(marked))
        if (size > maxRecordBytes)
          throw new WeirError(
            'encode.too_large',
            `The encoded record has ${size} bytes, the topic takes ${maxRecordBytes}.`,
            { hint: 'Map fewer or shorter fields, or raise topic.max_record.' },
          )
        records.push({
          key: recordKey,
          value,
          headers: marked.length === 0 ? [[identityHeader, id]] : [[identityHeader, id], ...marked],
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

/** A tombstone without a key would delete nothing. */
function keyOfGone(key: unknown, slabs: Slabs | undefined): Uint8Array {
  const bytes = key === undefined ? null : keyBytes(key, slabs)
  if (bytes !== null) return bytes
  throw new WeirError('key.failed', 'The item is gone, and the key of its record cannot be known.', {
    at: '/topic/key',
    hint: 'Make the key of the id of the item.',
  })
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
