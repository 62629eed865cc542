import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Lease, Member } from '../../../src/adapters/event-log-sqlite/lease.ts'
import { fairShare, nextMoves } from '../../../src/adapters/event-log-sqlite/share.ts'

const member = (id: string, joined: number, exclusive = false): Member => ({ id, joined, exclusive })
const leases = (...owners: (string | null)[]): Lease[] =>
  owners.map((owner, slot) => ({ slot, epoch: 1, member: owner }))
const none = new Set<number>()

describe('sharing slots', () => {
  test('shares add up and differ by one at most', () => {
    const members = [member('a', 1), member('b', 2), member('c', 3)]
    expect(members.map(each => fairShare(each.id, members, leases('a', 'a', 'a', 'a')))).toEqual([2, 1, 1])
  })

  test('a member that is not there has no share', () => {
    expect(fairShare('x', [member('a', 1)], leases('a'))).toBe(0)
  })

  test('the slots of the dead are free, those of the living are not', () => {
    const moves = nextMoves('b', [member('a', 1), member('b', 2)], leases('a', 'dead', null, 'a'), none, none)
    expect(moves).toEqual({ take: [1, 2], drain: [] })
  })

  test('an exclusive member takes all or nothing', () => {
    const members = [member('a', 1, true), member('b', 2, true)]
    expect(nextMoves('a', members, leases('b', null), none, none).take).toEqual([])
    expect(nextMoves('b', members, leases('b', null), new Set([0]), none).take).toEqual([1])
    expect(nextMoves('b', members, leases(null, null), none, none).take).toEqual([])
    expect(nextMoves('a', members, leases(null, null), none, none).take).toEqual([0, 1])
  })

  test('I7: whoever comes and goes, acting in any order ends with every slot owned once and evenly', () => {
    const step = fc.record({ who: fc.nat(4), what: fc.constantFrom('join', 'leave', 'act', 'act', 'act') })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.array(step, { maxLength: 60 }), (slots, steps) => {
        const owner: (string | null)[] = Array.from({ length: slots }, () => null)
        const alive = new Map<string, Member>()
        let joined = 0
        const act = (id: string): boolean => {
          const held = new Set(owner.flatMap((each, slot) => (each === id ? [slot] : [])))
          const { take, drain } = nextMoves(id, [...alive.values()], leases(...owner), held, none)
          for (const slot of take) {
            expect(owner[slot] === null || !alive.has(owner[slot]!)).toBe(true)
            owner[slot] = id
          }
          for (const slot of drain) owner[slot] = null
          return take.length + drain.length > 0
        }
        for (const { who, what } of steps) {
          const id = `m${who}`
          if (what === 'join' && !alive.has(id)) alive.set(id, member(id, ++joined))
          if (what === 'leave') alive.delete(id)
          if (what === 'act' && alive.has(id)) act(id)
        }
        alive.set('last', member('last', ++joined))
        for (let round = 0; [...alive.keys()].map(act).some(Boolean); round++) expect(round).toBeLessThan(50)
        const counts = [...alive.keys()].map(id => owner.filter(each => each === id).length)
        expect(counts.reduce((a, b) => a + b)).toBe(slots)
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
      }),
    )
  })
})
