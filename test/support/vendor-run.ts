// A vendor as a pipeline uses it: its definition is loaded, its source is read over the real fetch guard from a local server (or a file),
// its items are mapped. What came of it is records, refused items, or the outcome class of the call that was given up.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { loadDefinition } from '../../src/app/definitions.ts'
import { mappingOf, openSource } from '../../src/app/parts.ts'
import type { Clock } from '../../src/core/clock.ts'
import { type Code, codeOf } from '../../src/core/errors.ts'
import type { Event } from '../../src/core/event.ts'
import { type Item, type RawPage, rawOf, type Split } from '../../src/core/record.ts'
import type { Source } from '../../src/pipeline/ports.ts'

/** Deadlines have these lengths here, and nothing else has: of calls, and of the thread that reads a page. */
const deadlinesMs = new Set([600_000, 60_000, 2000])

/** A clock on which every wait is over at once, the time moved on by it; deadlines never come. */
function jumpingClock(startMs: number): Clock {
  let elapsed = 0
  return {
    now: () => startMs + elapsed,
    monotonic: () => elapsed,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        if (deadlinesMs.has(ms))
          return void signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
        elapsed += Math.max(0, ms)
        setImmediate(resolve)
      }),
  }
}

export const project = resolve(import.meta.dirname, '../..')

export interface VendorRequest {
  readonly method: string
  /** Path without the query. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface VendorReply {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

export type Answer = (request: VendorRequest, url: string) => VendorReply

export interface VendorServer extends AsyncDisposable {
  readonly url: string
  readonly requests: VendorRequest[]
}

/** A server that answers as it is told, and remembers what it was asked. */
export async function vendorServer(answer: Answer): Promise<VendorServer> {
  const requests: VendorRequest[] = []
  let url = ''
  const server = createServer((message, reply) => {
    const parts: Buffer[] = []
    message.on('data', part => parts.push(part))
    message.on('end', () => {
      const address = new URL(message.url!, 'http://127.0.0.1')
      const request: VendorRequest = {
        method: message.method!,
        path: address.pathname,
        query: address.searchParams,
        headers: message.headers,
        body: Buffer.concat(parts).toString(),
      }
      requests.push(request)
      const { status = 200, headers = { 'content-type': 'application/json' }, body = '' } = answer(request, url)
      reply.writeHead(status, headers).end(body)
    })
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise(done => server.close(done))
    },
  }
}

export interface VendorRun {
  readonly records: readonly Readonly<Record<string, unknown>>[]
  /** Items that become dead letters: their bytes and why. */
  readonly refused: readonly { readonly raw: string; readonly code: Code }[]
  /** What the source said on the way, such as `Nothing here (gone, …)`. */
  readonly notices: readonly string[]
  /** Why the pass was given up; null when it was not. */
  readonly failure: { readonly code: Code; readonly message: string } | null
  readonly cursors: ReadonlyMap<string, string | null>
  /** With `keepRaw`: the items that were read, and those of the kept pages, by split and position. */
  readonly items: ReadonlyMap<string, unknown>
  readonly reread: ReadonlyMap<string, unknown>
}

export interface VendorUse {
  /** The key under `source`: a vendor's name or `./file.yaml`. */
  readonly vendor: string
  readonly config: Readonly<Record<string, unknown>>
  /** Schema file; that of raw reviews when it is left out. */
  readonly schema?: string
  readonly fetch?: Readonly<Record<string, unknown>>
  readonly map?: Readonly<Record<string, string>>
  /** Folder of the definition; one of its own when it is left out. */
  readonly folder?: string
  readonly cursors?: ReadonlyMap<string, string | null>
  readonly nowMs?: number
  readonly keepRaw?: true
}

/** One pass over all splits. */
export async function runVendor(use: VendorUse): Promise<VendorRun> {
  const own = use.folder === undefined ? mkdtempSync(join(tmpdir(), 'weir-vendor-')) : undefined
  const folder = use.folder ?? own!
  try {
    return await readAll(use, folder)
  } finally {
    if (own) rmSync(own, { recursive: true, force: true })
  }
}

async function readAll(use: VendorUse, folder: string): Promise<VendorRun> {
  const file = join(folder, 'pipeline.yaml')
  const definition = {
    pipeline: 'vendor',
    source: { [use.vendor]: use.config, ...(use.keepRaw ? { keep_raw: 'topic' } : {}) },
    fetch: {
      timeout: '10m',
      retry: { attempts: 1 },
      rate_limit: { requests: 100_000, per: '1s' },
      allow_private: ['127.0.0.0/8'],
      ...use.fetch,
    },
    ...(use.map ? { map: use.map } : {}),
    topic: { name: 'reviews', schema: use.schema ?? join(project, 'schemas/raw-review.avsc') },
  }
  writeFileSync(file, JSON.stringify(definition))
  const loaded = await loadDefinition(file, {})
  const mapping = mappingOf(loaded)
  const events: Event[] = []
  const clock = jumpingClock(use.nowMs ?? Date.UTC(2026, 0, 1))
  const deps = { clock, random: () => 0.5, emit: (event: Event) => events.push(event), dataDir: folder }
  await using source = openSource(loaded, deps, { version: 'test' })
  const { signal } = new AbortController()
  const records: Readonly<Record<string, unknown>>[] = []
  const refused: { raw: string; code: Code }[] = []
  const cursors = new Map<string, string | null>(use.cursors)
  const items = new Map<string, unknown>()
  const pages: { readonly raw: RawPage; readonly split: Split }[] = []
  let failure: VendorRun['failure'] = null
  const take = (item: Item, split: Readonly<Record<string, unknown>>) => {
    const refuse = (thrown: unknown) => refused.push({ raw: Buffer.from(rawOf(item)).toString(), code: codeOf(thrown) })
    if (item.error) return refuse(item.error)
    try {
      records.push(mapping.apply({ this: item.value, split, now: clock.now() }))
    } catch (thrown) {
      refuse(thrown)
    }
  }
  try {
    for (const split of await source.splits(signal))
      for await (const batch of source.read(split, cursors.get(split.id) ?? null, signal)) {
        for (const item of batch.items) take(item, split.vars)
        for (const { position, value } of batch.items) items.set(`${split.id} ${position}`, value)
        if (batch.raw) pages.push({ raw: batch.raw, split })
        cursors.set(split.id, batch.cursor)
      }
  } catch (thrown) {
    failure = { code: codeOf(thrown), message: thrown instanceof Error ? thrown.message : String(thrown) }
  }
  const notices = events.flatMap(event => (event.type === 'source_notice' ? [event.message] : []))
  return { records, refused, notices, failure, cursors, items, reread: await rereadAll(source, pages) }
}

async function rereadAll(
  source: Source,
  pages: readonly { readonly raw: RawPage; readonly split: Split }[],
): Promise<Map<string, unknown>> {
  const found = new Map<string, unknown>()
  for (const { raw, split } of pages)
    for (const { item, wasThere } of await source.reread!(raw, split)) {
      if (!wasThere) throw new Error(`${item.position} was not on the page before`)
      found.set(`${split.id} ${item.position}`, item.value)
    }
  return found
}
