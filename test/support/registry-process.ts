// weir registry serve as a process of its own.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { mainFile } from './cli.ts'

export interface RegistryProcess extends AsyncDisposable {
  readonly url: string
  readonly child: ChildProcess
  /** The code or signal it ended with. */
  readonly ended: Promise<number | NodeJS.Signals>
  readonly output: () => string
}

/** Starts it and waits for its address. @throws with what it printed when it ends before that */
export async function startRegistryProcess(
  cwd: string,
  argv: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<RegistryProcess> {
  const child = spawn(process.execPath, [mainFile, 'registry', 'serve', '--port', '0', '--json', ...argv], {
    cwd,
    env: { PATH: process.env['PATH'] ?? '', HOME: cwd, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  child.stderr!.setEncoding('utf8').on('data', text => {
    output += text
  })
  const ended = once(child, 'exit').then(([code, signal]) => (signal ?? code) as number | NodeJS.Signals)
  const lines = createInterface({ input: child.stdout! })
  lines.on('line', line => {
    output += `${line}\n`
  })
  const url = await Promise.race([
    once(lines, 'line').then(([line]) => (JSON.parse(line as string) as { url: string }).url),
    ended.then(how => Promise.reject(new Error(`it ended with ${how}: ${output}`))),
  ])
  return {
    url,
    child,
    ended,
    output: () => output,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

const memory = (pid: number, field: 'VmHWM' | 'VmRSS') =>
  Number(new RegExp(`^${field}:\\s*(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'latin1'))![1]) / 1024

/** How many MB the memory of a process grows by at most while `work` runs. Linux only. */
export async function growthOf(pid: number, work: () => Promise<unknown>): Promise<number> {
  // Makes the peak of the process what it is now.
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
  const before = memory(pid, 'VmRSS')
  await work()
  return memory(pid, 'VmHWM') - before
}
