// The auditor of simulated vendors finds what it is there for: each case is a good end with one thing wrong.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { VendorEntry } from '../../../src/simulate/vendors/entry.ts'
import { runAuditor } from '../../support/review-files.ts'

const dir = mkdtempSync(join(tmpdir(), 'weir-audit-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const asin = 'B0WEIRTST1'
const served = (id: string, more: Partial<Extract<VendorEntry, { event: 'served' }>> = {}): VendorEntry => ({
  ...{ event: 'served', call: 3, job: 'j1', what: 'review', asin, id, version: 1, fault: null, refused: false },
  ...{ first: true, sha256: `sha of ${id}`, ...more },
})
const job = (id: string): VendorEntry => ({ event: 'job', call: 1, job: id, asins: [asin], params: {}, cost: 1 })
const told = (id: string): VendorEntry => ({ event: 'told', call: 1, jobs: [id] })
const ended = (id: string): VendorEntry => ({ event: 'ended', job: id, state: 'ready' })
const record = (id: string, identity = `p/s/${id}`) => ({
  headers: { 'weir-id': identity },
  value: { review_id: id, product_asin: asin },
})
const letter = (original: string, identity = `p/s/${original}`) => ({
  headers: { 'weir-id': identity },
  value: { original: Buffer.from(original).toString('base64') },
})

interface End {
  readonly journal: VendorEntry[]
  readonly runs: { to: number; killed: boolean; held: string[] }[]
  readonly topic: ReturnType<typeof record>[]
  readonly dead: ReturnType<typeof letter>[]
}

/** Two records and a dead letter out of one job, which a killed process held, read again by the next. */
function goodEnd(): End {
  const items = [served('R1'), served('R2'), served('R3', { refused: true, fault: 'rating_null' })]
  return {
    journal: [job('j1'), told('j1'), ended('j1'), ...items, ...items],
    runs: [
      { to: 6, killed: true, held: ['j1'] },
      { to: 100, killed: false, held: [] },
    ],
    topic: [record('R1'), record('R2')],
    dead: [letter('{"id":"R3"}')],
  }
}

async function audit(end: End, ...flags: string[]): Promise<string> {
  const file = (name: keyof End) => {
    writeFileSync(join(dir, name), end[name].map(each => JSON.stringify(each)).join('\n'))
    return [`--${name}`, join(dir, name)]
  }
  const files = (['journal', 'runs', 'topic', 'dead'] as const).flatMap(file)
  const { ok, report } = await runAuditor([...files, '--jobs', '--seed', '7', ...flags], 'audit-vendor.ts')
  expect(ok).toBe(!report.includes('anomalies'))
  return report
}

describe('the auditor of vendors', () => {
  test('is content with a good end', async () => {
    expect(await audit(goodEnd())).toMatch(
      /^6 served = 2 records \+ 1 dead letters \+ 0 passed over \+ 3 again; 1 jobs, 0/,
    )
  })

  test.each<[string, (end: End) => void]>([
    ['lost-write', ({ topic }) => topic.pop()],
    ['duplicate', ({ topic }) => topic.push(record('R1', 'p/s/another'))],
    ['duplicate', ({ topic }) => topic.push(record('R1'))],
    ['dlq-missing', ({ dead }) => dead.pop()],
    ['dlq-double', ({ dead }) => dead.push(letter('{"id":"R3"}', 'p/s/another'))],
    ['invented', ({ topic }) => topic.push(record('R9'))],
    ['invented', ({ dead }) => dead.push(letter('{"id":"R9"}'))],
    ['paid-twice', ({ journal }) => journal.splice(6, 0, job('j2'))],
  ])('tells of %s', async (name, spoil) => {
    const end = goodEnd()
    spoil(end)
    expect(await audit(end)).toMatch(new RegExp(`^${name} .*\\(seed 7\\)`))
  })

  test('a job whose answer was lost may be submitted again, but not where it can be found', async () => {
    const { journal, ...end } = goodEnd()
    const again = { ...end, journal: [job('j0'), ...journal] }
    expect(await audit(again)).toMatch(/2 jobs, 1 submitted again/)
    expect(await audit(again, '--can-find')).toMatch(/^paid-twice B0WEIRTST1: j1 after j0/)
  })
})
