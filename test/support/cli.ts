// Spawns the real command line and waits for its end.
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export const mainFile = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

export interface CliResult {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly out: string
  readonly err: string
  readonly ms: number
}

export interface CliOptions {
  readonly cwd: string
  /** On top of a bare environment; null removes a variable, XDG_CACHE_HOME the compiled code that all runs share. */
  readonly env?: Readonly<Record<string, string | null>>
  readonly input?: string
  readonly close?: 'stdin' | 'stdout'
  readonly nodeArgs?: readonly string[]
  readonly uid?: number
  readonly main?: string
  /** Past it the child is killed. Default 20 s: longer than any command of a test takes, even on a busy machine. */
  readonly deadlineMs?: number
  /** Called with the child once it runs. */
  readonly started?: (child: ChildProcess) => void
}

const defaultDeadlineMs = 20_000
/** Code that was compiled by one run is there for the next: a process that is killed leaves none, so each would compile anew. */
export const sharedCache = fileURLToPath(new URL('../../.cache/tests', import.meta.url))

export function runWeir(argv: readonly string[], options: CliOptions): Promise<CliResult> {
  const started = performance.now()
  const env: Record<string, string> = {
    PATH: process.env['PATH'] ?? '',
    HOME: options.cwd,
    XDG_CACHE_HOME: sharedCache,
  }
  for (const [name, value] of Object.entries(options.env ?? {}))
    if (value === null) delete env[name]
    else env[name] = value
  const child = spawn(process.execPath, [...(options.nodeArgs ?? []), options.main ?? mainFile, ...argv], {
    cwd: options.cwd,
    env,
    stdio: [options.close === 'stdin' ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  })
  if (options.close === 'stdout') child.stdout!.destroy()
  child.stdin?.on('error', () => {})
  child.stdin?.end(options.input ?? '')
  let out = ''
  let err = ''
  child.stdout!.setEncoding('utf8').on('data', text => {
    out += text
  })
  child.stderr!.setEncoding('utf8').on('data', text => {
    err += text
  })
  options.started?.(child)
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), options.deadlineMs ?? defaultDeadlineMs)
    child.once('error', reject)
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      resolve({ code, signal, out, err, ms: performance.now() - started })
    })
  })
}
