// Small words for async iterables. Pulling is the backpressure; returning is the drain.

/**
 * Reads up to `depth` values ahead of the consumer, so that the next fetch overlaps the work on this one.
 * An error is delivered in its place in the order. Leaving early ends the source iterator.
 */
export async function* ahead<T>(source: AsyncIterable<T>, depth: number): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]()
  const pending: Promise<IteratorResult<T>>[] = []
  const pull = () => {
    const next = iterator.next()
    next.catch(() => {}) // The consumer sees the rejection when it gets there; until then it is not unhandled.
    pending.push(next)
  }
  try {
    for (let i = 0; i <= depth; i++) pull()
    for (;;) {
      const result = await pending.shift()!
      if (result.done) return
      pull()
      yield result.value
    }
  } finally {
    await iterator.return?.()
  }
}

/** Runs `work` over `inputs`, at most `limit` at once, and waits for all; the first failure aborts nothing but is thrown at the end. */
export async function forEachLimited<T>(
  inputs: readonly T[],
  limit: number,
  work: (input: T) => Promise<void>,
): Promise<void> {
  let next = 0
  const failures: unknown[] = []
  const worker = async () => {
    while (next < inputs.length) {
      const input = inputs[next++]!
      try {
        await work(input)
      } catch (error) {
        failures.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, inputs.length) }, worker))
  if (failures.length > 0) throw failures[0]
}
