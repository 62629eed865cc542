import { expect, test } from 'vitest'
import {
  parseFrom,
  parseHost,
  parseInteger,
  parseName,
  parsePart,
  parsePort,
  parseWait,
  parseWord,
} from '../../../src/cli/arguments.ts'

test.each(['0', '80', '65535'])('%s is a port', text => expect(parsePort(text)).toBe(Number(text)))
test.each(['70000', 'abc', '', '-1', '1.5', '0x50', ' 80', '1e3', '99999999'])('%j is no port', text =>
  expect(() => parsePort(text)).toThrow(expect.objectContaining({ code: 'usage.invalid', at: '--port' })),
)

test.each(['127.0.0.1', '::1', 'localhost', 'fe80::1%eth0'])('%s is a host', text => expect(parseHost(text)).toBe(text))
test.each(['', 'a b', 'http://x', 'a/b', 'a\u0000'])('%j is no host', text =>
  expect(() => parseHost(text)).toThrow(expect.objectContaining({ code: 'usage.invalid' })),
)

test.each<[string, ReturnType<typeof parseFrom>]>([
  ['earliest', 'earliest'],
  ['latest', 'latest'],
  ['0', { offset: 0n }],
  ['9007199254740993', { offset: 9007199254740993n }],
  ['2026-01-31', { timeMs: Date.UTC(2026, 0, 31) }],
  ['2026-01-31T10:00:00Z', { timeMs: Date.UTC(2026, 0, 31, 10) }],
  ['2026-01-31T10:00+02:00', { timeMs: Date.UTC(2026, 0, 31, 8) }],
])('%s is a place to start', (text, from) => expect(parseFrom(text)).toEqual(from))
test.each(['', 'abc', '-5', '2026-13-01', 'yesterday', '1.5', '2026-01-31T10:00:00'])('%j is no place to start', text =>
  expect(() => parseFrom(text)).toThrow(expect.objectContaining({ code: 'usage.invalid', at: '--from' })),
)

test('whole numbers have bounds', () => {
  expect(parseInteger('5', '--limit', 1, 10)).toBe(5)
  for (const text of ['0', '11', 'x', '', '1.0', '99999999999999999999'])
    expect(() => parseInteger(text, '--limit', 1, 10)).toThrow(/--limit has no meaning/)
})

test('names hold no control characters', () => {
  expect(parseName('raw reviews', 'topic')).toBe('raw reviews')
  for (const text of ['', 'a\u0000b', 'a\nb', 'x'.repeat(513)])
    expect(() => parseName(text, 'topic')).toThrow(expect.objectContaining({ code: 'usage.invalid' }))
})

test('a wait has a unit and is longer than nothing, unless nothing has a meaning there', () => {
  expect([parseWait('1h30m', '--for'), parseWait('0s', '--for', { zero: true })]).toEqual([5_400_000, 0])
  for (const text of ['', '0s', '5', '-1s', '2 parsecs', '10000d'])
    expect(() => parseWait(text, '--for')).toThrow(/--for has no meaning/)
})

test('a share is a percentage, a word one of the known', () => {
  expect(parsePart('12.5%', '--faults')).toBe(0.125)
  for (const text of ['', '0.5', '101%', '-1%'])
    expect(() => parsePart(text, '--faults')).toThrow(/--faults has no meaning/)
  expect(parseWord('open', ['open', 'all'], '--state')).toBe('open')
  expect(() => parseWord('opne', ['open', 'all'], '--state')).toThrow(
    expect.objectContaining({ at: '--state', hint: 'Write one of open, all.' }),
  )
})
