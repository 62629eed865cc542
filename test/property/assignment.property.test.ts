// The share-out of partitions among members of a group: whoever joins or leaves, no partition has two owners (I7).
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Claim,
  decodeAssignments,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
  shareOut,
} from '../../src/adapters/event-log-kafka/assignment.ts'

interface Member {
  owned: number[]
  generation: number
}

/** One round as the protocol runs it: all claim, the leader shares out, each takes what it is given and gives up what drains. */
function round(members: Map<string, Member>, partitions: number, exclusive: boolean, generation: number): boolean {
  const claims: Claim[] = [...members].map(([memberId, { owned, generation: of }]) => ({
    memberId,
    ...decodeSubscription(encodeSubscription({ topic: 't', owned, generation: of })),
  }))
  const shares = shareOut('t', partitions, exclusive, claims)
  const owners = new Map(
    claims.flatMap(({ memberId, owned }) => owned.map(partition => [partition, memberId] as const)),
  )
  let again = false
  for (const [memberId, member] of members) {
    const share = shares.get(memberId)!
    for (const partition of share.partitions)
      expect([undefined, memberId], 'what another one owns is not given away').toContain(owners.get(partition))
    expect(share.partitions.length + share.draining.length).toBeGreaterThanOrEqual(member.owned.length)
    again ||= share.draining.length > 0
    member.owned = [...share.partitions]
    member.generation = generation
  }
  const given = [...members.values()].flatMap(({ owned }) => owned)
  expect(new Set(given).size, 'no partition has two owners').toBe(given.length)
  return again
}

describe('sharing out partitions', () => {
  test('I7: over any joins and leaves, each partition ends with one owner, the shares differ by one at most, and what can stay stays', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 9 })), { minLength: 1, maxLength: 30 }),
        fc.boolean(),
        (partitions, steps, exclusive) => {
          const members = new Map<string, Member>()
          let generation = 0
          for (const [joins, number] of steps) {
            if (joins) members.set(`m${number}`, members.get(`m${number}`) ?? { owned: [], generation: -1 })
            else members.delete(`m${number}`)
            if (members.size === 0) continue
            const before = new Map([...members].map(([id, { owned }]) => [id, new Set(owned)]))
            for (let rounds = 0; round(members, partitions, exclusive, ++generation); )
              expect(++rounds, 'a share-out settles').toBeLessThan(3)
            const sizes = [...members.values()].map(({ owned }) => owned.length)
            expect(sizes.reduce((a, b) => a + b)).toBe(partitions)
            if (exclusive) expect(sizes.filter(size => size > 0)).toEqual([partitions])
            else expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
            if (!exclusive && !joins)
              for (const [id, { owned }] of members)
                for (const kept of before.get(id)!)
                  expect(owned, 'who leaves moves nothing of the others').toContain(kept)
          }
        },
      ),
      { numRuns: 300 },
    )
  })

  test('of two claims on a partition the newer counts', () => {
    const shares = shareOut('t', 2, false, [
      { memberId: 'zombie', topic: 't', owned: [0, 1], generation: 3 },
      { memberId: 'owner', topic: 't', owned: [0, 1], generation: 7 },
    ])
    expect(shares.get('zombie')).toMatchObject({ partitions: [], draining: [] })
    expect(shares.get('owner')!.partitions.length + shares.get('owner')!.draining.length).toBe(2)
  })

  test('bytes of an assignment come back, and those of other clients are read', () => {
    const given = { topic: 'reviews', partitions: [0, 4], draining: [2] }
    expect(decodeAssignments(encodeAssignment(given))).toEqual([given])
    expect(decodeAssignments(Buffer.alloc(0))).toEqual([])
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), noise => {
        for (const read of [decodeSubscription, decodeAssignments]) {
          try {
            read(Buffer.from(noise))
          } catch (error) {
            expect(error).toMatchObject({ code: 'log.invalid' })
          }
        }
      }),
    )
  })
})
