// Programs that are not weir and not Node: CPU and peak memory as the kernel counts them (/proc, so Linux only), and the moment at which a
// program that does not end by itself has done its work.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { environment, type Measured, remember } from './measure.ts'

export interface Usage {
  /** User and system time of all its threads, to 10 ms. */
  readonly cpuMs: number
  readonly rssMb: number
}

/** What the kernel shows as clock ticks, whatever its own are. */
const ticksPerSecond = 100
const sampleMs = 25
const longestMs = 300_000
const toEndMs = 10_000

/** What a living process has used so far; null when it has ended, or where there is no /proc. */
export function usageOf(pid: number): Usage | null {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ')
    const peakKb = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
    if (peakKb === undefined) return null
    return { cpuMs: ((Number(fields[11]) + Number(fields[12])) / ticksPerSecond) * 1000, rssMb: Number(peakKb) / 1024 }
  } catch {
    return null
  }
}

export interface Watch {
  /** Grows or changes with the work: bytes of the output, ends of a topic. */
  readonly look: () => Promise<string | number>
  /** Asked when nothing has changed for a while: whether that was all. */
  readonly isAll: () => Promise<boolean>
  /** Throws when there is nothing to wait for any more. */
  readonly alive: () => void
}

/** The moment (performance.now) at which the work came to its last change. @throws when it does not come to an end */
export async function whenDone({ look, isAll, alive }: Watch, quietMs = 400): Promise<number> {
  const endMs = performance.now() + longestMs
  let last: string | number | undefined
  let changedMs = performance.now()
  let askedMs = changedMs
  for (;;) {
    alive()
    const seen = await look()
    const nowMs = performance.now()
    if (seen !== last) {
      last = seen
      changedMs = askedMs = nowMs
    } else if (nowMs - askedMs > quietMs) {
      if (await isAll()) return changedMs
      askedMs = performance.now()
    }
    if (nowMs > endMs) throw new Error(`no end within ${longestMs / 1000} s; last seen: ${last}`)
    await delay(sampleMs)
  }
}

/**
 * Runs a program to its end, or until `watch` says that it has done its work; then it is told to end. @throws when it fails, with what it said
 */
export async function measureProgram(
  command: string,
  arguments_: readonly string[],
  options: {
    readonly cwd: string
    readonly env: Readonly<Record<string, string>>
    readonly watch?: Omit<Watch, 'alive'>
  },
): Promise<Measured> {
  const startedMs = performance.now()
  const child = remember(
    spawn(command, arguments_, {
      cwd: options.cwd,
      env: environment(options.env),
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: longestMs,
      killSignal: 'SIGKILL',
    }),
  )
  let said = ''
  const hear = (text: string) => (said = (said + text).slice(-5_000))
  child.stdout.setEncoding('utf8').on('data', hear)
  child.stderr.setEncoding('utf8').on('data', hear)
  let usage: Usage = { cpuMs: Number.NaN, rssMb: Number.NaN }
  const sample = () => (usage = usageOf(child.pid!) ?? usage)
  const timer = setInterval(sample, sampleMs)
  let endedMs = 0
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', () => (endedMs = performance.now()))
    child.once('close', resolve)
  })
  const failure = () => new Error(`${command} ended with ${child.exitCode ?? child.signalCode}\n${said}`)
  try {
    if (!options.watch) {
      if ((await ended) !== 0) throw failure()
      return { ...usage, wallMs: endedMs - startedMs, stdout: said }
    }
    ended.catch(() => {})
    const alive = () => {
      if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) throw failure()
    }
    const doneMs = await whenDone({ ...options.watch, alive })
    sample()
    return { ...usage, wallMs: doneMs - startedMs, stdout: said }
  } finally {
    clearInterval(timer)
    child.kill('SIGTERM')
    const hard = setTimeout(() => child.kill('SIGKILL'), toEndMs)
    await ended.catch(() => {})
    clearTimeout(hard)
  }
}
