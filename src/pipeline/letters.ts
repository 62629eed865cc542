// Reading dead letters back: the envelope decoded, its state known, chosen by code, stage, time, key and CEL.
import type { LogRecord } from '../core/record.ts'
import type { Expression } from '../mapping/expression.ts'
import type { DeadLetter } from './dead-letter.ts'
import { header } from './dead-letter-stage.ts'
import type { Decode } from './decode.ts'
import { deadLetterHeaders } from './identity.ts'
import { type LetterState, marksScope, TopicMarks } from './marks.ts'
import type { EventLog } from './ports.ts'

/** A dead letter as it stands in its topic. */
export interface StoredLetter {
  /** `partition/offset`: how people and commands name it. */
  readonly id: string
  readonly record: LogRecord
  readonly letter: DeadLetter
  readonly state: LetterState
  /** Failed tries, the first failure and all replays since included. */
  readonly attempts: number
}

/** What to choose; every part given must hold. */
export interface Selection {
  readonly ids?: readonly string[]
  readonly codes?: readonly string[]
  readonly stages?: readonly string[]
  readonly states?: readonly LetterState[]
  /** Milliseconds since the epoch; `sinceMs` included, `untilMs` not. */
  readonly sinceMs?: number
  readonly untilMs?: number
  /** Exact key, as text. */
  readonly key?: string
  /** CEL over `letter`, `original` (the original bytes as text), `state`. */
  readonly where?: Expression
  readonly limit?: number
}

export const letterVariables = ['letter', 'original', 'state'] as const

/** The marks of each partition of a dead-letter topic. @throws cursor.invalid */
export async function readMarks(log: EventLog, topic: string): Promise<TopicMarks> {
  return new TopicMarks(await log.cursors(marksScope(topic)))
}

/** The chosen letters in the order of the topic, oldest first. What is no dead letter in the topic is passed over. @throws log.topic_unknown */
export async function* readLetters(
  log: EventLog,
  topic: string,
  decode: Decode,
  marks: TopicMarks,
  selection: Selection,
  signal?: AbortSignal,
): AsyncGenerator<StoredLetter> {
  const ids = selection.ids === undefined ? undefined : new Set(selection.ids)
  let found = 0
  if (selection.limit === 0) return
  for await (const records of log.browse(topic, {
    from: selection.sinceMs === undefined ? 'earliest' : { timeMs: selection.sinceMs },
    ...(signal ? { signal } : {}),
  })) {
    const wanted = records.filter(
      record =>
        (ids === undefined || ids.has(idOf(record))) &&
        (!selection.states || selection.states.includes(stateOf(record, marks))) &&
        matchesRecord(record, selection),
    )
    const { decoded } = await decode(wanted)
    for (const { log: record, value } of decoded) {
      if (value === null) continue
      const letter = value as unknown as DeadLetter
      const mark = marks.get(record.partition)
      const stored: StoredLetter = {
        id: idOf(record),
        record,
        letter,
        state: stateOf(record, marks),
        attempts: letter.attempts + (mark?.tries.get(record.offset) ?? 0),
      }
      if (!matchesLetter(stored, selection)) continue
      yield stored
      if (++found === selection.limit) return
    }
  }
}

function stateOf({ partition, offset }: LogRecord, marks: TopicMarks): LetterState {
  return marks.get(partition)?.stateOf(offset) ?? 'open'
}

export function idOf(record: LogRecord): string {
  return `${record.partition}/${record.offset}`
}

/** The parts of a selection that headers and key can tell, before anything is decoded. */
function matchesRecord(record: LogRecord, { codes, stages, sinceMs, untilMs, key }: Selection): boolean {
  if (sinceMs !== undefined && record.timestampMs < sinceMs) return false
  if (untilMs !== undefined && record.timestampMs >= untilMs) return false
  if (key !== undefined && (record.key === null || Buffer.from(record.key).toString('utf8') !== key)) return false
  if (codes && !codes.some(code => matchesCode(header(record, deadLetterHeaders.code), code))) return false
  return !stages || stages.includes(header(record, deadLetterHeaders.stage))
}

/** `map.failed`, or a family: `map.*` */
function matchesCode(code: string, pattern: string): boolean {
  return pattern.endsWith('.*') ? code.startsWith(pattern.slice(0, -1)) : code === pattern
}

function matchesLetter(stored: StoredLetter, { where }: Selection): boolean {
  return (
    where === undefined ||
    where.evaluate({
      letter: stored.letter,
      original: Buffer.from(stored.letter.original).toString('utf8'),
      state: stored.state,
    }) === true
  )
}
