// Schemas by chance, from a seed, with the names drawn from so few that they meet: what one schema calls a record another calls an enum.
// And small changes of a schema, as people make them, wise and unwise.

type Json = Record<string, unknown>

export interface SchemaPair {
  readonly reader: string
  readonly writer: string
  /** Texts of schemas that both refer to by name. */
  readonly references: readonly string[]
}

const typeNames = ['A', 'B', 'C', 'D', 'E', 'F']
const namespaces = ['n', 'n.m', 'o', '']
const fieldNames = ['a', 'b', 'c', 'd', 'e', 'f']
const symbols = ['RED', 'BLUE', 'GREEN', 'constructor', '__proto__', 'X1']
const primitives = ['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string']
const numbers = ['int', 'long', 'float', 'double', 'bytes', 'string']
const logical = [
  { type: 'int', logicalType: 'date' },
  { type: 'long', logicalType: 'timestamp-millis' },
  { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 },
  { type: 'bytes', logicalType: 'decimal', precision: 2, scale: 9 },
  { type: 'string', logicalType: 'uuid' },
]

/** A number as it is to stand in the text, which JavaScript could not print so. */
const raw = (number: string): string => `raw:${number}`
const printed = (schema: unknown): string => JSON.stringify(schema).replace(/"raw:([^"]*)"/g, '$1')

