// Confluent wire format of a value: byte 0 is 0x00, bytes 1-4 are the schema id (big-endian), the rest is the Avro body.
import { WeirError } from '../core/errors.ts'

/** Bytes before the Avro body. */
export const headerBytes = 5

/** Puts the wire header before an Avro body. Copies the body. */
export function frame(schemaId: number, body: Uint8Array): Uint8Array {
  const framed = new Uint8Array(headerBytes + body.length)
  writeHeader(framed, 0, schemaId)
  framed.set(body, headerBytes)
  return framed
}

/** Writes the wire header at `at`; the body follows at `at + headerBytes`. */
export function writeHeader(bytes: Uint8Array, at: number, schemaId: number): void {
  bytes[at] = 0
  bytes[at + 1] = schemaId >>> 24
  bytes[at + 2] = schemaId >>> 16
  bytes[at + 3] = schemaId >>> 8
  bytes[at + 4] = schemaId
}

/** The schema id of a framed value. @throws decode.not_framed */
export function readSchemaId(bytes: Uint8Array): number {
  if (bytes.length < headerBytes)
    throw new WeirError(
      'decode.not_framed',
      `the value has ${bytes.length} bytes, less than the 5 of the wire header`,
      {
        at: 'byte 0',
        hint: 'Values of this topic must be written with the Confluent wire format: 0x00, 4-byte schema id, Avro body.',
      },
    )
  if (bytes[0] !== 0)
    throw new WeirError(
      'decode.not_framed',
      `the value starts with byte 0x${bytes[0]!.toString(16).padStart(2, '0')}, not 0x00`,
      {
        at: 'byte 0',
        hint: 'Values of this topic must be written with the Confluent wire format: 0x00, 4-byte schema id, Avro body.',
      },
    )
  const id = (bytes[1]! << 24) | (bytes[2]! << 16) | (bytes[3]! << 8) | bytes[4]!
  if (id < 0)
    throw new WeirError('decode.not_framed', `the schema id is negative: ${id}`, {
      at: 'byte 1',
      hint: 'Schema ids are positive 32-bit integers; the bytes are likely not in the Confluent wire format.',
    })
  return id
}
