import fc from 'fast-check'
import { expect, test } from 'vitest'
import { findJsonFault } from '../../src/core/json-scan.ts'
import { parseJson, spanOf } from '../../src/core/json-text.ts'

const pieces = fc.constantFrom(
  ...[
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '"a"',
    '"b\\n"',
    '\\u00e9',
    '1',
    '-',
    '0',
    '.5',
    'e9',
    'true',
    'null',
    'nul',
    ' ',
    '\n',
    "'",
    '/',
    '\u0000',
  ],
)

/** The value with its bigints as the doubles that JSON.parse makes of them. */
function asDoubles(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (Array.isArray(value)) return value.map(asDoubles)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, asDoubles(child)]))
}

test('for any soup of JSON pieces, the scanner finds a fault exactly when JSON.parse does', () => {
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 14 }), parts => {
      const text = parts.join('')
      let valid = true
      try {
        JSON.parse(text)
      } catch {
        valid = false
      }
      expect(findJsonFault(text) === undefined).toBe(valid)
    }),
    { numRuns: 20_000 },
  )
})

test('for any JSON value, parseJson gives what JSON.parse gives, apart from large integers', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), text => {
      expect(asDoubles(parseJson(text))).toEqual(JSON.parse(text))
    }),
    { numRuns: 2000 },
  )
})

test('for any integer, parseJson loses no digit', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }), fc.nat(40), (n, pad) => {
      const [value] = parseJson(`[${' '.repeat(pad)}${n}]`) as [number | bigint]
      expect(BigInt(value)).toBe(n)
    }),
  )
})

test('for any JSON value, the span of each object inside it parses to that object', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), fc.constantFrom(undefined, 2), (json, indent) => {
      const text = JSON.stringify(json, null, indent)
      const root = parseJson(text)
      const visit = (value: unknown) => {
        if (typeof value !== 'object' || value === null) return
        const span = spanOf(text, root, value)
        expect(parseJson(text.slice(span!.start, span!.end))).toEqual(value)
        for (const child of Object.values(value)) visit(child)
      }
      visit(root)
    }),
    { numRuns: 1000 },
  )
})
