// A service as a process of its own: started, waited for, killed, stopped, continued, started again on the same data and port.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync, statSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { endWithUs } from './guard.ts'

export interface ServiceProcess extends AsyncDisposable {
  readonly name: string
  /** Of the process that runs, or ran last. */
  readonly pid: number
  readonly running: boolean
  /** The folder of its data, gone at the end. */
  readonly dir: string
  /** Everything it has said, over all its starts. */
  log(): string
  /** Resolves once it has ended; a stopped process goes on first, or it would not see a signal other than SIGKILL. */
  kill(signal?: NodeJS.Signals): Promise<void>
  /** SIGSTOP: it answers nothing until `continue`. */
  stop(): void
  continue(): void
  /** Starts it on the same data and ports, killed with SIGKILL first when it still runs. Resolves when it is ready. */
  restart(): Promise<void>
}

export interface ProcessOptions {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  /** The folder that is its own: it runs there, says what it says to `log` in it, and both are removed at the end. From scratchDir. */
  readonly dir: string
  readonly env?: Readonly<Record<string, string>>
  /** Looks at what this start has said so far; true when the service can be used. */
  readonly ready: (said: string) => boolean | Promise<boolean>
  readonly withinMs?: number
}

export async function startProcess(options: ProcessOptions): Promise<ServiceProcess> {
  const { name, dir } = options
  const logFile = `${dir}/log`
  const log = () => readFileSync(logFile, 'utf8')
  let child = await launch(options, logFile)
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null
  const self: ServiceProcess = {
    name,
    dir,
    get pid() {
      return child.pid!
    },
    get running() {
      return !hasEnded()
    },
    log,
    async kill(signal = 'SIGKILL') {
      if (hasEnded()) return
      const ended = once(child, 'exit', { signal: AbortSignal.timeout(30_000) })
      child.kill(signal)
      if (signal !== 'SIGKILL') child.kill('SIGCONT')
      await ended
    },
    stop: () => void child.kill('SIGSTOP'),
    continue: () => void child.kill('SIGCONT'),
    async restart() {
      await self.kill()
      child = await launch(options, logFile)
    },
    async [Symbol.asyncDispose]() {
      await self.kill()
      await rm(dir, { recursive: true, force: true, maxRetries: 3 })
    },
  }
  return self
}

async function launch(
  { name, command, args, dir, env = {}, ready, withinMs = 120_000 }: ProcessOptions,
  logFile: string,
): Promise<ChildProcess> {
  const output = openSync(logFile, 'a')
  const from = statSync(logFile).size
  const child = spawn(command, args, { cwd: dir, env: { ...process.env, ...env }, stdio: ['ignore', output, output] })
  closeSync(output)
  endWithUs(child)
  let failed: Error | null = null
  child.once('error', error => {
    failed = error
  })
  const said = () => readFileSync(logFile).subarray(from).toString()
  const endMs = performance.now() + withinMs
  while (!(await ready(said()))) {
    const why =
      failed !== null || child.exitCode !== null || child.signalCode !== null
        ? `ended (${failed ?? child.exitCode ?? child.signalCode})`
        : performance.now() > endMs
          ? `was not ready within ${withinMs} ms`
          : null
    if (why !== null) {
      child.kill('SIGKILL')
      throw new Error(`${name} ${why}. It said:\n${said().split('\n').slice(-25).join('\n')}`)
    }
    await delay(10)
  }
  return child
}
