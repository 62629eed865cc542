// Mapping again from raw pages, with the definition of today and without fetching. What the topic holds decides, not a mark: a record that is there
// as it would be written is left alone, so that a reparse may be run twice, killed anywhere and run again, beside a running pipeline (I8).
// A page moves: read again -> judged against the topic -> nothing to do, or judged once more against what has come since, and written.
import { toWeirError, type WeirError } from '../core/errors.ts'
import { failpoint } from '../core/failpoint.ts'
import type { Claim } from '../core/guarantee.ts'
import type { Header, Item, OutRecord } from '../core/record.ts'
import type { Mapping } from '../mapping/mapping.ts'
import { commitUntilDurable, type RetryDeps } from './append.ts'
import { claimScope } from './claim.ts'
import type { DeadLetterOffice } from './dead-letter.ts'
import type { Decode } from './decode.ts'
import type { EncodeBatch } from './encode.ts'
import type { FloodGuard } from './flood.ts'
import { buryDead, contentHash, Held, type HeldOptions } from './held.ts'
import { identityOf, identityPrefix, reparsedFromHeader } from './identity.ts'
import { itemLetter } from './item-letter.ts'
import { type KeptPage, originHeaders, pagesIn } from './kept-page.ts'
import { type ItemFailure, mapItems } from './map.ts'
import type { Append, Bucket, RereadItem, Source } from './ports.ts'
import { type RefusedRecords, refusedRecords } from './refused.ts'

export interface ReparseOptions extends RetryDeps, HeldOptions {
  readonly rawTopic: string
  readonly deadLetterTopic: string
  /** Decodes raw pages. */
  readonly decode: Decode
  readonly source: Pick<Source, 'reread'>
  readonly mapping: Mapping
  readonly encode: EncodeBatch
  readonly version: string
  /** null: a dry run, which changes nothing. */
  readonly writing: { readonly office: DeadLetterOffice; readonly flood: FloodGuard } | null
}

/** Which pages; every part given must hold. */
export interface PageSelection {
  /** When it was fetched, milliseconds since the epoch; `fromMs` included, `toMs` not. */
  readonly fromMs?: number
  readonly toMs?: number
  readonly splits?: readonly string[]
}

/**
 * What became of an item of a page. changed: another record than the topic holds, appended. new: found on the page only by the definition of today,
 * appended. failed: a dead letter. unchanged: the topic holds it so. dead: left to its dead letter. elsewhere: its record came of another page.
 * superseded: a later version, or its deletion, is in the topic. gone: its record is no longer in the topic.
 */
export const itemResults = ['changed', 'new', 'failed', 'unchanged', 'dead', 'elsewhere', 'superseded', 'gone'] as const
export type ItemResult = (typeof itemResults)[number]

export interface ReparsedItem {
  readonly position: string
  readonly result: Extract<ItemResult, 'changed' | 'new' | 'failed'>
  readonly error?: WeirError
}

export interface ReparsedPage {
  /** `partition/offset` in the topic of raw pages. */
  readonly id: string
  readonly split: string
  /** Why the page as a whole does not fit the definition of today: nothing of it was written. */
  readonly error?: WeirError
  readonly counts: Readonly<Record<ItemResult, number>>
  /** Those that were written, or would be. */
  readonly items: readonly ReparsedItem[]
}

/** What holds for what a reparse writes, for `weir lint --explain`. */
export const reparsing: Claim = {
  guarantee: 'exactly_once',
  why: 'A record is appended only where the topic holds another one of the item, and one process at a time may do it.',
  proof: {
    file: 'test/fault/reparse-kill.test.ts',
    test: 'I8: killed at %s, each record that changes is appended once',
  },
}

/**
 * Maps the chosen pages again, oldest first, and tells what became of each. Only pages that were there at its start. Ends when `signal` aborts.
 * @throws usage.refused when another reparse of the pipeline is at work, log.*, registry.*, dead_letter.flood
 */
