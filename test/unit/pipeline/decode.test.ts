// Bytes to records: what is a record's own fault, and what only says that the registry cannot be asked or believed.
import { expect, test } from 'vitest'
import { WeirError } from '../../../src/core/errors.ts'
import type { LogRecord } from '../../../src/core/record.ts'
import { createDecode } from '../../../src/pipeline/decode.ts'
import type { SchemaRegistry } from '../../../src/pipeline/ports.ts'
import { compileEncoder } from '../../../src/schema/codec.ts'

const textOf = (type: string) => JSON.stringify({ type: 'record', name: 'R', fields: [{ name: 'id', type }] })
const framed = (type: string, id: number, value: unknown) => compileEncoder(textOf(type)).encode({ id: value }, id)
const record = (value: Uint8Array | null, offset = 0n): LogRecord => ({
  topic: 't',
  partition: 0,
  offset,
  timestampMs: 0,
  key: null,
  value,
  headers: [],
})

/** A registry whose answers a test changes, with the ids that were asked for. */
function scripted(answers: Record<number, string | WeirError>) {
  const asked: number[] = []
  const registry = {
    byId: async (id: number) => {
      asked.push(id)
      const answer = answers[id] ?? new WeirError('registry.unknown_id', 'no')
      if (answer instanceof WeirError) throw answer
      return answer
    },
  } as unknown as SchemaRegistry
  return { asked, registry }
}

test('the registry is asked once for each id of a batch', async () => {
  const { asked, registry } = scripted({ 1: textOf('string'), 2: textOf('int') })
  const decode = createDecode(registry, null)
  const batch = [framed('string', 1, 'a'), framed('int', 2, 7), framed('string', 1, 'b')].map(value => record(value))
  for (let i = 1; i <= 2; i++) {
    const { decoded, failures } = await decode(batch)
    expect(decoded.map(({ value }) => value!['id'])).toEqual(['a', 7, 'b'])
    expect([failures.length, asked.length]).toEqual([0, 2 * i])
  }
})

test('a record with an unknown id, or under a schema nobody can read, is dead; the others are not', async () => {
  const { registry } = scripted({
    1: textOf('string'),
    3: '{"type":"nothing"}',
    4: new WeirError('schema.invalid', 'Protobuf'),
  })
  const values = [
    framed('string', 1, 'a'),
    framed('string', 9, 'a'),
    framed('string', 3, 'a'),
    framed('string', 4, 'a'),
  ]
  const { decoded, failures } = await createDecode(
    registry,
    null,
  )([...values.map((value, i) => record(value, BigInt(i))), record(Buffer.from('plain'), 4n), record(null, 5n)])
  expect(decoded.map(({ log }) => log.offset)).toEqual([0n, 5n])
  expect(failures.map(({ log, error, schemaId }) => [log.offset, error.code, schemaId])).toEqual([
    [1n, 'decode.unknown_schema', 9],
    [2n, 'schema.invalid', 3],
    [3n, 'schema.invalid', 4],
    [4n, 'decode.not_framed', null],
  ])
})

test('an id that was unknown is asked for again with the next batch', async () => {
  const answers: Record<number, string | WeirError> = {}
  const { registry } = scripted(answers)
  const decode = createDecode(registry, null)
  expect((await decode([record(framed('string', 1, 'a'))])).failures).toHaveLength(1)
  answers[1] = textOf('string')
  expect((await decode([record(framed('string', 1, 'a'))])).failures).toEqual([])
})

test.each(['registry.unavailable', 'registry.denied', 'registry.mismatch', 'log.busy', 'internal'] as const)(
  'no record is dead for %s of the registry',
  async code => {
    const answers: Record<number, string | WeirError> = { 1: textOf('string') }
    const { registry } = scripted(answers)
    const decode = createDecode(registry, null)
    await decode([record(framed('string', 1, 'a'))])
    answers[1] = new WeirError(code, 'no')
    await expect(decode([record(framed('string', 1, 'a'))])).rejects.toMatchObject({ code })
  },
)
