// weir doctor: is everything here as weir needs it? Exit code 0, or 3 when a check fails; a warning fails nothing.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { checkClock, checkDataDir, checkMachine, type Finding, findingsOf, type Machine } from '../app/diagnose.ts'
import { checkStore, newestWriteMs } from '../app/diagnose-store.ts'
import { type FolderLint, lintFolder } from '../app/linting.ts'
import { storeExists } from '../app/open.ts'
import { isCheckout } from '../core/shipped.ts'
import type { CliContext } from './context.ts'
import { count, printable } from './terminal.ts'

export function register(program: Command, context: CliContext): void {
  program
    .command('doctor')
    .description(
      'Check the runtime, the data folder, the store, the broker, the registry, the clock and the pipelines of this folder',
    )
    .option('--full', 'Check every page and index of the store: slow on a large one')
    .addHelpText('after', '\nExamples:\n  weir doctor\n  weir doctor --data /var/lib/weir --full --json')
    .action((options: { full?: boolean }) => doctor(context, options.full ?? false))
}

async function doctor(context: CliContext, full: boolean): Promise<void> {
  const { output, terminal } = context
  const machine: Machine = {
    nodeVersion: process.versions.node,
    sqliteVersion: process.versions['sqlite'] ?? '0',
    mode: isCheckout ? 'source' : 'dist',
    platform: `${process.platform} ${process.arch}`,
    uid: process.getuid?.() ?? null,
  }
  const findings: Finding[] = []
  const progress = output.progress('checking')
  const run = async (check: string, work: () => Promise<readonly Finding[]>) => {
    progress.update(findings.length)
    findings.push(...(await findingsOf(check, work)))
  }
  await run('machine', async () => checkMachine(machine))
  await run('workspace', async () => {
    const { file, dataDir } = await context.workspace()
    return [{ check: 'workspace', status: 'ok', message: `${file ?? 'no weir.yaml: defaults'}, data in ${dataDir}` }]
  })
  const workspace = await context.workspace().catch(() => undefined)
  const linted = await lintHere(context)
  if (workspace) {
    await run('data folder', () => checkDataDir(workspace, machine))
    await run('store', () => checkStore(workspace, { full }))
    let newestMs = await newestWriteMs(workspace)
    if (storeExists(workspace) && !findings.some(f => f.check === 'store' && f.status === 'fail'))
      await run('broker', async () => {
        const { checkBroker } = await import('../app/diagnose-broker.ts')
        const { clock, random } = terminal
        const checked = await checkBroker(workspace, { clock, random, definitions: linted.definitions })
        newestMs = Math.max(newestMs ?? 0, checked.newestWriteMs ?? 0) || null
        return checked.findings
      })
    await run('clock', async () => [checkClock(terminal.clock, newestMs)])
  }
  await run('pipelines', async () => pipelineFindings(linted))
  progress.end()
  report(context, findings)
}

function lintHere({ terminal }: CliContext): Promise<FolderLint> {
  return lintFolder({
    cwd: terminal.cwd,
    env: terminal.env,
    paths: existsSync(join(terminal.cwd, 'pipelines')) ? ['pipelines'] : ['.'],
  })
}

function pipelineFindings({ files, errors, warnings }: FolderLint): readonly Finding[] {
  if (files === 0) return [{ check: 'pipelines', status: 'ok', message: 'no pipeline files here' }]
  const message = [count(files, 'pipeline file'), count(errors, 'error'), count(warnings, 'warning')].join(', ')
  const hint = 'weir lint shows them.'
  if (errors > 0) return [{ check: 'pipelines', status: 'fail', message, hint }]
  return [
    warnings > 0
      ? { check: 'pipelines', status: 'warn', message, hint }
      : { check: 'pipelines', status: 'ok', message },
  ]
}

function report({ output, exitWith }: CliContext, findings: readonly Finding[]): void {
  const count = (status: Finding['status']) => findings.filter(f => f.status === status).length
  const summary = { ok: count('ok'), warn: count('warn'), fail: count('fail') }
  if (summary.fail > 0) exitWith(3)
  if (output.json) output.document({ healthy: summary.fail === 0, ...summary, findings })
  else print(output, findings, summary)
}

function print(
  output: CliContext['output'],
  findings: readonly Finding[],
  summary: Readonly<Record<Finding['status'], number>>,
): void {
  const { paint } = output
  const marks = { ok: paint('green', 'ok  '), warn: paint('yellow', 'warn'), fail: paint('red', 'fail') }
  const width = Math.max(...findings.map(f => f.check.length))
  for (const { status, check, message, hint } of findings) {
    output.line(`${marks[status]}  ${check.padEnd(width)}  ${printable(message, 500)}`)
    if (hint) output.line(`${' '.repeat(width + 8)}${paint('dim', 'hint:')} ${printable(hint, 500)}`)
  }
  output.line()
  output.line(`${summary.ok} ok, ${summary.warn} to look at, ${summary.fail} failed`)
}
