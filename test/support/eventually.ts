// Waiting for a condition instead of sleeping.
import { setTimeout as delay } from 'node:timers/promises'

/** Longer for tests over real services, whose machine is busy with them: vitest.config.ts. It bounds a hang, and is no assertion. */
const patienceMs = Number(process.env['TEST_PATIENCE_MS'] ?? 15_000)

/** Resolves with the first value of `look` that is neither false nor undefined; fails with `what` after `withinMs`. */
export async function eventually<T>(
  what: string,
  look: () => T | false | undefined | Promise<T | false | undefined>,
  withinMs = patienceMs,
): Promise<T> {
  const endMs = performance.now() + withinMs
  for (;;) {
    const found = await look()
    if (found !== false && found !== undefined) return found
    if (performance.now() > endMs) throw new Error(`Not within ${withinMs} ms: ${what}`)
    await delay(5)
  }
}

/** Fails with `what` as soon as `look` is false within `forMs`: for what must not happen by itself. */
export async function holds(what: string, look: () => boolean, forMs = 400): Promise<void> {
  const endMs = performance.now() + forMs
  while (performance.now() < endMs) {
    if (!look()) throw new Error(`No longer so: ${what}`)
    await delay(5)
  }
}
