// A process told to stop (I11): the first SIGTERM or SIGINT drains within the shutdown timeout, the second ends it at once.
import { failpoint } from '../core/failpoint.ts'

export interface Lifecycle {
  /** Aborts on the first signal. */
  readonly signal: AbortSignal
  /** Removes the handlers. */
  end(): void
}

export interface LifecycleOptions {
  readonly shutdownTimeoutMs: number
  readonly onDrain: (signal: string) => void
  /** Called when the drain takes too long, just before the process ends: nothing is lost, what was not committed comes again. */
  readonly onTimeout: () => void
  /** Called before the process ends at once. */
  readonly flush: () => void
}

const signalNumbers = { SIGINT: 2, SIGTERM: 15 } as const

export function startLifecycle({ shutdownTimeoutMs, onDrain, onTimeout, flush }: LifecycleOptions): Lifecycle {
  const controller = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const handlers = Object.entries(signalNumbers).map(([name, number]) => {
    const handler = () => {
      if (controller.signal.aborted) {
        flush()
        process.exit(128 + number)
      }
      failpoint('shutdown.begin')
      onDrain(name)
      timer = setTimeout(() => {
        onTimeout()
        flush()
        process.exit(0)
      }, shutdownTimeoutMs)
      controller.abort(new Error(name))
    }
    process.on(name, handler)
    return () => process.off(name, handler)
  })
  return {
    signal: controller.signal,
    end() {
      clearTimeout(timer)
      for (const off of handlers) off()
    },
  }
}
