// Any sequence of states of a source that lists everything: the topic is what the source is, each change told once.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openHttpSource } from '../support/open-http.ts'
import { scriptedGuard } from '../support/scripted-guard.ts'

const byList = { mode: 'membership', id: 'this.id', version: 'this', deletes: 'tombstone' }

test('for any states of the source and any kill, the topic is what the source is, and each change is told once', async () => {
  const world = fc.record({
    states: fc.array(fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.nat(2)), {
      minLength: 1,
      maxLength: 8,
    }),
    kills: fc.array(fc.constantFrom('none', 'none', 'before', 'after'), { maxLength: 20 }),
  })
  await fc.assert(
    fc.asyncProperty(world, async ({ states, kills }) => {
      let state: Record<string, number> = {}
      const guard = scriptedGuard(({ searchParams }) => {
        const page = Number(searchParams.get('page'))
        return {
          body: Object.entries(state)
            .map(([id, rating]) => ({ id, rating }))
            .slice((page - 1) * 2, page * 2),
        }
      })
      const { source } = openHttpSource(
        {
          request: { url: 'https://shop.example/list' },
          records: 'body',
          paginate: { page: { param: 'page' } },
          cursor: byList,
        },
        guard,
      )
      let cursor: string | null = null
      let commits = 0
      const topic = new Map<string, number>()
      const identities: string[] = []
      for (const next of states) {
        const before = { ...state }
        state = next
        const told: string[] = []
        for (let done = false; !done; ) {
          done = true
          for await (const batch of source.read({ id: 's', vars: {} }, cursor, new AbortController().signal)) {
            const kill = kills[commits++] ?? 'none'
            if (kill === 'before') done = false
            if (!done) break
            cursor = batch.cursor
            for (const { value, change, position } of batch.items) {
              const { id, rating } = value as { id: string; rating: number }
              told.push(`${change ?? 'new'} ${id}`)
              identities.push(position)
              if (change === 'deleted') topic.delete(id)
              else topic.set(id, rating)
            }
            if (kill === 'after') done = false
            if (!done) break
          }
        }
        const expected = [
          ...Object.keys(next)
            .filter(id => !(id in before))
            .map(id => `new ${id}`),
          ...Object.keys(next)
            .filter(id => id in before && before[id] !== next[id])
            .map(id => `edited ${id}`),
          ...Object.keys(before)
            .filter(id => !(id in next))
            .map(id => `deleted ${id}`),
        ]
        expect(told.sort()).toEqual(expected.sort())
        expect(Object.fromEntries(topic)).toEqual({ ...next })
      }
      expect(new Set(identities).size).toBe(identities.length)
    }),
    { numRuns: 200 },
  )
})