export async function* reparse(
  selection: PageSelection,
  options: ReparseOptions,
  signal: AbortSignal,
): AsyncGenerator<ReparsedPage> {
  const { log, pipeline, clock, writing, deadLetterTopic, holdings } = options
  const owner = writing && (await claimScope(log, `reparse:${pipeline}`, `reparse of ${pipeline}`, clock, signal))
  try {
    // In this order: what the pages came to stands in the topics by the time those are read.
    const pages = await keptPages(selection, options, signal)
    const held = new Held(options)
    await held.catchUp(signal)
    await buryDead(log, deadLetterTopic, pipeline, holdings, signal)
    for await (const page of pages) yield await reparsePage(page, held, owner?.bucket ?? null, options, signal)
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    await owner?.release()
  }
}

/** The chosen pages up to where their topic ends now. */
async function keptPages(
  { fromMs, toMs, splits }: PageSelection,
  { log, rawTopic, pipeline, decode }: ReparseOptions,
  signal: AbortSignal,
): Promise<AsyncIterable<KeptPage>> {
  const ends = new Map((await log.topic(rawTopic))?.partitionInfo.map(each => [each.partition, each.latest]))
  const isChosen = ({ split, page }: KeptPage) =>
    (fromMs === undefined || page.fetchedAtMs >= fromMs) &&
    (toMs === undefined || page.fetchedAtMs < toMs) &&
    (splits === undefined || splits.includes(split.id))
  return (async function* () {
    for (const [partition, end] of ends) {
      let isPast = false
      for await (const records of log.browse(rawTopic, { partition, from: 'earliest', signal })) {
        for (const record of records) {
          isPast ||= record.offset >= end
          if (isPast) break
          for (const page of await pagesIn([record], pipeline, decode)) if (isChosen(page)) yield page
        }
        if (isPast) break
      }
    }
  })()
}

/** What a page comes to against what the topic holds at the moment. */
interface Judged {
  readonly counts: Record<ItemResult, number>
  readonly items: ReparsedItem[]
  readonly records: readonly { readonly record: OutRecord; readonly item: Item; readonly hash: string }[]
  readonly failures: readonly ItemFailure[]
}

async function reparsePage(
  kept: KeptPage,
  held: Held,
  bucket: Bucket | null,
  options: ReparseOptions,
  signal: AbortSignal,
): Promise<ReparsedPage> {
  const { id, split, page } = kept
  let items: readonly RereadItem[]
  try {
    items = await options.source.reread!(page, split)
  } catch (thrown) {
    const error = toWeirError(thrown)
    if (signal.aborted || !error.code.startsWith('source.')) throw thrown
    return { id, split: split.id, error, counts: noCounts(), items: [] }
  }
  let judged = judge(kept, items, options)
  if (judged.items.length > 0 && bucket !== null) {
    // The pipeline may have appended a later version meanwhile.
    await held.catchUp(signal)
    judged = judge(kept, items, options)
    judged = await write(kept, judged, bucket, options, signal)
  }
  // The same page may come again, fetched another time.
  const { response, fetchedAtMs } = page
  for (const { item, hash, record } of judged.records) {
    const holding = { hash, response, fetchedAtMs, writtenAtMs: record.timestampMs, partition: null }
    options.holdings.put(split.id, item.position, holding)
  }
  for (const { item } of judged.failures) options.holdings.bury(split.id, item.position)
  return { id, split: split.id, counts: judged.counts, items: judged.items }
}

const noCounts = () => Object.fromEntries(itemResults.map(result => [result, 0])) as Record<ItemResult, number>

/** Of what is written of the page. */
function headersOf({ id, page }: Pick<KeptPage, 'id' | 'page'>, rawTopic: string): readonly Header[] {
  return [...originHeaders(page), [reparsedFromHeader, `${rawTopic}/${id}`]]
}

function judge({ id, split, page }: KeptPage, reread: readonly RereadItem[], options: ReparseOptions): Judged {
  const { holdings, mapping, encode, pipeline, rawTopic } = options
  const counts = noCounts()
  const chosen: Item[] = []
  for (const each of reread) {
    const item = { ...each.item, position: holdings.positionOf(split.id, each.item.position, page) }
    const result = standing({ ...each, item }, split.id, page, options)
    if (result === 'changed') chosen.push({ ...item, change: 'remapped' })
    else if (result === 'new') chosen.push(item)
    else counts[result]++
  }
  const now = page.fetchedAtMs
  const headers = headersOf({ id, page }, rawTopic)
  const prefix = identityPrefix(pipeline, split.id)
  const { mapped, failures } = mapItems(mapping, chosen, split.vars, now)
  const encoded = encode(mapped, split.vars, prefix, now, headers)
  const failed = [...failures, ...encoded.failures]
  const byIdentity = new Map(chosen.map(item => [identityOf(prefix, item.position), item]))
  const items: ReparsedItem[] = []
  const records: Judged['records'][number][] = []
  for (const record of encoded.records) {
    const item = byIdentity.get(record.headers[0]![1] as string)!
    const { position, change } = item
    const hash = contentHash(record.key, record.value)
    if (change !== undefined && holdings.get(split.id, position)!.hash === hash) {
      counts.unchanged++
      continue
    }
    const result = change === undefined ? 'new' : 'changed'
    counts[result]++
    items.push({ position, result })
    records.push({ record: { ...record, timestampMs: options.clock.now() }, item, hash })
  }
  return withFailures({ counts, items, records, failures: [] }, failed)
}

