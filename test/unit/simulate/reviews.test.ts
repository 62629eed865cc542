import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Served, type SimulateOptions, simulateReviews } from '../../../src/simulate/reviews.ts'
import { eventually } from '../../support/eventually.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { getPage, startVendor } from '../../support/vendor.ts'

describe('time', () => {
  test('new reviews and edits appear as the clock moves, each with a newer updated_at than all before', async () => {
    const clock = createFakeClock()
    const vendor = await startVendor({ clock, initial: 50, addEveryMs: 1000, editEvery: 2 })
    const before = await getPage(vendor, '/reviews?page_size=1000')
    expect(before.reviews).toHaveLength(50)
    await clock.advance(40_000)
    const after = await getPage(vendor, '/reviews?page_size=1000')
    const seen = new Map(before.reviews.map(review => [review.id, review]))
    const added = after.reviews.filter(review => !seen.has(review.id))
    const edited = after.reviews.filter(
      review => seen.has(review.id) && seen.get(review.id)!.updated_at !== review.updated_at,
    )
    expect([added.length, after.reviews.length]).toEqual([40, 90])
    expect(edited.length).toBeGreaterThan(5)
    for (const review of edited) expect(review.body).not.toBe(seen.get(review.id)!.body)
    const newestBefore = before.reviews[0]!.updated_at
    for (const review of [...added, ...edited]) expect(review.updated_at > newestBefore).toBe(true)
  })

  test('edits go on when no more reviews are left', async () => {
    const vendor = await startVendor({ initial: 366, editEvery: 1 })
    vendor.advance(1000)
    expect(vendor.present()).toHaveLength(366)
    const versions = vendor.present().map(({ version }) => version)
    expect(versions.reduce((sum, version) => sum + version - 1, 0)).toBe(1000)
  })

  test('a vendor started again with the ticks of the last one goes on where it stopped', async () => {
    const options: SimulateOptions = { initial: 40, editEvery: 3, malformed: 0.2, seed: 5 }
    const one = await startVendor(options)
    one.advance(70)
    const again = await startVendor({ ...options, ticks: one.ticks })
    expect(again.present()).toEqual(one.present())
  })
})

describe('the same seed', () => {
  const troubled: SimulateOptions = {
    faults: 0.4,
    malformed: 0.1,
    faultKinds: ['500', '503', 'html', 'captcha', '429'],
  }
  const talk = async (options: SimulateOptions) => {
    const vendor = await startVendor({ ...troubled, editEvery: 2, initial: 200, ...options })
    const answers: string[] = []
    for (let page = 1; page <= 15; page++) {
      vendor.advance(5)
      const answer = await fetch(`${vendor.url}/reviews?page_size=20&page=${page}`)
      answers.push(`${answer.status} ${(await answer.text()).replaceAll(vendor.url, '')}`)
    }
    return { answers, journal: [...vendor.journal] }
  }

  test('serves the same, faults, damage, additions and edits included; another seed does not', async () => {
    const once = await talk({ seed: 7 })
    expect(await talk({ seed: 7 })).toEqual(once)
    expect((await talk({ seed: 8 })).answers).not.toEqual(once.answers)
  })

  test('damages about the share asked for, and says so in the journal', async () => {
    const vendor = await startVendor({ malformed: 0.1, initial: 366 })
    await getPage(vendor, '/reviews?page_size=1000')
    const damaged = vendor.journal.filter(entry => entry.damage !== null).length
    expect(damaged).toBeGreaterThan(366 * 0.05)
    expect(damaged).toBeLessThan(366 * 0.17)
  })
})

