// Programs that do the same work, whole process against whole process: A B C A B C …, after warm-up rounds that do not count. Each round's
// times are compared with the first program's time of that round, so what the machine does in the meantime hits both. The first program
// against itself, one round and the next, tells how much of a difference is noise.
import type { Measured } from './measure.ts'
import { median, type Spread, spreadOf } from './numbers.ts'

export interface Contender {
  readonly name: string
  /** One whole run; `round` counts from 0, warm-up included. */
  run(round: number): Promise<Measured>
  /** Proves the work done and clears up; outside of the measured time. `thorough` in the first round. @throws when the work was not done */
  check(round: number, thorough: boolean): Promise<void>
}

export interface Line {
  readonly name: string
  readonly wallMs: Spread
  readonly perSecond: number
  readonly cpuUsPerRecord: number
  /** The highest of all rounds. */
  readonly rssMb: number
  /** Wall against that of the first program, pair by pair. */
  readonly ratio: Spread
  /** Wall against its own wall of the round before. */
  readonly self: Spread
  /** Of every measured round. */
  readonly wallsMs: readonly number[]
}

/** Wall of one program against that of another, pair by pair: 2 means twice as long. */
export function wallAgainst(one: Line, other: Line): Spread {
  return spreadOf(one.wallsMs.map((wallMs, round) => wallMs / other.wallsMs[round]!))
}

export interface CompareOptions {
  readonly records: number
  readonly rounds: number
  readonly warmup: number
  /** No round begins after this time, once two have been measured. */
  readonly withinMs?: number
  readonly tell: (text: string) => void
}

export async function compare(
  contenders: readonly Contender[],
  { records, rounds, warmup, withinMs = Number.POSITIVE_INFINITY, tell }: CompareOptions,
): Promise<Line[]> {
  const runs = contenders.map((): Measured[] => [])
  const beganMs = performance.now()
  for (let round = 0; round < warmup + rounds; round++) {
    if (round >= warmup + 2 && performance.now() - beganMs > withinMs) {
      tell(`the time is up after ${round - warmup} of ${rounds} rounds`)
      break
    }
    for (const [i, contender] of contenders.entries()) {
      const measured = await contender.run(round)
      await contender.check(round, round === 0)
      if (round >= warmup) runs[i]!.push(measured)
    }
    const walls = runs.map(each => each.at(-1)).map(each => (each ? `${(each.wallMs / 1000).toFixed(2)} s` : '-'))
    tell(round < warmup ? 'warm-up done' : `round ${round - warmup + 1}: ${walls.join(', ')}`)
  }
  const first = runs[0]!
  return contenders.map(({ name }, i) => {
    const mine = runs[i]!
    const wallMs = spreadOf(mine.map(each => each.wallMs))
    return {
      name,
      wallMs,
      perSecond: (records / wallMs.median) * 1000,
      cpuUsPerRecord: (median(mine.map(each => each.cpuMs)) * 1000) / records,
      rssMb: Math.max(...mine.map(each => each.rssMb)),
      ratio: spreadOf(mine.map((each, round) => each.wallMs / first[round]!.wallMs)),
      self: spreadOf(mine.slice(1).map((each, round) => each.wallMs / mine[round]!.wallMs)),
      wallsMs: mine.map(each => each.wallMs),
    }
  })
}
