import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { ahead } from '../../../src/core/stream.ts'

/** Counts how far it was read. */
function counting(values: readonly (number | Error)[]) {
  const seen = { pulled: 0, left: false }
  async function* source() {
    try {
      for (const value of values) {
        seen.pulled++
        if (value instanceof Error) throw value
        yield value
      }
    } finally {
      seen.left = true
    }
  }
  return { seen, source: source() }
}

const settle = async () => {
  for (let i = 0; i < 20; i++) await turn()
}

test('reads on while the consumer works, and gives everything in order', async () => {
  const { seen, source } = counting([1, 2, 3, 4, 5, 6])
  const got: number[] = []
  for await (const value of ahead(source, 1)) {
    got.push(value)
    await settle()
    expect(seen.pulled).toBe(Math.min(6, value + 2))
  }
  expect(got).toEqual([1, 2, 3, 4, 5, 6])
})

test('nothing is read past a barrier before the consumer is done with it', async () => {
  const { seen, source } = counting([1, 2, 3, 4, 5])
  const got: number[] = []
  for await (const value of ahead(source, 1, each => each === 2 || each === 3)) {
    got.push(value)
    await settle()
    if (value <= 3) expect(seen.pulled).toBe(value === 1 ? 2 : value)
  }
  expect(got).toEqual([1, 2, 3, 4, 5])
})

test('leaving at a barrier ends the source without reading on', async () => {
  const { seen, source } = counting([1, 2, 3])
  for await (const value of ahead(source, 1, each => each === 1)) {
    expect(value).toBe(1)
    break
  }
  await settle()
  expect(seen).toEqual({ pulled: 1, left: true })
})

test('an error comes in its place in the order', async () => {
  const { source } = counting([1, 2, new Error('third')])
  const got: number[] = []
  const read = async () => {
    for await (const value of ahead(source, 1)) got.push(value)
  }
  await expect(read()).rejects.toThrow('third')
  expect(got).toEqual([1, 2])
})
