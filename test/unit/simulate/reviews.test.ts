import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { type Served, type SimulateOptions, type Simulation, simulateReviews } from '../../../src/simulate/reviews.ts'
import { createFakeClock } from '../../support/fake-clock.ts'

const running: Simulation[] = []
afterEach(async () => {
  for (const vendor of running.splice(0)) await vendor.close()
})

async function start(options: SimulateOptions = {}): Promise<Simulation> {
  const vendor = await simulateReviews({ clock: createFakeClock(), ...options })
  running.push(vendor)
  return vendor
}

interface Page {
  readonly reviews: readonly {
    readonly id: string
    readonly asin: string
    readonly updated_at: string
    readonly body: string
  }[]
  readonly has_more: boolean
  readonly next_cursor: string | null
  readonly next: string | null
}

const get = async ({ url }: Simulation, path: string): Promise<Page> =>
  (await fetch(`${url}${path}`)).json() as Promise<Page>
const idsOf = (page: Page) => page.reviews.map(review => review.id)

/** Ids of all pages, from `first` on. */
async function walk(first: Page, next: (page: Page, number: number) => Promise<Page> | null): Promise<string[]> {
  const ids: string[] = []
  let page: Page | null = first
  for (let number = 2; page !== null && number < 100; number++) {
    ids.push(...idsOf(page))
    page = await next(page, number)
  }
  return ids
}

describe('pages', () => {
  const asin = 'B000G6MBX2'

  test('by number, offset, cursor, URL and Link header give the same reviews, each once', async () => {
    const vendor = await start()
    const path = `/reviews?asin=${asin}&page_size=7`
    const first = await get(vendor, path)
    const byNumber = await walk(first, (page, n) => (page.has_more ? get(vendor, `${path}&page=${n}`) : null))
    const byOffset = await walk(first, (page, n) =>
      page.has_more ? get(vendor, `${path}&offset=${(n - 1) * 7}`) : null,
    )
    const byCursor = await walk(first, page =>
      page.next_cursor ? get(vendor, `${path}&cursor=${page.next_cursor}`) : null,
    )
    const byUrl = await walk(first, page =>
      page.next ? fetch(page.next).then(answer => answer.json() as Promise<Page>) : null,
    )
    expect(byNumber.length).toBeGreaterThan(20)
    expect(new Set(byNumber).size).toBe(byNumber.length)
    expect([byOffset, byCursor, byUrl]).toEqual([byNumber, byNumber, byNumber])

    const byLink: string[] = []
    for (let url: string | undefined = `${vendor.url}${path}`; url; ) {
      const answer: Response = await fetch(url)
      byLink.push(...idsOf((await answer.json()) as Page))
      url = /<([^>]+)>; rel="next"/.exec(answer.headers.get('link') ?? '')?.[1]
    }
    expect(byLink).toEqual(byNumber)
  })

  test('are newest first, or oldest first when asked, and keep to the product', async () => {
    const vendor = await start()
    const newest = await get(vendor, `/reviews?asin=${asin}&page_size=100`)
    const oldest = await get(vendor, `/reviews?asin=${asin}&page_size=100&sort=oldest`)
    expect(idsOf(oldest)).toEqual(idsOf(newest).toReversed())
    expect(new Set(newest.reviews.map(review => review.asin))).toEqual(new Set([asin]))
    const times = newest.reviews.map(review => review.updated_at)
    expect(times).toEqual(times.toSorted().toReversed())
  })
})

describe('time', () => {
  test('new reviews and edits appear as the clock moves, each with the newest updated_at', async () => {
    const clock = createFakeClock()
    const vendor = await start({ clock, initial: 50, addEveryMs: 1000, editEvery: 2 })
    const before = await get(vendor, '/reviews?page_size=1000')
    expect(before.reviews).toHaveLength(50)
    await clock.advance(4_000)
    const after = await get(vendor, '/reviews?page_size=1000')
    const seen = new Map(before.reviews.map(review => [review.id, review]))
    const added = after.reviews.filter(review => !seen.has(review.id))
    const edited = after.reviews.filter(
      review => seen.has(review.id) && seen.get(review.id)!.updated_at !== review.updated_at,
    )
    expect([added.length, after.reviews.length, edited.length]).toEqual([4, 54, 2])
    for (const review of edited) expect(review.body).not.toBe(seen.get(review.id)!.body)
    const newestBefore = before.reviews[0]!.updated_at
    for (const review of [...added, ...edited]) expect(review.updated_at > newestBefore).toBe(true)
  })
})

