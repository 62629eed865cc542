// A pass over Avro bytes before they are decoded: every length, count, index and nesting is checked against the bytes that are
// there, so that hostile bytes cost neither time nor memory (I10). Compiled once per schema; allocates nothing per value.
import { WeirError } from '../core/errors.ts'
import type { ArrayNode, MapNode, RecordNode, SchemaNode, UnionNode } from './tree.ts'

/** Items of arrays and maps in one value, with the fields of records in them. */
export const maxItems = 1_000_000
/** Items that take no bytes, such as those of an array of nulls: five bytes can claim billions of them. */
const maxEmptyItems = 10_000
/** Records, arrays and maps inside each other. */
const maxValueDepth = 64

/** Checks the Avro body in `bytes` from `start` to the end. @throws decode.limit, decode.invalid with the byte offset in `bytes` */
export type Guard = (bytes: Uint8Array, start: number) => void

type Skip = () => void

// The value being checked. Checking is synchronous and never re-entered, so one set of variables serves all guards.
let input: Uint8Array = new Uint8Array(0)
let position = 0
let end = 0
let itemCount = 0
let emptyCount = 0
let depth = 0

const noBytes = new Uint8Array(0)

/** Compiles the guard of a record. */
export function compileGuard(root: RecordNode): Guard {
  const skip = compile(root, new Map())
  return (bytes, start) => {
    input = bytes
    position = start
    end = bytes.length
    itemCount = 0
    emptyCount = 0
    depth = 0
    try {
      skip()
      if (position !== end) throw invalid(position, `${end - position} bytes follow the end of the record`)
    } finally {
      input = noBytes
    }
  }
}

function compile(node: SchemaNode, known: Map<SchemaNode, { skip: Skip }>): Skip {
  switch (node.kind) {
    case 'null':
      return skipNothing
    case 'boolean':
      return skipBoolean
    case 'int':
      return skipInt
    case 'long':
      return skipLong
    case 'float':
      return () => skipBytes(4, 'float')
    case 'double':
      return () => skipBytes(8, 'double')
    case 'fixed': {
      const { size } = node
      return () => skipBytes(size, 'fixed')
    }
    case 'bytes':
      return skipSized
    case 'string':
      return skipSized
    case 'enum': {
      const count = node.symbols.length
      return () => {
        readIndex(count, 'symbol')
      }
    }
    case 'union':
      return compileUnion(node, known)
    case 'array':
      return compileArray(node, known)
    case 'map':
      return compileMap(node, known)
    case 'record':
      return compileRecord(node, known)
  }
}

function compileRecord(node: RecordNode, known: Map<SchemaNode, { skip: Skip }>): Skip {
  const before = known.get(node)
  if (before) return () => before.skip()
  const holder = { skip: skipNothing as Skip }
  known.set(node, holder)
  const skips = node.fields.map(field => compile(field.node, known)).filter(skip => skip !== skipNothing)
  const count = skips.length
  holder.skip = () => {
    enter()
    for (let i = 0; i < count; i++) skips[i]!()
    depth--
  }
  return holder.skip
}

function compileUnion(node: UnionNode, known: Map<SchemaNode, { skip: Skip }>): Skip {
  const skips = node.branches.map(branch => compile(branch, known))
  const count = skips.length
  return () => {
    skips[readIndex(count, 'branch')]!()
  }
}

function compileArray(node: ArrayNode, known: Map<SchemaNode, { skip: Skip }>): Skip {
  const skip = compile(node.items, known)
  return compileBlocks(skip, smallestSize(node.items, new Set()), widthOf(node.items))
}

function compileMap(node: MapNode, known: Map<SchemaNode, { skip: Skip }>): Skip {
  const skipValue = compile(node.values, known)
  const skip = () => {
    skipSized()
    skipValue()
  }
  return compileBlocks(skip, 1 + smallestSize(node.values, new Set()), widthOf(node.values))
}

/** Blocks of an array or map: a count, items, and so on until a count of 0. A negative count is followed by the block's bytes. */
function compileBlocks(skip: Skip, itemBytes: number, width: number): Skip {
  return () => {
    enter()
    for (;;) {
      const at = position
      let count = readLong()
      if (count === 0) break
      let blockEnd = -1
      if (count < 0) {
        count = -count
        const size = readLong()
        if (size < 0 || size > end - position)
          throw limit(at, `a block claims ${size} bytes, ${end - position} are left`)
        blockEnd = position + size
      }
      itemCount += count * width
      if (itemCount > maxItems) throw limit(at, `the value holds more than ${maxItems} items`)
      if (itemBytes === 0) {
        emptyCount += count
        if (emptyCount > maxEmptyItems)
          throw limit(at, `the value holds more than ${maxEmptyItems} items without bytes`)
      } else if (count * itemBytes > end - position) {
        throw limit(at, `a block claims ${count} items, ${end - position} bytes are left`)
      }
      for (let i = 0; i < count; i++) skip()
      if (blockEnd !== -1 && position !== blockEnd)
        throw invalid(at, `a block's size leads to byte ${blockEnd}, its items end at byte ${position}`)
    }
    depth--
  }
}

