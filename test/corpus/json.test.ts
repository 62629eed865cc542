// Set E: bad JSON in a file. Each item becomes the record it says, or an error with its code, its place and what to do; the others go on.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { temporaryFolder } from '../support/file-source.ts'
import { type JsonCase, makers, outcomesOf } from './json-cases.ts'
import { cpuMs } from '../support/cpu-time.ts'

const cases: readonly JsonCase[] = JSON.parse(readFileSync(join(import.meta.dirname, 'json/expect.json'), 'utf8'))

const listed =
  'empty · whitespace · BOM · truncated · trailing comma · single quotes · comments · NaN · 1e400 · -0 · int 2^53+1 id · int 2^63 · 400-digit number · duplicate keys · __proto__ · constructor.prototype · 1e5 nesting · 1e7 nesting · 1M keys · key 1 MB · string 20 MB · lone surrogate · invalid UTF-8 · NUL in string · U+2028 · top-level scalar · null page · array expected got object · items null · item is string · missing id · id null · id object · id empty · date 2026-02-30 · date epoch s/ms mix · date year 275760 · bool as "true" · enum unknown · HashDoS integer keys'

describe('bad JSON', () => {
  test('every listed case is there', () => {
    expect(cases.map(each => each.case)).toEqual(listed.split(' · '))
    expect(cases.filter(({ make }) => make !== undefined && !(make in makers))).toEqual([])
  })

  test.each(cases)('$case', async jsonCase => {
    const startedMs = cpuMs()
    const outcomes = await outcomesOf(temporaryFolder(), jsonCase)
    expect(cpuMs() - startedMs).toBeLessThan(2000)
    expect(outcomes.length).toBe(jsonCase.expect.length)
    outcomes.forEach((outcome, i) => {
      const expected = jsonCase.expect[i]!
      if ('record' in expected) return expect(outcome).toEqual(expected)
      expect(outcome).toMatchObject({ code: expected.code, ...(expected.at === undefined ? {} : { at: expected.at }) })
      if (expected.hint !== undefined) expect(outcome).toHaveProperty('hint', expect.stringContaining(expected.hint))
    })
    expect(({} as Record<string, unknown>)['verified']).toBeUndefined()
  })
})
