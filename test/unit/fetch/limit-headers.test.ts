import { describe, expect, test } from 'vitest'
import { exhaustedForMs, spacingMs } from '../../../src/fetch/limit-headers.ts'
import { cpuMs } from '../../support/cpu-time.ts'

const nowMs = Date.UTC(2026, 0, 1)
const epoch = nowMs / 1000
const wait = (headers: Record<string, string>) => exhaustedForMs(headers, nowMs)

describe('a host that has nothing left', () => {
  test.each<[string, Record<string, string>, number]>([
    ['IETF, newest draft', { ratelimit: '"default";r=0;t=30' }, 30_000],
    ['of several policies the one that is used up', { ratelimit: '"burst";r=9;t=1, "daily";r=0;t=3600' }, 3_600_000],
    ['the longest of those used up', { ratelimit: '"a";r=0;t=5, "b";r=0;t=60' }, 60_000],
    ['a policy whose name holds a comma', { ratelimit: '"a,r=1";r=0;t=5' }, 5000],
    ['an older draft', { ratelimit: 'limit=100, remaining=0, reset=12' }, 12_000],
    ['the oldest draft', { 'ratelimit-remaining': '0', 'ratelimit-reset': '50' }, 50_000],
    ['seconds', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '7' }, 7000],
    ['a fraction of seconds', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset-after': '0.4' }, 400],
    ['-after wins', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset-after': '2', 'x-ratelimit-reset': '9' }, 2000],
    ['seconds since 1970', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(epoch + 90) }, 90_000],
    ['milliseconds since 1970', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(nowMs + 1500) }, 1500],
    ['a date', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': 'Thu, 01 Jan 2026 00:01:00 GMT' }, 60_000],
    ['an ISO date', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '2026-01-01T00:00:30Z' }, 30_000],
    ['another spelling', { 'x-rate-limit-remaining': '0', 'x-rate-limit-reset': String(epoch + 5) }, 5000],
    ['a limit by name', { 'x-ratelimit-requests-remaining': '0', 'x-ratelimit-requests-reset': '86400' }, 86_400_000],
    ['a limit by name without a reset', { 'x-ratelimit-amazon-product-remaining': '0' }, 1000],
    ['less than nothing', { 'x-ratelimit-remaining': '-3', 'x-ratelimit-reset': '5' }, 5000],
    [
      'ten years are ten years here: the caller caps',
      { 'ratelimit-remaining': '0', 'ratelimit-reset': '315360000' },
      315_360_000_000,
    ],
  ])('%s', (_, headers, ms) => expect(wait(headers)).toBe(ms))
})

describe('nothing is asked', () => {
  test.each<[string, Record<string, string>]>([
    ['no headers', {}],
    ['something left', { 'x-ratelimit-remaining': '1', 'x-ratelimit-reset': '60' }],
    ['a reset alone', { 'x-ratelimit-reset': '60' }],
    ['a limit alone', { 'x-ratelimit-limit': '0' }],
    ['a moment that has passed', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(epoch - 5) }],
    ['a date that has passed', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': 'Thu, 01 Jan 2015 00:00:00 GMT' }],
    ['now', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '0' }],
    ['a negative time', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '-60' }],
    ['words', { 'x-ratelimit-remaining': 'none', 'x-ratelimit-reset': '60' }],
    ['a reset in words', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': 'soon' }],
    ['an ISO date that is none', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '2026-99-99T00:00:00Z' }],
    ['a header that came twice', { 'x-ratelimit-remaining': '0, 5', 'x-ratelimit-reset': '60' }],
    ['a number without end', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '9'.repeat(400) }],
    ['not a number', { 'x-ratelimit-remaining': 'NaN', 'x-ratelimit-reset': 'Infinity' }],
    ['policies without numbers', { ratelimit: '"default";r;t, ;;=,=' }],
  ])('%s', (_, headers) => expect(wait(headers) ?? 0).toBe(0))

  test('a long hostile header is read in no time', () => {
    const startedMs = cpuMs()
    wait({ ratelimit: '",;='.repeat(4000), 'x-ratelimit-remaining': '0'.repeat(16_000) })
    wait({ [`x-ratelimit-${'a-'.repeat(8000)}`]: '0' })
    expect(cpuMs() - startedMs).toBeLessThan(200)
  })
})

test.each([
  ['2', 500],
  ['0.0167', 1000 / 0.0167],
  ['0', undefined],
  ['-1', undefined],
  ['fast', undefined],
  ['1e9', undefined],
])("Amazon's rate %s", (rate, ms) => expect(spacingMs({ 'x-amzn-ratelimit-limit': rate })).toBe(ms))
