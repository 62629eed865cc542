// A terminal in memory for tests of the command line: what was written is at hand, time stands still.
import { Readable } from 'node:stream'
import type { Terminal } from '../../src/cli/terminal.ts'

export interface MemoryTerminal extends Terminal {
  readonly out: () => string
  readonly err: () => string
  readonly interrupt: () => void
}

export interface MemoryTerminalOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Makes all three streams terminals of this width. */
  readonly tty?: number
  /** What the person types. */
  readonly input?: string
}

export function memoryTerminal({ env = {}, cwd = '/', tty, input = '' }: MemoryTerminalOptions = {}): MemoryTerminal {
  const written = { out: '', err: '' }
  const sink = (name: 'out' | 'err') => ({
    write: (text: string) => {
      written[name] += text
      return true
    },
    once: () => {},
    isTTY: tty !== undefined,
    columns: tty,
  })
  const stdin = Object.assign(Readable.from([input]), { isTTY: tty !== undefined })
  const stop = new AbortController()
  return {
    stdout: sink('out'),
    stderr: sink('err'),
    stdin: stdin as unknown as Terminal['stdin'],
    env,
    cwd,
    clock: {
      now: () => Date.UTC(2026, 10, 24),
      monotonic: () => 0,
      sleep: () => Promise.reject(new Error('no time here')),
    },
    random: () => 0.5,
    interrupted: () => stop.signal,
    out: () => written.out,
    err: () => written.err,
    interrupt: () => stop.abort(new Error('SIGINT')),
  }
}
