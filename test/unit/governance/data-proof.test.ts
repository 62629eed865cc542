// Records under a candidate: what fails, what changes, what is nobody's fault, and what the values tell besides.
import { expect, test } from 'vitest'
import { Census } from '../../../src/governance/census.ts'
import { DataProof } from '../../../src/governance/data-proof.ts'
import { readByVersions } from '../../../src/governance/made-up-readers.ts'
import { parseNamedSchema } from '../../../src/governance/named-schema.ts'
import type { PiiKind } from '../../../src/governance/policy.ts'
import { compileEncoder } from '../../../src/schema/codec.ts'

const decimal = (scale: number) => ({ type: 'bytes', logicalType: 'decimal', precision: 12, scale })
const record = (...fields: readonly object[]) => JSON.stringify({ type: 'record', name: 'R', fields })
const bytesOf = (unscaled: number) => Buffer.from([unscaled >>> 24, unscaled >>> 16, unscaled >>> 8, unscaled])
const bare = (field: string) => field === 'never'

function proofOf(writer: string, candidate: string, kinds: readonly PiiKind[] = []) {
  const base = parseNamedSchema(writer)
  const proof = new DataProof({ topic: 't', candidate: parseNamedSchema(candidate), base, kinds })
  proof.learn(1, base, 1)
  const encoder = compileEncoder(writer)
  let offset = 0n
  const add = (value: Record<string, unknown>) =>
    proof.add({ partition: 0, offset: offset++, value: encoder.encode(value, 1).slice() }, 1)
  return { proof, add }
}

test('12.34 becomes 1.234 in 9,981 of 10,000 records: those whose price is not zero', () => {
  const { proof, add } = proofOf(
    record({ name: 'price', type: decimal(2) }),
    record({ name: 'price', type: decimal(3) }),
  )
  const zero = Buffer.alloc(0)
  for (let i = 0; i < 10_000; i++) add({ price: i % 527 === 11 ? zero : bytesOf(1234 + i) })
  const { data, changed } = proof.evidence()
  expect(data).toMatchObject({ records: 10_000, failed: 0 })
  expect(changed(bare)).toEqual([{ field: 'R.price', records: 9_981, example: { before: '12.34', after: '1.234' } }])
})

test('what its own schema cannot read either is not held against the candidate', () => {
  const { proof, add } = proofOf(record({ name: 'a', type: 'string' }), record({ name: 'a', type: 'string' }))
  add({ a: 'x' })
  proof.tombstone()
  proof.unframed({ partition: 0, offset: 7n, value: Buffer.from('{}') }, 'no wire header')
  proof.learn(9, 'the registry does not know the schema id 9', null)
  proof.add({ partition: 1, offset: 8n, value: Buffer.from([0, 0, 0, 0, 9, 1]) }, 9)
  proof.add({ partition: 1, offset: 9n, value: Buffer.from([0, 0, 0, 0, 1, 200]) }, 1)
  const { data } = proof.evidence()
  expect(data).toMatchObject({ records: 5, tombstones: 1, failed: 0, damaged: { records: 3 } })
  expect(data.damaged.first.map(({ offset, message }) => `${offset} ${message}`)).toEqual([
    '7 no wire header',
    '8 the registry does not know the schema id 9',
    expect.stringMatching(/^9 /),
  ])
  expect([...proof.versions]).toEqual([1])
})

test('of many failures a hundred are named; memory does not grow with the records', () => {
  const { proof, add } = proofOf(record({ name: 'a', type: ['null', 'string'] }), record({ name: 'a', type: 'string' }))
  for (let i = 0; i < 5_000; i++) add({ a: null })
  const { data, examples } = proof.evidence()
  expect(data.failed).toBe(5_000)
  expect(data.failures).toHaveLength(100)
  expect(data.refused).toMatchObject([{ version: 1, records: 5_000 }])
  expect(examples(() => false)[0]).toMatchObject({ from: 't 0/0', error: 'R.a: null was written, and string is read' })
})

