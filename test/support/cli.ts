// Spawns the real command line and waits for its end.
import { type ChildProcess, spawn } from 'node:child_process'
import { join, resolve } from 'node:path'
import { inject } from 'vitest'
import './package.ts'

const root = resolve(import.meta.dirname, '../..')
export const checkoutMain = join(root, 'src/main.ts')
/** Of the built package, in the projects that build one. */
const builtIn: string | undefined = inject('weirPackage')
export const mainFile = builtIn === undefined ? checkoutMain : join(builtIn, 'dist/main.js')

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
  /** With `--import` the checkout is run: hooks change modules as they are loaded, and the package has them in one file. */
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
export const sharedCache = builtIn === undefined ? join(root, '.cache/tests') : join(builtIn, 'cache')

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
  const { nodeArgs = [] } = options
  const main = options.main ?? (nodeArgs.includes('--import') ? checkoutMain : mainFile)
  const child = spawn(process.execPath, [...nodeArgs, main, ...argv], {
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
