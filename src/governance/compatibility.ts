// Whether values written with one schema can be read with another, by the rules of Avro Java 1.12's SchemaCompatibility, which registries
// call: https://avro.apache.org/docs/1.12.0/specification/#schema-resolution and what Java does beyond it (docs/governance.md, "The checker").

import { WeirError } from '../core/errors.ts'
import { primitiveKinds } from '../schema/tree.ts'
import { promotions } from './promotions.ts'
import type { Reason, Rule } from './reason.ts'
import type {
  EnumType,
  FixedType,
  NamedSchema,
  NamedType,
  RecordField,
  RecordType,
  SchemaType,
  UnionType,
} from './schema-tree.ts'

/** Pairs of types and fields that are compared, and reasons that are handed on. Types may use each other almost without end. */
const maxSteps = 500_000
/** After so many steps a branch of a union that has another name, or another kind, is passed over. Java looks into each. */
const maxExactSteps = 50_000
/** Pairs inside each other: named types may lead from one to the next further than types nest in a text. */
const maxDepth = 2000

/**
 * All reasons why values of `writer` may not be readable with `reader`, in the order of the reader's schema; none when all of them are.
 * A type that is used in many places gives its reasons once, at the first place.
 * @throws schema.too_complex
 */
export function incompatibilities(reader: NamedSchema, writer: NamedSchema): readonly Reason[] {
  const check = new Check()
  const { pointer, reference } = reader.root
  const path = 'name' in reader.root ? reader.root.name : ''
  try {
    const found = check.read(reader.root, writer.root, new Place(pointer, reference, '', path, 0))
    return unique([...found, ...check.ambiguous])
  } catch (error) {
    // The stack ends: how deep pairs go depends on both schemas and on who calls.
    throw error instanceof RangeError ? tooComplex() : error
  }
}

/** Where the reader's type is used: pointer, reference, location and path as in a Reason. */
class Place {
  readonly pointer: string
  readonly reference: string | null
  readonly location: string
  readonly path: string
  readonly depth: number

  constructor(pointer: string, reference: string | null, location: string, path: string, depth: number) {
    this.pointer = pointer
    this.reference = reference
    this.location = location
    this.path = path
    this.depth = depth
  }

  /** A part of the reader's type. */
  part(type: SchemaType, key: string, mark: string): Place {
    return new Place(
      `${type.pointer}/${key}`,
      type.reference,
      `${this.location}/${key}`,
      this.path + mark,
      this.depth + 1,
    )
  }

  field(field: RecordField, index: number, record: RecordType): Place {
    const path = this.path === '' ? field.name : `${this.path}.${field.name}`
    return new Place(field.pointer, record.reference, `${this.location}/fields/${index}`, path, this.depth + 1)
  }

  below(key: string): Place {
    return new Place(`${this.pointer}/${key}`, this.reference, `${this.location}/${key}`, this.path, this.depth)
  }

  writtenBranch(index: number): Place {
    return new Place(this.pointer, this.reference, `${this.location}/${index}`, this.path, this.depth + 1)
  }

  /** Java begins a new location inside a union, and drops what it finds there. */
  anew(pointer = this.pointer, reference = this.reference): Place {
    return new Place(pointer, reference, '', this.path, this.depth + 1)
  }
}

class Check {
  /** By both types' numbers. null: being compared, and taken as readable until proven otherwise. */
  readonly #known = new Map<number, readonly Reason[] | null>()
  #steps = 0
  /** Reader's fields that stand for two written ones: Java gives up on the whole schema there, even inside a branch that is not needed. */
  readonly ambiguous: Reason[] = []

  read(reader: SchemaType, writer: SchemaType, place: Place): readonly Reason[] {
    this.#step(1, place)
    // Two types without names meet only where the types around them do.
    if (!('fullName' in reader) && !('fullName' in writer)) return this.#compare(reader, writer, place)
    const pair = reader.index * 2 ** 24 + writer.index
    const known = this.#known.get(pair)
    if (known !== undefined) return known ?? none
    this.#known.set(pair, null)
    const found = this.#compare(reader, writer, place)
    this.#known.set(pair, found)
    return found
  }

