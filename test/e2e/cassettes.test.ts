// Cassettes by the command line: replayed without a network, differing in words a person understands, recorded without secrets and names.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type CliResult, runWeir } from '../support/cli.ts'

const deadlineMs = 60_000
let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'weir-cassettes-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const weir = (argv: readonly string[], env: Record<string, string> = {}): Promise<CliResult> =>
  runWeir(argv, { cwd: dir, env, deadlineMs })
const change = (file: string, from: string, to: string) => {
  const text = readFileSync(join(dir, file), 'utf8')
  expect(text).toContain(from)
  writeFileSync(join(dir, file), text.replace(from, to))
}

describe('weir test', { timeout: deadlineMs }, () => {
  const cassette = 'cassettes/my_vendor/reviews.yaml'

  test('passes on what weir connectors new wrote, by folder, vendor file and cassette', async () => {
    await weir(['connectors', 'new', 'my_vendor'])
    for (const target of [[], ['my_vendor.yaml'], [cassette]]) {
      const { code, out, err } = await weir(['test', ...target])
      expect({ code, err }).toEqual({ code: 0, err: '' })
      expect(out).toBe(`ok   ${cassette}  2 requests, 1 record\n\n1 cassette, all passed\n`)
    }
    expect((await weir(['lint', '--strict'])).out).toBe('2 files checked, nothing wrong.\n')
  })

  test('a mistake in the cursor is told with what came of it, at its line', async () => {
    await weir(['connectors', 'new', 'my_vendor'])
    change('my_vendor.yaml', 'field: this.updated_at', 'field: this.created_at')
    const { code, out } = await weir(['test'])
    expect(code).toBe(2)
    expect(out).toContain(`FAIL ${cassette}`)
    expect(out).toContain('Record 1 is missing: 1 expected, 0 came.')
    expect(out).toMatch(/The first dead letter: source\.item_shape: The item lacks the field that the cursor needs/)
    expect(out).toMatch(/--> cassettes\/my_vendor\/reviews\.yaml:15:/)
    expect(out).toContain('1 cassette, 1 failed')
  })

  test('a mistake in the mapping is told by field, a request that nobody answers with the nearest exchange', async () => {
    await weir(['connectors', 'new', 'my_vendor'])
    change('my_vendor.yaml', 'rating: double(this.stars)', 'rating: double(this.stars) - 1.0')
    expect((await weir(['test'])).out).toContain('Record 1: rating is 4, expected is 5.')
    change('my_vendor.yaml', 'param: page,', 'param: seite,')
    const { code, out } = await weir(['test', '--json'])
    expect(code).toBe(2)
    expect(JSON.parse(out)).toMatchObject({
      cassettes: 1,
      failed: 1,
      results: [
        {
          file: cassette,
          passed: false,
          differences: [
            {
              code: 'cassette.unmatched',
              message: expect.stringMatching(
                /^Request 1, GET api\.example\.com\/v1\/reviews\?.*seite=1.* The nearest is exchange 1: page in the query is not there, the cassette has "1"\.$/,
              ),
              line: 5,
            },
          ],
        },
      ],
    })
  })

  test('--update writes what came of it and leaves the rest as it is', async () => {
    await weir(['connectors', 'new', 'my_vendor'])
    change('my_vendor.yaml', 'rating: double(this.stars)', 'rating: double(this.stars) - 1.0')
    const updated = await weir(['test', '--update'])
    expect([updated.code, updated.out]).toEqual([0, expect.stringContaining('expectations rewritten')])
    const text = readFileSync(join(dir, cassette), 'utf8')
    expect(text).toMatch(/^# A cassette: /)
    expect(text).toMatch(/rating: 4\n[\s\S]*cursor:\n {4}product=A1: up to 2024-01-05T10:00:00\.000Z/)
    expect((await weir(['test'])).code).toBe(0)
    expect((await weir(['test', '--update'])).out).not.toContain('rewritten')
  })

  test('waits of hours pass at once, and nothing connects', async () => {
    let connections = 0
    const server = createServer().on('connection', socket => {
      connections++
      socket.destroy()
    })
    await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
    const { port } = server.address() as AddressInfo
    writeFileSync(
      join(dir, 'slow.yaml'),
      `vendor: slow
summary: Slow.
source: { http: { request: { url: "http://127.0.0.1:${port}/r" }, records: body, cursor: { mode: membership, id: this.id } } }
map: { review_id: this.id, product_asin: '"A"', rating: double(this.stars) }
`,
    )
    mkdirSync(join(dir, 'cassettes'))
    writeFileSync(
      join(dir, 'cassettes/slow.yaml'),
      `vendor: slow
fetch: { allow_private: [127.0.0.0/8], retry: { attempts: 20, retry_after_max: 3h, backoff: { min: 1h, max: 2h } } }
passes: 2
pause: 1d
exchanges:
  - { request: { path: /r }, response: { status: 429, headers: { retry-after: "7200" } }, times: 3 }
  - { request: { path: /r }, fails: timeout }
  - { request: { path: /r }, response: { body: [{ id: a, stars: 5 }] }, times: 2 }
expect: { requests: 6, records: [{ review_id: a }], drops: { duplicate: 1 } }
`,
    )
    const { code, out, ms } = await weir(['test'])
    server.close()
    expect([code, out]).toEqual([0, expect.stringContaining('6 requests, 1 record')])
    expect(connections).toBe(0)
    expect(ms).toBeLessThan(deadlineMs)
  })

  test('a vendor of weir is tested by its name; what is not there is refused', async () => {
    expect((await weir(['test', 'rainforest'])).out).toContain('5 cassettes, all passed')
    const { code, err } = await weir(['test', 'rainforrest'])
    expect([code, err]).toEqual([2, expect.stringMatching(/usage\.not_found[\s\S]*rainforest/)])
  })
})

describe('weir record', { timeout: deadlineMs }, () => {
  const token = 'canary/secret+42=='
  const name = 'Zoë Canary-Name'
  const person = 'amzn1.account.CANARYPERSON1'

  async function vendor() {
    const server = createServer((request, reply) => {
      const { searchParams, pathname } = new URL(request.url!, 'http://host')
      const json = (body: unknown) =>
        reply
          .setHeader('content-type', 'application/json')
          .setHeader('set-cookie', 'sid=canary-cookie')
          .end(JSON.stringify(body))
      if (pathname === '/token') return json({ access_token: 'canary-issued-token', expires_in: 3600 })
      const echo = `${request.headers.authorization} ${encodeURIComponent(token)} ${Buffer.from(`me:${token}`).toString('base64')}`
      const isFirst = searchParams.get('page') === '1'
      json({
        echo,
        session: { session_token: 'canary-session' },
        reviews: isFirst
          ? [
              {
                id: 'r1',
                at: '2024-01-05T10:00:00Z',
                author: { name, id: person, url: `https://x/gp/profile/${person}`, avatar: 'https://x/canary.jpg' },
                title: `By ${name}`,
                stars: 5,
              },
              { id: 'r2', at: '2024-01-04T10:00:00Z', author: { name: 'Ann' }, title: 'No', stars: 'none' },
            ]
          : [],
      })
    })
    await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const schema = resolve(import.meta.dirname, '../../schemas/raw-review.avsc')
    writeFileSync(
      join(dir, 'shop.yaml'),
      `pipeline: shop
source:
  http:
    request:
      url: "\${BASE}/reviews"
      query: { asked_at: "{{ string(now) }}", key: "\${TOKEN}" }
      auth: { oauth2: { token_url: "${url}/token", client_id: me, client_secret: "\${TOKEN}" } }
    records: body.reviews
    paginate: { page: { param: page, max: 5 } }
    cursor: { id: this.id, field: this.at, order: desc, lookback: 1d }
fetch: { allow_private: [127.0.0.0/8], rate_limit: { requests: 1000, per: 1s } }
map:
  review_id: this.id
  product_asin: '"A"'
  reviewer_name: this.author.name
  review_title: this.title
  rating: double(this.stars)
topic: { name: reviews, schema: "${schema}" }
`,
    )
    return {
      env: { BASE: url, TOKEN: token },
      async [Symbol.asyncDispose]() {
        server.closeAllConnections()
        await new Promise(done => server.close(done))
      },
    }
  }

  test('stores a cassette that replays elsewhere, without a secret, a token, a cookie, a name or an id of a person', async () => {
    let recorded: CliResult
    {
      await using server = await vendor()
      recorded = await weir(['record', 'shop.yaml', '--out', 'cassettes/first.yaml'], server.env)
    }
    expect(recorded).toMatchObject({ code: 0, err: expect.stringContaining('weir test cassettes/first.yaml') })
    expect(recorded.out).toMatch(/^wrote cassettes\/first\.yaml: 3 requests, 1 record\nscrubbed: .*names.*secrets\n/)
    expect(recorded.out).toContain('may be anything, as it changes with each run: query.asked_at')
    const text = readFileSync(join(dir, 'cassettes/first.yaml'), 'utf8')
    for (const shown of [text, recorded.out, recorded.err])
      expect(shown).not.toMatch(/canary|Y2FuYXJ5|Zoë|\bname: Ann\b/i)
    expect(text).toMatch(/dead_letters:\n {4}map\.failed: 1/)
    const replayed = await weir(['test', 'shop.yaml'])
    expect([replayed.code, replayed.out]).toEqual([0, expect.stringContaining('3 requests, 1 record')])
    expect((await weir(['lint', 'cassettes/first.yaml'])).code).toBe(0)
  })

  test('stores nothing when it takes more requests than allowed, or over a file that is there', async () => {
    await using server = await vendor()
    const tooMany = await weir(['record', 'shop.yaml', '--out', 'c.yaml', '--max-requests', '1'], server.env)
    expect([tooMany.code, tooMany.err]).toEqual([
      2,
      expect.stringContaining('more calls than --max-requests allows (1)'),
    ])
    expect(() => readFileSync(join(dir, 'c.yaml'))).toThrow()
    writeFileSync(join(dir, 'c.yaml'), 'mine')
    const there = await weir(['record', 'shop.yaml', '--out', 'c.yaml'], server.env)
    expect([there.code, there.err]).toEqual([2, expect.stringContaining('is there already')])
    expect(readFileSync(join(dir, 'c.yaml'), 'utf8')).toBe('mine')
  })
})
