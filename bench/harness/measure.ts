// A whole process, measured: wall clock from spawn to exit as its parent sees it, CPU and peak memory as the process itself reads them
// at its exit (all threads). Nothing of the bench's own environment gets into it.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

export interface Measured {
  readonly wallMs: number
  /** User and system time of all its threads. */
  readonly cpuMs: number
  readonly rssMb: number
  readonly stdout: string
}

export interface MeasureOptions {
  readonly cwd?: string
  /** Flags for node itself, such as --cpu-prof. */
  readonly nodeFlags?: readonly string[]
  /** Runs it on this processor only, by taskset. */
  readonly processor?: number
  readonly env?: Readonly<Record<string, string>>
  /** Gets the lines of standard output instead of `stdout`. */
  readonly onLine?: (line: string) => void
}

const cacheFolder = join(import.meta.dirname, '..', '..', '.cache', 'bench')
const usageFolder = join(cacheFolder, 'usage')
const preload = join(import.meta.dirname, 'usage-at-exit.cjs')
const longestMs = 900_000
const living = new Set<ChildProcess>()
let runs = 0

process.on('exit', () => {
  for (const child of living) child.kill('SIGKILL')
})
process.on('SIGINT', () => process.exit(130))
process.on('SIGTERM', () => process.exit(143))

/** A process that dies with the bench at the latest. */
export function remember<T extends ChildProcess>(child: T): T {
  living.add(child)
  child.once('exit', () => living.delete(child))
  return child
}

/** The environment of a measured process: what node needs, with the compile cache of weir below .cache/bench. */
export function environment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: cacheFolder,
    XDG_CACHE_HOME: join(cacheFolder, 'compile-cache'),
    NO_COLOR: '1',
    ...more,
  }
}

/** Runs `node ...arguments_` to its end. @throws when it does not exit with 0, with what it said */
export async function measure(arguments_: readonly string[], options: MeasureOptions = {}): Promise<Measured> {
  mkdirSync(usageFolder, { recursive: true })
  const usagePath = join(usageFolder, `${process.pid}-${++runs}.json`)
  const node = [process.execPath, ...(options.nodeFlags ?? []), '--require', preload, ...arguments_]
  const [command, ...rest] =
    options.processor === undefined ? node : ['taskset', '-c', String(options.processor), ...node]
  const startedMs = performance.now()
  const child = remember(
    spawn(command!, rest, {
      cwd: options.cwd ?? cacheFolder,
      env: environment({ BENCH_USAGE: usagePath, ...options.env }),
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: longestMs,
      killSignal: 'SIGKILL',
    }),
  )
  let stdout = ''
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-10_000)))
  if (options.onLine) createInterface({ input: child.stdout }).on('line', options.onLine)
  else child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  let wallMs = 0
  child.once('exit', () => (wallMs = performance.now() - startedMs))
  const code = await new Promise((resolve, reject) => child.once('close', resolve).once('error', reject))
  if (code !== 0)
    throw new Error(`${arguments_.join(' ')} ended with ${code ?? child.signalCode}\n${stderr}${stdout.slice(-2000)}`)
  const { maxRssKb, cpuUs } = JSON.parse(readFileSync(usagePath, 'utf8')) as { maxRssKb: number; cpuUs: number }
  rmSync(usagePath)
  return { wallMs, cpuMs: cpuUs / 1000, rssMb: maxRssKb / 1024, stdout }
}
