// The command line on a real cluster and a real registry, as an operator configures them: TLS and logins in weir.yaml, addresses in the
// environment; doctor on what is there; readiness when the broker hangs.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { mainFile, runWeir } from '../../support/cli.ts'
import { eventually } from '../../support/eventually.ts'
import { describeWith } from '../../support/services/for-tests.ts'
import type { Kafka } from '../../support/services/kafka.ts'
import { oauthToken, users } from '../../support/services/kafka-logins.ts'
import { steady } from '../../support/services/kafka-settings.ts'
import { freePort } from '../../support/services/ports.ts'

const root = resolve(import.meta.dirname, '../../..')

interface Findings {
  readonly findings: readonly { readonly check: string; readonly status: string; readonly message: string }[]
}

await describeWith(['own-kafka', 'apicurio'], 'weir on a cluster', (startKafka, registry) => {
  let kafka: Kafka
  let dir: string
  let endpoint: Server
  const unique = `cluster-${process.pid}`
  const topic = `reviews-${unique}`

  beforeAll(async () => {
    kafka = await startKafka({ listeners: ['SASL_SSL'], properties: steady })
    endpoint = createServer((_, response) =>
      response.end(JSON.stringify({ access_token: oauthToken('admin'), expires_in: 3600 })),
    ).listen(0, '127.0.0.1')
    await new Promise(listening => endpoint.once('listening', listening))
    dir = mkdtempSync(join(tmpdir(), 'weir-cluster-'))
    writeFileSync(join(dir, 'ca.pem'), kafka.certificates!.ca)
    writeFileSync(join(dir, 'password'), `${users['admin']}\n`)
    const item = (i: number) =>
      JSON.stringify({ id: `R${i}`, asin: `B${i % 7}`, stars: i === 3 ? 'none' : (i % 5) + 1 })
    writeFileSync(join(dir, 'reviews.ndjson'), `${Array.from({ length: 50 }, (_, i) => item(i)).join('\n')}\n`)
    writeFileSync(
      join(dir, 'pipeline.yaml'),
      `pipeline: ${unique}
source: { file: { paths: [reviews.ndjson] } }
map: { review_id: this.id, product_asin: this.asin, rating: double(this.stars) }
topic: { name: ${topic}, key: record.product_asin, schema: ${join(root, 'schemas/raw-review.avsc')}, partitions: 3 }
consume: [{ group: ${unique}-export, sink: { file: { path: out.ndjson } } }]
`,
    )
  }, 120_000)
  afterAll(async () => {
    endpoint?.close()
    await kafka?.[Symbol.asyncDispose]()
    if (dir) rmSync(dir, { recursive: true, force: true })
  })

  const configure = (sasl: string, more = '') =>
    writeFileSync(
      join(dir, 'weir.yaml'),
      `broker:
  kafka:
    brokers: ["${kafka.addresses.SASL_SSL}"]
    tls: { ca: ca.pem }
    sasl: ${sasl}
${more}registry: { url: "${registry.url}" }
`,
    )
  const weir = (...args: string[]) => runWeir(args, { cwd: dir, deadlineMs: 120_000 })
  const scram = '{ scram_sha_512: { username: admin, password: "${file:password}" } }'

  test('a pipeline runs to its end over TLS with a login; what it did is there to look at', {
    timeout: 240_000,
  }, async () => {
    configure(scram)
    const run = await weir('run', 'pipeline.yaml', '--until', 'end')
    expect({ code: run.code, err: run.err }).toEqual({ code: 0, err: '' })
    expect(run.out).toMatch(/"broker":"kafka","registry":"http"/)
    const described = await weir('topic', 'describe', topic, '--json')
    expect(JSON.parse(described.out)).toMatchObject({ topic, partitions: 3, schema: { subject: `${topic}-value` } })
    const read = await weir('topic', 'cat', topic, '--json')
    expect(read.out.trim().split('\n')).toHaveLength(49)
    expect(JSON.parse((await weir('cursor', 'list', '--json')).out)).toContainEqual({
      pipeline: unique,
      splits: 1,
      running: false,
    })
    expect(JSON.parse((await weir('dlq', 'stats', 'pipeline.yaml', '--json')).out)).toMatchObject({
      by_state: { open: 1 },
    })
  })

  test('doctor says how brokers, topics, replicas and the registry stand', { timeout: 240_000 }, async () => {
    configure(scram)
    const { code, out } = await weir('doctor', '--json')
    const { findings } = JSON.parse(out) as Findings
    const of = (check: string) => findings.filter(each => each.check === check)
    expect(findings.filter(each => each.status === 'fail')).toEqual([])
    expect(code).toBe(0)
    expect(of('broker')).toMatchObject([
      {
        status: 'ok',
        message: expect.stringMatching(/^127\.0\.0\.1:\d+ answers, over TLS, logged in by SCRAM-SHA-512, in \d+ ms$/),
      },
    ])
    expect(of('replicas')).toMatchObject([{ status: 'warn', message: expect.stringContaining('one broker') }])
    expect(of('topics')).toMatchObject([{ status: 'ok', message: 'topics as defined: 1' }])
    expect(of('level')).toHaveLength(1)
    expect(of('store')).toEqual([])
    expect(of('clock')).toMatchObject([{ status: 'ok' }])
  })

  test('doctor names what is wrong: an address, a login, partitions that are others', {
    timeout: 240_000,
  }, async () => {
    configure(scram)
    const dead = await freePort()
    const two = await runWeir(['doctor', '--json'], {
      cwd: dir,
      env: { WEIR_BROKER: `${kafka.addresses.SASL_SSL},127.0.0.1:${dead}` },
    })
    expect(two.code).toBe(3)
    expect((JSON.parse(two.out) as Findings).findings.filter(each => each.check === 'broker')).toMatchObject([
      { status: 'ok' },
      { status: 'fail', message: expect.stringContaining(`127.0.0.1:${dead}`) },
    ])
    configure('{ plain: { username: admin, password: "${NO:-wrong-password}" } }')
    const refused = await weir('doctor', '--json')
    expect(refused.code).toBe(3)
    expect(refused.out).toContain('[log.login_refused]')
    expect(refused.out).not.toContain('wrong-password')
    configure(scram)
    const file = join(dir, 'pipeline.yaml')
    const text = readFileSync(file, 'utf8')
    writeFileSync(file, text.replace('partitions: 3', 'partitions: 4'))
    const partitions = await weir('doctor', '--json')
    writeFileSync(file, text)
    expect(partitions.code).toBe(3)
    expect(partitions.out).toContain(`Topic ${topic} has 3 partitions, ${unique} wants 4`)
  })

  test('OAUTHBEARER: the token comes from its endpoint', { timeout: 240_000 }, async () => {
    const url = `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/token`
    configure(`{ oauthbearer: { token_url: "${url}", client_id: weir, client_secret: "\${SECRET}" } }`)
    const { code, out, err } = await runWeir(['topic', 'list', '--json'], {
      cwd: dir,
      env: { SECRET: 'client-secret' },
    })
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toContain(topic)
  })

  test('sec-30: what is not safe is said at each start, in the log', { timeout: 240_000 }, async () => {
    configure(scram)
    const file = join(dir, 'weir.yaml')
    writeFileSync(file, readFileSync(file, 'utf8').replace('tls: { ca: ca.pem }', 'tls: { insecure: true }'))
    const { code, out } = await weir('run', 'pipeline.yaml', '--until', 'end')
    expect(code).toBe(0)
    expect(out).toMatch(/"level":"warn".*"event":"warning".*any certificate/)
  })

  test('addresses in the environment need no weir.yaml, and WEIR_BROKER=embedded sets one aside', {
    timeout: 240_000,
  }, async () => {
    rmSync(join(dir, 'weir.yaml'))
    const env = { WEIR_BROKER: `kafka://${kafka.bootstrap}`, WEIR_REGISTRY: registry.url }
    const list = await runWeir(['topic', 'list', '--json'], { cwd: dir, env })
    expect(list.out).toContain(topic)
    configure(scram)
    const none = await runWeir(['topic', 'list'], { cwd: dir, env: { WEIR_BROKER: 'embedded' } })
    expect([none.code, none.err]).toEqual([2, expect.stringContaining('no store at')])
  })

  test('27: ready ends within 10 s of a broker that hangs, and comes back with it', { timeout: 240_000 }, async () => {
    writeFileSync(join(dir, 'idle.yaml'), idleText)
    rmSync(join(dir, 'weir.yaml'), { force: true })
    const port = await freePort()
    const child = spawn(process.execPath, [mainFile, 'run', 'idle.yaml', '--port', String(port)], {
      cwd: dir,
      env: { ...process.env, WEIR_BROKER: kafka.bootstrap, WEIR_REGISTRY: registry.url, WEIR_REQUIRE: undefined },
      stdio: 'ignore',
    })
    try {
      const ready = async () => (await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null))?.status
      await eventually('ready', async () => (await ready()) === 200, 60_000)
      kafka.process.stop()
      const stoppedMs = performance.now()
      await eventually('not ready', async () => (await ready()) === 503, 15_000)
      expect(performance.now() - stoppedMs).toBeLessThan(10_000)
      kafka.process.continue()
      await eventually('ready again', async () => (await ready()) === 200, 30_000)
    } finally {
      kafka.process.continue()
      await ended(child)
    }
  })

  /** Polls rarely and has nothing to write: only the watch over the log can notice. */
  const idleText = `pipeline: ${unique}-idle
source: { file: { paths: [reviews.ndjson] }, every: 10m }
map: { review_id: this.id, product_asin: this.asin, rating: double(this.stars) }
topic: { name: ${topic}-idle, key: record.product_asin, schema: ${join(root, 'schemas/raw-review.avsc')} }
`
})

function ended(child: ChildProcess): Promise<void> {
  return new Promise(resolve => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve()
    child.once('exit', () => resolve())
    child.kill('SIGKILL')
  })
}
