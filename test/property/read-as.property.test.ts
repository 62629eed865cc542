// The reader of single values against avsc: wherever avsc takes two schemas, both read the same.
import { expect, test } from 'vitest'
import { framedSample } from '../../src/governance/example.ts'
import { checkLevel } from '../../src/governance/levels.ts'
import { readNamedSchema } from '../../src/governance/named-schema.ts'
import { outlineOf, rootPath, type TypeOutline } from '../../src/governance/outline.ts'
import { readerFor, Unreadable } from '../../src/governance/read-as.ts'
import { leavesOf } from '../../src/governance/shown-value.ts'
import { compileDecoder, type Decoder } from '../../src/schema/codec.ts'
import { SchemaMaker } from '../support/random-schemas.ts'

const decoderOf = (writer: string, reader: string | null): Decoder | null => {
  try {
    return compileDecoder(writer, reader)
  } catch {
    return null
  }
}

const shown = (value: unknown, root: TypeOutline) => [...leavesOf(value, root, rootPath(root))]

test('made-up records of random pairs are read as avsc reads them, and never fail where the level holds', () => {
  const counted = { pairs: 0, records: 0, failed: 0 }
  for (let seed = 1; seed <= 1_500; seed++) {
    const { reader, writer, references } = new SchemaMaker(seed).pair()
    const [to, from] = [readNamedSchema(reader), readNamedSchema(writer)]
    if (references.length > 0 || !to.schema || !from.schema || to.problems.length + from.problems.length > 0) continue
    const own = decoderOf(writer, null)
    if (!own) continue
    const both = decoderOf(writer, reader)
    const isReadable = checkLevel('BACKWARD', to.schema, [{ version: 1, schema: from.schema }]).length === 0
    const [root, written] = [outlineOf(to.schema), outlineOf(from.schema)]
    const read = readerFor(written, root)
    counted.pairs++
    for (let index = 0; index < 6; index++) {
      const framed = framedSample(writer, index)
      if (!framed) continue
      const value = own.decode(framed)
      counted.records++
      let result: unknown
      try {
        result = read(value)
      } catch (error) {
        if (!(error instanceof Unreadable)) throw error
        counted.failed++
        expect({ seed, index, isReadable, why: error.message }).toMatchObject({ isReadable: false })
        continue
      }
      if (both)
        expect({ seed, index, read: shown(result, root) }).toEqual({
          seed,
          index,
          read: shown(both.decode(framed), root),
        })
    }
  }
  expect(counted.pairs).toBeGreaterThan(200)
  expect(counted.records).toBeGreaterThan(500)
  expect(counted.failed).toBeGreaterThan(20)
}, 120_000)
