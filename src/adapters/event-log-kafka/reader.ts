// Reads partitions of one topic ahead of whoever works on them: committed records only, in offset order, bounded in bytes (I10).
// A partition here: wanted -> being fetched -> buffered -> wanted …; it stands still when it is out of range or has failed, until it is moved.
// One fetch is on its way to each leader, so that a leader with nothing new holds up no other.
import type { Clock, Random } from '../../core/clock.ts'
import { toWeirError, WeirError } from '../../core/errors.ts'
import type { LogRecord } from '../../core/record.ts'
import type { FetchedPartition, KafkaClient } from './client.ts'
import { toLogError } from './log-errors.ts'
import { type Chunk, Reading } from './reading.ts'
import { openBatches } from './record-batch.ts'
import { BrokerRefusal } from './refusal.ts'
import { unknownTopic } from './topic-table.ts'

export interface ReaderOptions {
  /** A lane that nothing else uses: a fetch waits at the end of the log. The reader disposes it. */
  readonly client: KafkaClient
  /** The lane for metadata. */
  readonly ask: KafkaClient
  readonly clock: Clock
  readonly random: Random
  readonly topic: string
  /** About how many bytes are held ready, over all partitions. */
  readonly maxBytes: number
}

export interface Piece {
  /** Never empty. */
  readonly records: readonly LogRecord[]
  /** After the last of them; past markers and aborted records that follow where that is known. */
  readonly nextOffset: bigint
}

const waitAtEndMs = 250
const leastBytes = 16 * 1024
const mostBytes = 1024 * 1024
const maxInflatedBytes = 64 * 1024 * 1024
const maxDamaged = 5
const unknownForMs = 30_000
const firstWaitMs = 50
const longestWaitMs = 2_000
const leadersFreshMs = 60_000

export class Reader implements AsyncDisposable {
  readonly #options: ReaderOptions
  readonly #readings = new Map<number, Reading>()
  readonly #fetching = new Map<number, Promise<void>>()
  readonly #waiting = new Set<() => void>()
  readonly #stop = new AbortController()
  #leaders: ReadonlyMap<number, number> = new Map()
  #leadersMs = Number.NEGATIVE_INFINITY
  #pumpedMs = Number.NEGATIVE_INFINITY
  #turn = 0
  /** Bytes of records for each byte fetched: compressed batches are asked for in smaller bites. */
  #growth = 1
  #failure: WeirError | null = null
  #down: { readonly sinceMs: number; readonly error: WeirError; tries: number; untilMs: number } | null = null

  constructor(options: ReaderOptions) {
    this.#options = options
  }

  /** Reads the partition from `offset` on; what is buffered from there stays. */
  seek(partition: number, offset: bigint): void {
    const there = this.#readings.get(partition)
    if (there?.moveTo(offset)) return
    this.#readings.set(partition, new Reading(partition, offset))
  }

  drop(partition: number): void {
    this.#readings.delete(partition)
  }

