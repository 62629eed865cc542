import { fstatSync, readdirSync, readlinkSync } from 'node:fs'
import { expect, test } from 'vitest'
import { openHoldings } from '../../../src/adapters/holdings-sqlite/holdings.ts'

const held = (hash: string, fetchedAtMs: number, partition: number | null = 0, writtenAtMs = fetchedAtMs) => ({
  hash,
  response: 'ab'.repeat(32),
  fetchedAtMs,
  writtenAtMs,
  partition,
})

test('in one partition the last record counts, across partitions the newest', () => {
  using holdings = openHoldings()
  holdings.put('s', 'a', held('01', 5))
  holdings.put('s', 'a', held('02', 3))
  expect(holdings.get('s', 'a')?.hash).toBe('02')
  holdings.put('s', 'a', held('03', 2, 1))
  expect(holdings.get('s', 'a')?.hash).toBe('02')
  holdings.put('s', 'a', held('04', 9, 1))
  expect(holdings.get('s', 'a')).toEqual(held('04', 9, 1))
  holdings.put('s', 'a', held('05', 1, null, 10))
  expect(holdings.get('s', 'a')?.hash).toBe('05')
  expect(holdings.get('other', 'a')).toBeUndefined()
})

test('the newest of the other versions of an item is found, and no other item that begins alike', () => {
  using holdings = openHoldings()
  for (const [position, ms] of [
    ['a@1', 1],
    ['a@2', 7],
    ['a', 3],
    ['ab@1', 90],
    ['a@b@1', 95],
    ['a.b', 91],
    ['aA', 92],
  ] as const)
    holdings.put('s', position, held('aa', ms))
  holdings.put('t', 'a@9', held('aa', 99))
  expect(holdings.newest('s', 'a', 'a@1')).toBe(7)
  expect(holdings.newest('s', 'a', 'a@2')).toBe(3)
  expect(holdings.newest('s', 'b', 'b')).toBeNull()
  holdings.put('s', 'a@deleted#0', held('aa', 8))
  expect(holdings.newest('s', 'a', 'a@2')).toBe(8)
})

test('what a page gave is found under the edit it was, with or without a pass, and no other version', () => {
  using holdings = openHoldings()
  const page = (response: string, fetchedAtMs: number) => ({ response, fetchedAtMs })
  holdings.put('s', 'a@1', { ...held('aa', 1), response: '01' })
  holdings.put('s', 'a@2~1', { ...held('aa', 2), response: '02' })
  holdings.put('s', 'a@1~2', { ...held('aa', 3), response: '03' })
  holdings.put('s', 'a@1~12#4', { ...held('aa', 4), response: '04' })
  holdings.put('s', 'a@1~b', { ...held('aa', 5), response: '05' })
  expect(holdings.positionOf('s', 'a@1', page('01', 1))).toBe('a@1')
  expect(holdings.positionOf('s', 'a@1', page('03', 3))).toBe('a@1~2')
  expect(holdings.positionOf('s', 'a@1', page('03', 9))).toBe('a@1')
  expect(holdings.positionOf('s', 'a@2', page('02', 2))).toBe('a@2~1')
  expect(holdings.positionOf('s', 'a@1#4', page('04', 4))).toBe('a@1~12#4')
  expect(holdings.positionOf('s', 'a@1', page('05', 5))).toBe('a@1')
  holdings.put('s', 'a~1', { ...held('aa', 6), response: '06' })
  expect(holdings.positionOf('s', 'a', page('06', 6))).toBe('a')
  holdings.bury('s', 'b~1')
  expect(holdings.isDead('s', 'b')).toBe(false)
  holdings.bury('s', 'a@3~7')
  expect([holdings.isDead('s', 'a@3'), holdings.isDead('s', 'a@3~7'), holdings.isDead('s', 'a@1')]).toEqual([
    true,
    true,
    false,
  ])
})

test('what is buried is dead, in its split', () => {
  using holdings = openHoldings()
  holdings.bury('s', 'a')
  holdings.bury('s', 'a')
  expect([holdings.isDead('s', 'a'), holdings.isDead('t', 'a'), holdings.isDead('s', 'b')]).toEqual([
    true,
    false,
    false,
  ])
})

test.runIf(process.platform === 'linux')('I10: what is more than the cache holds is in a file without a name', () => {
  using holdings = openHoldings(1024)
  const inFiles = () =>
    readdirSync('/proc/self/fd').flatMap(fd => {
      try {
        return /etilqs.*\(deleted\)$/.test(readlinkSync(`/proc/self/fd/${fd}`)) ? fstatSync(Number(fd)).size : []
      } catch {
        return []
      }
    })
  const many = 30_000
  for (let i = 0; i < many; i++)
    holdings.put('product=b', `review-${(i * 7919) % 30_011}@2026`, held('ff'.repeat(32), i))
  expect(Math.max(0, ...inFiles())).toBeGreaterThan(2 * 1024 * 1024)
  expect(holdings.get('product=b', 'review-7919@2026')?.fetchedAtMs).toBe(1)
})