describe('the journal', () => {
  test('has what was served in full, in memory, in its file and at its address', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'weir-journal-'))
    try {
      const journalFile = join(dir, 'served.ndjson')
      const vendor = await startVendor({ journalFile })
      const first = await getPage(vendor, '/reviews?page_size=5')
      const second = await getPage(vendor, '/reviews?page_size=5&page=2')
      const expected = [first, second].flatMap((page, i) =>
        page.reviews.map((review): Served => {
          const { id, asin, updated_at } = review
          const sha256 = createHash('sha256').update(JSON.stringify(review)).digest('hex')
          return { request: i + 1, asin, id, version: 1, updated_at, damage: null, sha256 }
        }),
      )
      const lines = (text: string) =>
        text
          .trimEnd()
          .split('\n')
          .map(line => JSON.parse(line))
      expect(vendor.journal).toEqual(expected)
      expect(lines(readFileSync(journalFile, 'utf8'))).toEqual(expected)
      expect(lines(await (await fetch(`${vendor.url}/_journal`)).text())).toEqual(expected)
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  })

  test.each(['500', '503', '429', 'html', 'captcha', 'reset'] as const)(
    'has nothing of an answer that failed by %s',
    async kind => {
      const vendor = await startVendor({ faults: 1, faultKinds: [kind] })
      await fetch(`${vendor.url}/reviews`)
        .then(answer => answer.json())
        .catch(() => {})
      expect(vendor.journal).toEqual([])
      expect(vendor.counts).toEqual({ [kind]: 1 })
    },
  )

  test('has nothing of an answer that the client did not wait for', async () => {
    const clock = createFakeClock()
    const vendor = await startVendor({ clock, faults: 1, faultKinds: ['slow'], slowMs: 60_000 })
    const impatient = new AbortController()
    const gone = fetch(`${vendor.url}/reviews`, { signal: impatient.signal }).catch(error => error.name)
    await eventually('the answer is slow', () => clock.waits.length === 1)
    impatient.abort()
    expect(await gone).toBe('AbortError')
    // Another call: once it is answered, the server has seen that the first client is gone.
    vendor.setFaults(0)
    await getPage(vendor, '/reviews?page_size=1')
    await clock.advance(60_000)
    await getPage(vendor, '/reviews?page_size=1')
    expect(vendor.journal.map(({ request }) => request)).toEqual([2, 3])
  })

  test('is refused where it cannot be written', async () => {
    await expect(simulateReviews({ journalFile: '/nowhere/served.ndjson' })).rejects.toMatchObject({
      code: 'usage.invalid',
      at: '/nowhere/served.ndjson',
      hint: expect.any(String),
    })
  })
})

