import { expect, test } from 'vitest'
import { formatBytes, formatDuration, parseDuration, parseShare, parseSize } from '../../../src/core/units.ts'

test.each([
  ['250ms', 250],
  ['1h30m', 5_400_000],
  ['2d', 172_800_000],
  ['1.5s', 1500],
  ['', undefined],
  ['5', undefined],
  ['5 parsecs', undefined],
  ['10000d', undefined],
  ['-1s', undefined],
])('the duration %j is %s ms', (text, ms) => expect(parseDuration(text)).toBe(ms))

test.each([
  ['512b', 512],
  ['64KB', 65_536],
  ['1.5mb', 1_572_864],
  ['10 Bananas', undefined],
  ['9999999999999gb', undefined],
])('the size %j is %s bytes', (text, bytes) => expect(parseSize(text)).toBe(bytes))

test.each([
  ['50%', 0.5],
  ['0%', 0],
  ['101%', undefined],
  ['0.5', undefined],
])('the share %j is %s', (text, share) => expect(parseShare(text)).toBe(share))

test.each([
  [0, '0ms'],
  [999.4, '999ms'],
  [999.7, '1s'],
  [4200, '4.2s'],
  [59_990, '1m 0s'],
  [119_900, '2m 0s'],
  [190_000, '3m 10s'],
  [3_599_900, '1h 0m'],
  [7_500_000, '2h 5m'],
  [7_199_000, '2h 0m'],
])('%s ms are told as %s: rounding never leaves 60 of a unit', (ms, text) => expect(formatDuration(ms)).toBe(text))

test.each([
  [812, '812 B'],
  [1536, '1.5 KB'],
  [1_572_864, '1.5 MB'],
  [3 * 1024 ** 3, '3 GB'],
])('%s bytes are told as %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text))