function withFailures(judged: Judged, failures: readonly ItemFailure[]): Judged {
  const items = failures.map(({ item, error }) => ({ position: item.position, result: 'failed' as const, error }))
  return {
    ...judged,
    counts: { ...judged.counts, failed: judged.counts.failed + failures.length },
    items: [...judged.items, ...items],
    failures: [...judged.failures, ...failures],
  }
}

/** What there is to do about an item: `changed` may turn out to be unchanged once it is mapped. */
function standing(
  { item, id, wasThere }: RereadItem,
  split: string,
  { response, fetchedAtMs }: KeptPage['page'],
  { holdings }: ReparseOptions,
): ItemResult {
  const { position } = item
  if (holdings.isDead(split, position)) return 'dead'
  const known = holdings.get(split, position)
  if (known === undefined && wasThere) return 'gone'
  if (known !== undefined && (known.response !== response || known.fetchedAtMs !== fetchedAtMs)) return 'elsewhere'
  const newest = id === undefined ? null : holdings.newest(split, id, position)
  if (newest !== null && newest > fetchedAtMs) return 'superseded'
  return known === undefined ? 'new' : 'changed'
}

/**
 * Records and dead letters in one transaction, and what came of it. Its outcome is in doubt at worst: then the command ends, and the next one sees
 * what there is.
 */
async function write(
  kept: KeptPage,
  given: Judged,
  bucket: Bucket,
  options: ReparseOptions,
  signal: AbortSignal,
): Promise<Judged> {
  const { topic, pipeline, rawTopic, clock } = options
  const { office, flood } = options.writing!
  const prefix = identityPrefix(pipeline, kept.split.id)
  for (let judged = given; ; ) {
    const { records, failures } = judged
    flood.admit(failures.length)
    const headers = headersOf(kept, rawTopic)
    const letters = failures.map(each => itemLetter(each, kept.split.id, clock.now(), headers, options))
    const appends: Append[] = []
    if (records.length > 0) appends.push({ topic, records: records.map(({ record }) => record) })
    const ofRecords = appends.length
    if (letters.length > 0)
      appends.push({
        topic: office.topic,
        records: letters.map(letter => office.write(letter, identityOf(prefix, letter.source_position!))),
      })
    if (appends.length === 0) return judged
    try {
      failpoint('reparse.before_commit')
      await commitUntilDurable(() => bucket.transact({ appends, cursors: [] }), options, signal)
      failpoint('reparse.after_commit')
    } catch (thrown) {
      const refused = refusedRecords(thrown, ofRecords, letters.length > 0 ? ofRecords : -1)
      if (refused === null) throw thrown
      judged = withoutRefused(judged, refused)
      continue
    }
    flood.count(letters.length)
    office.tell(letters)
    return judged
  }
}

/** Records that the log will never take are failures (I5). */
function withoutRefused(judged: Judged, { error, of }: RefusedRecords): Judged {
  const refused = of.get(0)!
  const failures = judged.records.flatMap(({ item }, i) =>
    refused.has(i) ? [{ item, stage: 'encode' as const, error }] : [],
  )
  const gone = new Set(failures.map(({ item }) => item.position))
  const counts = { ...judged.counts }
  for (const { position, result } of judged.items) if (gone.has(position)) counts[result]--
  const records = judged.records.filter((_, i) => !refused.has(i))
  const items = judged.items.filter(({ position }) => !gone.has(position))
  return withFailures({ ...judged, counts, items, records }, failures)
}
