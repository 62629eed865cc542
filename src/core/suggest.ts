// "Did you mean": the known word nearest to a mistyped one. For fields, functions, connectors, sinks, commands, variables.

/** Longer words are never typing mistakes of ours, and the comparison is quadratic. */
const maxLength = 64

/** The candidate nearest to `word`, if near enough to be what was meant. */
export function closest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > maxLength) return undefined
  let best: string | undefined
  let bestDistance = Number.POSITIVE_INFINITY
  for (const candidate of candidates) {
    if (candidate.length > maxLength) continue
    // Of equally near words the one with the same first letter: people seldom mistype that.
    const far = distance(plain(word), plain(candidate)) + (word[0] === candidate[0] ? 0 : 0.5)
    if (far < bestDistance) {
      best = candidate
      bestDistance = far
    }
  }
  return best !== undefined && bestDistance <= 0.5 + Math.max(1, Math.floor(Math.max(word.length, best.length) / 3))
    ? best
    : undefined
}

/** A hint for an unknown word: the nearest candidate, else the list of what is known. */
export function suggestion(word: string, candidates: readonly string[]): string {
  const near = closest(word, candidates)
  if (near !== undefined) return `Did you mean ${near}?`
  if (candidates.length === 0) return 'Remove it: nothing is expected here.'
  const shown = candidates.slice(0, 20)
  return `Known here: ${shown.join(', ')}${candidates.length > shown.length ? ', …' : ''}.`
}

const plain = (word: string) => word.toLowerCase().replaceAll('-', '_')

/** Optimal string alignment: insert, delete, replace, swap of neighbours. */
function distance(a: string, b: string): number {
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      let least = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + same)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) least = Math.min(least, before[j - 2]! + 1)
      row.push(least)
    }
    before = last
    last = row
  }
  return last[b.length]!
}
