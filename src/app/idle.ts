// When a run has nothing left to do, for `--until idle`: nothing new for a while, and no poll under way that may bring something.
// Polls that bring only what is known are not news: a source that is polled every second can be idle.
import type { Clock } from '../core/clock.ts'
import type { Emit, Event } from '../core/event.ts'

export interface IdleWatch {
  readonly emit: Emit
  /** Ends when the run is idle. @throws the signal's reason */
  wait(signal: AbortSignal): Promise<void>
}

const checkMs = 100

const news = new Set<Event['type']>([
  'batch_consumed',
  'fetch_retry',
  'commit_retried',
  'sink_failed',
  'dead_letter_seen',
  'bucket_owned',
])

/** Looks at every event on its way to `next`. A poll that is under way counts only while its source answers: one that follows a file never ends. */
export function watchIdle(next: Emit, clock: Clock, idleForMs: number): IdleWatch {
  let newsMs = clock.monotonic()
  let answerMs = clock.monotonic()
  const polls = new Set<string>()
  const note = (event: Event): void => {
    if (event.type === 'batch_appended' ? event.records + event.deadLetters > 0 : news.has(event.type))
      newsMs = clock.monotonic()
    else if (event.type === 'fetch_done' || event.type === 'records_fetched') answerMs = clock.monotonic()
    else if (event.type === 'poll_started') polls.add(event.split)
    else if (event.type === 'poll_finished' || event.type === 'fetch_failed') polls.delete(event.split)
    else if (event.type === 'bucket_released') polls.clear()
  }
  const isIdle = (): boolean => {
    const now = clock.monotonic()
    return now - newsMs >= idleForMs && (polls.size === 0 || now - answerMs >= idleForMs)
  }
  return {
    emit: event => {
      note(event)
      next(event)
    },
    async wait(signal) {
      while (!isIdle()) await clock.sleep(checkMs, signal)
    },
  }
}
