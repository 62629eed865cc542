// weir test: replays cassettes without a network and says what differs from what they expect.
import { relative } from 'node:path'
import type { Command } from 'commander'
import { findCassettes } from '../app/cassette/find.ts'
import { type CassetteResult, testCassette } from '../app/cassette/testing.ts'
import { loadCatalogue } from '../app/catalogue.ts'
import { prettyProblem } from '../config/format.ts'
import type { CliContext } from './context.ts'
import { coloured, count, printable } from './terminal.ts'

export function register(program: Command, context: CliContext): void {
  program
    .command('test')
    .description(
      'Replay cassettes: recorded exchanges with a source, without a network and without waiting, and what must come of them',
    )
    .argument('[targets...]', 'Cassettes, pipeline or vendor files, folders, or vendors by name (default: this folder)')
    .option(
      '--update',
      'Write what came of it into the cassettes as what they expect; look at the difference before you keep it',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  weir test\n  weir test pipelines/reviews.yaml\n  weir test oxylabs\n  weir test cassettes/reviews.yaml --update\nExit code 2 when something differs.',
    )
    .action((targets: string[], flags: { update?: boolean }) => test(context, targets, flags.update ?? false))
}

async function test(
  { output, terminal, exitWith }: CliContext,
  targets: readonly string[],
  update: boolean,
): Promise<void> {
  const { cwd } = terminal
  const files = findCassettes(targets, cwd)
  const catalogue = await loadCatalogue()
  const results: CassetteResult[] = []
  const colour = output.paint('dim', '') === coloured('dim', '')
  const shownFile = (file: string) => printable(relative(cwd, file) || file)
  for (const file of files) {
    const result = await testCassette(file, { catalogue, update })
    results.push(result)
    if (output.json) continue
    const { problems, isUpdated, requests, records } = result
    if (problems.length > 0) {
      output.line(`${output.paint('red', 'FAIL')} ${shownFile(file)}`)
      for (const problem of problems) output.line(prettyProblem(problem, { colour, cwd }).trimEnd())
      continue
    }
    const note = isUpdated ? ', expectations rewritten' : ''
    output.line(
      `${output.paint('green', 'ok')}   ${shownFile(file)}  ${count(requests, 'request')}, ${count(records, 'record')}${note}`,
    )
  }
  const failed = results.filter(({ problems }) => problems.length > 0).length
  if (failed > 0) exitWith(2)
  if (output.json) return output.document(documentOf(results, cwd))
  const verdict = failed === 0 ? output.paint('green', 'all passed') : output.paint('red', `${failed} failed`)
  output.line(`\n${count(results.length, 'cassette')}, ${verdict}`)
}

const documentOf = (results: readonly CassetteResult[], cwd: string) => ({
  cassettes: results.length,
  failed: results.filter(({ problems }) => problems.length > 0).length,
  results: results.map(({ file, about, problems, requests, records, isUpdated }) => ({
    file: relative(cwd, file),
    about,
    passed: problems.length === 0,
    updated: isUpdated,
    requests,
    records,
    differences: problems.map(({ code, message, hint, line, column, pointer }) => ({
      code,
      message,
      hint: hint ?? null,
      line,
      column,
      pointer,
    })),
  })),
})