/** The fewest bytes a value can take; a record inside itself counts as 0 there. */
function smallestSize(node: SchemaNode, inside: Set<SchemaNode>): number {
  switch (node.kind) {
    case 'null':
      return 0
    case 'float':
      return 4
    case 'double':
      return 8
    case 'fixed':
      return node.size
    case 'union':
      if (inside.has(node)) return 0
      inside.add(node)
      return 1 + Math.min(...node.branches.map(branch => smallestSize(branch, new Set(inside))))
    case 'record': {
      if (inside.has(node)) return 0
      inside.add(node)
      let total = 0
      for (const field of node.fields) total += smallestSize(field.node, inside)
      inside.delete(node)
      return total
    }
    default:
      return 1
  }
}

/** What one item weighs against `maxItems`: itself and the fields of the records in it, which take memory even when they take no bytes. */
function widthOf(node: SchemaNode, inside = new Set<SchemaNode>()): number {
  if (node.kind === 'union') return Math.max(...node.branches.map(branch => widthOf(branch, inside)))
  if (node.kind !== 'record' || inside.has(node)) return 1
  inside.add(node)
  let width = 1
  for (const field of node.fields) width += widthOf(field.node, inside)
  inside.delete(node)
  return width
}

function enter(): void {
  if (++depth > maxValueDepth) throw limit(position, `the value nests deeper than ${maxValueDepth} levels`)
}

function skipNothing(): void {}

function skipBoolean(): void {
  if (position >= end) throw truncated('boolean')
  if (input[position]! > 1) throw invalid(position, 'a boolean is neither 0 nor 1')
  position++
}

function skipBytes(count: number, what: string): void {
  if (count > end - position) throw truncated(what)
  position += count
}

function skipSized(): void {
  const at = position
  const length = readLong()
  if (length < 0) throw limit(at, 'a length is negative')
  if (length > end - position) throw limit(at, `a length of ${length} bytes, ${end - position} are left`)
  position += length
}

function skipInt(): void {
  const at = position
  for (let i = 0; i < 5; i++) {
    if (position >= end) throw truncated('int')
    const byte = input[position++]!
    if (byte < 0x80) {
      if (i === 4 && byte > 0x0f) throw invalid(at, 'an int does not fit 32 bits')
      return
    }
  }
  throw invalid(at, 'an int takes more than 5 bytes')
}

function skipLong(): void {
  const at = position
  for (let i = 0; i < 10; i++) {
    if (position >= end) throw truncated('long')
    const byte = input[position++]!
    if (byte < 0x80) {
      if (i === 9 && byte > 1) throw invalid(at, 'a long does not fit 64 bits')
      return
    }
  }
  throw invalid(at, 'a number takes more than 10 bytes')
}

/** A long as a number: exact up to 2^53, good enough to be refused above. */
function readLong(): number {
  const at = position
  if (at < end && input[at]! < 0x80) {
    position++
    const byte = input[at]!
    return byte & 1 ? -((byte + 1) >> 1) : byte >> 1
  }
  let value = 0
  let factor = 1
  for (let i = 0; i < 10; i++) {
    if (position >= end) throw truncated('number')
    const byte = input[position++]!
    value += (byte & 0x7f) * factor
    factor *= 128
    if (byte < 0x80) {
      if (i === 9 && byte > 1) throw invalid(at, 'a number does not fit 64 bits')
      return input[at]! & 1 ? -(value + 1) / 2 : value / 2
    }
  }
  throw invalid(at, 'a number takes more than 10 bytes')
}

function readIndex(count: number, what: string): number {
  const at = position
  const index = readLong()
  if (index < 0 || index >= count) throw invalid(at, `${what} ${index} does not exist: there are ${count}`)
  return index
}

function truncated(what: string): WeirError {
  return invalid(position, `the value ends inside a ${what}`)
}

const schemaHint = 'The bytes are damaged, or were written with another schema than the one their id names.'

function invalid(at: number, message: string): WeirError {
  return new WeirError('decode.invalid', message, { at: `byte ${at}`, hint: schemaHint })
}

function limit(at: number, message: string): WeirError {
  return new WeirError('decode.limit', message, { at: `byte ${at}`, hint: schemaHint })
}
