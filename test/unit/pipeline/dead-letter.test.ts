// A dead letter always fits its topic: what is too much of it is cut or left out, and the letter says so.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { createOffice, type DeadLetter, envelopeBytes } from '../../../src/pipeline/dead-letter.ts'
import { compileDecoder, compileEncoder } from '../../../src/schema/codec.ts'

const schema = readFileSync(resolve(import.meta.dirname, '../../../schemas/dead-letter.avsc'), 'utf8')
const maxRecordBytes = 100_000
const room = maxRecordBytes - envelopeBytes
const office = createOffice({
  ...{ topic: 'dlq', schemaId: 1, maxRecordBytes, emit: () => {} },
  encoder: compileEncoder(schema, { maxBytes: maxRecordBytes }),
})

const letter = (more: Partial<DeadLetter>): DeadLetter => ({
  ...{ error_code: 'decode.invalid', error_message: 'broken', error_path: null, error_hint: null, stage: 'decode' },
  ...{ pipeline: 'p', split: null, source_position: null, source_place: null, context: null, topic: 't' },
  ...{ original_topic: 't', original_partition: 0, original_offset: 7n, consumer_group: 'g', original_key: null },
  ...{ original: Buffer.from('original'), original_headers: [], schema_id: null, attempts: 1 },
  ...{ first_failed_at: 0, last_failed_at: 0, weir_version: 'test' },
  ...more,
})

function written(more: Partial<DeadLetter>) {
  const { key, value, headers } = office.write(letter(more), 'id')
  const bytes = key!.length + value!.length + headers.reduce((sum, [name, text]) => sum + name.length + text.length, 0)
  return { key: key!, bytes, letter: compileDecoder(schema, null).decode(value!) as unknown as DeadLetter }
}

test('I5: what fits is kept whole, key and headers included', () => {
  const headers = [{ name: 'h', value: Buffer.alloc(1_000, 1) }]
  const original = Buffer.alloc(room - 4_000, 2)
  const kept = written({ original, original_key: Buffer.from('k'), original_headers: headers })
  expect(kept.letter.original).toEqual(original)
  expect(kept.letter.original_headers).toEqual(headers)
  expect(kept.letter.error_message).toBe('broken')
  expect(kept.key).toEqual(Buffer.from('k'))
})

test('an original that is too large is cut, with its length and hash', () => {
  const original = Buffer.alloc(room * 3, 3)
  const cut = written({ original })
  const sha256 = createHash('sha256').update(original).digest('hex')
  expect(cut.letter.original).toEqual(original.subarray(0, room))
  expect(cut.letter.error_message).toBe(
    `broken [original cut from ${original.length} to ${room} bytes, sha256 ${sha256}]`,
  )
  expect(cut.bytes).toBeLessThan(maxRecordBytes)
})

test.each<[string, Partial<DeadLetter>]>([
  ['headers', { original_headers: [{ name: 'h', value: Buffer.alloc(maxRecordBytes, 4) }] }],
  ['a key', { original_key: Buffer.alloc(maxRecordBytes, 5) }],
  [
    'many headers',
    { original_headers: Array.from({ length: 9_000 }, () => ({ name: 'name', value: Buffer.alloc(3) })) },
  ],
])('%s that are too large for any letter are left out, and the original stays', (_, more) => {
  const left = written(more)
  expect(left.bytes).toBeLessThan(maxRecordBytes)
  expect(left.letter.original).toEqual(Buffer.from('original'))
  expect(left.letter).toMatchObject({ original_key: null, original_headers: [] })
  expect(left.letter.error_message).toMatch(/^broken \[key and headers of \d+ bytes left out\]$/)
  expect(left.key).toEqual(Buffer.from('id'))
})
