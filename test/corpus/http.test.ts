// Set C, run through the real source and the real guard against a server that says exactly these bytes.
import { readFileSync } from 'node:fs'
import tls from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { WeirError } from '../../src/core/errors.ts'
import type { Event } from '../../src/core/event.ts'
import type { SourceBatch } from '../../src/core/record.ts'
import { openFetchGuard } from '../../src/fetch/open.ts'
import { http } from '../../src/sources/http/http.ts'
import { fetchSettings, httpConfig } from '../support/http-config.ts'
import { rawServer } from '../support/raw-server.ts'
import { type Case, cases } from './http/cases.ts'

const pem = (name: string) => readFileSync(new URL(`http/tls/${name}`, import.meta.url), 'utf8')
const trusted = tls.getCACertificates()
beforeAll(() => tls.setDefaultCACertificates([...trusted, pem('ca.pem')]))
afterAll(() => tls.setDefaultCACertificates(trusted))

async function run(each: Case) {
  const certificate = each.tls && each.tls !== 'plain server' ? { key: pem(`${each.tls}.key`), cert: pem(`${each.tls}.pem`) } : undefined
  await using server = await rawServer(each.respond, certificate)
  const events: Event[] = []
  const emit = (event: Event) => void events.push(event)
  const store = { load: async () => null, save: async () => {} }
  await using guard = openFetchGuard({ settings: fetchSettings(each.fetch), pipeline: 'p', clock: systemClock, random: () => 0.5, emit, store })
  const base = each.tls ? server.url.replace('http:', 'https:') : server.url
  const request = { ...(each.source?.['request'] as object), url: `${base}/r` }
  const config = httpConfig({ ...each.source, request })
  await using source = http.open(config, { pipeline: 'p', clock: systemClock, random: () => 0.5, emit, baseDir: '/', fetch: () => guard })
  const batches: SourceBatch[] = []
  let error: unknown
  try {
    for await (const batch of source.read({ id: 'all', vars: {} }, null, new AbortController().signal)) batches.push(batch)
  } catch (thrown) {
    error = thrown
  }
  const waits = events.flatMap(event => (event.type === 'fetch_retry' ? [event.waitMs] : []))
  if (each.calls !== undefined) expect(server.requests).toHaveLength(each.calls)
  each.check?.(server, waits)
  return { batches, error, events }
}

describe('answers of a source', () => {
  test('the set has its 59 cases', () => expect(new Set(cases.map(each => each.name)).size).toBe(59))

  test.each(cases)('C: $name', async each => {
    const startedMs = performance.now()
    const { batches, error, events } = await run(each)
    expect(performance.now() - startedMs).toBeLessThan(3000)
    const items = batches.flatMap(batch => batch.items)
    if ('code' in each.expect) {
      expect(error).toBeInstanceOf(WeirError)
      expect(error).toMatchObject({ code: each.expect.code })
      // What was complete before it may be out; the page that failed is not.
      expect(batches.length).toBeLessThanOrEqual(each.expect.code === 'source.loop' ? 1 : 0)
      const shown = JSON.stringify([(error as WeirError).message, (error as WeirError).at, (error as WeirError).hint, events])
      expect(shown).not.toContain('PAYLOAD')
      expect((error as WeirError).at, 'every error says where').toBeTruthy()
    } else {
      expect(error).toBeUndefined()
      expect(items).toHaveLength(each.expect.items)
      expect(items.flatMap(item => (item.error ? [item.error.code] : []))).toEqual(each.expect.dead ? [each.expect.dead] : [])
    }
  })

  test('I10: bombs do not grow the process', async () => {
    const before = process.memoryUsage().rss
    for (const each of cases.filter(({ name }) => /bomb|never ends/.test(name))) await run(each)
    expect(process.memoryUsage().rss - before).toBeLessThan(96 * 1024 * 1024)
  })
})
