// Fan-out of events: each listener gets each event, and a listener that fails takes no other with it.
import type { Emit, Event } from '../core/event.ts'

export interface Listener {
  readonly emit: Emit
}

export interface ObserverParts {
  readonly logger?: Listener | undefined
  readonly metrics?: Listener | undefined
  readonly health?: Listener | undefined
  readonly summary?: Listener | undefined
  /** More of them, such as a console's live view. */
  readonly others?: readonly Listener[]
}

/** The `emit` that the whole process shares. It never throws: observing must not stop what is observed. */
export function createObserver(parts: ObserverParts): Emit {
  const listeners = [parts.metrics, parts.health, parts.summary, ...(parts.others ?? []), parts.logger].filter(
    listener => listener !== undefined,
  )
  let reported = false
  return event => {
    for (const listener of listeners) {
      try {
        listener.emit(event)
      } catch (error) {
        if (reported || listener === parts.logger) continue
        reported = true
        tell(parts.logger, event, error)
      }
    }
  }
}

function tell(logger: Listener | undefined, event: Event, error: unknown): void {
  try {
    logger?.emit({
      type: 'warning',
      pipeline: 'pipeline' in event ? event.pipeline : '',
      code: 'internal',
      message: `counting a ${event.type} event failed: ${error instanceof Error ? error.message : String(error)}`,
    })
  } catch {
    // Nothing is left to tell it to.
  }
}
