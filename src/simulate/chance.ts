// Chance that repeats: a number from a seed and words, the same on every machine and in every order of asking.

/** A number in [0, 1) that depends on the seed and the words only (FNV-1a, then mixed). */
export function chance(seed: number, ...words: readonly (string | number)[]): number {
  let hash = 0x811c9dc5 ^ seed
  for (const char of words.join('|')) hash = Math.imul(hash ^ char.codePointAt(0)!, 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39)
  return ((hash ^ (hash >>> 15)) >>> 0) / 4294967296
}

/** One of the list, by chance. */
export function pick<T>(list: readonly T[], draw: number): T {
  return list[Math.floor(draw * list.length)]!
}
