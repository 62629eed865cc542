// weir's checker against a real Apicurio Registry: of generated pairs of schemas, the one registered over the other is taken exactly where weir
// calls it compatible. Pairs that either refuses as schemas are left out.
import { expect, test } from 'vitest'
import { incompatibilities } from '../../src/governance/compatibility.ts'
import { readNamedSchema } from '../../src/governance/named-schema.ts'
import { SchemaMaker } from '../support/random-schemas.ts'
import { ask } from '../support/registry-server.ts'
import { describeWith } from '../support/services/for-tests.ts'

const pairsOfRun = 1_000

await describeWith(['apicurio'], 'the checker and Apicurio', ({ url }) => {
  test(`they agree on what may be registered, of ${pairsOfRun} pairs`, { timeout: 240_000 }, async () => {
    const seed = Number(process.env.AVRO_PAIRS_SEED ?? Math.floor(Math.random() * 2 ** 31))
    console.log(`schema pairs: AVRO_PAIRS_SEED=${seed}`)
    const counts = { taken: 0, refused: 0 }
    const wrong: string[] = []
    for (let index = 0; index < pairsOfRun; index++) {
      const { reader, writer, references } = new SchemaMaker(seed + index * 7919).pair()
      if (references.length > 0) continue
      const [next, before] = [readNamedSchema(reader), readNamedSchema(writer)]
      if (!next.schema || !before.schema || next.problems.length + before.problems.length > 0) continue
      const subject = `pairs-${seed}-${index}`
      const register = async (schema: string) =>
        (await ask(url, 'POST', `/subjects/${subject}/versions`, { schema })).status
      if ((await register(writer)) !== 200) continue
      await ask(url, 'PUT', `/config/${subject}`, { compatibility: 'BACKWARD' })
      const status = await register(reader)
      if (status !== 200 && status !== 409) continue
      const reasons = incompatibilities(next.schema, before.schema)
      if (reasons.some(({ pointer }) => pointer.endsWith('/aliases'))) continue
      const isCompatible = reasons.length === 0
      counts[status === 200 ? 'taken' : 'refused']++
      if (isCompatible !== (status === 200)) wrong.push(`${status}\nreader ${reader}\nwriter ${writer}`)
    }
    console.log(`schema pairs: ${JSON.stringify(counts)}`)
    expect(wrong.slice(0, 5), `${wrong.length} with AVRO_PAIRS_SEED=${seed}`).toEqual([])
    expect(counts.taken).toBeGreaterThan(100)
    expect(counts.refused).toBeGreaterThan(100)
  })
})
