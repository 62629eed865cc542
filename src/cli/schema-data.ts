// What the commands of weir schema share that read retained records: how many, and where from.
import { type Command, Option } from 'commander'
import type { Bench } from '../app/governance/checking.ts'
import { type ProofSettings, type Prove, proverOn } from '../app/governance/proving.ts'
import { parseInteger } from './arguments.ts'
import type { CliContext } from './context.ts'

export interface RecordsFlags {
  readonly records?: number
}

const parseRecords = (text: string) => parseInteger(text, '--records', 1, 1e9)

/** `--records` of a command that makes a review anyway. */
export function withRecords(command: Command): Command {
  return command.addOption(
    new Option(
      '--records <count>',
      'Prove it on data too: read so many records of each topic, the oldest first, under the new schema',
    ).argParser(parseRecords),
  )
}

/** `--records` of a command that is for nothing else. */
export function withRecordsDefault(command: Command, records: number): Command {
  return command.addOption(
    new Option('--records <count>', 'Read so many records at most, the oldest first')
      .default(records)
      .argParser(parseRecords),
  )
}

/** What a command reads with; progress goes to the terminal until `end`. */
export function proofSettings(
  { terminal, output }: CliContext,
  chosen: Partial<ProofSettings> & { readonly records: number },
): { readonly settings: ProofSettings; readonly end: () => void } {
  const progress = output.progress('reading records')
  return {
    settings: {
      from: 'earliest',
      deadLetters: false,
      signal: terminal.interrupted(),
      onRead: (done, total) => progress.update(done, total),
      ...chosen,
    },
    end: () => progress.end(),
  }
}

/** How reviews of check and plan are proven; null without `--records`. */
export function proverFor(context: CliContext, { records }: RecordsFlags): ((bench: Bench) => Promise<Prove>) | null {
  if (records === undefined) return null
  return async bench => {
    const store = await context.store()
    return async (...target) => {
      const { settings, end } = proofSettings(context, { records })
      try {
        return await proverOn(bench, store, settings)(...target)
      } finally {
        end()
      }
    }
  }
}
