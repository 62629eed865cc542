// Regular expressions through RE2: linear in the text, whatever the pattern (no look-around, no back-references).
import { RE2JS } from 're2js'
import { bounded, Failure, spend } from '../budget.ts'
import { define, text } from './function.ts'

const maxPatternLength = 1024
const maxRemembered = 256
/** Compiling costs more than matching; patterns from data would compile each time. */
const compileUnits = 2000

const remembered = new Map<string, RE2JS>()

/** @throws Failure for a pattern that RE2 does not take */
export function compilePattern(pattern: string): RE2JS {
  const known = remembered.get(pattern)
  if (known) return known
  if (pattern.length > maxPatternLength) throw new Failure(`a pattern is longer than ${maxPatternLength} characters`)
  spend(compileUnits)
  let compiled: RE2JS
  try {
    compiled = RE2JS.compile(pattern)
  } catch {
    throw new Failure(
      'the pattern is not a regular expression of RE2',
      'RE2 has no look-around and no back-references, and repeats at most 1000 times.',
    )
  }
  if (remembered.size >= maxRemembered) remembered.delete(remembered.keys().next().value!)
  remembered.set(pattern, compiled)
  return compiled
}

/** A match costs its text once per state of the pattern at worst. */
function pay(value: string, pattern: string): void {
  spend(Math.ceil((value.length * (16 + Math.min(pattern.length, 240))) / 64))
}

export function matches(value: string, pattern: string): boolean {
  const compiled = compilePattern(pattern)
  pay(value, pattern)
  return compiled.matcher(value).find()
}

/** Missing text matches nothing. */
export function matchesOrNull(value: unknown, pattern: string): boolean {
  if (value === null) return false
  if (typeof value !== 'string') throw new Failure('a pattern is looked for in a text')
  return matches(value, pattern)
}

export function find(value: string, pattern: string): string | null {
  const compiled = compilePattern(pattern)
  pay(value, pattern)
  const matcher = compiled.matcher(value)
  if (!matcher.find()) return null
  return (matcher.groupCount() > 0 ? matcher.group(1) : matcher.group()) ?? null
}

function replace(value: string, pattern: string, to: string): string {
  const compiled = compilePattern(pattern)
  pay(value, pattern)
  if ((value.length + 1) * to.length > 64 * 1024 * 1024)
    throw new Failure('the replacement would build too long a text')
  return bounded(compiled.matcher(value).replaceAll(to))
}

const pattern = { name: 'pattern', type: 'string' }

export const regexFunctions = [
  define({
    name: 'regex_match',
    group: 'Regular expressions',
    parameters: [{ name: 'text', type: 'dyn' }, pattern],
    returns: 'bool',
    doc: "Whether the pattern (RE2) is found in the text; false for null. CEL's `matches` does the same.",
    nullGivesNull: false,
    examples: [
      { expression: "regex_match('R1ABCDEFGHIJK', '^R[A-Z0-9]{9,14}$')", gives: true },
      { expression: "'R1ABC'.matches('^R[A-Z0-9]{9,14}$')", gives: false },
    ],
    run: matchesOrNull,
  }),
  define({
    name: 'regex_find',
    group: 'Regular expressions',
    parameters: [text, pattern],
    returns: 'string',
    doc: 'The first match; its first group where the pattern has one; null when there is none.',
    nullGivesNull: true,
    examples: [
      { expression: "regex_find('Reviewed in Canada on May 4, 2023', 'in (.+) on')", gives: 'Canada' },
      { expression: "regex_find('abc', '[0-9]+')", gives: null },
    ],
    run: find,
  }),
  define({
    name: 'regex_replace',
    group: 'Regular expressions',
    parameters: [text, pattern, { name: 'new', type: 'string' }],
    returns: 'string',
    doc: 'Every match replaced; `$1` in `new` is the first group.',
    nullGivesNull: true,
    examples: [
      { expression: "regex_replace('2023-05-04', '(\\\\d+)-(\\\\d+)-(\\\\d+)', '$3.$2.$1')", gives: '04.05.2023' },
    ],
    run: replace,
  }),
]
