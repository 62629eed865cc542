// weir's checker against Apache Avro's Java implementation, whose SchemaCompatibility is what registries call: verdict, rule, place and words
// of every reason, what is a valid schema, canonical form and fingerprint, on thousands of schemas by chance that differ in each run.
import { expect, test } from 'vitest'
import { differences } from '../support/avro-agreement.ts'
import { readingQuirks, validityQuirks } from '../support/avro-quirks.ts'
import { SchemaMaker, type SchemaPair } from '../support/random-schemas.ts'
import type { JavaAnswer } from '../support/services/avro-judge.ts'
import { describeWith } from '../support/services/for-tests.ts'

const pairsOfRun = 10_000

await describeWith(['avro-judge'], 'the checker and Avro Java', judge => {
  test('what Java does is what the table of quirks says', async () => {
    const pairs = [
      ...readingQuirks.map(([, reader, writer]) => ({
        reader: JSON.stringify(reader),
        writer: JSON.stringify(writer),
        references: [],
      })),
      ...validityQuirks.map(([, text]) => ({ reader: text, writer: '"int"', references: [] })),
    ]
    const answers = await judge(pairs)
    expect(answers.flatMap((answer, index) => differences(pairs[index]!, answer))).toEqual([])
    const said = answers.slice(0, readingQuirks.length).map(toldBy)
    for (const [index, [name, , , reasons]] of readingQuirks.entries())
      if (answers[index]!.verdict !== 'THROWN') expect([name, said[index]]).toEqual([name, [...reasons].sort()])
      else expect([name, reasons.join()]).toEqual([name, expect.stringContaining('NAME_MISMATCH')])
    const taken = answers.slice(readingQuirks.length).map(answer => answer.reader.refused === undefined)
    expect(taken).toEqual(validityQuirks.map(([, , isValid]) => isValid))
  })

  test(`they agree on ${pairsOfRun} pairs of generated and changed schemas`, async () => {
    const seed = Number(process.env.AVRO_PAIRS_SEED ?? Math.floor(Math.random() * 2 ** 31))
    console.log(`schema pairs: AVRO_PAIRS_SEED=${seed}`)
    const pairs = Array.from({ length: pairsOfRun }, (_, index) => new SchemaMaker(seed + index * 7919).pair())
    const answers = await judge(pairs)
    const wrong = pairs.flatMap((pair, index) => {
      const found = differences(pair, answers[index]!)
      return found.length === 0 ? [] : [tell(pair, found)]
    })
    expect(wrong.slice(0, 5), `${wrong.length} of ${pairsOfRun} with AVRO_PAIRS_SEED=${seed}`).toEqual([])

    // The pairs are worth it: most are valid, every rule and every verdict is met often.
    const count = (is: (answer: JavaAnswer) => boolean) => answers.filter(is).length
    expect(count(({ verdict }) => verdict !== undefined)).toBeGreaterThan(5000)
    expect(count(({ verdict }) => verdict === 'COMPATIBLE')).toBeGreaterThan(1000)
    expect(count(({ verdict }) => verdict === 'THROWN')).toBeGreaterThan(100)
    expect(count(({ verdict }) => verdict === undefined)).toBeGreaterThan(1000)
    for (const rule of ['NAME_MISMATCH', 'FIXED_SIZE_MISMATCH', 'MISSING_ENUM_SYMBOLS', 'TYPE_MISMATCH'])
      expect([rule, count(answer => toldBy(answer).some(each => each.startsWith(rule))) > 20]).toEqual([rule, true])
    for (const rule of ['READER_FIELD_MISSING_DEFAULT_VALUE', 'MISSING_UNION_BRANCH'])
      expect([rule, count(answer => toldBy(answer).some(each => each.startsWith(rule))) > 200]).toEqual([rule, true])
  })
})

/** Rule and location of each reason, once. */
function toldBy({ verdict, reasons = [] }: JavaAnswer): readonly string[] {
  if (verdict === 'THROWN') return []
  return [...new Set(reasons.map(each => each.split(' ', 2).join(' ')))].sort()
}

function tell({ reader, writer, references }: SchemaPair, found: readonly string[]): string {
  return `references ${references.join(' ')}\nreader ${reader}\nwriter ${writer}\n${found.join('\n')}`
}
