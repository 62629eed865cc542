// The real process around the command line: streams, signals, and the last net for what nobody caught.
import { systemClock, systemRandom } from '../core/clock.ts'
import { failureText } from './failure.ts'
import { paintFor, type Terminal } from './terminal.ts'

export function processTerminal(): Terminal {
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    get stdin() {
      return process.stdin
    },
    env: process.env,
    cwd: process.cwd(),
    clock: systemClock,
    random: systemRandom,
    interrupted,
  }
}

let interruption: AbortController | undefined

function interrupted(): AbortSignal {
  if (interruption) return interruption.signal
  const controller = new AbortController()
  interruption = controller
  const codes = { SIGINT: 130, SIGTERM: 143 } as const
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(codes[signal])
      controller.abort(new Error(signal))
    })
  return controller.signal
}

/** An error that nobody caught is a defect: one message, exit code 1, never a half state that goes on. */
export function guardProcess(): void {
  const die = (thrown: unknown) => {
    const argv = process.argv
    try {
      process.stderr.write(
        failureText(thrown, {
          json: argv.includes('--json'),
          paint: paintFor(process.stderr, process.env, !argv.includes('--no-color')),
          debug: process.env['WEIR_DEBUG'] === '1',
          cwd: '/',
        }),
      )
    } finally {
      process.exit(1)
    }
  }
  process.on('uncaughtException', die)
  process.on('unhandledRejection', die)
}
