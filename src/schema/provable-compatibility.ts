// What can be said for certain about reading values of one Avro schema with another. Keeps I14 on the embedded registry by refusing what is not proven.
// Rules: Avro specification, "Schema Resolution". Left open on purpose: aliases, bytes read as string, enum defaults, changed logical types, moved namespaces.
import { isObject } from '../core/json-text.ts'
import { parseSchema } from './parse.ts'

export interface Finding {
  readonly kind: 'incompatible' | 'unproven'
  /** Field names from the root record on: `RawReview.rating`. */
  readonly path: string
  readonly message: string
}

type Json = Record<string, unknown>

/** A type in one of the two schemas, references resolved: `full` for named types. */
interface Place {
  readonly json: unknown
  readonly namespace: string
}

interface Side {
  readonly root: Place
  readonly named: ReadonlyMap<string, Place>
}

const primitives = new Set(['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'])
const promotions: Record<string, readonly string[]> = {
  int: ['long', 'float', 'double'],
  long: ['float', 'double'],
  float: ['double'],
}
const maxDepth = 128
/** Types that use each other many times over could be compared without end. */
const maxSteps = 50_000

/**
 * Why values written with `writerText` may not be readable as `readerText`; empty when it is proven that all of them are.
 * @throws schema.invalid
 */
export function findingsOfReading(readerText: string, writerText: string): readonly Finding[] {
  const reader = sideOf(readerText)
  const writer = sideOf(writerText)
  const check = new Check(reader, writer)
  const name = fullNameOf(reader.root)
  return check.read(reader.root, writer.root, name.slice(name.lastIndexOf('.') + 1), 0)
}

function sideOf(text: string): Side {
  const root = { json: parseSchema(text).json, namespace: '' }
  const named = new Map<string, Place>()
  collect(root, named)
  return { root: unwrap(root), named }
}

/** Remembers every named type. The schema is checked, so a name stands for one definition. */
function collect(place: Place, named: Map<string, Place>): void {
  const { json, namespace } = place
  if (Array.isArray(json)) for (const branch of json) collect({ json: branch, namespace }, named)
  if (!isObject(json)) return
  const kind = json['type']
  if (isObject(kind) || Array.isArray(kind)) collect({ json: kind, namespace }, named)
  else if (kind === 'array') collect({ json: json['items'], namespace }, named)
  else if (kind === 'map') collect({ json: json['values'], namespace }, named)
  if (!isNamed(kind)) return
  named.set(fullNameOf(place), place)
  if (kind === 'enum' || kind === 'fixed') return
  for (const field of json['fields'] as Json[])
    collect({ json: field['type'], namespace: innerNamespace(place) }, named)
}

/** `{"type": {"type": ...}}` says no more than its inside. */
function unwrap(place: Place): Place {
  let { json } = place
  while (isObject(json) && (isObject(json['type']) || Array.isArray(json['type']))) json = json['type']
  return { json, namespace: place.namespace }
}

function isNamed(kind: unknown): boolean {
  return kind === 'record' || kind === 'error' || kind === 'enum' || kind === 'fixed'
}

function fullNameOf({ json, namespace }: Place): string {
  const { name, namespace: own } = json as { name: string; namespace?: string }
  const space = own ?? namespace
  return name.includes('.') || space === '' ? name : `${space}.${name}`
}

function innerNamespace(place: Place): string {
  const full = fullNameOf(place)
  return full.slice(0, Math.max(0, full.lastIndexOf('.')))
}

class Check {
  readonly #reader: Side
  readonly #writer: Side
  /** Pairs of named types on the way: inside themselves they are taken as proven. */
  readonly #open = new Set<string>()
  #steps = 0

  constructor(reader: Side, writer: Side) {
    this.#reader = reader
    this.#writer = writer
  }

