// One table: what each event says in the log, and how loudly. fatal and error: someone must act; warn: unexpected, recovered;
// info: the life of a pipeline; debug: what a steady pipeline does all day. Nothing that happens per record is above debug,
// but for `record_logged`, which is what the log sink is for.
import type { Event } from '../core/event.ts'
import { formatBytes, formatDuration } from '../core/units.ts'

export type Level = 'fatal' | 'error' | 'warn' | 'info' | 'debug'
/** Loudest first. */
export const levels: readonly Level[] = ['fatal', 'error', 'warn', 'info', 'debug']

type Of<T extends Event['type']> = Extract<Event, { type: T }>
interface LineRule<E> {
  readonly level: Level | ((event: E) => Level)
  readonly say: (event: E) => string
}

const plural = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`

export const eventLines: { readonly [T in Event['type']]: LineRule<Of<T>> } = {
  pipeline_started: { level: 'info', say: e => `pipeline started: ${e.stages.join(', ')}` },
  pipeline_stopped: { level: 'info', say: e => `pipeline stopped after ${formatDuration(e.ms)}: ${e.reason}` },
  drain_started: { level: 'info', say: e => `${e.signal}: finishing what is in flight` },
  topic_ready: {
    level: 'info',
    say: e => `topic ${e.topic} ${e.created ? 'created' : 'ready'}, ${plural(e.partitions, 'partition')}`,
  },
  schema_ready: { level: 'info', say: e => `schema of ${e.subject} is version ${e.version}, id ${e.id}` },
  bucket_owned: { level: 'debug', say: e => `owns bucket ${e.bucket} from epoch ${e.epoch}` },
  bucket_released: {
    level: e => (e.why === 'error' || e.why === 'fenced' ? 'warn' : 'debug'),
    say: e => `gave bucket ${e.bucket} back: ${e.why}`,
  },

  poll_started: { level: 'debug', say: e => `polling ${e.split}` },
  poll_finished: {
    level: 'debug',
    say: e => `polled ${e.split}: ${plural(e.items, 'item')} in ${formatDuration(e.ms)}`,
  },
  pass_finished: {
    level: 'debug',
    say: e =>
      `read ${plural(e.splits, 'split')} of bucket ${e.bucket} in ${formatDuration(e.ms)}` +
      (e.failures > 0 ? `, ${e.failures} given up` : ''),
  },
  fetch_done: { level: 'debug', say: e => `${e.host} answered ${e.status} in ${formatDuration(e.ms)}` },
  fetch_retry: {
    level: 'warn',
    say: e => `attempt ${e.attempt} at ${e.host} failed, next in ${formatDuration(e.waitMs)}: ${e.message}`,
  },
  fetch_held: {
    level: 'info',
    say: e =>
      `calls to ${e.host} wait ${formatDuration(e.waitMs)}: ${e.by === 'budget' ? 'its budget is used up' : 'it asked for that'}`,
  },
  fetch_failed: { level: 'fatal', say: e => `fetch of ${e.split} failed, its cursor stays: ${e.message}` },
  breaker_changed: {
    level: e => (e.to === 'open' ? 'fatal' : 'info'),
    say: e =>
      ({
        open: `breaker of ${e.host} opened: no calls until it lets one probe through`,
        half_open: `breaker of ${e.host} lets one probe through`,
        closed: `breaker of ${e.host} closed: calls go on`,
      })[e.to],
  },
  source_notice: { level: e => (e.code === 'info' ? 'info' : 'warn'), say: e => `${e.split}: ${e.message}` },
  drift: {
    level: 'warn',
    say: e =>
      `the shape of the items of ${e.split} has changed: ${e.path}${e.used ? ', which the mapping reads,' : ''} ${
        { appeared: `is new, ${e.is}`, vanished: 'is gone', kind: `was ${e.was}, is ${e.is}` }[e.change]
      }`,
  },

  records_fetched: { level: 'debug', say: e => `${plural(e.count, 'item')} fetched` },
  records_dropped: { level: 'debug', say: e => `${plural(e.count, 'item')} dropped: ${e.reason}` },
  batch_appended: {
    level: e => (e.deadLetters > 0 ? 'warn' : 'debug'),
    say: e =>
      e.deadLetters > 0
        ? `${plural(e.records, 'record')} appended to ${e.topic}, ${plural(e.deadLetters, 'dead letter')}`
        : `${plural(e.records, 'record')} appended to ${e.topic}`,
  },
  pages_kept: {
    level: 'debug',
    say: e => `${plural(e.pages, 'raw page')} stored in ${e.topic}, ${formatBytes(e.bytes)}`,
  },
  record_dead: { level: 'debug', say: e => `dead letter (${e.stage}): ${e.message}` },
  commit_started: { level: 'debug', say: e => `transaction ${e.commit} begins` },
  commit_finished: { level: 'debug', say: e => `transaction ${e.commit} ended after ${formatDuration(e.ms)}` },
  commit_retried: {
    level: 'warn',
    say: e => `nothing was written, trying again in ${formatDuration(e.waitMs)}: ${e.message}`,
  },
  commit_unknown: { level: 'error', say: e => `outcome of a commit is unknown, reading the cursor back: ${e.message}` },
  commit_recovered: { level: 'info', say: () => 'writing goes on' },
  log_unreachable: { level: 'error', say: e => `the event log does not answer: ${e.message}` },
  log_reachable: { level: 'info', say: () => 'the event log answers again' },
  fenced: { level: 'error', say: e => `another owner took over, nothing was written: ${e.message}` },
  flood_stopped: {
    level: 'error',
    say: e => `stopped by a flood of dead letters: ${e.message}`,
  },

  spool_backlog: {
    level: 'debug',
    say: e =>
      e.records > 0
        ? `${plural(e.records, 'record')} wait in the spool, ${formatBytes(e.bytes)}`
        : 'the spool is empty',
  },
  spool_started: { level: 'warn', say: e => `bucket ${e.bucket} is written to the spool: ${e.message}` },
  batch_spooled: {
    level: 'debug',
    say: e => `${plural(e.records, 'record')} of bucket ${e.bucket} spooled, ${formatBytes(e.bytes)}`,
  },
  spool_forwarded: {
    level: 'debug',
    say: e => `${plural(e.records, 'record')} of bucket ${e.bucket} forwarded in ${formatDuration(e.ms)}`,
  },
  spool_waiting: {
    level: 'debug',
    say: e => `nothing was forwarded, trying again in ${formatDuration(e.waitMs)}: ${e.message}`,
  },
  spool_superseded: {
    level: 'warn',
    say: e =>
      `another owner has read on in bucket ${e.bucket}: its ${plural(e.records, 'spooled record')} are dropped here and come from there`,
  },
  spool_ended: { level: 'info', say: e => `all of bucket ${e.bucket} is forwarded: the broker is written again` },

  batch_consumed: {
    level: e => (e.deadLetters > 0 ? 'warn' : 'debug'),
    say: e =>
      `${e.group} consumed ${plural(e.records, 'record')} of ${e.topic}/${e.partition}` +
      (e.deadLetters > 0 ? `, ${plural(e.deadLetters, 'dead letter')}` : ''),
  },
  sink_failed: {
    level: 'warn',
    say: e => `sink ${e.sink} failed (attempt ${e.attempt}), next in ${formatDuration(e.waitMs)}: ${e.message}`,
  },
  records_missed: {
    level: 'error',
    say: e =>
      `${e.group} has missed ${plural(e.count, 'offset')} of ${e.topic}/${e.partition}, ${e.from} to ${e.to}: they were no longer retained`,
  },
  lag: { level: 'debug', say: e => `${e.group} is ${plural(e.lag, 'record')} behind on ${e.topic}` },
  record_logged: { level: 'info', say: e => `record ${e.topic}/${e.partition}@${e.offset}` },
  dead_letter_seen: { level: 'warn', say: e => `dead letter ${e.topic}@${e.offset} (${e.stage}): ${e.code}` },
  replayed: {
    level: e => (e.failed > 0 ? 'warn' : 'info'),
    say: e => `replayed from ${e.topic}: ${e.replayed} again, ${e.failed} failed, ${e.skipped} skipped`,
  },
  warning: { level: e => (e.code === 'info' ? 'info' : 'warn'), say: e => e.message },
}

export interface EventLine {
  readonly level: Level
  readonly message: string
  /** The event without its type, and without what the message already says. */
  readonly fields: Readonly<Record<string, unknown>>
}

/** How loud an event is: cheap, so that quiet events cost nothing. */
export function levelOf(event: Event): Level {
  const { level } = eventLines[event.type] as LineRule<Event>
  return typeof level === 'string' ? level : level(event)
}

/** The line of an event: not yet redacted, cut or escaped. */
export function lineOf(event: Event): EventLine {
  const { type: _type, ...rest } = event
  const fields: Record<string, unknown> = rest
  delete fields['message']
  return { level: levelOf(event), message: (eventLines[event.type] as LineRule<Event>).say(event), fields }
}