  #step(count: number, { depth }: Place): void {
    this.#steps += count
    if (this.#steps <= maxSteps && depth <= maxDepth) return
    throw tooComplex()
  }

  #compare(reader: SchemaType, writer: SchemaType, place: Place): readonly Reason[] {
    if (writer.kind === 'union') return this.#writtenUnion(reader, writer, place)
    if (reader.kind === 'union') return this.#readerUnion(reader, writer, place)
    if (reader.kind !== writer.kind) {
      if (promotions[reader.kind]?.includes(writer.kind)) return none
      const message = `reader type: ${javaKind(reader)} not compatible with writer type: ${javaKind(writer)}`
      return [reasonOf('TYPE_MISMATCH', place, message, reader, writer)]
    }
    switch (reader.kind) {
      case 'array':
        return this.read(reader.items, (writer as typeof reader).items, place.part(reader, 'items', '[]'))
      case 'map':
        return this.read(reader.values, (writer as typeof reader).values, place.part(reader, 'values', '{}'))
      case 'record':
        return this.#records(reader, writer as RecordType, place)
      case 'enum':
        this.#step((writer as EnumType).symbols.size, place)
        return both(names(reader, writer as EnumType, place), symbols(reader, writer as EnumType, place))
      case 'fixed':
        return both(names(reader, writer as FixedType, place), sizes(reader, writer as FixedType, place))
      default:
        return none
    }
  }

  /** Each branch must be readable. */
  #writtenUnion(reader: SchemaType, writer: UnionType, place: Place): readonly Reason[] {
    const found: Reason[] = []
    for (const [index, branch] of writer.branches.entries()) {
      const at = place.writtenBranch(index)
      if (reader.kind !== 'union') {
        this.#add(found, this.read(reader, branch, at))
        continue
      }
      const inner = this.read(reader, branch, at.anew())
      if (inner.length === 0) continue
      const because = inner.flatMap(each => each.because)
      found.push(reasonOf('MISSING_UNION_BRANCH', at, lacking(branch), reader, branch, because))
    }
    return unique(found)
  }

  /** One branch must be able to read it. */
  #readerUnion(reader: UnionType, writer: SchemaType, place: Place): readonly Reason[] {
    let near: readonly Reason[] = none
    let isSameName = false
    for (const [index, branch] of reader.branches.entries()) {
      if (this.#steps > maxExactSteps && !mayRead(branch, writer)) continue
      const at = place.anew(`${reader.pointer}/${index}`, reader.reference)
      const found = this.read(branch, writer, at)
      if (found.length === 0) return none
      if (branch.kind !== writer.kind || isSameName) continue
      isSameName = 'name' in branch && branch.name === (writer as NamedType).name
      if (isSameName || near.length === 0) near = found
    }
    return [reasonOf('MISSING_UNION_BRANCH', place, lacking(writer), reader, writer, near)]
  }

  #records(reader: RecordType, writer: RecordType, place: Place): readonly Reason[] {
    const found: Reason[] = [...names(reader, writer, place)]
    let index = 0
    for (const field of reader.fields.values()) {
      this.#step(1, place)
      if (isPlainlySame(field, writer)) {
        index++
        continue
      }
      this.#add(found, this.#field(field, reader, writer, place.field(field, index++, reader)))
    }
    return unique(found)
  }

  /** Reasons of what lies deeper count as steps: they are copied at each level. */
  #add(found: Reason[], more: readonly Reason[]): void {
    if (more.length === 0) return
    this.#steps += more.length
    found.push(...more)
  }

  #field(field: RecordField, reader: RecordType, writer: RecordType, at: Place): readonly Reason[] {
    const written = writtenFields(field, writer)
    const ofType = at.below('type')
    if (written.length > 1) {
      const twice = written.map(({ name }) => name).join(' and ')
      const message = `Reader record field ${field.name} matches multiple fields in writer record schema: ${twice}`
      const place = new Place(`${at.pointer}/aliases`, at.reference, at.location, at.path, at.depth)
      const reason = reasonOf('NAME_MISMATCH', place, message, reader, writer)
      this.ambiguous.push(reason)
      return [reason]
    }
    if (written[0]) return this.read(field.type, written[0].type, ofType)
    if (field.hasDefault) return none
    // Java compares an enum that has a default of its own with the whole record, which always differs.
    if (field.type.kind === 'enum' && field.type.default !== null) return this.read(field.type, writer, ofType)
    return [reasonOf('READER_FIELD_MISSING_DEFAULT_VALUE', at, field.name, reader, writer)]
  }
}