  read(readerPlace: Place, writerPlace: Place, path: string, depth: number): Finding[] {
    if (depth > maxDepth || ++this.#steps > maxSteps)
      return [unproven(path, 'types nest too deep, or use each other too often, to follow')]
    const reader = resolve(readerPlace, this.#reader)
    const writer = resolve(writerPlace, this.#writer)
    if (Array.isArray(writer.json))
      return writer.json.flatMap(branch =>
        this.read(reader, { json: branch, namespace: writer.namespace }, path, depth + 1),
      )
    if (Array.isArray(reader.json)) return this.#readAsUnion(reader, writer, path, depth)
    const [readerKind, writerKind] = [kindOf(reader), kindOf(writer)]
    if (readerKind !== writerKind) return promote(readerKind, writerKind, reader, writer, path)
    const logical = logicalChange(reader, writer, path)
    if (logical.length > 0) return logical
    switch (readerKind) {
      case 'array':
        return this.read(inner(reader, 'items'), inner(writer, 'items'), `${path}[]`, depth + 1)
      case 'map':
        return this.read(inner(reader, 'values'), inner(writer, 'values'), `${path}{}`, depth + 1)
      case 'record':
      case 'enum':
      case 'fixed':
        return this.#readNamed(readerKind, reader, writer, path, depth)
      case 'error':
        return [unproven(path, 'error types are not followed')]
      default:
        return []
    }
  }

  /** Each written type must be readable as one branch. */
  #readAsUnion(reader: Place, writer: Place, path: string, depth: number): Finding[] {
    const results = (reader.json as unknown[]).map(branch =>
      this.read({ json: branch, namespace: reader.namespace }, writer, path, depth + 1),
    )
    if (results.some(findings => findings.length === 0)) return []
    const open = results.flat().filter(finding => finding.kind === 'unproven')
    if (open.length > 0) return open
    // A branch of the same name says more than "none fits".
    const near = (reader.json as unknown[]).findIndex(
      branch => nameOf(resolve({ json: branch, namespace: reader.namespace }, this.#reader)) === nameOf(writer),
    )
    return near >= 0
      ? results[near]!
      : [incompatible(path, `${nameOf(writer)} was written, and no branch of the reader's union takes it`)]
  }

  #readNamed(kind: 'record' | 'enum' | 'fixed', reader: Place, writer: Place, path: string, depth: number): Finding[] {
    const [readerName, writerName] = [fullNameOf(reader), fullNameOf(writer)]
    if (readerName !== writerName) return [renamed(readerName, writerName, reader, path)]
    const pair = `${kind} ${readerName}`
    if (this.#open.has(pair)) return []
    this.#open.add(pair)
    try {
      if (kind === 'record') return this.#readRecord(reader, writer, path, depth)
      if (kind === 'enum') return readEnum(reader, writer, path)
      const [readerSize, writerSize] = [(reader.json as Json)['size'], (writer.json as Json)['size']]
      return readerSize === writerSize
        ? []
        : [incompatible(path, `${readerName} has ${readerSize} bytes for the reader, ${writerSize} were written`)]
    } finally {
      this.#open.delete(pair)
    }
  }

  #readRecord(reader: Place, writer: Place, path: string, depth: number): Finding[] {
    const written = new Map(((writer.json as Json)['fields'] as Json[]).map(field => [field['name'] as string, field]))
    return ((reader.json as Json)['fields'] as Json[]).flatMap(field => {
      const name = field['name'] as string
      const at = `${path}.${name}`
      const aliases = (field['aliases'] as string[] | undefined) ?? []
      if (aliases.some(alias => written.has(alias)))
        return [unproven(at, 'it is matched by an alias, which is not followed')]
      const other = written.get(name)
      if (other === undefined)
        return Object.hasOwn(field, 'default')
          ? []
          : [incompatible(at, 'the reader needs it, it was not written, and it has no default')]
      return this.read(
        { json: field['type'], namespace: innerNamespace(reader) },
        { json: other['type'], namespace: innerNamespace(writer) },
        at,
        depth + 1,
      )
    })
  }
}

function resolve(place: Place, side: Side): Place {
  const { json, namespace } = unwrap(place)
  if (typeof json !== 'string' || primitives.has(json)) return { json, namespace }
  const full = json.includes('.') || namespace === '' ? json : `${namespace}.${json}`
  return side.named.get(full) ?? side.named.get(json) ?? { json, namespace }
}

function inner({ json, namespace }: Place, key: 'items' | 'values'): Place {
  return { json: (json as Json)[key], namespace }
}

function kindOf({ json }: Place): string {
  return typeof json === 'string' ? json : ((json as Json)['type'] as string)
}

function nameOf(place: Place): string {
  return isNamed(kindOf(place)) ? fullNameOf(place) : kindOf(place)
}

function promote(readerKind: string, writerKind: string, reader: Place, writer: Place, path: string): Finding[] {
  const changed = `${writerKind} was written, the reader takes ${readerKind}`
  if (promotions[writerKind]?.includes(readerKind)) {
    const logical = [reader, writer].some(place => logicalOf(place) !== '')
    return logical ? [unproven(path, `${changed}, and one of them has a logical type`)] : []
  }
  const text = new Set([readerKind, writerKind])
  if (text.has('bytes') && text.has('string')) return [unproven(path, `${changed}: not all bytes are text`)]
  return [incompatible(path, changed)]
}

function logicalOf({ json }: Place): string {
  if (!isObject(json) || json['logicalType'] === undefined) return ''
  return JSON.stringify([json['logicalType'], String(json['precision'] ?? ''), String(json['scale'] ?? 0)])
}

function logicalChange(reader: Place, writer: Place, path: string): Finding[] {
  return logicalOf(reader) === logicalOf(writer) ? [] : [unproven(path, 'its logical type changes')]
}

function renamed(readerName: string, writerName: string, reader: Place, path: string): Finding {
  const short = (name: string): string => name.slice(name.lastIndexOf('.') + 1)
  const message = `${writerName} was written, the reader takes ${readerName}`
  const open = short(readerName) === short(writerName) || (reader.json as Json)['aliases'] !== undefined
  return open ? unproven(path, `${message}: namespaces and aliases are not followed`) : incompatible(path, message)
}

function readEnum(reader: Place, writer: Place, path: string): Finding[] {
  const known = new Set((reader.json as Json)['symbols'] as string[])
  const missing = ((writer.json as Json)['symbols'] as string[]).filter(symbol => !known.has(symbol))
  if (missing.length === 0) return []
  const message = `the reader does not know ${missing.slice(0, 5).join(', ')}${missing.length > 5 ? ', ...' : ''}`
  return [
    (reader.json as Json)['default'] === undefined
      ? incompatible(path, message)
      : unproven(path, `${message}: enum defaults are not followed`),
  ]
}

const incompatible = (path: string, message: string): Finding => ({ kind: 'incompatible', path, message })
const unproven = (path: string, message: string): Finding => ({ kind: 'unproven', path, message })
