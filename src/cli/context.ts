// What a command gets: output, the workspace, the store. The store is opened on first use and closed by the frame, and a command that
// only looks never creates one.
import type { Command } from 'commander'
import type { Store } from '../app/open.ts'
import type { WorkspaceDefinition } from '../config/definition.ts'
import { WeirError } from '../core/errors.ts'
import type { Output } from './output.ts'
import type { Terminal } from './terminal.ts'

export interface CliContext {
  readonly terminal: Terminal
  /** Follows the global flags of the command at hand. */
  readonly output: Output
  /** What `--data` said, or null. */
  readonly dataFlag: string | null
  /** The exit code of a command that ends without throwing yet found something wrong: lint, doctor. */
  exitWith(code: 0 | 1 | 2 | 3): void
  /** weir.yaml of the folder with `--data` and the environment on top. @throws config.* */
  workspace(): Promise<WorkspaceDefinition>
  /** The store that is there, or the cluster. @throws usage.not_found when there is no store yet, log.*, registry.* */
  store(): Promise<Store>
  /** The program with every command loaded: for the reference pages, not to be run. */
  wholeProgram(): Promise<Command>
}

export interface FrameContext extends CliContext, AsyncDisposable {
  readonly exitCode: number
}

export interface ContextParts {
  readonly terminal: Terminal
  readonly output: () => Output
  readonly dataFlag: () => string | null
  readonly wholeProgram: () => Promise<Command>
}

export function openContext({ terminal, output, dataFlag, wholeProgram }: ContextParts): FrameContext {
  let exitCode = 0
  let workspace: Promise<WorkspaceDefinition> | undefined
  let store: Promise<Store> | undefined

  const context: FrameContext = {
    terminal,
    get output() {
      return output()
    },
    get dataFlag() {
      return dataFlag()
    },
    get exitCode() {
      return exitCode
    },
    exitWith: code => void (exitCode = code),
    workspace: () =>
      (workspace ??= import('../app/open.ts').then(app =>
        app.openWorkspace({ cwd: terminal.cwd, env: terminal.env, dataDir: dataFlag() }),
      )),
    store: () =>
      (store ??= (async () => {
        const app = await import('../app/open.ts')
        const definition = await context.workspace()
        if (!app.storeExists(definition))
          throw new WeirError('usage.not_found', `no store at ${definition.dataDir}`, {
            hint: 'Run a pipeline first (weir run), or name the folder of the store with --data DIR.',
          })
        return app.openBroker(definition, terminal.clock, terminal.random)
      })()),
    wholeProgram,
    [Symbol.asyncDispose]: async () => {
      const opened = await store?.catch(() => undefined)
      await opened?.[Symbol.asyncDispose]()
    },
  }
  return context
}

/** Asks before something is changed for good. @throws usage.refused when nobody can answer, or the answer is no */
export async function confirm(context: CliContext, question: string, yes: boolean): Promise<void> {
  if (yes) return
  const { stdin, stderr } = context.terminal
  if (context.output.json || !stdin.isTTY || !stderr.isTTY)
    throw new WeirError('usage.refused', `${question} Nothing was changed.`, { hint: 'Add --yes to confirm.' })
  const { createInterface } = await import('node:readline/promises')
  const lines = createInterface({ input: stdin })
  try {
    stderr.write(`${question} [y/N] `)
    // Closing the input is an answer too: no.
    const answer = await Promise.race([lines.question(''), new Promise<string>(r => lines.once('close', () => r('')))])
    if (!/^y(es)?$/i.test(answer.trim())) throw new WeirError('usage.refused', 'Not confirmed; nothing was changed.')
  } finally {
    lines.close()
  }
}
