// Items to infer types from: out of sample files, or of a pipeline: its kept pages, the files that it reads, its cassettes. No call is made.
import { resolve } from 'node:path'
import { readCassette } from '../../config/cassette/load.ts'
import type { PipelineDefinition } from '../../config/definition.ts'
import { readText } from '../../config/text.ts'
import type { Clock, Random } from '../../core/clock.ts'
import { WeirError } from '../../core/errors.ts'
import { parseJson } from '../../core/json-text.ts'
import type { RawPage, Split } from '../../core/record.ts'
import { createDecode } from '../../pipeline/decode.ts'
import { pagesIn } from '../../pipeline/kept-page.ts'
import type { Source } from '../../pipeline/ports.ts'
import { createAnswering } from '../cassette/answering.ts'
import { findCassettes } from '../cassette/find.ts'
import { openSubject } from '../cassette/subject.ts'
import { createBreakerMemory } from '../cassette/testing.ts'
import { createVirtualClock } from '../cassette/virtual-clock.ts'
import { loadCatalogue } from '../catalogue.ts'
import { type AppDeps, type Broker, type Calls, openSource, rawPageSchemaText } from '../parts.ts'
import { storedRecords } from '../reading.ts'

export interface Samples {
  readonly items: readonly unknown[]
  /** In words: where they are from. */
  readonly from: string
}

const maxSampleBytes = 64 * 1024 * 1024

/** Items of files: a JSON list, a JSON object, or a value a line. @throws usage.not_found, source.invalid_json */
export function itemsOfFiles(files: readonly string[], cwd: string, most: number): Samples {
  const items = files.flatMap(file => {
    const read = readText(resolve(cwd, file), maxSampleBytes)
    if (!('text' in read))
      throw new WeirError('usage.not_found', `The samples cannot be read. ${read.failure.message}`, {
        at: file,
        hint: read.failure.hint,
      })
    return itemsOfText(read.text, file)
  })
  return { items: items.slice(0, most), from: files.join(', ') }
}

function itemsOfText(text: string, name: string): readonly unknown[] {
  const lines = text
    .split('\n')
    .map((line, i) => [line, i + 1] as const)
    .filter(([line]) => line.trim() !== '')
  // One value that goes over several lines, or one a line.
  const isOne = lines.length <= 1 || !isJson(lines[0]![0])
  if (isOne) {
    const value = parseJson(text, { name, line: 1 })
    return Array.isArray(value) ? value : [value]
  }
  return lines.map(([line, number]) => parseJson(line, { name, line: number }))
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

export interface SampleDeps {
  /** Opens the broker; null where there is none yet. */
  readonly store: () => Promise<Pick<Broker, 'log' | 'registry'> | null>
  readonly clock: Clock
  readonly random: Random
  readonly signal: AbortSignal
}

/**
 * Items that the source of a pipeline gives without a call: of the newest pages that were kept, else of its own files, else of recorded exchanges.
 * @throws usage.refused when it has none of these
 */
export async function itemsOfPipeline(
  definition: PipelineDefinition,
  cwd: string,
  most: number,
  { clock, random, signal, store }: SampleDeps,
): Promise<Samples> {
  const { connector } = definition.source
  const deps: AppDeps = { clock, random, emit: () => {}, dataDir: '' }
  const kept =
    definition.raw && (await itemsOfPages(definition, definition.raw.topic, await store(), deps, most, signal))
  if (kept && kept.length > 0) return { items: kept, from: `the newest pages of ${definition.raw!.topic}` }
  if (connector === 'file' || connector === 'generate')
    return { items: await itemsOfSource(definition, deps, undefined, most, signal), from: `the source ${connector}` }
  const cassettes = cassettesFor(definition.file, cwd)
  const items: unknown[] = []
  for (const file of cassettes)
    if (items.length < most) items.push(...(await itemsOfCassette(file, most - items.length, signal)))
  if (items.length > 0)
    return { items, from: `${cassettes.length} ${cassettes.length === 1 ? 'cassette' : 'cassettes'}` }
  throw new WeirError('usage.refused', `Items of ${connector} are had by calls, and none is made here.`, {
    at: definition.file,
    hint:
      cassettes.length > 0
        ? 'Its cassettes give no items; weir test tells what is wrong in them. Or name a file with items: --sample items.ndjson'
        : 'Name a file with some: --sample items.ndjson. Or record its exchanges once: weir record',
  })
}

/** Pages read of one partition, the newest. */
const maxPages = 200

/** Items of kept pages as the source reads them today; of a page that does not fit any more, none. */
async function itemsOfPages(
  definition: PipelineDefinition,
  topic: string,
  store: Pick<Broker, 'log' | 'registry'> | null,
  deps: AppDeps,
  most: number,
  signal: AbortSignal,
): Promise<readonly unknown[]> {
  const info = store && (await store.log.topic(topic))
  if (!info) return []
  const items: unknown[] = []
  const decode = createDecode(store.registry, await rawPageSchemaText())
  await using source = openSource(definition, deps)
  for (const { partition, earliest, latest } of info.partitionInfo) {
    const start = latest - BigInt(maxPages)
    const from = { offset: start > earliest ? start : earliest }
    for await (const record of storedRecords(store.log, info, { partition, from, signal })) {
      for (const { page, split } of await pagesIn([record], definition.pipeline, decode))
        items.push(...(await rereadItems(source, page, split)))
      if (items.length >= most) break
    }
  }
  return items.slice(0, most)
}

async function rereadItems(source: Source, page: RawPage, split: Split): Promise<readonly unknown[]> {
  try {
    return (await source.reread!(page, split)).flatMap(({ item }) => (item.error === undefined ? [item.value] : []))
  } catch (error) {
    if (error instanceof WeirError && error.code.startsWith('source.')) return []
    throw error
  }
}

function cassettesFor(file: string, cwd: string): readonly string[] {
  try {
    return findCassettes([file], cwd)
  } catch (error) {
    if (error instanceof WeirError && error.code === 'usage.not_found') return []
    throw error
  }
}

async function itemsOfCassette(file: string, most: number, signal: AbortSignal): Promise<readonly unknown[]> {
  const { cassette, problems } = readCassette(file)
  if (!cassette) return []
  using subject = openSubject(file, cassette, await loadCatalogue(), problems)
  if (!subject.definition) return []
  const calls = createAnswering(cassette, problems)
  const deps: AppDeps = {
    clock: createVirtualClock(Date.parse(cassette.now)),
    random: () => 0.5,
    emit: () => {},
    dataDir: '',
  }
  return await itemsOfSource(
    subject.definition,
    deps,
    { transport: () => calls, store: createBreakerMemory() },
    most,
    signal,
  )
}

/** Items as the mapping gets them. A split that fails gives what it gave before. */
async function itemsOfSource(
  definition: PipelineDefinition,
  deps: AppDeps,
  calls: Calls | undefined,
  most: number,
  signal: AbortSignal,
): Promise<readonly unknown[]> {
  const items: unknown[] = []
  await using source = openSource(definition, deps, calls ? { calls } : {})
  for (const split of await source.splits(signal)) {
    if (items.length >= most) break
    try {
      for await (const batch of source.read(split, null, signal)) {
        for (const item of batch.items) if (item.error === undefined && items.length < most) items.push(item.value)
        // A source that follows its input never ends; what is there is enough.
        if (items.length >= most || (source.endless && !batch.more)) break
      }
    } catch (error) {
      if (!(error instanceof WeirError) || signal.aborted) throw error
      if (!/^(fetch|source|file|cassette)\./.test(error.code)) throw error
    }
  }
  return items
}