  /** What lies before `offset` is done with. */
  consume(partition: number, offset: bigint): void {
    if (this.#readings.has(partition)) this.seek(partition, offset)
  }

  /** The next buffered records; `consume` or `seek` moves on. @throws what makes the partition unreadable: log.corrupt, log.denied, log.topic_unknown */
  peek(partition: number, limits: { readonly maxRecords: number; readonly maxBytes: number }): Piece | null {
    const reading = this.#readings.get(partition)
    const piece = reading?.peek(limits) ?? null
    if (piece === null && reading?.failure) throw reading.failure
    return piece
  }

  /** True when the broker has nothing at the offset, and will not have: it is before the start or behind the end. */
  isOutOfRange(partition: number): boolean {
    const { outOfRange, isEmpty } = this.#readings.get(partition) ?? { outOfRange: false, isEmpty: true }
    return outOfRange && isEmpty
  }

  /** Where everything before has been read and given out; null while records are buffered. */
  reached(partition: number): bigint | null {
    const reading = this.#readings.get(partition)
    return reading?.isEmpty ? reading.next : null
  }

  /** The highest end of the partition that a broker has told; -1 before the first answer. */
  knownEnd(partition: number): bigint {
    return this.#readings.get(partition)?.knownEnd ?? -1n
  }

  /** The failure that keeps all of it from being read, for this long. null: it goes well. */
  get trouble(): { readonly forMs: number; readonly error: WeirError } | null {
    if (this.#failure) return { forMs: Number.POSITIVE_INFINITY, error: this.#failure }
    return this.#down && { forMs: this.#options.clock.monotonic() - this.#down.sinceMs, error: this.#down.error }
  }

  /** Asks for what is missing. `wait`: nothing is at hand, so a broker may keep the answer back until something comes. */
  pump(wait: boolean): void {
    const nowMs = this.#options.clock.monotonic()
    this.#pumpedMs = nowMs
    if (this.#stop.signal.aborted || this.#failure || (this.#down && nowMs < this.#down.untilMs)) return
    if (nowMs - this.#leadersMs > leadersFreshMs) this.#findLeaders(nowMs)
    for (const [leader, readings] of this.#wanted(nowMs))
      this.#fetching.set(leader, this.#fetch(leader, readings, wait))
  }

  /** Resolves when something has arrived or changed, when a pause is over, after `maxWaitMs`, or when `signal` aborts. */
  async changed(maxWaitMs: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted || this.#stop.signal.aborted) return
    const ended = new AbortController()
    const wake = (): void => ended.abort()
    this.#waiting.add(wake)
    signal?.addEventListener('abort', wake, { once: true })
    try {
      await this.#options.clock.sleep(Math.max(1, Math.min(maxWaitMs, this.#pauseMs())), ended.signal)
    } catch {
      // Woken.
    } finally {
      this.#waiting.delete(wake)
      signal?.removeEventListener('abort', wake)
    }
  }

  /** Wakes whoever waits for a change. */
  notify(): void {
    for (const wake of this.#waiting) wake()
    this.#waiting.clear()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    this.notify()
    await this.#options.client[Symbol.asyncDispose]()
    await Promise.allSettled(this.#fetching.values())
  }

  get #share(): number {
    const fair = this.#options.maxBytes / Math.max(1, this.#readings.size)
    return Math.max(leastBytes, Math.min(mostBytes, Math.floor(fair / this.#growth)))
  }

  #wanted(nowMs: number): Map<number, Reading[]> {
    const all = [...this.#readings.values()]
    const turn = this.#turn++ % Math.max(1, all.length)
    const share = this.#share * this.#growth
    const wanted = [...all.slice(turn), ...all.slice(0, turn)].filter(
      reading => reading.isWanted(nowMs) && reading.bytes < share / 2 && !this.#fetching.has(this.#leaderOf(reading)),
    )
    return Map.groupBy(wanted, reading => this.#leaderOf(reading))
  }

  #leaderOf({ partition }: Reading): number {
    return this.#leaders.get(partition) ?? -1
  }

  /** Until the first pause ends that the last `pump` met, even where that is over by now: those partitions are asked again then. */
  #pauseMs(): number {
    const nowMs = this.#options.clock.monotonic()
    if (this.#down) return this.#down.untilMs - nowMs
    let pauseMs = Number.POSITIVE_INFINITY
    for (const { notBeforeMs } of this.#readings.values())
      if (notBeforeMs > this.#pumpedMs) pauseMs = Math.min(pauseMs, notBeforeMs - nowMs)
    return pauseMs
  }

  async #fetch(leader: number, readings: readonly Reading[], wait: boolean): Promise<void> {
    const { client, topic, maxBytes } = this.#options
    try {
      const answers = await client.fetch(
        {
          partitions: readings.map(({ partition, next }) => ({ topic, partition, offset: next })),
          maxWaitMs: wait ? waitAtEndMs : 0,
          minBytes: 1,
          maxBytes: Math.max(leastBytes, Math.floor(maxBytes / this.#growth)),
          maxBytesPerPartition: this.#share,
        },
        this.#stop.signal,
      )
      this.#down = null
      const asked = new Map(readings.map(reading => [reading.partition, reading]))
      for (const answer of answers) {
        const reading = asked.get(answer.partition)
        if (reading && this.#readings.get(answer.partition) === reading) await this.#accept(reading, answer)
      }
    } catch (thrown) {
      if (!this.#stop.signal.aborted) this.#fail(thrown)
    } finally {
      this.#fetching.delete(leader)
      this.notify()
    }
  }

  async #accept(reading: Reading, answer: FetchedPartition): Promise<void> {
    if (answer.refusal !== null) return this.#refused(reading, answer.refusal)
    const from = reading.next
    let chunk: Chunk
    try {
      const { batches, nextOffset } = await openBatches(answer, from, maxInflatedBytes)
      chunk = { batches, nextOffset, bytes: batches.reduce((sum, { bytes }) => sum + bytes.length, 0) }
    } catch (thrown) {
      // A batch damaged on its way arrives whole the next time; one damaged on the broker's disk never does.
      const error = toWeirError(thrown)
      if (error.retry && ++reading.damaged < maxDamaged) this.#pause(reading)
      else reading.failure = error.retry ? stillDamaged(error) : error
      return
    }
    if (chunk.bytes > 0 && answer.bytes.length > 0)
      this.#growth = Math.max(1, 0.7 * this.#growth + 0.3 * (chunk.bytes / answer.bytes.length))
    reading.add(from, chunk, answer.highWatermark)
  }

  #refused(reading: Reading, refusal: BrokerRefusal): void {
    if (refusal.is('OFFSET_OUT_OF_RANGE')) {
      reading.outOfRange = true
      return
    }
    const nowMs = this.#options.clock.monotonic()
    this.#findLeaders(nowMs)
    if (refusal.is('UNKNOWN_TOPIC_OR_PARTITION')) {
      reading.unknownSinceMs ??= nowMs
      if (nowMs - reading.unknownSinceMs > unknownForMs) reading.failure = unknownTopic(this.#options.topic)
      else this.#pause(reading)
      return
    }
    const error = toLogError(refusal, `${this.#options.topic}/${reading.partition}`)
    if (error.retry) this.#pause(reading)
    else reading.failure = error
  }

  #pause(reading: Reading): void {
    const { clock, random } = this.#options
    reading.pauses++
    reading.notBeforeMs = clock.monotonic() + waitOf(reading.pauses, random)
  }

  /** The fetch as a whole failed: nobody answered, or this process may not ask. */
  #fail(thrown: unknown): void {
    const { clock, random, topic } = this.#options
    const error = thrown instanceof BrokerRefusal ? toLogError(thrown, topic) : toWeirError(thrown)
    if (!error.retry) {
      this.#failure = error
      return
    }
    const nowMs = clock.monotonic()
    const tries = (this.#down?.tries ?? 0) + 1
    this.#down = { sinceMs: this.#down?.sinceMs ?? nowMs, error, tries, untilMs: nowMs + waitOf(tries, random) }
    this.#leadersMs = Number.NEGATIVE_INFINITY
  }

  #findLeaders(nowMs: number): void {
    const { ask, topic } = this.#options
    this.#leadersMs = nowMs
    void ask.metadata([topic]).then(
      ([found]) => {
        const led = (found?.partitions ?? []).flatMap(({ partition, leader }) =>
          leader === null ? [] : [[partition, leader] as const],
        )
        this.#leaders = new Map(led)
      },
      () => {}, // The lane routes by itself; this only keeps the leaders' fetches apart.
    )
  }
}

function waitOf(tries: number, random: Random): number {
  return Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(tries - 1, 10)) * (0.5 + random() / 2)
}

function stillDamaged(cause: WeirError): WeirError {
  return new WeirError('log.corrupt', `Fetched ${maxDamaged} times, and damaged each time: ${cause.message}`, {
    ...(cause.at === undefined ? {} : { at: cause.at }),
    hint: "The broker's copy is damaged: let a replica lead the partition, or start readers behind the damaged batch.",
    cause,
  })
}
