// The contract of the schema registry, in the port's words only: every adapter runs this very suite. What an adapter lacks is a named skip.
import { describe, expect, test } from 'vitest'
import type { CompatibilityLevel, SchemaRegistry } from '../../src/pipeline/ports.ts'

export interface SchemaRegistryFeatures {
  /** The global level can be changed without harm to others who use the same registry. */
  readonly ownGlobalLevel: boolean
  /** The global level of a registry that nobody has set up. */
  readonly firstGlobalLevel: CompatibilityLevel
  /** A subject that has no level of its own is told from one set to NONE, also where the global level is NONE. */
  readonly tellsMissingLevel: boolean
  /** A schema with other documentation is another schema; else it is the one that is there. */
  readonly docsCount: boolean
}

/** A registry for one test: empty, or at least without the subjects and record names that start with `prefix`. */
export interface RegistryPlace extends AsyncDisposable {
  /** Goes before every subject; letters, digits and underscores, so that it may be part of a record's name. */
  readonly prefix: string
  /** Opens the registry as another process would. */
  connect(): Promise<SchemaRegistry>
}

type Field = { name: string; type: unknown; default?: unknown; doc?: string; aliases?: string[] }

const id: Field = { name: 'id', type: 'string' }
const rating: Field = { name: 'rating', type: 'int' }
const optional: Field = { name: 'note', type: ['null', 'string'], default: null }

const stars: Field = { name: 'stars', type: 'int', aliases: ['rating'] }
const mood = (symbols: string[], fallback?: string): Field => ({
  name: 'mood',
  type: { type: 'enum', name: 'Mood', symbols, default: fallback },
})

/** Each row: level, old fields, new fields, what `register` says. */
const changes: readonly (readonly [
  string,
  CompatibilityLevel,
  readonly Field[],
  readonly Field[],
  'compatible' | 'incompatible',
])[] = [
  ['a new field with a default', 'BACKWARD', [id], [id, optional], 'compatible'],
  ['a new field without a default', 'BACKWARD', [id], [id, rating], 'incompatible'],
  ['a field removed', 'BACKWARD', [id, rating], [id], 'compatible'],
  ['fields in another order', 'FULL', [id, rating], [rating, id], 'compatible'],
  ['int becomes long', 'BACKWARD', [id, rating], [id, { name: 'rating', type: 'long' }], 'compatible'],
  ['long becomes int', 'BACKWARD', [id, { name: 'rating', type: 'long' }], [id, rating], 'incompatible'],
  ['int becomes string', 'BACKWARD', [id, rating], [id, { name: 'rating', type: 'string' }], 'incompatible'],
  ['a field renamed with an alias', 'BACKWARD', [id, rating], [id, stars], 'compatible'],
  ['a field renamed with an alias', 'FORWARD', [id, rating], [id, stars], 'incompatible'],
  ['a new symbol, no default', 'FORWARD', [id, mood(['A'])], [id, mood(['A', 'B'])], 'incompatible'],
  ['a new symbol, a default', 'FORWARD', [id, mood(['A'], 'A')], [id, mood(['A', 'B'], 'A')], 'compatible'],
  [
    'bytes become string',
    'FULL',
    [id, { name: 'x', type: 'bytes' }],
    [id, { name: 'x', type: 'string' }],
    'compatible',
  ],
  [
    'another logical type',
    'FULL',
    [id, { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } }],
    [id, { name: 'at', type: { type: 'long', logicalType: 'timestamp-micros' } }],
    'compatible',
  ],
  ['a type becomes nullable', 'BACKWARD', [id, rating], [id, { name: 'rating', type: ['null', 'int'] }], 'compatible'],
  [
    'a nullable type becomes required',
    'BACKWARD',
    [id, optional],
    [id, { name: 'note', type: 'string' }],
    'incompatible',
  ],
  ['a new field without a default', 'FORWARD', [id], [id, rating], 'compatible'],
  ['a required field removed', 'FORWARD', [id, rating], [id], 'incompatible'],
  ['a field with a default removed', 'FORWARD', [id, optional], [id], 'compatible'],
  ['long becomes int', 'FORWARD', [id, { name: 'rating', type: 'long' }], [id, rating], 'compatible'],
  ['a new field with a default', 'FULL', [id], [id, optional], 'compatible'],
  ['int becomes long', 'FULL', [id, rating], [id, { name: 'rating', type: 'long' }], 'incompatible'],
  ['int becomes string', 'NONE', [id, rating], [id, { name: 'rating', type: 'string' }], 'compatible'],
]

