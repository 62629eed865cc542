// A pipeline that keeps its pages, polled from a shop on this machine, and mapped again by definitions that a test changes.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runPipeline } from '../../src/app/compose.ts'
import { loadDefinition } from '../../src/app/definitions.ts'
import { openBroker, openWorkspace } from '../../src/app/open.ts'
import { deadLetterSchemaText, rawPageSchemaText } from '../../src/app/parts.ts'
import { itemResults, type PageSelection, type ReparsedPage, reparsePages } from '../../src/app/reparsing.ts'
import { runCli } from '../../src/cli/frame.ts'
import { type Clock, systemClock, systemRandom } from '../../src/core/clock.ts'
import type { Event } from '../../src/core/event.ts'
import type { LogRecord } from '../../src/core/record.ts'
import { createSummary } from '../../src/observe/summary.ts'
import type { EventLog, TopicSpec } from '../../src/pipeline/ports.ts'
import { compileDecoder } from '../../src/schema/codec.ts'
import { memoryTerminal } from './terminal.ts'

/** What a test may write into the definition; each has a default. */
export interface RawDefinition {
  readonly records?: string
  readonly cursor?: string
  readonly map?: Readonly<Record<string, string>>
  readonly key?: string
  readonly topic?: string
  readonly more?: string
  readonly keep?: false
  /** Fields of the schema beside id and stars. */
  readonly fields?: readonly object[]
  readonly fetch?: string
}

export interface Shown {
  readonly key: string | null
  readonly headers: Readonly<Record<string, string>>
  readonly value: Readonly<Record<string, unknown>> | null
}

export interface RawScene extends AsyncDisposable {
  readonly dir: string
  /** Pages by address: `/b?page=1`. What is not there is an empty page. */
  readonly pages: Map<string, unknown>
  readonly requests: string[]
  define(definition: RawDefinition): void
  pass(): Promise<{
    readonly events: readonly Event[]
    readonly summary: ReturnType<ReturnType<typeof createSummary>['snapshot']>
  }>
  /** Counts that are not 0, and every page. */
  reparse(
    selection?: PageSelection,
    options?: { readonly dryRun?: boolean },
  ): Promise<{ readonly counts: Readonly<Record<string, number>>; readonly pages: readonly ReparsedPage[] }>
  rows(): Promise<readonly Shown[]>
  letters(): Promise<readonly Shown[]>
  raw(): Promise<readonly Shown[]>
  /** Lowers what a topic takes to 1 KB, as an administrator does, whatever the definition says. */
  lower(topic: string): void
  weir(...argv: readonly string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }>
  /** No server any more. */
  close(): Promise<void>
}

