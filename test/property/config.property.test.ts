// Whatever the text of a definition, lint answers with problems that have a place; it never throws and never leaks.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { prettyProblem } from '../../src/config/format.ts'
import { codes } from '../../src/core/errors.ts'
import { definitionFolder, pipelineText } from '../support/definition-text.ts'

const folder = definitionFolder()
afterAll(() => folder[Symbol.dispose]())

const rich = pipelineText({
  source:
    '  http:\n    url: "https://x.example/{{ split.a }}?k=${TOKEN}"\n    auth: { basic: { username: "${WHO:-bob}", password: "${TOKEN}" } }\n    headers: { X-Key: "${TOKEN}" }\n    paginate: { page: { param: p } }\n  every: 5m',
  topic: '  key: record.review_id\n  partitions: ${PARTS}\n  retention: { time: 7d, size: 1gb }',
  rest: 'fetch: { retry: { attempts: 3, backoff: { min: 1s, max: 2s } }, breaker: { failure_rate: 50% } }\nbase: &b { a: 1 }\nconsume:\n  - group: g\n    process: [{ filter: record.rating <= 2.0 }, { map: { a: record.review_id } }]\n    sink: { file: { path: out.jsonl } }\n    batch: { <<: *b, records: 10 }',
})
const canary = 'canary-of-property'
const env = { TOKEN: canary, PARTS: '3' }
const corpus = (
  JSON.parse(readFileSync(join(import.meta.dirname, '../corpus/config/expect.json'), 'utf8')) as { file: string }[]
).flatMap(({ file }) => {
  try {
    return [readFileSync(join(import.meta.dirname, '../corpus/config', file), 'utf8')]
  } catch {
    return []
  }
})

const snippets = [
  '{',
  '}',
  '[',
  ']',
  ':',
  ': ',
  '- ',
  '\n',
  '\n  ',
  '"',
  "'",
  '&a ',
  '*a',
  '<<: *b',
  '!!int ',
  '${',
  '${TOKEN}',
  '${file:x}',
  '$${',
  '{{',
  '}}',
  '%',
  '#',
  '|',
  '>',
  '~',
  '---\n',
  '\t',
  '\0',
  '\u2028',
  '\ufeff',
  '010',
  '1e999',
  'yes',
  '__proto__: 1',
  '? ',
  ',',
  '\r\n',
]

const mutation = fc.oneof(
  fc.record({ kind: fc.constant('cut' as const), at: fc.nat(), length: fc.integer({ min: 1, max: 40 }) }),
  fc.record({ kind: fc.constant('insert' as const), at: fc.nat(), text: fc.constantFrom(...snippets) }),
  fc.record({
    kind: fc.constant('repeat' as const),
    at: fc.nat(),
    length: fc.integer({ min: 1, max: 30 }),
    times: fc.integer({ min: 2, max: 40 }),
  }),
  fc.record({
    kind: fc.constant('replace' as const),
    at: fc.nat(),
    text: fc.string({ minLength: 1, maxLength: 3, unit: 'binary' }),
  }),
)

function mutate(text: string, steps: readonly (typeof mutation extends fc.Arbitrary<infer T> ? T : never)[]): string {
  return steps.reduce((now, step) => {
    const at = step.at % (now.length + 1)
    if (step.kind === 'cut') return now.slice(0, at) + now.slice(at + step.length)
    if (step.kind === 'insert') return now.slice(0, at) + step.text + now.slice(at)
    if (step.kind === 'replace') return now.slice(0, at) + step.text + now.slice(at + step.text.length)
    return now.slice(0, at) + now.slice(at, at + step.length).repeat(step.times) + now.slice(at + step.length)
  }, text)
}

/** Names are public wherever they come from: a topic called like the secret is shown. */
const namedByIt = /^.*\b(pipeline|name|group|subject|dead_letter|topic|param)\b.*\$\{TOKEN\}/m

function holds(text: string): void {
  const { definition, problems } = folder.lint(text, { env })
  expect(definition === undefined).toBe(problems.some(p => p.severity === 'error'))
  const lines = text.split('\n')
  for (const problem of problems) {
    expect(problem.code).not.toBe('internal')
    expect(codes[problem.code].exit).toBe(2)
    expect(problem.line).toBeGreaterThanOrEqual(1)
    expect(problem.line).toBeLessThanOrEqual(lines.length)
    expect(problem.column).toBeGreaterThanOrEqual(1)
    expect(problem.column).toBeLessThanOrEqual(lines[problem.line - 1]!.length + 1)
    expect(problem.message.length).toBeGreaterThan(0)
    const shown = prettyProblem(problem, { colour: false, cwd: folder.path })
    if (!namedByIt.test(text)) expect(shown).not.toContain(canary)
    expect(shown).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]/)
  }
}

test('for any mutation of a definition, lint gives located problems or a definition', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(rich, rich, rich, pipelineText(), ...corpus),
      fc.array(mutation, { minLength: 1, maxLength: 6 }),
      (text, steps) => holds(mutate(text, steps)),
    ),
    { numRuns: Number(process.env['WEIR_FUZZ_RUNS'] ?? 1500) },
  )
})

test('for any text, the same', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), text => holds(text)),
    { numRuns: 500 },
  )
})

test('for any value in any place of a definition, the same', () => {
  const value = fc.oneof(
    fc.json({ maxDepth: 3 }),
    fc.constantFrom('~', '', '${TOKEN}', '${NONE}', '[]', '{}', '-1', '1e3', '"x"', 'true'),
  )
  const keys = [...rich.matchAll(/^( *)([a-z_]+):.*$/gm)].map(match => match[0]!)
  fc.assert(
    fc.property(fc.constantFrom(...keys), value, (line, written) =>
      holds(rich.replace(line, () => line.replace(/:.*$/, () => `: ${written}`))),
    ),
    { numRuns: 1000 },
  )
})
