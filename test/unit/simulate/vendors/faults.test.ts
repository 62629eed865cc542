import { readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createFaults } from '../../../../src/simulate/vendors/faults.ts'
import { simulateVendor, vendorSpecs } from '../../../../src/simulate/vendors/index.ts'
import type { VendorOptions } from '../../../../src/simulate/vendors/settings.ts'
import { createFakeClock } from '../../../support/fake-clock.ts'
import { named } from '../../../support/named-vendor.ts'

const kinds = {
  a: { scope: 'call', doc: '' },
  b: { scope: 'call', doc: '' },
  rare: { scope: 'call', doc: '', asked: true },
  fails: { scope: 'job', doc: '' },
} as const

test('a share is of all kinds of a scope together, one kind may have its own, and some come only when asked for', () => {
  const count = (share: number, each: Record<string, number> = {}) => {
    const faults = createFaults(kinds, 3, { share, each })
    const drawn = Array.from({ length: 4000 }, (_, n) => faults.draw('call', n))
    return (kind: string) => drawn.filter(each => each === kind).length / drawn.length
  }
  const all = count(0.2)
  expect([all('a'), all('b'), all('rare')]).toEqual([expect.closeTo(0.1, 1), expect.closeTo(0.1, 1), 0])
  const own = count(0, { rare: 0.25 })
  expect([own('a'), own('rare')]).toEqual([0, expect.closeTo(0.25, 1)])
})

test('what was asked for next comes once, for what it befalls', () => {
  const faults = createFaults(kinds, 1, { share: 0, each: {} })
  faults.next('fails')
  expect([faults.draw('call', 1), faults.draw('job', 1), faults.draw('job', 1)]).toEqual([null, 'fails', null])
})

test('shares that make no sense are refused', () => {
  const faults = createFaults(kinds, 1, { share: 0, each: {} })
  expect(() => faults.set(0, { nope: 0.1 })).toThrow('fault has no kind "nope"')
  expect(() => faults.set(1.5)).toThrow('cannot be 1.5')
  expect(() => faults.set(0.5, { rare: 0.9 })).toThrow('more than 100%')
  expect(() => faults.next('nope')).toThrow('fault has no kind')
})

test.each<[VendorOptions, string]>([
  [{ port: 70_000 }, 'port'],
  [{ readyAfter: -1 }, 'readyAfter'],
  [{ rateLimit: 0 }, 'rateLimit'],
  [{ locale: 'xx-XX' }, 'locale'],
  [{ key: '' }, 'key'],
  [{ user: 'a:b' }, 'user'],
  [{ fault: { nope: 0.1 } }, 'fault'],
])('%j is refused', async (options, at) => {
  await expect(simulateVendor('brightdata', options)).rejects.toMatchObject({ code: 'usage.invalid', at })
})

test('a name that nobody has is refused with those there are', async () => {
  await expect(simulateVendor('nobody')).rejects.toMatchObject({
    code: 'usage.invalid',
    hint: expect.stringContaining('brightdata, dataforseo'),
  })
})

test.each(Object.keys(vendorSpecs))(
  '%s says what it offers, shows its journal, and answers to no foreign name',
  async name => {
    const { ask, vendor } = await named(name)
    const page = await ask('/')
    expect([page.status, page.text.includes(vendor.url)]).toEqual([200, true])
    for (const kind of Object.keys(vendorSpecs[name]!.faults)) expect(page.text).toContain(kind)
    expect((await ask('/_journal')).text).toBe('')
    const { request } = await import('node:http')
    const status = await new Promise(done =>
      request(`${vendor.url}/`, { headers: { host: 'evil.example' } }, answer =>
        done(answer.resume().statusCode),
      ).end(),
    )
    expect(status).toBe(421)
  },
)

const trigger = '/datasets/v3/trigger?dataset_id=gd_le8e811kzy4ggddlq'
const inputs = [{ url: 'https://www.amazon.com/dp/B0WEIRTST1/' }]

test.each(['reset', 'truncated'])('after %s the job is accepted and paid, and the client was not told', async kind => {
  const { ask, vendor } = await named('brightdata')
  vendor.failNext(kind)
  const answer = await ask(trigger, { body: inputs }).catch(() => null)
  expect(answer?.body).toBeUndefined()
  expect(vendor.journal.map(({ event }) => event)).toEqual(['fault', 'job'])
  const list = await ask('/datasets/v3/snapshots?dataset_id=gd_le8e811kzy4ggddlq')
  expect(list.body).toMatchObject([{ id: expect.stringMatching(/^s_/), inputs: [inputs[0]!.url] }])
})

test('after drop, and after an error, no job was accepted', async () => {
  const { ask, vendor } = await named('brightdata')
  vendor.failNext('drop')
  await expect(ask(trigger, { body: inputs })).rejects.toThrow()
  vendor.failNext('500')
  expect((await ask(trigger, { body: inputs })).status).toBe(500)
  expect(vendor.journal.map(({ event }) => event)).toEqual(['fault', 'fault'])
})

test('a slow answer takes its time, and a vendor that closes ends it', async () => {
  const clock = createFakeClock()
  const { ask, vendor } = await named('rainforest', { clock, slowMs: 90_000 })
  vendor.failNext('slow')
  const slow = ask('/request?api_key=weir-demo-key&type=product&asin=B0WEIRTST1')
  await clock.waiting()
  expect(clock.waits).toEqual([90_000])
  await clock.advance(90_000)
  expect((await slow).status).toBe(200)
  vendor.failNext('slow')
  const ended = ask('/request?api_key=weir-demo-key&type=product&asin=B0WEIRTST1').catch(() => null)
  await clock.waiting()
  await vendor.close()
  expect((await ended)?.status ?? 503).toBe(503)
})

test('the journal is appended to a file as well, and no key is in it', async () => {
  const file = join(tmpdir(), `weir-journal-${process.pid}.ndjson`)
  onTestFinished(() => rmSync(file, { force: true }))
  const { ask, vendor } = await named('scrapehero', { journalFile: file })
  await ask('/amz/product-reviews/?x-api-key=weir-demo-key&asin=B0WEIRTST1')
  const lines = readFileSync(file, 'utf8').trim().split('\n')
  expect(lines.map(line => JSON.parse(line))).toEqual(vendor.journal)
  expect(lines.join('')).not.toContain('weir-demo-key')
})
