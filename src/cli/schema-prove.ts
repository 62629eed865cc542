// weir schema prove: retained records of a topic, and its dead letters, under a schema that is not registered yet.
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { textOf } from '../app/governance/base.ts'
import { candidatesOf } from '../app/governance/candidates.ts'
import type { Bench } from '../app/governance/checking.ts'
import { proveSubject, topicOf } from '../app/governance/proving.ts'
import { type WorkspaceSubject, workspaceSubjects } from '../app/governance/subjects.ts'
import { WeirError } from '../core/errors.ts'
import { reportOf } from '../governance/report/words.ts'
import { parseFrom, parseName, type ReadFrom } from './arguments.ts'
import type { CliContext } from './context.ts'
import { openBenchHere } from './schema-bench.ts'
import { proofSettings, withRecordsDefault } from './schema-data.ts'
import { printReport, type ReportFlags, withReportFlags } from './schema-report.ts'

interface ProveFlags extends ReportFlags {
  readonly topic?: string
  readonly records: number
  readonly from: ReadFrom
  readonly deadLetters?: boolean
}

export function registerProve(schema: Command, context: CliContext): void {
  withReportFlags(
    withRecordsDefault(
      schema
        .command('prove')
        .description(
          'Read retained records under a new schema: which fail, which values change, who cannot read what is new. Changes nothing',
        )
        .argument('[subject]', 'A subject of the workspace, or a schema file (default: the subject of --topic)')
        .option('--topic <topic>', 'The topic to read (default: the subject without -value)', text =>
          parseName(text, 'topic'),
        ),
      10_000,
    )
      .addOption(
        new Option('--from <place>', 'Where to start: earliest, an offset, or a time')
          .default('earliest')
          .argParser(text => parseFrom(text)),
      )
      .option('--dead-letters', 'Read the records that consumers gave up too, out of the dead letters'),
  )
    .addHelpText(
      'after',
      `
Examples:
  weir schema prove raw_reviews-value
  weir schema prove schemas/raw-review.avsc --topic raw_reviews --records 1000000 --dead-letters
  weir schema prove --topic raw_reviews --from 2026-01-31 --out proof.html
Exit codes: 0 fine, 1 breaking, 2 your input, 3 warnings with --strict, or your environment. Whether records that fail break the change is for the
policy to say: block: [data.unreadable].`,
    )
    .action((target: string | undefined, flags: ProveFlags) => prove(context, target, flags))
}

async function prove(context: CliContext, target: string | undefined, flags: ProveFlags): Promise<void> {
  const { bench, today } = await openBenchHere(context)
  const wanted = await wantedOf(bench, target, flags.topic ?? null)
  const store = await context.store()
  const { settings, end } = proofSettings(context, {
    records: flags.records,
    from: flags.from,
    deadLetters: flags.deadLetters ?? false,
  })
  try {
    const review = await proveSubject(bench, store, {
      wanted,
      topic: flags.topic ?? topicOf(wanted.subject),
      level: flags.level ?? null,
      strict: flags.strict ?? false,
      today,
      settings,
    })
    printReport(context, reportOf([review], []), flags)
  } finally {
    end()
  }
}

/** What is to be proven. @throws usage.* */
async function wantedOf(
  bench: Bench,
  target: string | null | undefined,
  topic: string | null,
): Promise<WorkspaceSubject> {
  const { cwd, workspace, policy } = bench
  const path = target && resolve(cwd, target)
  if (path && (target.endsWith('.avsc') || existsSync(path))) {
    const candidates = candidatesOf([target], workspace, cwd)
    const chosen = candidates.find(({ subject }) => subject === `${topic}-value`) ?? candidates[0]!
    const isKnown = workspace.candidates.includes(chosen)
    return {
      subject: isKnown || topic === null ? chosen.subject : `${topic}-value`,
      file: chosen.file,
      schema: textOf(chosen.file),
      pipelines: [],
    }
  }
  const subject = target ?? (topic === null ? null : `${topic}-value`)
  if (subject === null)
    throw new WeirError('usage.invalid', 'Name what is to be proven.', {
      hint: 'weir schema prove raw_reviews-value, or weir schema prove schemas/raw-review.avsc --topic raw_reviews',
    })
  const subjects = await workspaceSubjects(workspace.pipelines, policy)
  const found = subjects.find(each => each.subject === subject)
  if (found) return found
  throw new WeirError('usage.not_found', `Nothing in the workspace names ${JSON.stringify(subject)}.`, {
    hint:
      subjects.length === 0
        ? 'Name the schema file and the topic.'
        : `Subjects here: ${subjects
            .slice(0, 20)
            .map(each => each.subject)
            .join(', ')}. Or name a schema file.`,
  })
}
