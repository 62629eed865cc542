// How much two names or sentences resemble each other, by their words.

/** The words of a name or sentence in lower case: `reviewerName`, `reviewer_name` and `Reviewer name` have the same. At most 200. */
export function wordsOf(text: string): readonly string[] {
  return text
    .slice(0, 4000)
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter(word => word !== '')
    .slice(0, 200)
}

/** Words that nearly every sentence has: two docs that share them say nothing of each other. */
const common: ReadonlySet<string> = new Set(
  'a an and are as at be by for from has in is it its no not of on or that the this to was were when which who with'.split(
    ' ',
  ),
)

/** The words of a sentence that say something. */
export const tellingWords = (text: string): readonly string[] => wordsOf(text).filter(word => !common.has(word))

/** Words that both have, of all that either has: 0 to 1. */
export function likeness(a: readonly string[], b: readonly string[]): number {
  const [left, right] = [new Set(a), new Set(b)]
  const both = [...left].filter(word => right.has(word)).length
  const all = left.size + right.size - both
  return all === 0 ? 0 : both / all
}
