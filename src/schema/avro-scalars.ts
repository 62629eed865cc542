// Our avsc types of single values: longs over the whole 64-bit range, strings that must be Unicode, enums whose lookups see no inherited members.
import { isUtf8 } from 'node:buffer'
import { WeirError } from '../core/errors.ts'
import { type AvroType, base, type Hook, Refused, type Resolver, refuse, type Tap } from './avro-base.ts'

const minLong = -(2n ** 63n)
const maxLong = 2n ** 63n - 1n

export class Long extends base.LongType {
  override _check(value: unknown, _flags?: number, hook?: Hook): boolean {
    if (typeof value === 'bigint' ? value >= minLong && value <= maxLong : Number.isSafeInteger(value)) return true
    return refuse(hook, value, this)
  }

  override _write(tap: Tap, value: unknown): void {
    if (typeof value === 'number') {
      if (!Number.isSafeInteger(value)) throw new Refused()
      // avsc's arithmetic is exact from -2^52 up.
      if (value > -4503599627370496) tap.writeLong(value)
      else writeBigLong(tap, BigInt(value))
    } else if (typeof value === 'bigint' && value >= minLong && value <= maxLong) writeBigLong(tap, value)
    else throw new Refused()
  }

  override _read(tap: Tap): bigint | number {
    return readBigLong(tap)
  }

  override _update(resolver: Resolver, type: AvroType): void {
    if (type.typeName === 'int') resolver._read = tap => BigInt(type._read(tap) as number)
    else if (type.typeName === 'long') resolver._read = tap => this._read(tap)
  }

  /** Defaults arrive as JSON. */
  override _copy(value: unknown): unknown {
    return typeof value === 'number' ? BigInt(value) : value
  }
}

export class MillisLong extends Long {
  override _read(tap: Tap): bigint | number {
    const value = readBigLong(tap)
    const ms = Number(value)
    return Number.isSafeInteger(ms) ? ms : value
  }

  override _update(resolver: Resolver, type: AvroType): void {
    if (type.typeName === 'int') resolver._read = type._read.bind(type)
    else if (type.typeName === 'long') resolver._read = tap => this._read(tap)
  }

  override _copy(value: unknown): unknown {
    const ms = Number(value)
    return Number.isSafeInteger(ms) ? ms : value
  }
}

function readBigLong(tap: Tap): bigint {
  const { buf } = tap
  const start = tap.pos
  let last = start
  while (buf[last]! >= 0x80) last++
  if (last - start < 7) return BigInt(tap.readLong())
  let raw = 0n
  for (let i = last; i >= start; i--) raw = (raw << 7n) | BigInt(buf[i]! & 0x7f)
  tap.pos = last + 1
  raw = BigInt.asUintN(64, raw)
  return raw & 1n ? -(raw >> 1n) - 1n : raw >> 1n
}

function writeBigLong(tap: Tap, value: bigint): void {
  let raw = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
  const { buf } = tap
  while (raw >= 0x80n) {
    buf[tap.pos++] = Number(raw & 0x7fn) | 0x80
    raw >>= 7n
  }
  buf[tap.pos++] = Number(raw)
}

function readAsNumber(tap: Tap): number {
  return Number(readBigLong(tap))
}

export class Float extends base.FloatType {
  override _update(resolver: Resolver, type: AvroType): void {
    if (type.typeName === 'long') resolver._read = tap => Math.fround(readAsNumber(tap))
    else super._update(resolver, type)
  }
}

export class Double extends base.DoubleType {
  override _update(resolver: Resolver, type: AvroType): void {
    if (type.typeName === 'long') resolver._read = readAsNumber
    else super._update(resolver, type)
  }
}

export class Text extends base.StringType {
  override _check(value: unknown, _flags?: number, hook?: Hook): boolean {
    return (typeof value === 'string' && value.isWellFormed()) || refuse(hook, value, this)
  }

  override _write(tap: Tap, value: unknown): void {
    if (typeof value !== 'string' || !value.isWellFormed()) throw new Refused()
    tap.writeString(value)
  }

  override _read(tap: Tap): string {
    const start = tap.pos
    const text = tap.readString()
    if (text.includes('\ufffd')) checkUtf8(tap, start)
    return text
  }

  override _update(resolver: Resolver, type: AvroType): void {
    if (type.typeName === 'string' || type.typeName === 'bytes') resolver._read = tap => this._read(tap)
  }
}

/** A lone surrogate becomes U+FFFD. */
export class RepairedText extends Text {
  override _check(value: unknown, _flags?: number, hook?: Hook): boolean {
    return typeof value === 'string' || refuse(hook, value, this)
  }

  override _write(tap: Tap, value: unknown): void {
    if (typeof value !== 'string') throw new Refused()
    tap.writeString(value.toWellFormed())
  }
}

/** U+FFFD stands in the text, or stands for bytes that are not UTF-8. */
export function checkUtf8(tap: Tap, start: number): void {
  const end = tap.pos
  tap.pos = start
  const length = tap.readLong()
  tap.pos = end
  if (isUtf8(tap.buf.subarray(end - length, end))) return
  throw new WeirError('decode.invalid', 'a string is not valid UTF-8', {
    at: `byte ${end - length}`,
    hint: 'The writer put other bytes where its schema says string.',
  })
}

function bufferOf(value: unknown): Buffer | null {
  if (Buffer.isBuffer(value)) return value
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : null
}

export class Bytes extends base.BytesType {
  override _check(value: unknown, _flags?: number, hook?: Hook): boolean {
    return value instanceof Uint8Array || refuse(hook, value, this)
  }

  override _write(tap: Tap, value: unknown): void {
    const bytes = bufferOf(value)
    if (bytes === null) throw new Refused()
    tap.writeBytes(bytes)
  }
}

export class Fixed extends base.FixedType {
  declare readonly size: number

  override _check(value: unknown, _flags?: number, hook?: Hook): boolean {
    return (value instanceof Uint8Array && value.length === this.size) || refuse(hook, value, this)
  }

  override _write(tap: Tap, value: unknown): void {
    const bytes = bufferOf(value)
    if (bytes === null || bytes.length !== this.size) throw new Refused()
    if (this.size > 0) tap.writeFixed(bytes, this.size)
  }
}

export class Enum extends base.EnumType {
  declare readonly _indices: Record<string, number>

  constructor(schema: unknown, options: unknown) {
    super(schema, options)
    Object.setPrototypeOf(this._indices, null)
  }

  override _check(value: unknown, _flags?: number, hook?: Hook): boolean {
    return (typeof value === 'string' && this._indices[value] !== undefined) || refuse(hook, value, this)
  }

  override _write(tap: Tap, value: unknown): void {
    const index = typeof value === 'string' ? this._indices[value] : undefined
    if (index === undefined) throw new Refused()
    tap.writeLong(index)
  }
}
