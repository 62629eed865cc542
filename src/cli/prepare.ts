// weir prepare: topics and schemas of pipelines, ready before anything runs. For the one job of a deployment that goes first.
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { loadDefinition } from '../app/definitions.ts'
import { prepareBroker } from '../app/preparing.ts'
import type { CliContext } from './context.ts'

export function register(program: Command, context: CliContext): void {
  program
    .command('prepare')
    .description('Create or check the topics of pipelines and register their schemas, then end')
    .argument('<files...>', 'The pipeline files')
    .addHelpText(
      'after',
      `
Examples:
  weir prepare pipelines/reviews.yaml
  weir prepare pipelines/*.yaml --json
weir run does the same at its start. Nothing is changed that is already there; a topic with other settings or a schema that breaks its
subject's compatibility is an error.`,
    )
    .action((files: string[]) => prepare(context, files))
}

async function prepare(context: CliContext, files: readonly string[]): Promise<void> {
  const { terminal, output } = context
  // All of them are checked before anything is made.
  const definitions = []
  for (const file of files)
    definitions.push(
      await loadDefinition(resolve(terminal.cwd, file), terminal.env, problem =>
        output.warn(problem.message, problem.hint),
      ),
    )
  for (const prepared of await prepareBroker(definitions, await context.workspace(), terminal.clock)) {
    if (output.json) {
      await output.item(prepared)
      continue
    }
    const { pipeline, topics, schemas, warnings } = prepared
    output.line(output.paint('bold', pipeline))
    for (const { topic, partitions, created } of topics)
      output.line(
        `  topic  ${topic}: ${partitions} partition${partitions === 1 ? '' : 's'}, ${created ? 'created' : 'was there'}`,
      )
    for (const { subject, version, id } of schemas) output.line(`  schema ${subject}: version ${version}, id ${id}`)
    for (const warning of warnings) output.warn(warning)
  }
  await output.flush()
}