export function schemaRegistryContract(
  adapter: string,
  has: SchemaRegistryFeatures,
  open: () => Promise<RegistryPlace>,
): void {
  describe(`schema registry: ${adapter}`, () => {
    const scene = async () => {
      const place = await open()
      const registry = await place.connect()
      const subject = (name: string) => `${place.prefix}${name}-value`
      const schema = (...fields: readonly Field[]) =>
        JSON.stringify({ type: 'record', name: `${place.prefix}Review`, fields })
      return { place, registry, subject, schema, [Symbol.asyncDispose]: () => place[Symbol.asyncDispose]() }
    }

    test('a schema has an id, a version, and comes back by both', async () => {
      await using s = await scene()
      const first = await s.registry.register(s.subject('a'), s.schema(id))
      expect(first).toMatchObject({ subject: s.subject('a'), version: 1 })
      expect(Number.isInteger(first.id) && first.id > 0).toBe(true)
      expect(JSON.parse(await s.registry.byId(first.id))).toMatchObject({ type: 'record', fields: [id] })
      expect(await s.registry.version(s.subject('a'), 1)).toEqual(first)
      expect(await s.registry.latest(s.subject('a'))).toEqual(first)
      expect(await s.registry.versions(s.subject('a'))).toEqual([1])
      expect(await s.registry.subjects()).toContain(s.subject('a'))
    })

    test('the same schema again gives the id and version it has, however it is written', async () => {
      await using s = await scene()
      const first = await s.registry.register(s.subject('a'), s.schema(id))
      const spaced = JSON.stringify(JSON.parse(s.schema(id)), null, 4)
      expect(await s.registry.register(s.subject('a'), spaced)).toMatchObject({ id: first.id, version: 1 })
      expect(await s.registry.lookup(s.subject('a'), spaced)).toMatchObject({ id: first.id, version: 1 })
      expect(await s.registry.versions(s.subject('a'))).toEqual([1])
    })

    test('the same schema has the same id in another subject; another schema has another id', async () => {
      await using s = await scene()
      const first = await s.registry.register(s.subject('a'), s.schema(id))
      const elsewhere = await s.registry.register(s.subject('b'), s.schema(id))
      const second = await s.registry.register(s.subject('b'), s.schema(id, optional))
      expect(elsewhere).toMatchObject({ id: first.id, version: 1 })
      expect(second.version).toBe(2)
      expect(second.id).not.toBe(first.id)
    })

    test.skipIf(!has.docsCount)('a changed doc is another version (docsCount)', async () => {
      await using s = await scene()
      await s.registry.register(s.subject('a'), s.schema(id))
      expect(await s.registry.register(s.subject('a'), s.schema({ ...id, doc: 'Said better.' }))).toMatchObject({
        version: 2,
      })
    })

    test('fifty processes registering one schema get one id', async () => {
      await using s = await scene()
      const registries = await Promise.all(Array.from({ length: 5 }, () => s.place.connect()))
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, i) => registries[i % 5]!.register(s.subject('a'), s.schema(id))),
      )
      expect(new Set(answers.map(each => each.id)).size).toBe(1)
      expect(await s.registry.versions(s.subject('a'))).toEqual([1])
    })

    test('what is not there is null, or an error that says so', async () => {
      await using s = await scene()
      await s.registry.register(s.subject('a'), s.schema(id))
      expect(await s.registry.latest(s.subject('b'))).toBeNull()
      expect(await s.registry.lookup(s.subject('a'), s.schema(id, rating))).toBeNull()
      expect(await s.registry.lookup(s.subject('b'), s.schema(id))).toBeNull()
      await expect(s.registry.byId(2_000_000_000)).rejects.toMatchObject({ code: 'registry.unknown_id' })
      await expect(s.registry.version(s.subject('a'), 2)).rejects.toMatchObject({ code: 'registry.unknown_version' })
      await expect(s.registry.version(s.subject('b'), 1)).rejects.toMatchObject({ code: 'registry.unknown_subject' })
      await expect(s.registry.versions(s.subject('b'))).rejects.toMatchObject({ code: 'registry.unknown_subject' })
    })

    test.each([
      '',
      'no json',
      '{}',
      '{"type":"record","name":"R"}',
      '{"type":"record","name":"R","fields":[{"name":"a","type":"nothing"}]}',
    ])('the schema %j is refused', async text => {
      await using s = await scene()
      await expect(s.registry.register(s.subject('a'), text)).rejects.toMatchObject({ code: 'schema.invalid' })
      expect(await s.registry.latest(s.subject('a'))).toBeNull()
    })

    test.each(changes)('I14: %s under %s', async (_, level, before, after, verdict) => {
      await using s = await scene()
      await s.registry.setLevel(level, s.subject('a'))
      await s.registry.register(s.subject('a'), s.schema(...before))
      const found = await s.registry.check(s.subject('a'), s.schema(...after))
      expect(found.verdict).toBe(verdict)
      expect(found.reasons.length > 0).toBe(verdict !== 'compatible')
      const registering = s.registry.register(s.subject('a'), s.schema(...after))
      if (verdict === 'compatible') expect((await registering).version).toBe(2)
      else await expect(registering).rejects.toMatchObject({ code: 'registry.incompatible' })
      expect(await s.registry.versions(s.subject('a'))).toEqual(verdict === 'compatible' ? [1, 2] : [1])
    })

    test('I14: transitive levels look at every version, the others at the last', async () => {
      await using s = await scene()
      for (const level of ['BACKWARD', 'BACKWARD_TRANSITIVE'] as const) {
        const subject = s.subject(level)
        await s.registry.setLevel(level, subject)
        await s.registry.register(subject, s.schema(id))
        await s.registry.register(subject, s.schema(id, { ...rating, default: 0 }))
        const { verdict } = await s.registry.check(subject, s.schema(id, rating))
        expect(verdict).toBe(level === 'BACKWARD' ? 'compatible' : 'incompatible')
      }
    })

    test.skipIf(!has.tellsMissingLevel)(
      'a subject has no level of its own until it is given one (tellsMissingLevel)',
      async () => {
        await using s = await scene()
        await s.registry.register(s.subject('a'), s.schema(id))
        expect(await s.registry.level(s.subject('a'))).toBeNull()
        await s.registry.setLevel('FULL_TRANSITIVE', s.subject('a'))
        expect(await s.registry.level(s.subject('a'))).toBe('FULL_TRANSITIVE')
        expect(await s.registry.level(s.subject('b'))).toBeNull()
      },
    )

    test.skipIf(!has.ownGlobalLevel)('the global level holds where a subject has none (ownGlobalLevel)', async () => {
      await using s = await scene()
      expect(await s.registry.level()).toBe(has.firstGlobalLevel)
      await s.registry.setLevel('FULL')
      expect(await s.registry.level()).toBe('FULL')
      await s.registry.register(s.subject('a'), s.schema(id, rating))
      expect(await s.registry.level(s.subject('a'))).toBeNull()
      expect((await s.registry.check(s.subject('a'), s.schema(id))).verdict).toBe('incompatible')
      await expect(s.registry.register(s.subject('a'), s.schema(id))).rejects.toMatchObject({
        code: 'registry.incompatible',
      })
      await s.registry.setLevel('BACKWARD', s.subject('a'))
      expect((await s.registry.register(s.subject('a'), s.schema(id))).version).toBe(2)
    })

    test('what one process registers, another one sees, and a new one finds again', async () => {
      await using s = await scene()
      const other = await s.place.connect()
      const { id: schemaId } = await s.registry.register(s.subject('a'), s.schema(id))
      expect(await other.byId(schemaId)).toBe(await s.registry.byId(schemaId))
      await s.registry[Symbol.asyncDispose]()
      expect(await (await s.place.connect()).latest(s.subject('a'))).toMatchObject({ id: schemaId })
    })
  })
}
