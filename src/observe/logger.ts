// One event, one line: JSON through pino, or text for a terminal, both from event-lines.ts. I9: every string goes through `redact`.
// Written synchronously from a small buffer: a slow reader of the log slows weir instead of filling memory (I10), and a crash loses nothing
// that was warn or louder.
import { type DestinationStream, pino } from 'pino'
import { type Clock, systemClock } from '../core/clock.ts'
import type { Emit, Event } from '../core/event.ts'
import { escapeActingInJson } from '../core/printable.ts'
import { type EventLine, type Level, levelOf, levels, lineOf } from './event-lines.ts'
import { prettyLine } from './pretty.ts'
import { safeText, safeValue } from './safe-text.ts'

/** Where lines go: text with its newline. */
export interface LogDestination {
  write(line: string): void
  /** Writes out what is buffered, synchronously. */
  flush?(): void
  end?(): void
}

export interface LoggerOptions {
  /** Quietest level that is written. Default `info`. */
  readonly level?: Level
  /** Text for a terminal instead of JSON lines. Default false. */
  readonly pretty?: boolean
  /** Colours in pretty mode. Default false: `wantsColour` tells what a stream and its environment ask for. */
  readonly colour?: boolean
  /** A file descriptor (default 1, standard output), or something that takes lines. */
  readonly destination?: number | LogDestination
  readonly clock?: Clock
}

export interface Logger extends Disposable {
  readonly emit: Emit
  /** Whether an event of this level is written. */
  enabled(level: Level): boolean
  flush(): void
}

/** Colour only on a terminal, never with NO_COLOR. */
export function wantsColour(stream: { isTTY?: boolean }, env: Readonly<Record<string, string | undefined>>): boolean {
  return stream.isTTY === true && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb'
}

/** A logger for events. Flush or dispose it before the process exits; it also flushes on the process's own `exit`. */
export function createLogger(options: LoggerOptions = {}): Logger {
  const clock = options.clock ?? systemClock
  const threshold = levels.indexOf(options.level ?? 'info')
  const destination =
    typeof options.destination === 'object' ? options.destination : toDescriptor(options.destination ?? 1)
  const write = options.pretty
    ? (line: EventLine) => destination.write(prettyLine(line, clock.now(), options.colour ?? false))
    : jsonWriter(destination, clock)
  const flush = () => destination.flush?.()
  process.on('exit', flush)
  return {
    emit: event => {
      const level = levelOf(event)
      if (levels.indexOf(level) > threshold) return
      write(safeLine(event))
      if (level !== 'info' && level !== 'debug') flush()
    },
    enabled: level => levels.indexOf(level) <= threshold,
    flush,
    [Symbol.dispose]: () => {
      process.off('exit', flush)
      flush()
      destination.end?.()
    },
  }
}

/** The line of an event with its message and fields redacted, cut and plain. */
function safeLine(event: Event): EventLine {
  const { level, message, fields } = lineOf(event)
  return {
    level,
    message: safeText(message),
    fields: { event: event.type, ...(safeValue(fields) as Record<string, unknown>) },
  }
}

function jsonWriter(destination: LogDestination, clock: Clock): (line: EventLine) => void {
  const stream: DestinationStream = { write: line => destination.write(escapeActingInJson(line)) }
  const logger = pino(
    {
      level: 'debug',
      base: null,
      messageKey: 'message',
      timestamp: () => `,"time":"${new Date(clock.now()).toISOString()}"`,
      formatters: { level: label => ({ level: label }) },
    },
    stream,
  )
  return ({ level, message, fields }) => logger[level](fields, message)
}

/** Buffered and synchronous; when nobody reads any more (EPIPE), lines are dropped and weir goes on. */
function toDescriptor(fd: number): LogDestination {
  const stream = pino.destination({ fd, sync: true, minLength: 4096, periodicFlush: 200 })
  let broken = false
  stream.on('error', () => {
    broken = true
  })
  const guarded = (work: () => void): void => {
    if (broken) return
    try {
      work()
    } catch {
      broken = true
    }
  }
  return {
    write: line => guarded(() => stream.write(line)),
    flush: () => guarded(() => stream.flushSync()),
    end: () => guarded(() => stream.end()),
  }
}