describe('trouble on request', () => {
  test('a reset cuts the body in the middle', async () => {
    const vendor = await startVendor({ faults: 1, faultKinds: ['reset'] })
    const answer = await fetch(`${vendor.url}/reviews?page_size=100`)
    expect(answer.status).toBe(200)
    await expect(answer.text()).rejects.toThrow()
  })

  test('an HTML page comes with status 200', async () => {
    const answer = await fetch(`${(await startVendor({ faults: 1, faultKinds: ['html'] })).url}/reviews`)
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, expect.stringContaining('text/html')])
  })

  test('a slow answer comes when the clock has moved', async () => {
    const clock = createFakeClock()
    const vendor = await startVendor({ clock, faults: 1, faultKinds: ['slow'], slowMs: 60_000 })
    const answer = getPage(vendor, '/reviews?page_size=2')
    await eventually('the answer is slow', () => clock.waits.length === 1)
    await clock.advance(60_000)
    expect((await answer).reviews).toHaveLength(2)
  })

  test('a robot check comes with status 200, and a 429 with a date when the vendor writes dates', async () => {
    const clock = createFakeClock()
    const vendor = await startVendor({ clock, retryAfter: 'date' })
    const check = await fetch(`${vendor.url}/reviews?fault=captcha`)
    expect([check.status, await check.text()]).toEqual([200, expect.stringContaining('Robot Check')])
    const throttled = await fetch(`${vendor.url}/reviews?fault=429`)
    expect([throttled.status, Date.parse(throttled.headers.get('retry-after')!)]).toEqual([429, clock.now() + 1000])
  })

  test('a vendor that closes lets no slow answer wait', async () => {
    const clock = createFakeClock()
    const vendor = await startVendor({ clock, faults: 1, faultKinds: ['slow'], slowMs: 60_000 })
    const answer = fetch(`${vendor.url}/reviews`).then(
      ({ status }) => status,
      () => 503,
    )
    await eventually('the answer is slow', () => clock.waits.length === 1)
    await vendor.close()
    expect([await answer, vendor.journal]).toEqual([503, []])
  })

  test('above the rate it answers 429 with Retry-After until the next second', async () => {
    const clock = createFakeClock()
    const vendor = await startVendor({ clock, perSecond: 2 })
    const statuses = async () => {
      const answers = []
      for (let n = 0; n < 3; n++) answers.push(await fetch(`${vendor.url}/reviews`))
      return answers.map(answer => [answer.status, answer.headers.get('retry-after')])
    }
    const expected = [
      [200, null],
      [200, null],
      [429, '1'],
    ]
    expect(await statuses()).toEqual(expected)
    await clock.advance(1_000)
    expect(await statuses()).toEqual(expected)
  })

  const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` })
  test.each([
    ['token', {}, 401],
    ['token', { authorization: 'Bearer wrong' }, 401],
    ['token', { authorization: 'Bearer right' }, 200],
    ['token', { 'x-api-key': 'right' }, 200],
    ['token', basic('me:right'), 401],
    ['basic', {}, 401],
    ['basic', basic('me:wrong'), 401],
    ['basic', basic('you:right'), 401],
    ['basic', basic('me:right'), 200],
    ['basic', { authorization: 'Bearer right' }, 401],
    ['both', basic('me:right'), 200],
    ['both', { 'x-api-key': 'right' }, 200],
    ['both', {}, 401],
  ])('asked for %s, %j is answered %i', async (how, headers, status) => {
    const vendor = await startVendor({
      token: how === 'basic' ? null : 'right',
      basic: how === 'token' ? null : { username: 'me', password: 'right' },
    })
    const answer = await fetch(`${vendor.url}/reviews`, { headers: headers as Record<string, string> })
    expect(answer.status).toBe(status)
    if (status === 401) expect(answer.headers.get('www-authenticate')).toMatch(how === 'token' ? /^Bearer/ : /^Basic/)
  })

  test('a port in use is an error of the environment, with a hint', async () => {
    const { url } = await startVendor()
    await expect(simulateReviews({ port: Number(new URL(url).port) })).rejects.toMatchObject({
      code: 'listen.failed',
      hint: expect.any(String),
    })
  })
})

describe('the shipped reviews', () => {
  const folder = join(import.meta.dirname, '../../../src/simulate/data')
  const reviews = readFileSync(join(folder, 'finefoods.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))

  test('are at most 400 of at least 6 products, whole, oldest first, each id once', () => {
    expect(reviews.length).toBeGreaterThan(200)
    expect(reviews.length).toBeLessThanOrEqual(400)
    expect(new Set(reviews.map(review => review.asin)).size).toBeGreaterThanOrEqual(6)
    expect(new Set(reviews.map(review => review.id)).size).toBe(reviews.length)
    const dates = reviews.map(review => review.date)
    expect(dates).toEqual(dates.toSorted())
  })

  test('name no person, and their licence stands beside them', () => {
    for (const review of reviews) {
      expect(review.author).toMatch(/^reviewer-[0-9a-f]{12}$/)
      expect(Object.keys(review).sort()).toEqual(['asin', 'author', 'body', 'date', 'helpful', 'id', 'stars', 'title'])
    }
    const licences = readFileSync(join(folder, 'LICENSES.md'), 'utf8')
    expect(licences).toContain('CC0-1.0')
    expect(licences).toContain(`| ${reviews.length} |`)
  })
})
