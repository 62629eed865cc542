// What a text looks like: kinds of personal data, and texts that only resemble them.
import { expect, test } from 'vitest'
import type { PiiKind } from '../../../src/governance/policy.ts'
import { looksLike } from '../../../src/governance/value-kinds.ts'

const cases: readonly (readonly [PiiKind, readonly string[], readonly string[]])[] = [
  [
    'email',
    ['anna@example.org', ' a.b+c@mail.example.co.uk '],
    ['anna', '@anna', 'a@b', 'write to anna@example.org', 'a@b.1'],
  ],
  [
    'phone',
    ['+49 170 1234567', '+1 (555) 123-4567', '(030) 1234567', '555-123-4567'],
    ['2026-01-31', '1303862400', 'B000E7WM0K', '4.5', '10.0.0.1', '12-31-2026'],
  ],
  [
    'name',
    ['Anna Schmidt', 'Jean-Luc Picard', 'Ludwig van Beethoven', 'José García'],
    ['Anna', 'great taste', 'I love it', 'reviewer-accafa9ab3df'],
  ],
  ['ip', ['10.0.0.1', '2001:db8::1'], ['1.2.3', '300.1.1.1', 'localhost']],
  ['card', ['4111 1111 1111 1111', '5500005555555559'], ['4111 1111 1111 1112', '1303862400', '1234567890123456']],
  ['iban', ['DE89 3704 0044 0532 0130 00', 'GB82WEST12345698765432'], ['DE88 3704 0044 0532 0130 00', 'DE89']],
]

test.each(cases)('%s', (kind, like, unlike) => {
  expect(like.filter(text => !looksLike(kind, text))).toEqual([])
  expect(unlike.filter(text => looksLike(kind, text))).toEqual([])
})

test('a long text is none of them, and costs nothing', () => {
  for (const [kind] of cases) expect(looksLike(kind, `${'a'.repeat(100_000)}@example.org`)).toBe(false)
})