test('personal values are found by what most of them look like', () => {
  const fields = [
    { name: 'contact', type: ['null', 'string'], default: null },
    { name: 'title', type: 'string' },
    { name: 'people', type: { type: 'array', items: 'string' } },
  ]
  const { proof, add } = proofOf(record(...fields), record(...fields), ['email', 'name'])
  for (let i = 0; i < 20; i++)
    add({
      contact: i % 3 === 0 ? null : `user${i}@example.org`,
      title: i % 2 === 0 ? 'Great Taste' : 'would not buy it again',
      people: ['Anna Schmidt', 'Jean Martin'],
    })
  expect(proof.evidence().personalValues).toEqual([
    { field: 'R.people', kind: 'name', records: 40, matching: 40 },
    { field: 'R.contact', kind: 'email', records: 13, matching: 13 },
  ])
})

test('a field that both versions filled alike is found as a rename', () => {
  const [body, text] = [
    { name: 'body', type: ['null', 'string'], default: null },
    { name: 'content', type: ['null', 'string'], default: null },
  ]
  const { proof, add } = proofOf(record(body), record(text))
  for (let i = 0; i < 50; i++) add({ body: `text ${i}` })
  // While it was moved, a version in between had both.
  proof.learn(2, parseNamedSchema(record(body, text)), null)
  const encoder = compileEncoder(record(body, text))
  for (let i = 0; i < 20; i++)
    proof.add(
      {
        partition: 0,
        offset: BigInt(100 + i),
        value: encoder.encode({ body: `text ${i}`, content: `text ${i}` }, 2).slice(),
      },
      2,
    )
  expect(proof.evidence().data.lost).toEqual([{ field: 'R.body', records: 70 }])
  expect(proof.evidence().sharedValues).toEqual([{ removed: 'R.body', added: 'R.content', share: 1 }])
})

test('made-up records of the candidate under each version that is in use', () => {
  const [one, two, next] = [
    record({ name: 'a', type: 'int' }),
    record({ name: 'a', type: ['null', 'int'] }),
    record({ name: 'a', type: ['null', 'int'], default: null }),
  ].map(text => parseNamedSchema(text)) as [never, never, never]
  const found = readByVersions(next, [
    { version: 1, schema: one },
    { version: 2, schema: two },
  ])
  expect(found).toEqual([
    { version: 1, records: 24, failed: 6, message: 'R.a: null was written, and int is read' },
    { version: 2, records: 24, failed: 0, message: null },
  ])
})

test('random bytes that look like ids cost no memory without end', () => {
  const { proof } = proofOf(record({ name: 'a', type: 'string' }), record({ name: 'a', type: 'string' }))
  let learnt = 0
  for (let id = 2; proof.takesMoreIds; id++, learnt++) proof.learn(id, 'the registry does not know it', null)
  expect(learnt).toBe(999)
  const census = new Census([])
  for (let id = 0; id < 5_000; id++) census.add({ partition: 0, offset: BigInt(id), timestampMs: id, id })
  expect([census.ids.size, census.unlisted, census.records]).toEqual([1_000, 4_000, 5_000])
})

test('a census: ids with their first and last record, what has no header, and where groups stand', () => {
  const census = new Census([
    { group: 'g', partition: 0, offset: 2n },
    { group: 'g', partition: 1, offset: 1n },
    { group: 'fresh', partition: 0, offset: 0n },
  ])
  const add = (partition: number, offset: number, timestampMs: number, id: number | null | undefined) =>
    census.add({ partition, offset: BigInt(offset), timestampMs, id })
  add(0, 0, 10, 1)
  add(0, 1, 30, 2)
  add(0, 2, 40, 2)
  add(1, 0, 20, 1)
  add(1, 1, 50, null)
  add(1, 2, 60, undefined)
  expect(census).toMatchObject({
    records: 6,
    tombstones: 1,
    unframed: { records: 1, first: { partition: 1, offset: '1' } },
  })
  expect(census.ids.get(1)).toEqual({
    records: 2,
    first: { partition: 0, offset: '0', timestamp: 10 },
    last: { partition: 1, offset: '0', timestamp: 20 },
  })
  // Of what g has read in both partitions, the newest was of id 2.
  expect(census.groups).toMatchObject([
    { group: 'g', lastId: 2, ahead: new Map([[2, 1]]) },
    {
      group: 'fresh',
      lastId: null,
      ahead: new Map([
        [1, 1],
        [2, 2],
      ]),
    },
  ])
})
