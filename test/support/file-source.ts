// A file source over a folder of its own, with the defaults the loader fills in.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type Clock, systemClock } from '../../src/core/clock.ts'
import type { Event } from '../../src/core/event.ts'
import { type Item, rawOf, type SourceBatch } from '../../src/core/record.ts'
import type { Source } from '../../src/pipeline/ports.ts'
import type { FileConfig } from '../../src/sources/file/settings.ts'
import { file } from '../../src/sources/file.ts'

const defaults = {
  compression: 'auto',
  quote: '"',
  follow: false,
  check_every: 1000,
  max_item: 1024 * 1024,
  max_document: 64 * 1024 * 1024,
} as const

/** A folder that goes when the test is over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'weir-file-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Writes files by name, in folders as needed. */
export function put(folder: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
}

export interface OpenSource extends AsyncDisposable {
  readonly source: Source
  readonly events: Event[]
}

export function openFileSource(
  baseDir: string,
  config: Partial<FileConfig> & Pick<FileConfig, 'paths'>,
  clock: Clock = systemClock,
): OpenSource {
  const events: Event[] = []
  const source = file.open({ ...defaults, ...config } as FileConfig, {
    pipeline: 'test',
    clock,
    random: () => 0.5,
    emit: event => events.push(event),
    baseDir,
    fetch: () => {
      throw new Error('a file source makes no calls')
    },
  })
  return { source, events, [Symbol.asyncDispose]: () => source[Symbol.asyncDispose]() as Promise<void> }
}

/** All batches of all splits, from the cursors given, by split. */
export async function readAll(
  source: Source,
  cursors: ReadonlyMap<string, string> = new Map(),
): Promise<Map<string, SourceBatch[]>> {
  const { signal } = new AbortController()
  const result = new Map<string, SourceBatch[]>()
  for (const split of await source.splits(signal)) {
    const batches: SourceBatch[] = []
    for await (const batch of source.read(split, cursors.get(split.id) ?? null, signal)) batches.push(batch)
    result.set(split.id, batches)
  }
  return result
}

/** All items of one file; the cursor where reading ended. */
export async function readOnce(
  source: Source,
  cursor: string | null = null,
): Promise<{ items: Item[]; cursor: string | null }> {
  const { signal } = new AbortController()
  const [split] = await source.splits(signal)
  const items: Item[] = []
  let last = cursor
  for await (const batch of source.read(split!, cursor, signal)) {
    items.push(...batch.items)
    last = batch.cursor
  }
  return { items, cursor: last }
}

export interface PlainItem {
  readonly value: unknown
  readonly raw: string
  readonly position: string
  readonly place: string | undefined
  readonly code: string | undefined
}

/** What an item says, for comparing. */
export function plain(item: Item): PlainItem {
  return {
    value: item.value,
    raw: Buffer.from(rawOf(item)).toString('latin1'),
    position: item.position,
    place: item.place,
    code: item.error?.code,
  }
}
