// Reviews of schemas by chance: whatever two schemas are, a review says something consistent, and what it mends is mended.
import { expect, test } from 'vitest'
import { checkLevel } from '../../src/governance/levels.ts'
import { mend } from '../../src/governance/mend.ts'
import { readNamedSchema } from '../../src/governance/named-schema.ts'
import { renderReport, reportFormats } from '../../src/governance/report/render.ts'
import { reportOf } from '../../src/governance/report/words.ts'
import type { NamedSchema } from '../../src/governance/schema-tree.ts'
import { SchemaMaker } from '../support/random-schemas.ts'
import { reviewOf } from '../support/review-scene.ts'

const seeds = Array.from({ length: 600 }, (_, i) => i + 1)
const levels = ['BACKWARD', 'FORWARD', 'FULL'] as const

function valid(text: string): NamedSchema | null {
  const { schema, problems } = readNamedSchema(text)
  return problems.length === 0 ? schema : null
}

/** Pairs of valid schemas without references, with a level each. */
const pairs = seeds.flatMap(seed => {
  const { reader, writer, references } = new SchemaMaker(seed).pair()
  const [candidate, base] = [valid(reader), valid(writer)]
  return candidate && base && references.length === 0
    ? [{ seed, reader, writer, candidate, base, level: levels[seed % 3]! }]
    : []
})

/** A schema with two fields for one alias cannot even read itself: Java's rule. */
const isDoubled = ({ message }: { readonly message: string }) => message.includes('matches multiple fields')

test('there are pairs to speak of', () => expect(pairs.length).toBeGreaterThan(200))

test('a schema against itself has no change, and no reason but doubled aliases', () => {
  for (const { seed, reader } of pairs) {
    const { changes, reasons } = reviewOf(reader, [reader])
    expect({ seed, changes, reasons: reasons.filter(each => !isDoubled(each)) }).toEqual({
      seed,
      changes: [],
      reasons: [],
    })
  }
})

test('where something breaks, the diff says what changed; each reason has a fix or steps', () => {
  for (const { seed, reader, writer, level } of pairs) {
    const { changes, reasons, verdict, levels: verdicts } = reviewOf(reader, [writer], { level })
    if (!reasons.every(isDoubled)) expect({ seed, changed: changes.length > 0 }).toEqual({ seed, changed: true })
    const kept = verdicts.find(each => each.level === level)!.compatible
    expect({ seed, breaks: reasons.some(each => each.breaks) }).toEqual({ seed, breaks: !kept })
    if (!kept) expect({ seed, verdict }).toEqual({ seed, verdict: 'breaking' })
    for (const { fix } of reasons) expect(fix!.text).not.toBe('')
  }
})

test('what is mended is a valid schema with as many reasons as is said', () => {
  let whole = 0
  for (const { seed, candidate, base, level } of pairs) {
    const history = [{ version: 1, schema: base }]
    const { text, remaining, done } = mend(candidate, history, level)
    const mended = valid(text)
    expect({ seed, valid: mended !== null }).toEqual({ seed, valid: true })
    const left = checkLevel(level, mended!, history).reduce((sum, each) => sum + each.reasons.length, 0)
    expect({ seed, left }).toEqual({ seed, left: remaining })
    if (done.length > 0 && remaining === 0) whole++
  }
  expect(whole).toBeGreaterThan(20)
})

test('every form takes every review', () => {
  for (const { reader, writer } of pairs.slice(0, 60)) {
    const report = reportOf([reviewOf(reader, [writer])], [])
    for (const form of reportFormats)
      renderReport(report, form, { paint: (_style, text) => text, width: 80, version: '0' })
  }
})
