// Values to framed Avro bytes and back, on avsc with our own types (avro-types.ts) and behind the guard.
// In JavaScript a long is a bigint, a timestamp-millis a number of milliseconds (bigint beyond 2^53), bytes and fixed are Buffers,
// a union is its plain value, except where its branches look alike (int or long, two records): there it is {"branch name": value}.
import { WeirError } from '../core/errors.ts'
import { type AvroType, toAvroType } from './avro-types.ts'
import { compileGuard } from './guard.ts'
import { canonicalText, parseSchema } from './parse.ts'
import { pinpoint } from './pinpoint.ts'
import { Slabs } from './slabs.ts'
import { headerBytes, readSchemaId, writeHeader } from './wire.ts'

export interface EncoderOptions {
  /** Largest framed value, header included. Default 1 MiB. */
  readonly maxBytes?: number
  /** True: a lone surrogate in a string becomes U+FFFD instead of being refused. For texts about records, where failing would lose the record. */
  readonly repairText?: boolean
}

export interface Encoder {
  /**
   * The value with its wire header. A long takes a bigint or a safe whole number; fields left undefined get their default.
   * The bytes stand in a slab shared with other values: do not write to them, and copy what is kept for long. With `slabs` they
   * stand there, and are good until its `reuse`.
   * @throws encode.invalid (`at` is the JSON pointer of the field), encode.too_large
   */
  encode(value: Readonly<Record<string, unknown>>, schemaId: number, slabs?: Slabs): Uint8Array
}

export interface Decoder {
  /**
   * The record in a framed value: plain objects, maps without a prototype.
   * @throws decode.not_framed, decode.invalid, decode.limit (`at` is the byte offset in the framed value)
   */
  decode(framed: Uint8Array): Record<string, unknown>
}

const defaultMaxBytes = 1024 * 1024

/** @throws schema.invalid */
export function compileEncoder(schemaText: string, options: EncoderOptions = {}): Encoder {
  const { root } = parseSchema(schemaText)
  const type = toAvroType(root, options.repairText ?? false)
  const maxBytes = options.maxBytes ?? defaultMaxBytes
  const own = new Slabs()

  const write = (value: unknown, into: Buffer, at: number): number => {
    try {
      return type.encode(value, into, at + headerBytes)
    } catch (cause) {
      throw pinpoint(value, root, cause)
    }
  }

  return {
    encode(value, schemaId, slabs = own) {
      let start = slabs.used
      let end = write(value, slabs.current, start)
      if (end < 0) {
        // It did not fit: the result is minus the bytes that were missing.
        const needed = slabs.current.length - end - start
        if (needed > maxBytes) throw tooLarge(needed, maxBytes)
        if (Slabs.isLarge(needed)) return alone(value, schemaId, needed)
        slabs.advance()
        if (slabs === own) own.letGo()
        start = 0
        end = write(value, slabs.current, start)
      }
      if (end - start > maxBytes) throw tooLarge(end - start, maxBytes)
      writeHeader(slabs.current, start, schemaId)
      slabs.used = end
      return slabs.current.subarray(start, end)
    },
  }

  function alone(value: unknown, schemaId: number, bytes: number): Uint8Array {
    const framed = Buffer.allocUnsafeSlow(bytes)
    write(value, framed, 0)
    writeHeader(framed, 0, schemaId)
    return framed
  }
}

function tooLarge(bytes: number, maxBytes: number): WeirError {
  return new WeirError('encode.too_large', `the record takes ${bytes} bytes, the topic takes ${maxBytes}`, {
    hint: 'Shorten the largest field in the mapping, for example this.text.truncate(10000), or raise the size limit of the topic.',
  })
}

/**
 * Decodes what was written with `writerText`, as `readerText` when it is given. Names are compared without their namespace.
 * @throws schema.invalid, schema.unresolvable
 */
export function compileDecoder(writerText: string, readerText: string | null): Decoder {
  const writer = parseSchema(writerText).root
  const check = compileGuard(writer)
  const writerType = toAvroType(writer)
  const readerType =
    readerText === null || isSameText(readerText, writerText) ? writerType : toAvroType(parseSchema(readerText).root)
  const resolver = readerType === writerType ? undefined : resolve(readerType, writerType)
  const read = ({ buffer, byteOffset, byteLength }: Uint8Array): Record<string, unknown> => {
    try {
      // The check has held that nothing is read beyond the end.
      return readerType.decode(wholeOf(buffer), byteOffset + headerBytes, resolver).value as Record<string, unknown>
    } catch {
      // Once more, for the place in the error.
      const own = Buffer.from(buffer, byteOffset, byteLength)
      return readerType.decode(own, headerBytes, resolver).value as Record<string, unknown>
    }
  }
  return {
    decode(framed) {
      readSchemaId(framed)
      check(framed, headerBytes)
      try {
        return read(framed)
      } catch (cause) {
        if (cause instanceof WeirError) throw cause
        throw new WeirError('decode.invalid', 'the bytes do not decode under their schema', {
          at: `byte ${headerBytes}`,
          hint: 'The bytes are damaged, or were written with another schema than the one their id names.',
          cause,
        })
      }
    },
  }
}

/** The memory that was read last: one view of it for the many values that share it, instead of one for each. */
let whole: Buffer = Buffer.alloc(0)

function wholeOf(memory: ArrayBufferLike): Buffer {
  if (whole.buffer !== memory) whole = Buffer.from(memory)
  return whole
}

/** Registries reprint schemas. Resolving a schema to itself would only cost time. */
function isSameText(one: string, other: string): boolean {
  return one === other || canonicalText(one) === canonicalText(other)
}

function resolve(reader: AvroType, writer: AvroType): unknown {
  try {
    return reader.createResolver(writer, { ignoreNamespaces: true })
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.slice(0, 300) : ''
    throw new WeirError('schema.unresolvable', `the writer's schema cannot be read as the reader's: ${reason}`, {
      hint: 'Give new fields of the reader a default, and change types only as Avro promotes them (int to long, float or double).',
      cause,
    })
  }
}
