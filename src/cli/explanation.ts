// What a pipeline guarantees, as text for people: `weir lint --explain`.
import type { Explanation, Hop } from '../app/guarantee.ts'
import type { CliContext } from './context.ts'
import { printable } from './terminal.ts'

type Output = CliContext['output']

const words = { exactly_once: 'exactly once', at_least_once: 'at least once' } as const

/** Each hop with what every part of it adds, then the whole way to each sink. */
export function printExplanation(output: Output, explanation: Explanation): void {
  const { pipeline, file, hops, end_to_end, reads, replays } = explanation
  const { paint } = output
  output.line(`${paint('bold', printable(pipeline))}  ${paint('dim', printable(file))}`)
  for (const hop of hops) printHop(output, hop)
  for (const hop of replays) printHop(output, hop)
  for (const { group, sink, guarantee, limited_by } of end_to_end)
    output.line(`  from the source to ${printable(`${group} (${sink})`)}: ${verdict(output, guarantee, limited_by)}`)
  for (const { group, sink, fields } of reads) {
    const what =
      fields === null ? 'the whole record' : fields.length === 0 ? 'no field of the record' : fields.join(', ')
    output.line(`  ${printable(`${group} (${sink})`)} reads ${printable(what, 500)}`)
  }
  output.line()
}

function printHop(output: Output, { from, to, guarantee, limited_by, claims }: Hop): void {
  const { paint } = output
  output.line(`  ${printable(from)} -> ${printable(to)}: ${verdict(output, guarantee, limited_by)}`)
  for (const { part, why, while: condition, proof } of claims) {
    output.line(`    ${printable(part)}: ${printable(why, 500)}`)
    if (condition) output.line(`      as long as ${printable(condition, 500)}`)
    const shown = proof ? `${proof.file}: ${proof.test}` : 'no test yet'
    output.line(`      ${paint('dim', `shown by ${printable(shown, 500)}`)}`)
  }
}

function verdict({ paint }: Output, guarantee: keyof typeof words, limitedBy: string | null): string {
  if (limitedBy === null) return paint('green', words[guarantee])
  return `${paint('yellow', words[guarantee])}, limited by ${printable(limitedBy)}`
}
