// What became of dead letters, stored as cursors beside them: per partition the offsets replayed and discarded, as ranges, and the tries of those
// that failed again. So a mark and the record a replay writes go into one transaction (I8), on every event log.
import { WeirError } from '../core/errors.ts'
import type { CursorWrite, StoredCursor } from './ports.ts'

export type LetterState = 'open' | 'replayed' | 'discarded'

/** Scope of the marks of a dead-letter topic, in the place of a pipeline's name. */
export function marksScope(topic: string): string {
  return `dead-letters:${topic}`
}

/** A set of offsets kept as sorted ranges, both ends included: replaying a whole topic leaves one. */
export class OffsetSet {
  readonly #ranges: [bigint, bigint][]

  constructor(ranges: [bigint, bigint][] = []) {
    this.#ranges = ranges
  }

  has(offset: bigint): boolean {
    const [from, to] = this.#ranges[this.#find(offset)] ?? [0n, -1n]
    return from <= offset && offset <= to
  }

  add(offset: bigint): void {
    if (this.has(offset)) return
    const at = this.#find(offset) + 1
    const before = this.#ranges[at - 1]
    const after = this.#ranges[at]
    const joinsBefore = before !== undefined && before[1] + 1n === offset
    const joinsAfter = after !== undefined && after[0] - 1n === offset
    if (joinsBefore && joinsAfter) this.#ranges.splice(at - 1, 2, [before[0], after[1]])
    else if (joinsBefore) before[1] = offset
    else if (joinsAfter) after[0] = offset
    else this.#ranges.splice(at, 0, [offset, offset])
  }

  get size(): bigint {
    return this.#ranges.reduce((sum, [from, to]) => sum + to - from + 1n, 0n)
  }

  /** `0-5,7` */
  toString(): string {
    return this.#ranges.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(',')
  }

  static parse(text: string): OffsetSet {
    if (text === '') return new OffsetSet()
    return new OffsetSet(
      text.split(',').map(part => {
        const [from, to = from] = part.split('-')
        return [BigInt(from!), BigInt(to!)]
      }),
    )
  }

  /** Index of the last range that begins at or before `offset`; -1 when none does. */
  #find(offset: bigint): number {
    let low = 0
    let high = this.#ranges.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#ranges[middle]![0] <= offset) low = middle + 1
      else high = middle
    }
    return low - 1
  }
}

/** The marks of one partition of a dead-letter topic. */
export class Marks {
  readonly replayed: OffsetSet
  readonly discarded: OffsetSet
  /** Tries of replays that failed, by offset; forgotten once the letter is replayed or discarded. */
  readonly tries: Map<bigint, number>

  constructor(replayed = new OffsetSet(), discarded = new OffsetSet(), tries = new Map<bigint, number>()) {
    this.replayed = replayed
    this.discarded = discarded
    this.tries = tries
  }

  stateOf(offset: bigint): LetterState {
    return this.replayed.has(offset) ? 'replayed' : this.discarded.has(offset) ? 'discarded' : 'open'
  }

  close(offset: bigint, as: 'replayed' | 'discarded'): void {
    this[as].add(offset)
    this.tries.delete(offset)
  }

  serialize(): string {
    return JSON.stringify({
      v: 1,
      replayed: String(this.replayed),
      discarded: String(this.discarded),
      tries: Object.fromEntries([...this.tries].map(([offset, count]) => [String(offset), count])),
    })
  }

  /** @throws cursor.invalid */
  static parse(text: string): Marks {
    try {
      const { v, replayed, discarded, tries } = JSON.parse(text) as {
        v: number
        replayed: string
        discarded: string
        tries: Record<string, number>
      }
      if (v !== 1) throw new Error(`version ${v}`)
      return new Marks(
        OffsetSet.parse(replayed),
        OffsetSet.parse(discarded),
        new Map(Object.entries(tries).map(([offset, count]) => [BigInt(offset), count])),
      )
    } catch (error) {
      throw new WeirError('cursor.invalid', 'The marks of a dead-letter partition cannot be read.', { cause: error })
    }
  }
}

/** The marks of a dead-letter topic, by partition, read from cursors and written back as such. */
export class TopicMarks {
  readonly #marks: Map<number, Marks>

  /** `cursors` are those of the topic's `marksScope`. @throws cursor.invalid */
  constructor(cursors: Iterable<StoredCursor> = []) {
    this.#marks = new Map([...cursors].map(({ split, value }) => [Number(split), Marks.parse(value)]))
  }

  get(partition: number): Marks | undefined {
    return this.#marks.get(partition)
  }

  /** The marks of a partition, empty ones where there were none. */
  of(partition: number): Marks {
    const known = this.#marks.get(partition) ?? new Marks()
    this.#marks.set(partition, known)
    return known
  }

  /** What stores the marks of these partitions. */
  writes(partitions: Iterable<number>): CursorWrite[] {
    return [...partitions].map(partition => ({ split: String(partition), value: this.of(partition).serialize() }))
  }
}