const none: readonly Reason[] = []

function tooComplex(): WeirError {
  const message = 'The types of the two schemas lead to each other too often to be compared.'
  return new WeirError('schema.too_complex', message, { hint: 'Use fewer named types that contain each other.' })
}

/** The name without namespace must be equal, or the reader has the writer's full name as an alias. */
function hasNameOf(reader: NamedType, writer: NamedType): boolean {
  return reader.name === writer.name || reader.aliases.has(writer.fullName)
}

function names(reader: NamedType, writer: NamedType, place: Place): readonly Reason[] {
  if (hasNameOf(reader, writer)) return none
  return [reasonOf('NAME_MISMATCH', attribute(reader, place, 'name'), `expected: ${writer.fullName}`, reader, writer)]
}

function symbols(reader: EnumType, writer: EnumType, place: Place): readonly Reason[] {
  if (reader.default !== null) return none
  const missing = [...writer.symbols].filter(symbol => !reader.symbols.has(symbol)).sort()
  if (missing.length === 0) return none
  return [
    reasonOf('MISSING_ENUM_SYMBOLS', attribute(reader, place, 'symbols'), `[${missing.join(', ')}]`, reader, writer),
  ]
}

function sizes(reader: FixedType, writer: FixedType, place: Place): readonly Reason[] {
  if (reader.size === writer.size) return none
  const message = `expected: ${writer.size}, found: ${reader.size}`
  return [reasonOf('FIXED_SIZE_MISMATCH', attribute(reader, place, 'size'), message, reader, writer)]
}

/** Of an attribute of the definition, wherever it is used. */
function attribute(type: SchemaType, place: Place, key: string): Place {
  const { path, depth } = place
  return new Place(`${type.pointer}/${key}`, type.reference, `${place.location}/${key}`, path, depth)
}

function reasonOf(
  rule: Rule,
  { pointer, reference, location, path }: Place,
  message: string,
  reader: SchemaType,
  writer: SchemaType,
  because: readonly Reason[] = none,
): Reason {
  const told = location === '' ? '/' : location
  return { rule, pointer, reference, location: told, path, message, reader: reader.json, writer: writer.json, because }
}

const lacking = (writer: SchemaType): string => `reader union lacking writer type: ${javaKind(writer)}`
const javaKind = (type: SchemaType): string => type.kind.toUpperCase()

const both = (a: readonly Reason[], b: readonly Reason[]) => (b.length === 0 ? a : a.length === 0 ? b : [...a, ...b])

/** True for most fields of most schemas: the same name, the same primitive type, no aliases. */
function isPlainlySame({ name, type, aliases }: RecordField, { fields }: RecordType): boolean {
  return aliases.size === 0 && primitiveKinds.has(type.kind) && fields.get(name)?.type.kind === type.kind
}

/** False when a look at kinds and names is enough to say no. */
function mayRead(reader: SchemaType, writer: SchemaType): boolean {
  if (reader.kind !== writer.kind) return promotions[reader.kind]?.includes(writer.kind) ?? false
  return !('fullName' in reader) || hasNameOf(reader, writer as NamedType)
}

/** Those that the reader's field stands for: by its name, then by its aliases. */
function writtenFields(field: RecordField, { fields }: RecordType): readonly RecordField[] {
  const direct = fields.get(field.name)
  const found = direct ? [direct] : []
  for (const alias of field.aliases) {
    const other = fields.get(alias)
    if (other) found.push(other)
  }
  return found
}

function unique(reasons: readonly Reason[]): readonly Reason[] {
  return reasons.length < 2 ? reasons : [...new Set(reasons)]
}