describe('the same seed', () => {
  const troubled: SimulateOptions = { faults: 0.4, malformed: 0.1, faultKinds: ['500', '503', 'html'] }
  const talk = async (options: SimulateOptions) => {
    const vendor = await start({ ...troubled, ...options })
    const answers: string[] = []
    for (let page = 1; page <= 15; page++) {
      const answer = await fetch(`${vendor.url}/reviews?page_size=20&page=${page}`)
      answers.push(`${answer.status} ${(await answer.text()).replaceAll(vendor.url, '')}`)
    }
    return { answers, journal: [...vendor.journal] }
  }

  test('serves the same, faults and damage included; another seed does not', async () => {
    const once = await talk({ seed: 7 })
    expect(await talk({ seed: 7 })).toEqual(once)
    expect((await talk({ seed: 8 })).answers).not.toEqual(once.answers)
  })

  test('damages about the share asked for, and says so in the journal', async () => {
    const vendor = await start({ malformed: 0.1, initial: 366 })
    await get(vendor, '/reviews?page_size=1000')
    const damaged = vendor.journal.filter(entry => !entry.sound).length
    expect(damaged).toBeGreaterThan(366 * 0.05)
    expect(damaged).toBeLessThan(366 * 0.17)
  })
})

describe('the journal', () => {
  test('has what was served in full, in memory, in its file and at its address', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'weir-journal-'))
    try {
      const journalFile = join(dir, 'served.ndjson')
      const vendor = await start({ journalFile })
      const first = await get(vendor, '/reviews?page_size=5')
      const second = await get(vendor, '/reviews?page_size=5&page=2')
      const expected = [first, second].flatMap((page, i) =>
        page.reviews.map(({ id, asin, updated_at }): Served => ({ request: i + 1, asin, id, updated_at, sound: true })),
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

  test.each(['500', '503', 'html', 'reset'] as const)('has nothing of an answer that failed by %s', async kind => {
    const vendor = await start({ faults: 1, faultKinds: [kind] })
    await fetch(`${vendor.url}/reviews`)
      .then(answer => answer.json())
      .catch(() => {})
    expect(vendor.journal).toEqual([])
    expect(vendor.counts).toEqual({ [kind]: 1 })
  })
})

describe('trouble on request', () => {
  test('a reset cuts the body in the middle', async () => {
    const vendor = await start({ faults: 1, faultKinds: ['reset'] })
    const answer = await fetch(`${vendor.url}/reviews?page_size=100`)
    expect(answer.status).toBe(200)
    await expect(answer.text()).rejects.toThrow()
  })

  test('an HTML page comes with status 200', async () => {
    const answer = await fetch(`${(await start({ faults: 1, faultKinds: ['html'] })).url}/reviews`)
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, expect.stringContaining('text/html')])
  })

  test('a slow answer comes when the clock has moved', async () => {
    const clock = createFakeClock()
    const vendor = await start({ clock, faults: 1, faultKinds: ['slow'], slowMs: 60_000 })
    const answer = get(vendor, '/reviews?page_size=2')
    for (let turns = 0; clock.waits.length === 0 && turns < 1_000_000; turns++) await new Promise(setImmediate)
    await clock.advance(60_000)
    expect((await answer).reviews).toHaveLength(2)
  })

  test('above the rate it answers 429 with Retry-After until the next second', async () => {
    const clock = createFakeClock()
    const vendor = await start({ clock, perSecond: 2 })
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

  test.each([
    [{}, 401],
    [{ authorization: 'Bearer wrong' }, 401],
    [{ authorization: 'Bearer right' }, 200],
    [{ 'x-api-key': 'right' }, 200],
  ])('with a token, %j is answered %i', async (headers, status) => {
    const vendor = await start({ token: 'right' })
    expect((await fetch(`${vendor.url}/reviews`, { headers: headers as Record<string, string> })).status).toBe(status)
  })

  test('a port in use is an error of the environment, with a hint', async () => {
    const { url } = await start()
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
