// Small words for async work. Pulling is the backpressure; returning is the drain.

/**
 * Reads up to `depth` values ahead of the consumer, so that the next fetch overlaps the work on this one. Past a value that is a barrier nothing is
 * read before the consumer is done with it. An error is delivered in its place in the order. Leaving early ends the source iterator.
 */
export async function* ahead<T>(
  source: AsyncIterable<T>,
  depth: number,
  isBarrier: (value: T) => boolean = () => false,
): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]()
  const pending: Pulled<T>[] = []
  const pull = () => {
    const before = pending.at(-1) ?? taken
    const next = before === undefined ? iterator.next() : following(before)
    next.catch(() => {}) // The consumer sees the rejection when it gets there; until then it is not unhandled.
    pending.push({ result: next, done: Promise.withResolvers() })
  }
  const following = async ({ result, done }: Pulled<T>): Promise<IteratorResult<T>> => {
    const before = await result
    if (before.done) return before
    if (isBarrier(before.value)) await done.promise
    return hasLeft ? { done: true, value: undefined } : iterator.next()
  }
  let taken: Pulled<T> | undefined
  let hasLeft = false
  try {
    for (let i = 0; i <= depth; i++) pull()
    for (;;) {
      taken = pending.shift()!
      const result = await taken.result
      if (result.done) return
      pull()
      yield result.value
      taken.done.resolve()
    }
  } finally {
    hasLeft = true
    taken?.done.resolve()
    await iterator.return?.()
  }
}

interface Pulled<T> {
  readonly result: Promise<IteratorResult<T>>
  /** Resolved once the consumer is done with the value. */
  readonly done: PromiseWithResolvers<void>
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

/** What the work gives, or the signal's reason as soon as it aborts; the work itself goes on. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const given = Promise.withResolvers<never>()
  const stop = () => given.reject(signal.reason)
  if (signal.aborted) stop()
  else signal.addEventListener('abort', stop)
  try {
    return await Promise.race([work, given.promise])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
