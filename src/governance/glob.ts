// Patterns in which `*` stands for any text: of subjects, rules and field names. No backtracking, whatever the pattern.

/** True when the whole text fits the pattern. Without a `*` the two must be equal. */
export function matches(pattern: string, text: string): boolean {
  const [first = '', ...rest] = pattern.split('*')
  if (rest.length === 0) return pattern === text
  const last = rest.pop()!
  if (!text.startsWith(first) || text.length < first.length + last.length || !text.endsWith(last)) return false
  let at = first.length
  for (const part of rest) {
    const found = text.indexOf(part, at)
    if (found === -1) return false
    at = found + part.length
  }
  return at <= text.length - last.length
}

/** True when some text fits both patterns. */
export function overlap(a: string, b: string): boolean {
  // Which prefixes of the two can be made equal: a table of one row, over the characters of both.
  let row = reach(new Array<boolean>(b.length + 1).fill(false), true, b)
  for (const char of a) {
    const next = new Array<boolean>(b.length + 1).fill(false)
    next[0] = char === '*' && row[0]!
    for (let j = 0; j <= b.length; j++) {
      if (j > 0 && char !== '*' && b[j - 1] === char) next[j] ||= row[j - 1]!
      if (j > 0 && b[j - 1] === '*') next[j] ||= row[j]! || next[j - 1]!
      if (char === '*') next[j] ||= row[j]! || (j > 0 && next[j - 1]!)
    }
    row = next
  }
  return row[b.length]!
}

/** The first row: nothing of `a`, and of `b` only stars. */
function reach(row: boolean[], start: boolean, b: string): boolean[] {
  row[0] = start
  for (let j = 1; j <= b.length; j++) row[j] = b[j - 1] === '*' && row[j - 1]!
  return row
}