export class SchemaMaker {
  #state: number
  /** Names of the schema that is being made, with their kinds. */
  #defined = new Map<string, Json>()
  #referenced = new Map<string, Json>()
  #namespace = ''

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  pair(): SchemaPair {
    this.#referenced = new Map()
    const references = this.#chance(0.15) ? [printed(this.#schema())] : []
    this.#referenced = references.length > 0 ? this.#defined : new Map()
    const reader = this.#schema()
    if (this.#chance(0.3)) return { reader: printed(reader), writer: printed(this.#schema()), references }
    const writer = structuredClone(reader)
    const box = { root: writer }
    const changes = 1 + this.#below(3)
    for (let i = 0; i < changes; i++) this.#change(box)
    const texts = [printed(reader), printed(box.root)]
    if (this.#chance(0.5)) texts.reverse()
    return { reader: texts[0]!, writer: texts[1]!, references }
  }

  /** Mulberry32. */
  #next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }

  #chance(share: number): boolean {
    return this.#next() < share
  }

  #below(limit: number): number {
    return Math.floor(this.#next() * limit)
  }

  #one<T>(list: readonly T[]): T {
    return list[this.#below(list.length)]!
  }

  #some<T>(list: readonly T[], most: number): T[] {
    const rest = [...list]
    return Array.from(
      { length: Math.min(this.#below(most + 1), rest.length) },
      () => rest.splice(this.#below(rest.length), 1)[0]!,
    )
  }

  #schema(): unknown {
    this.#defined = new Map(this.#referenced)
    this.#namespace = ''
    if (this.#chance(0.8)) return this.#record(3)
    return this.#type(3)
  }

  #type(depth: number): unknown {
    const draw = this.#next()
    if (depth <= 0 || draw < 0.3) return this.#scalar()
    if (draw < 0.42) return this.#union(depth)
    if (draw < 0.5) return { type: 'array', items: this.#type(depth - 1) }
    if (draw < 0.57) return { type: 'map', values: this.#type(depth - 1) }
    if (draw < 0.68) return this.#enum()
    if (draw < 0.76) return this.#fixed()
    if (draw < 0.88) return this.#record(depth)
    return this.#reference() ?? this.#scalar()
  }

  #scalar(): unknown {
    if (this.#chance(0.1)) return { ...this.#one(logical) }
    const name = this.#one(this.#chance(0.7) ? numbers : primitives)
    return this.#chance(0.1) ? { type: name } : name
  }

  #reference(): unknown {
    const known = [...this.#defined.keys()]
    if (known.length === 0 || this.#chance(0.04)) return this.#one(typeNames) // Perhaps defined later, perhaps not at all.
    const full = this.#one(known)
    const dot = full.lastIndexOf('.')
    if (full.slice(0, Math.max(0, dot)) === this.#namespace && this.#chance(0.8)) return full.slice(dot + 1)
    return this.#chance(0.05) ? { type: full } : full
  }

  #union(depth: number): unknown[] {
    const branches: unknown[] = this.#chance(0.6) ? ['null'] : []
    const seen = new Set<unknown>(branches)
    const count = this.#chance(0.03) ? 0 : 1 + this.#below(3)
    for (let i = 0; i < count; i++) {
      const branch = this.#type(depth - 1)
      if (Array.isArray(branch) && !this.#chance(0.02)) continue
      const name = this.#branchName(branch)
      if (seen.has(name) && !this.#chance(0.03)) continue
      seen.add(name)
      branches.push(branch)
    }
    if (this.#chance(0.2)) branches.reverse()
    return branches
  }

  #branchName(branch: unknown): unknown {
    if (typeof branch === 'string')
      return this.#defined.has(branch) || primitives.includes(branch) ? branch : this.#full(branch)
    const { name, type, namespace } = branch as Json
    if (typeof name !== 'string') return type
    return name.includes('.') ? name : this.#full(name, namespace as string | undefined)
  }

  #full(name: string, namespace: string | undefined = this.#namespace): string {
    return namespace === '' || name.includes('.') ? name : `${namespace}.${name}`
  }

  #named(type: string): { json: Json; full: string } | null {
    for (let tries = 0; tries < 6; tries++) {
      const json: Json = { type, name: this.#one(typeNames) }
      if (this.#chance(0.25)) json['namespace'] = this.#one(namespaces)
      if (this.#chance(0.05)) json['name'] = `${this.#one(['n', 'o.p'])}.${json['name']}`
      const full = this.#full(json['name'] as string, json['namespace'] as string | undefined)
      if (this.#defined.has(full) && !this.#chance(0.02)) continue
      this.#defined.set(full, json)
      if (this.#chance(0.15)) json['aliases'] = this.#some([...typeNames, 'n.A', 'n.B', 'o.A', 'n.m.C'], 2)
      if (this.#chance(0.1)) json['doc'] = 'd'
      return { json, full }
    }
    return null
  }

  #enum(): unknown {
    const named = this.#named('enum')
    if (!named) return this.#scalar()
    const list = this.#some(symbols, 4)
    named.json['symbols'] = list
    if (list.length > 0 && this.#chance(0.35)) named.json['default'] = this.#one(list)
    return named.json
  }

  #fixed(): unknown {
    const named = this.#named('fixed')
    if (!named) return this.#scalar()
    named.json['size'] = 2 + this.#below(2)
    return named.json
  }

  #record(depth: number): unknown {
    const named = this.#named(this.#chance(0.03) ? 'error' : 'record')
    if (!named) return this.#scalar()
    const { json, full } = named
    const outer = this.#namespace
    this.#namespace = full.slice(0, Math.max(0, full.lastIndexOf('.')))
    json['fields'] = this.#some(fieldNames, 4).map(name => this.#field(name, depth - 1))
    this.#namespace = outer
    return json
  }

  #field(name: string, depth: number): Json {
    const field: Json = { name, type: this.#type(depth) }
    if (this.#chance(0.4)) this.#giveDefault(field)
    if (this.#chance(0.15)) field['aliases'] = this.#some(fieldNames, 2)
    if (this.#chance(0.05)) field['order'] = this.#one(['ascending', 'DESCENDING', 'ignore'])
    if (this.#chance(0.05)) field['doc'] = 'd'
    return field
  }

  #giveDefault(field: Json): void {
    field['default'] = this.#chance(0.03) ? this.#one(oddDefaults) : this.#fitting(field['type'], 4)
  }

  #fitting(type: unknown, depth: number): unknown {
    if (depth === 0) return null
    if (Array.isArray(type)) return type.length === 0 ? null : this.#fitting(this.#one(type), depth - 1)
    const json = (typeof type === 'object' && type !== null ? type : { type }) as Json
    switch (json['type']) {
      case 'null':
        return null
      case 'boolean':
        return this.#chance(0.5)
      case 'int':
        return this.#one([0, -1, 2147483647, -2147483648])
      case 'long':
        return this.#one([0, 7, raw('9007199254740993'), raw('-9223372036854775808')])
      case 'float':
      case 'double':
        return this.#one([0, 1.5, raw('1.0'), raw('1e3'), raw('99999999999999999999')])
      case 'bytes':
      case 'string':
      case 'fixed':
        return this.#one(['', 'ab', 'ÿ'])
      case 'enum':
        return (json['symbols'] as string[])[0] ?? 'NONE'
      case 'array':
        return this.#chance(0.5) ? [] : [this.#fitting(json['items'], depth - 1)]
      case 'map':
        return this.#chance(0.5) ? {} : { k: this.#fitting(json['values'], depth - 1) }
      case 'record':
      case 'error': {
        const fields = json['fields'] as Json[] | undefined
        if (!fields) return {}
        const given = fields.filter(field => !Object.hasOwn(field, 'default') || this.#chance(0.5))
        return Object.fromEntries(given.map(field => [field['name'], this.#fitting(field['type'], depth - 1)]))
      }
      default:
        return this.#fitting(this.#defined.get(json['type'] as string) ?? 'null', depth - 1)
    }
  }

  #change(box: { root: unknown }): void {
    const places: Place[] = []
    collect(box, 'root', places)
    const { holder, key } = this.#one(places)
    const type = holder[key]
    const named = new Map(this.#defined)
    this.#defined = new Map()
    for (const place of places) {
      const each = place.holder[place.key]
      if (isObject(each) && typeof each['name'] === 'string')
        this.#defined.set(this.#full(each['name'], each['namespace'] as string | undefined), each)
    }
    if (this.#chance(0.12)) holder[key] = this.#type(2)
    else if (Array.isArray(type)) this.#changeUnion(type)
    else if (isObject(type) && Array.isArray(type['fields'])) this.#changeRecord(type)
    else if (isObject(type) && type['type'] === 'enum') this.#changeEnum(type)
    else if (isObject(type) && type['type'] === 'fixed') this.#changeFixed(type)
    else if (this.#chance(0.3)) holder[key] = ['null', type]
    else if (this.#chance(0.15))
      holder[key] = this.#one<unknown>([null, 1, {}, [], 'Nowhere', { type: { type: 'int' } }])
    else if (!isObject(type)) holder[key] = this.#scalar()
    this.#defined = new Map([...named, ...this.#defined])
  }

  #changeUnion(union: unknown[]): void {
    const draw = this.#next()
    if (draw < 0.35) union.splice(this.#below(union.length), 1)
    else if (draw < 0.7) union.splice(this.#below(union.length + 1), 0, this.#type(1))
    else union.reverse()
  }

  #changeRecord(record: Json): void {
    const fields = record['fields'] as Json[]
    const draw = this.#next()
    if (draw < 0.25) {
      const free = fieldNames.filter(name => !fields.some(field => field['name'] === name))
      if (free.length > 0 || this.#chance(0.1))
        fields.splice(this.#below(fields.length + 1), 0, this.#field(this.#one(free.length > 0 ? free : fieldNames), 1))
    } else if (draw < 0.45 && fields.length > 0) fields.splice(this.#below(fields.length), 1)
    else if (draw < 0.75 && fields.length > 0) this.#changeField(this.#one(fields))
    else if (draw < 0.8) fields.reverse()
    else this.#changeName(record)
  }

  #changeField(field: Json): void {
    const draw = this.#next()
    const old = field['name'] as string
    if (draw < 0.3) {
      field['name'] = this.#one(fieldNames)
      if (this.#chance(0.6)) field['aliases'] = [old, ...this.#some(fieldNames, 1)]
    } else if (draw < 0.5) field['aliases'] = this.#some(fieldNames, 3)
    else if (draw < 0.6) delete field['default']
    else if (draw < 0.8) this.#giveDefault(field)
    else if (draw < 0.84) field['default'] = this.#one(oddDefaults)
    else if (draw < 0.92) field['type'] = this.#scalar()
    else
      field[this.#one(['order', 'doc', 'aliases', 'name'])] = this.#one<unknown>(['ignore', 1, null, 'x-y', ['x'], [1]])
  }

  #changeEnum(type: Json): void {
    const draw = this.#next()
    const list = type['symbols'] as string[]
    if (!Array.isArray(list)) return
    if (draw < 0.3) list.splice(this.#below(list.length), 1)
    else if (draw < 0.6) list.push(this.#one(symbols.filter(each => !list.includes(each) || this.#chance(0.05))) ?? 'Y')
    else if (draw < 0.7 && list.length > 0) type['default'] = this.#one(list)
    else if (draw < 0.8) delete type['default']
    else if (draw < 0.85) list.push(this.#one(['a-b', '', 'RED']))
    else this.#changeName(type)
  }

  #changeFixed(type: Json): void {
    if (this.#chance(0.5))
      type['size'] = this.#one<unknown>([2, 3, 4, 0, 2, 3, -1, raw('2.0'), '2', 2147483639, 2147483640])
    else this.#changeName(type)
  }

  #changeName(type: Json): void {
    const draw = this.#next()
    const old = type['name']
    if (draw < 0.3) type['name'] = this.#one(typeNames)
    else if (draw < 0.5) {
      type['name'] = this.#one(typeNames)
      type['aliases'] = [old, ...this.#some(['n.A', 'B'], 1)]
    } else if (draw < 0.75) type['namespace'] = this.#one(namespaces)
    else if (draw < 0.9) type['aliases'] = this.#some([...typeNames, 'n.A', 'o.B'], 2)
    else if (draw < 0.95) type['name'] = this.#one(['a-b', '', 'int', '.Q', 'x..Y', 'n.int', '1'])
    else type['namespace'] = this.#one<unknown>(['a-b', '1', 'x.', null, 4])
  }
}

const oddDefaults = [
  null,
  0,
  -1,
  1.5,
  raw('1.0'),
  raw('3e9'),
  raw('2147483648'),
  raw('9223372036854775808'),
  'NaN',
  '1.5f',
  'zzz',
  true,
  [],
  {},
  [0],
  { a: 1 },
  '',
]

interface Place {
  readonly holder: Json
  readonly key: string
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Every place of a schema where a type stands. */
function collect(holder: object, key: string, places: Place[]): void {
  const own = holder as Json
  places.push({ holder: own, key })
  const type = own[key]
  if (Array.isArray(type)) for (const index of type.keys()) collect(type, String(index), places)
  if (!isObject(type)) return
  if (Object.hasOwn(type, 'items')) collect(type, 'items', places)
  if (Object.hasOwn(type, 'values')) collect(type, 'values', places)
  if (Array.isArray(type['fields'])) for (const field of type['fields']) collect(field as Json, 'type', places)
}
