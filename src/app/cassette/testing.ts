// `weir test`: cassettes found, replayed and compared; with `update`, their expectations written anew.
import { writeFileSync } from 'node:fs'
import { parseDocument } from 'yaml'
import { type ReadCassette, readCassette } from '../../config/cassette/load.ts'
import type { Cassette, Expectations } from '../../config/cassette/spec.ts'
import type { Catalogue } from '../../config/catalogue.ts'
import type { PipelineDefinition } from '../../config/definition.ts'
import type { LocatedProblem, Problems } from '../../config/problem.ts'
import { WeirError } from '../../core/errors.ts'
import type { Calls } from '../parts.ts'
import { type Answering, createAnswering } from './answering.ts'
import { compare, expectationsOf } from './expecting.ts'
import { type Outcome, readThrough } from './replay.ts'
import { openSubject } from './subject.ts'
import { createVirtualClock } from './virtual-clock.ts'

export interface CassetteResult {
  /** Absolute. */
  readonly file: string
  readonly about: string | null
  /** Empty when it passed. */
  readonly problems: readonly LocatedProblem[]
  readonly requests: number
  readonly records: number
  /** True when the expectations of the file were rewritten. */
  readonly isUpdated: boolean
}

export interface TestOptions {
  readonly catalogue: Catalogue
  readonly update: boolean
}

/** Replays one cassette. Never throws for what stands in it. */
export async function testCassette(file: string, options: TestOptions): Promise<CassetteResult> {
  const read = readCassette(file)
  const { cassette, problems } = read
  const nothing = { file, about: null, requests: 0, records: 0, isUpdated: false }
  if (!cassette) return { ...nothing, problems: problems.list() }
  using subject = openSubject(file, cassette, options.catalogue, problems)
  const { definition } = subject
  if (!definition) return { ...nothing, problems: problems.list() }
  const { outcome, calls } = await replay(definition, cassette, problems)
  const isUpdated = options.update && !calls.isLost && update(file, read, expectationsOf(outcome, calls.asked))
  if (!options.update) compare(cassette, outcome, calls, problems)
  return {
    file,
    about: cassette.about ?? null,
    problems: problems.list(),
    requests: calls.asked,
    records: outcome.records.length,
    isUpdated,
  }
}

/** What the definition makes of the exchanges, on a clock of their own. A request that fits none is added to the problems. */
export async function replay(
  definition: PipelineDefinition,
  cassette: Cassette,
  problems: Problems,
): Promise<{ readonly outcome: Outcome; readonly calls: Answering }> {
  const calls = createAnswering(cassette, problems)
  const outcome = await readThrough(
    definition,
    { clock: createVirtualClock(Date.parse(cassette.now)), random: () => 0.5, emit: () => {}, dataDir: '' },
    { transport: () => calls, store: createBreakerMemory() },
    { count: cassette.passes, pauseMs: cassette.pause, isOver: () => calls.isLost },
    new AbortController().signal,
  )
  return { outcome, calls }
}

/** Breakers of one replay or recording, kept by nobody. */
export function createBreakerMemory(): Calls['store'] {
  const states = new Map<string, string>()
  return {
    load: async host => states.get(host) ?? null,
    save: async (host, state) => void states.set(host, state),
  }
}

/** Writes the expectations into the file; all else in it stays as it is, comments too. False when nothing changed. */
function update(file: string, { text, cassette }: ReadCassette, expect: Expectations): boolean {
  if (JSON.stringify(cassette!.expect) === JSON.stringify(expect)) return false
  const after = withExpectations(text!, expect)
  if (after === text) return false
  writeFileSync(file, after)
  return true
}

/** The text of the cassette with these expectations. */
export function withExpectations(text: string, expect: Expectations): string {
  const document = parseDocument(text)
  if (document.errors.length > 0) throw new WeirError('internal', 'a cassette that was read cannot be read again')
  document.set('expect', document.createNode(expect))
  return document.toString({ lineWidth: 0, flowCollectionPadding: false })
}
