// Sets F and H, the schemas of them, as a registry sees them: each has its problems with code, pointer and line, or its warnings, or its reasons,
// at once, in little memory. expect.json holds the cases; those too large to be committed are made here.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { WeirError } from '../../src/core/errors.ts'
import { incompatibilities } from '../../src/governance/compatibility.ts'
import { fingerprintsOf } from '../../src/governance/fingerprint.ts'
import { readNamedSchema } from '../../src/governance/named-schema.ts'
import { schemaProblems } from '../../src/governance/validity.ts'
import { cpuMs } from '../support/cpu-time.ts'

interface Case {
  readonly case: string
  readonly text?: string
  readonly made?: keyof typeof made
  /** A schema that wrote values; the case is then about reading them. */
  readonly writer?: string
  readonly writerMade?: keyof typeof made
  readonly references?: readonly { readonly name: string; readonly text: string }[]
  /** `severity code pointer line`, or `RULE pointer`, or the code of an error; the first ones where there are many. */
  readonly gives: readonly string[]
  readonly count?: number
}

const cases: readonly Case[] = JSON.parse(readFileSync(join(import.meta.dirname, 'schemas/expect.json'), 'utf8'))

const list = <T>(length: number, each: (index: number) => T): T[] => Array.from({ length }, (_, index) => each(index))
const record = (name: string, fields: unknown[]) => ({ type: 'record', name, fields })
const chain = (count: number, prefix: string, last: unknown) =>
  list(count, i => record(prefix + i, [{ name: 'f', type: i + 1 < count ? `${prefix}${i + 1}` : last }]))
const inArrays = (depth: number) => list(depth, () => 0).reduce<unknown>(items => ({ type: 'array', items }), 'int')
const inObjects = (depth: number) => list(depth, () => 0).reduce<unknown>(x => ({ x }), null)
const twins = list(2, i => record(`T${i}`, [{ name: 'x', type: ['int', 'T0', 'T1'] }]))

const made = {
  'two megabytes of documentation': () => JSON.stringify({ ...record('R', []), doc: 'x'.repeat(2 * 1024 * 1024) }),
  'types 65 deep': () => JSON.stringify(inArrays(65)),
  'types 64 deep': () => JSON.stringify(inArrays(64)),
  'brackets 400,000 deep': () => `${'['.repeat(400_000)}${']'.repeat(400_000)}`,
  'numbers 100,000 deep': () => `${'[1.5,'.repeat(100_000)}1${']'.repeat(100_000)}`,
  '10,000 fields': () => JSON.stringify(record('R', list(10_000, i => ({ name: `f${i}`, type: 'int' })))),
  '5,000 fields': () => JSON.stringify(record('R', list(5000, i => ({ name: `f${i}`, type: 'int' })))),
  '5,000 other fields': () => JSON.stringify(record('R', list(5000, i => ({ name: `g${i}`, type: 'int' })))),
  '90,000 symbols': () => JSON.stringify({ type: 'enum', name: 'E', symbols: list(90_000, i => `S${i}`) }),
  '90,000 other symbols': () => JSON.stringify({ type: 'enum', name: 'E', symbols: list(90_000, i => `T${i}`) }),
  '90,000 wrong symbols': () => JSON.stringify({ type: 'enum', name: 'E', symbols: list(90_000, i => `-${i}`) }),
  '150,000 branches': () => JSON.stringify(list(150_000, () => 'int')),
  '1,000 fixed branches': () => JSON.stringify(list(1000, i => ({ type: 'fixed', name: `F${i}`, size: 2 }))),
  '1,000 other fixed branches': () => JSON.stringify(list(1000, i => ({ type: 'fixed', name: `G${i}`, size: 2 }))),
  'a chain of 990 records': () => JSON.stringify(chain(990, 'R', 'int')),
  'another chain of 990 records': () => JSON.stringify(chain(990, 'Q', 'int')),
  'a ring of 990 records': () => JSON.stringify(chain(990, 'R', 'R0')),
  'a chain of more than 1,000 types': () => {
    const records = chain(600, 'R', 'int')
    return JSON.stringify(records.map(each => ({ ...each, fields: [{ name: 'f', type: { type: 'array', items: (each.fields as { type: string }[])[0]!.type } }] })))
  },
  'a default that 2^80 pairs of branches may fit': () =>
    JSON.stringify(record('R', [{ name: 'a', type: twins[0] }, { name: 'b', type: twins[1] }, { name: 'c', type: ['T0', 'T1'], default: inObjects(80) }])),
  'a number of 900,000 digits': () =>
    `{"type":"record","name":"R","fields":[{"name":"a","type":"long","default":${'9'.repeat(900_000)}}]}`,
  '90,000 aliases': () => JSON.stringify(record('R', [{ name: 'a', type: 'int', aliases: list(90_000, i => `b${i}`) }])),
  '60 records that hold the one before twice': () =>
    JSON.stringify(
      list(59, i => i + 1).reduce<unknown>(
        (type, i) => record(`R${i}`, [{ name: 'a', type }, { name: 'b', type: `R${i - 1}` }]),
        record('R0', [{ name: 'a', type: 'int' }]),
      ),
    ),
}

function outcomeOf({ text, made: name, writer, writerMade, references = [] }: Case): readonly string[] {
  const own = text ?? made[name!]()
  const other = writerMade ? made[writerMade]() : writer
  if (other === undefined) {
    const { schema } = readNamedSchema(own, references)
    if (schema) expect(fingerprintsOf(schema).crc64).toMatch(/^[0-9a-f]{16}$/)
    return schemaProblems(own, references).map(each => {
      expect(each.message.length).toBeLessThan(400)
      expect(each.hint.length).toBeGreaterThan(10)
      return [each.severity, each.code, each.pointer || '(root)', each.line, each.reference ?? ''].join(' ').trim()
    })
  }
  const [reader, written] = [own, other].map(each => readNamedSchema(each, references).schema)
  try {
    return incompatibilities(reader!, written!).map(({ rule, pointer }) => `${rule} ${pointer || '(root)'}`)
  } catch (error) {
    if (!(error instanceof WeirError)) throw error
    return [error.code]
  }
}

describe('bad and hostile schemas, as a registry sees them', () => {
  test('each case stands once, and each made schema is used', () => {
    expect(new Set(cases.map(each => each.case)).size).toBe(cases.length)
    const used = new Set(cases.flatMap(each => [each.made, each.writerMade]))
    expect(Object.keys(made).filter(name => !used.has(name as keyof typeof made))).toEqual([])
  })

  test.each(cases.map(each => [each.case, each] as const))('%s', (_, each) => {
    const rssBefore = process.memoryUsage().rss
    const startedMs = cpuMs()
    const outcome = outcomeOf(each)
    expect(cpuMs() - startedMs).toBeLessThan(1000)
    expect(process.memoryUsage().rss - rssBefore).toBeLessThan(64 * 1024 * 1024)
    expect(outcome.slice(0, each.gives.length)).toEqual(each.gives)
    expect(outcome.length).toBe(each.count ?? each.gives.length)
  })
})