export async function rawScene(first: RawDefinition = {}): Promise<RawScene> {
  const dir = mkdtempSync(join(tmpdir(), 'weir-raw-'))
  // Each pass and each reparse is a minute later.
  let laterMs = 0
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + laterMs }
  const pages = new Map<string, unknown>()
  const requests: string[] = []
  const lowered = new Set<string>()
  const server = createServer((request, response) => {
    requests.push(request.url!)
    const page = pages.get(request.url!) ?? { reviews: [] }
    response.setHeader('content-type', 'application/json')
    response.end(typeof page === 'string' ? page : JSON.stringify(page))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const file = join(dir, 'pipeline.yaml')
  const workspace = await openWorkspace({ cwd: dir, env: {}, dataDir: join(dir, '.weir') })
  const define = (definition: RawDefinition) => {
    const fields = [{ name: 'id', type: 'string' }, { name: 'stars', type: 'double' }, ...(definition.fields ?? [])]
    writeFileSync(join(dir, 'review.avsc'), JSON.stringify({ type: 'record', name: 'Review', fields }))
    writeFileSync(file, textOf(`http://127.0.0.1:${port}`, definition))
  }
  define(first)
  const read = async (topic: string, schema: string | null): Promise<Shown[]> => {
    await using broker = await openBroker(workspace)
    const found: LogRecord[] = []
    for await (const batch of broker.log.browse(topic, { from: 'earliest' })) found.push(...batch)
    const text = schema ?? (await broker.registry.latest(`${topic}-value`))!.schema
    const shown: Shown[] = []
    for (const { key, value, headers } of found) {
      const writer = value && (await broker.registry.byId(Buffer.from(value).readInt32BE(1)))
      shown.push({
        key: key && Buffer.from(key).toString(),
        headers: Object.fromEntries(headers.map(([name, content]) => [name, Buffer.from(content).toString()])),
        value: value && compileDecoder(writer!, text).decode(value),
      })
    }
    return shown
  }
  let isOpen = true
  const close = async () => {
    if (!isOpen) return
    isOpen = false
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  }
  return {
    dir,
    pages,
    requests,
    define,
    close,
    async pass() {
      laterMs += 60_000
      const events: Event[] = []
      const counter = createSummary({ pipeline: 'shop' })
      const emit = (event: Event) => {
        events.push(event)
        counter.emit(event)
      }
      await using broker = await openBroker(workspace)
      const { failures } = await runPipeline(
        await loadDefinition(file, { SHOP_KEY: 'a-secret-of-the-shop' }),
        broker,
        { clock, random: systemRandom, emit, dataDir: workspace.dataDir },
        { stages: ['producer'], until: 'end', idleForMs: 0, version: 'test' },
        new AbortController().signal,
      )
      if (failures[0]) throw failures[0]
      return { events, summary: counter.snapshot() }
    },
    async reparse(selection = {}, { dryRun = false } = {}) {
      laterMs += 60_000
      await using broker = await openBroker(workspace)
      const found: ReparsedPage[] = []
      const deps = { clock, random: systemRandom, emit: () => {}, dataDir: workspace.dataDir }
      const definition = await loadDefinition(file, { SHOP_KEY: 'a-secret-of-the-shop' })
      const settings = { dryRun, version: 'test' }
      const { signal } = new AbortController()
      const lowering = { ...broker, log: loweredLog(broker.log, lowered) }
      for await (const page of reparsePages(definition, lowering, deps, selection, settings, signal)) found.push(page)
      const counts = itemResults.map(name => [name, found.reduce((sum, page) => sum + page.counts[name], 0)] as const)
      return { counts: Object.fromEntries(counts.filter(([, number]) => number > 0)), pages: found }
    },
    lower: name => void lowered.add(name),
    async weir(...argv) {
      const terminal = memoryTerminal({ cwd: dir, env: { SHOP_KEY: 'a-secret-of-the-shop' } })
      const code = await runCli([...argv, '--data', workspace.dataDir], terminal)
      return { code, out: terminal.out(), err: terminal.err() }
    },
    rows: () => read('shop', null),
    letters: async () => read('shop_dlq', await deadLetterSchemaText()),
    raw: async () => read('shop_raw', await rawPageSchemaText()),
    async [Symbol.asyncDispose]() {
      await close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** The log on which those topics take less than a definition says. */
function loweredLog(log: EventLog, lowered: ReadonlySet<string>): EventLog {
  return new Proxy(log, {
    get(target, name) {
      if (name === 'ensureTopic')
        return (spec: TopicSpec) =>
          target.ensureTopic(lowered.has(spec.name) ? { ...spec, maxRecordBytes: 1024 } : spec)
      const value = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

function textOf(url: string, definition: RawDefinition): string {
  const {
    records = 'body.reviews',
    cursor = '{ mode: membership, id: this.id, version: this.v }',
    map = { id: 'this.id', stars: 'double(this.stars)' },
    key = 'record.id',
    topic = '',
    more = '',
    keep = true,
    fetch = '',
  } = definition
  const lines = Object.entries(map).map(([name, text]) => `  ${name}: ${JSON.stringify(text)}`)
  return `pipeline: shop
source:
${keep ? '  keep_raw: topic\n' : ''}  http:
    for_each: { product: [b, c] }
    request: { url: "${url}/{{ split.product }}", query: { key: "\${SHOP_KEY}" }, headers: { x-key: "\${SHOP_KEY}" } }
    paginate: { page: { param: page, first: 1, max: 5 } }
    records: ${JSON.stringify(records)}
    cursor: ${cursor}
    ${more}
fetch:
  rate_limit: { requests: 100000, per: 1s }
  retry: { attempts: 1 }
  allow_private: [127.0.0.0/8]
  ${fetch}
map:
${lines.join('\n')}
topic: { name: shop, key: ${JSON.stringify(key)}, schema: review.avsc, partitions: 2${topic} }
`
}
