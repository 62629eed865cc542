// How fast the `http` source alone turns pages into items: a mock in another process serves 1,000 reviews a page, the source reads them
// through the whole fetch guard, newest first, with its cursor encoded for each page. `node bench/http-source.ts [pages]`
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { systemClock, systemRandom } from '../src/core/clock.ts'
import { openFetchGuard } from '../src/fetch/open.ts'
import type { FetchSettings } from '../src/fetch/settings.ts'
import { http } from '../src/sources/http/http.ts'
import type { HttpConfig } from '../src/sources/http/spec.ts'

const pageItems = 1000
const firstDateMs = Date.UTC(2026, 0, 1)

function serve(pages: number): void {
  const text = 'It does what it says, and the box was whole. '.repeat(8)
  const reviewAt = (n: number) => ({
    review_id: `R${String(n).padStart(13, '0')}`,
    product_asin: `B0${String(n % 500).padStart(8, '0')}`,
    reviewer_name: `Reader ${n % 977}`,
    review_title: 'Good, but "quoted"',
    review_text: text.slice(n % 90),
    rating: 1 + (n % 5),
    updated_at: new Date(firstDateMs - n * 1000).toISOString(),
    helpfulness_votes: n % 17,
  })
  const bodies = Array.from({ length: pages }, (_, page) =>
    Buffer.from(
      JSON.stringify({ reviews: Array.from({ length: pageItems }, (_, i) => reviewAt(page * pageItems + i)) }),
    ),
  )
  const empty = Buffer.from('{"reviews":[]}')
  const server = createServer((request, response) => {
    const page = Number(new URL(request.url!, 'http://x').searchParams.get('page'))
    response.setHeader('content-type', 'application/json').end(bodies[page - 1] ?? empty)
  })
  server.listen(0, '127.0.0.1', () => process.send!((server.address() as { port: number }).port))
}

async function measure(pages: number): Promise<void> {
  const child = fork(new URL(import.meta.url), ['serve', String(pages)])
  const [port] = await once(child, 'message')
  const settings: FetchSettings = {
    timeout: 30_000,
    retry: { attempts: 5, backoff: { min: 4000, max: 10_000 }, retry_after_max: 900_000 },
    breaker: { failure_rate: 0.5, window: 20, open_for: 60_000 },
    rate_limit: { requests: 100_000, per: 1000, learn: true },
    max_body: 16 * 1024 * 1024,
    allow_private: ['127.0.0.0/8'],
  }
  const emit = () => {}
  const store = { load: async () => null, save: async () => {} }
  const guard = openFetchGuard({ settings, pipeline: 'bench', clock: systemClock, random: systemRandom, emit, store })
  const config: HttpConfig = {
    request: { method: 'GET', url: `http://127.0.0.1:${port}/reviews` },
    decode: 'json',
    records: 'body.reviews',
    paginate: { page: { param: 'page', in: 'query', first: 1, max: 1_000_000 } },
    cursor: {
      mode: 'ordered',
      id: 'this.review_id',
      field: 'this.updated_at',
      order: 'desc',
      as: 'date',
      lookback: 3_600_000,
      keep: 5000,
    },
    errors: [],
    max_item: 4 * 1024 * 1024,
  }
  const source = http.open(config, {
    pipeline: 'bench',
    clock: systemClock,
    random: systemRandom,
    emit,
    baseDir: '/',
    fetch: () => guard,
  })
  const startedMs = performance.now()
  const cpu = process.cpuUsage()
  let items = 0
  let cursorBytes = 0
  for await (const batch of source.read({ id: 'all', vars: {} }, null, AbortSignal.timeout(120_000))) {
    items += batch.items.length
    cursorBytes = Math.max(cursorBytes, batch.cursor.length)
  }
  const ms = performance.now() - startedMs
  const { user, system } = process.cpuUsage(cpu)
  const line = {
    items,
    ms: Math.round(ms),
    per_second: Math.round((items / ms) * 1000),
    cpu_us_per_item: Number(((user + system) / items).toFixed(1)),
    max_cursor_bytes: cursorBytes,
    rss_mb: Math.round(process.memoryUsage().rss / 1024 / 1024),
  }
  console.log(JSON.stringify(line))
  await guard[Symbol.asyncDispose]()
  child.kill()
}

const [mode, pages] = process.argv.slice(2)
if (mode === 'serve') serve(Number(pages))
else await measure(Number(mode ?? 200))
