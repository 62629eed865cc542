import { expect, test } from 'vitest'
import { retryAfterMs } from '../../../src/fetch/retry-after.ts'

const now = Date.UTC(2026, 0, 1, 12)
const tenYearsMs = 3650 * 86_400_000

test.each([
  ['0', 0],
  ['7', 7000],
  [' 120 ', 120_000],
  ['1.5', 1500],
  ['315360000', tenYearsMs],
  ['Thu, 01 Jan 2026 12:00:30 GMT', 30_000],
  ['Thursday, 01-Jan-26 12:00:30 GMT', 30_000],
])('`%s` asks for %d ms', (header, ms) => expect(retryAfterMs(header, now)).toBe(ms))

test.each([
  undefined,
  '',
  '-1',
  '+5',
  'soon',
  '1e9',
  '0x10',
  '99999999999999999999',
  'Thu, 01 Jan 2026 11:00:00 GMT',
  'Thu, 32 Foo 2026 12:00:00 GMT',
  '2026-01-02',
  '5, 10',
])('`%s` asks for nothing usable', header => expect(retryAfterMs(header, now)).toBeUndefined())
