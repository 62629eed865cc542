// Runs log-counter.ts as a real process and listens to what it says.
import { type ChildProcess, spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { eventually } from './eventually.ts'

const root = resolve(import.meta.dirname, '../..')

export interface CounterProcess extends AsyncDisposable {
  readonly child: ChildProcess
  readonly lines: readonly string[]
  /** The last number acknowledged; -1 before the first. */
  acked(): number
  /** Waits for a line that starts so. */
  says(start: string): Promise<string>
  /** Exit code, or the signal that ended it. */
  readonly exited: Promise<number | string>
}

export function startCounter(
  dataDir: string,
  { env = {}, until = '', leaseMs = '' }: { env?: Record<string, string>; until?: string; leaseMs?: string } = {},
): CounterProcess {
  const script = resolve(root, 'test/support/log-counter.ts')
  const args = [script, dataDir, ...(until || leaseMs ? [until || '1e9'] : []), ...(leaseMs ? [leaseMs] : [])]
  const child = spawn(process.execPath, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  const lines: string[] = []
  let rest = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n')
    rest = parts.pop()!
    lines.push(...parts)
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    errors += chunk
  })
  const exited = new Promise<number | string>(resolveExit =>
    child.once('close', (code, signal) => resolveExit(code ?? signal!)),
  )
  return {
    child,
    lines,
    exited,
    acked: () => Number(lines.findLast(line => line.startsWith('acked '))?.slice(6) ?? -1),
    says: start =>
      eventually(
        `the counter says ${start}; it said ${lines.slice(-3).join(' | ')} ${errors.slice(0, 500)}`,
        () => lines.find(line => line.startsWith(start)) ?? false,
      ),
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      await exited
    },
  }
}
