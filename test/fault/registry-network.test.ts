// The network between weir and a registry elsewhere, done wrong by a proxy (48 to 54, 64, 65): every question ends by its deadline with one error,
// nothing half-read is believed, ids that are known go on working, and a stop is never held up.

import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { describe, expect, test } from 'vitest'
import { openHttpRegistry } from '../../src/adapters/registry-http/registry.ts'
import type { SchemaRegistry } from '../../src/pipeline/ports.ts'
import { type CliResult, runWeir } from '../support/cli.ts'
import { eventually } from '../support/eventually.ts'
import { type FakeRegistry, fakeRegistry } from '../support/fake-registry.ts'
import { type FaultProxy, openFaultProxy } from '../support/fault-proxy.ts'
import { registryOptions, schemaOf } from '../support/http-registry.ts'

const timeoutMs = 800

interface Scene extends AsyncDisposable {
  readonly server: FakeRegistry
  readonly proxy: FaultProxy
  readonly registry: SchemaRegistry
}

async function scene(): Promise<Scene> {
  const stack = new AsyncDisposableStack()
  const server = stack.use(await fakeRegistry())
  const proxy = stack.use(await openFaultProxy({ target: new URL(server.url).host }))
  const url = `http://${proxy.address}`
  const registry = stack.use(await openHttpRegistry({ ...registryOptions(url), timeoutMs }))
  return { server, proxy, registry, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

describe('questions to a registry', () => {
  test.each<[string, (proxy: FaultProxy) => void | Promise<void>]>([
    ['48: refused', proxy => proxy.refuse()],
    ['49: reset in the middle of the answer', proxy => proxy.resetAfter(20)],
    ['50: 5 s late', proxy => proxy.latency(5_000)],
    ['51: dripping, 20 bytes a second', proxy => proxy.bandwidth(20)],
    ['52: silence', proxy => proxy.blackHole()],
    ['54: cut short in good order', proxy => proxy.endAfter(20)],
  ])('%s: registry.unavailable by the deadline, then the same question is answered', async (_, hurt) => {
    await using s = await scene()
    const known = await s.registry.register('known', schemaOf('Known'))
    await hurt(s.proxy)
    const started = performance.now()
    await expect(s.registry.register('new', schemaOf('New'))).rejects.toMatchObject({
      code: 'registry.unavailable',
      retry: true,
    })
    await expect(s.registry.byId(77)).rejects.toMatchObject({ code: 'registry.unavailable' })
    // Each of the two has its deadline; what is on top is the machine's.
    expect(performance.now() - started).toBeLessThan(2 * timeoutMs + 1_000)
    expect(await s.registry.byId(known.id)).toBe(known.schema)
    s.proxy.heal()
    await s.proxy.accept()
    const made = await s.registry.register('new', schemaOf('New'))
    expect(await s.registry.byId(made.id)).toBe(made.schema)
    expect(await s.registry.versions('new')).toEqual([1])
  })

  test('53: answers in slices of one byte are the same', async () => {
    await using s = await scene()
    s.proxy.slice(1)
    // Two- and four-byte characters, so that slices fall into the middle of them.
    const text = schemaOf('Size', 'string', {
      doc: 'Größe, 尺寸, 📏'.repeat(20),
    })
    const made = await s.registry.register('sliced', text)
    expect(await s.registry.latest('sliced')).toEqual(made)
    await using other = await openHttpRegistry({ ...registryOptions(`http://${s.proxy.address}`), timeoutMs: 5_000 })
    expect(JSON.parse(await other.byId(made.id))).toEqual(JSON.parse(text))
    expect(await other.subjects()).toEqual(['sliced'])
  })

  test('65: while a slow registry is waited for, the event loop is free', async () => {
    await using s = await scene()
    s.proxy.latency(5_000)
    const delays = monitorEventLoopDelay({ resolution: 5 })
    delays.enable()
    await Promise.allSettled(Array.from({ length: 50 }, (_, i) => s.registry.byId(i + 100)))
    delays.disable()
    expect(delays.percentile(90) / 1e6).toBeLessThan(100)
  })
})

describe('a pipeline', () => {
  interface World extends AsyncDisposable {
    readonly proxy: FaultProxy
    feed(...ids: readonly string[]): void
    delivered(): readonly string[]
    start(): { readonly result: Promise<CliResult>; stop(): void }
    run(): Promise<CliResult>
  }
  const world = async (): Promise<World> => {
    const stack = new AsyncDisposableStack()
    const server = stack.use(await fakeRegistry())
    const proxy = stack.use(await openFaultProxy({ target: new URL(server.url).host }))
    const dir = mkdtempSync(join(tmpdir(), 'weir-registry-network-'))
    stack.defer(() => rmSync(dir, { recursive: true, force: true }))
    const write = (name: string, text: string) => writeFileSync(join(dir, name), text)
    write('weir.yaml', `registry: { url: "http://${proxy.address}", timeout: 2s }\n`)
    write('r.avsc', JSON.stringify({ type: 'record', name: 'R', fields: [{ name: 'id', type: 'string' }] }))
    const text = (follow: boolean) => `pipeline: p
source: { file: { paths: [in.ndjson], format: ndjson, follow: ${follow} } }
map: { id: this.id }
topic: { name: t, key: record.id, schema: r.avsc, partitions: 1 }
consume: [{ group: g, sink: { file: { path: out.ndjson } } }]
`
    write('p.yaml', text(true))
    write('once.yaml', text(false))
    write('in.ndjson', '')
    const out = join(dir, 'out.ndjson')
    const launch = (args: readonly string[]) => {
      let stop = () => {}
      const result = runWeir(args, {
        cwd: dir,
        started: child => {
          stop = () => void child.kill('SIGTERM')
          stack.defer(() => void child.kill('SIGKILL'))
        },
      })
      return { result, stop: () => stop() }
    }
    return {
      proxy,
      feed: (...ids) => appendFileSync(join(dir, 'in.ndjson'), ids.map(id => `${JSON.stringify({ id })}\n`).join('')),
      delivered: () =>
        existsSync(out)
          ? readFileSync(out, 'utf8')
              .split('\n')
              .filter(Boolean)
              .map(line => JSON.parse(line).id)
          : [],
      start: () => launch(['run', 'p.yaml']),
      run: () => launch(['run', 'once.yaml', '--until', 'end']).result,
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    }
  }

  test('52, 64: a start into silence ends with 3 by the deadline, and says where', async () => {
    await using w = await world()
    w.proxy.blackHole()
    const { code, err, ms } = await w.run()
    expect(code).toBe(3)
    expect(err).toContain(`registry.unavailable] The schema registry at http://${w.proxy.address} cannot be used`)
    expect(ms).toBeLessThan(8_000)
  })

  test('52, I11: told to stop while it starts into silence, it ends within the shutdown timeout', async () => {
    await using w = await world()
    w.proxy.blackHole()
    const run = w.start()
    await eventually('it asks', () => w.proxy.accepted > 0)
    const toldMs = performance.now()
    run.stop()
    await run.result
    expect(performance.now() - toldMs).toBeLessThan(8_000)
  })

  test.each<[string, (proxy: FaultProxy) => void]>([
    ['52: silence', proxy => proxy.blackHole()],
    ['51: a drip', proxy => proxy.bandwidth(20)],
    ['49: resets', proxy => proxy.resetAfter(1)],
  ])('%s under way costs no record; what was served meanwhile is delivered, and a stop is clean', async (_, hurt) => {
    await using w = await world()
    const run = w.start()
    w.feed('a')
    await eventually('the first', () => w.delivered().length === 1)
    hurt(w.proxy)
    w.feed('b', 'c')
    await eventually('those of the outage', () => w.delivered().length === 3)
    run.stop()
    const { code, ms } = await run.result
    expect(code).toBe(0)
    expect(ms).toBeLessThan(15_000)
    w.proxy.heal()
    w.feed('d')
    expect(await w.run()).toMatchObject({ code: 0, err: '' })
    expect(w.delivered()).toEqual(['a', 'b', 'c', 'd'])
  })
})
