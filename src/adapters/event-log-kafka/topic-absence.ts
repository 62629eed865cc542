// A broker that has just started does not know its topics for a moment. What it calls unknown is asked for again, and told as it is only when it
// stays unknown (I6: a broker that restarts ends no pipeline).
import type { Clock } from '../../core/clock.ts'
import { WeirError } from '../../core/errors.ts'

/** Much longer than a broker takes to learn its topics, short enough for whoever has deleted one to be told. */
const unknownForMs = 10_000

export class TopicAbsence {
  readonly #clock: Clock
  #sinceMs: number | null = null

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** A topic was there. */
  ended(): void {
    this.#sinceMs = null
  }

  /** The same error, or log.unavailable where a topic is unknown and may still be learnt of. */
  judged(error: WeirError): WeirError {
    if (error.code !== 'log.topic_unknown') return error
    this.#sinceMs ??= this.#clock.monotonic()
    if (this.#clock.monotonic() - this.#sinceMs >= unknownForMs) return error
    return new WeirError('log.unavailable', error.message, {
      ...(error.at === undefined ? {} : { at: error.at }),
      hint: 'A broker that has just started does not know its topics yet: it is asked again for some seconds.',
      cause: error,
    })
  }
}
