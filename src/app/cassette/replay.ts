// A source read as a run reads it, without a topic: its items are mapped and encoded, and what came of them is kept to be looked at. Replayed
// from a cassette no call leaves the process and no time passes; recorded, the calls are real.
import type { PipelineDefinition } from '../../config/definition.ts'
import { toWeirError, WeirError } from '../../core/errors.ts'
import type { Event } from '../../core/event.ts'
import type { DropReason, SourceBatch, Split } from '../../core/record.ts'
import { mapItems } from '../../pipeline/map.ts'
import { toJson } from '../../schema/json.ts'
import { type AppDeps, type Calls, encodeOf, mappingOf, openSource } from '../parts.ts'

export interface Outcome {
  /** As JSON holds them, in the order they came. */
  readonly records: readonly Readonly<Record<string, unknown>>[]
  /** Items refused, in the order they came. */
  readonly refused: readonly WeirError[]
  /** Splits whose pass was given up. */
  readonly failures: readonly WeirError[]
  /** Where each split stands, in words; null: nothing is stored. */
  readonly cursor: ReadonlyMap<string, string | null>
  readonly drops: ReadonlyMap<DropReason, number>
  readonly breakers: ReadonlyMap<string, 'open' | 'half_open' | 'closed'>
  /** When it was read, by its clock. */
  readonly beganMs: number
  readonly endedMs: number
}

export interface Passes {
  readonly count: number
  readonly pauseMs: number
  /** True: what follows would tell nothing more. */
  readonly isOver: () => boolean
}

/** Reads every split of the source to its end for now, so many times. @throws what is none of a fetch: a defect, an unusable source */
export async function readThrough(
  definition: PipelineDefinition,
  deps: AppDeps,
  calls: Calls,
  passes: Passes,
  signal: AbortSignal,
): Promise<Outcome> {
  const breakers = new Map<string, 'open' | 'half_open' | 'closed'>()
  const emit = (event: Event) => {
    if (event.type === 'breaker_changed') breakers.set(event.host, event.to)
    deps.emit(event)
  }
  const beganMs = deps.clock.now()
  const mapping = mappingOf(definition)
  const encode = encodeOf(definition, 1)
  const records: Readonly<Record<string, unknown>>[] = []
  const refused: WeirError[] = []
  const failures: WeirError[] = []
  const stored = new Map<string, string | null>()
  const drops = new Map<DropReason, number>()
  await using source = openSource(definition, { ...deps, emit }, { calls })
  if (source.endless)
    throw new WeirError('usage.refused', 'The source waits for more at its end and never comes to one.', {
      hint: 'Cassettes are for sources that are polled.',
    })

  const take = ({ items, cursor, drops: left = {} }: SourceBatch, split: Split) => {
    const now = deps.clock.now()
    const { mapped, failures: unmapped } = mapItems(mapping, items, split.vars, now)
    const { failures: unencoded } = encode(mapped, split.vars, split.id, now)
    const bad = new Set(unencoded.map(({ item }) => item))
    for (const { item, record } of mapped)
      if (!bad.has(item)) records.push(toJson(record) as Readonly<Record<string, unknown>>)
    for (const { error } of [...unmapped, ...unencoded]) refused.push(error)
    for (const [reason, count] of Object.entries(left) as [DropReason, number][])
      drops.set(reason, (drops.get(reason) ?? 0) + count)
    stored.set(split.id, cursor)
  }
  const readSplits = async () => {
    for (const split of await source.splits(signal)) {
      if (!stored.has(split.id)) stored.set(split.id, null)
      try {
        for await (const batch of source.read(split, stored.get(split.id) ?? null, signal)) take(batch, split)
      } catch (thrown) {
        failures.push(givenUp(thrown, signal))
      }
      if (passes.isOver()) return
    }
  }
  for (let pass = 0; pass < passes.count && !passes.isOver(); pass++) {
    if (pass > 0) await deps.clock.sleep(passes.pauseMs, signal)
    try {
      await readSplits()
    } catch (thrown) {
      failures.push(givenUp(thrown, signal))
    }
  }
  const words = (cursor: string | null) => (cursor === null ? null : source.describeCursor(cursor))
  return {
    records,
    refused,
    failures,
    cursor: new Map([...stored].map(([id, cursor]) => [id, words(cursor)])),
    drops,
    breakers,
    beganMs,
    endedMs: deps.clock.now(),
  }
}

/** What ends the pass of a split. @throws what ends a run */
function givenUp(thrown: unknown, signal: AbortSignal): WeirError {
  if (signal.aborted) throw signal.reason
  const error = toWeirError(thrown)
  if (/^(fetch|source|file|cassette)\./.test(error.code)) return error
  throw thrown
}
