// A registry elsewhere that is away, or refuses, around a real process (faults 64, 66).
import type { ChildProcess } from 'node:child_process'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type CliResult, runWeir } from '../support/cli.ts'
import { eventually } from '../support/eventually.ts'
import { type FakeRegistry, fakeRegistry } from '../support/fake-registry.ts'

const password = 'c0rrect-horse-battery'

interface Scene extends AsyncDisposable {
  readonly server: FakeRegistry
  weir(argv: readonly string[], started?: (child: ChildProcess) => void): Promise<CliResult>
  schema(type: string): void
  feed(...ids: readonly string[]): void
  delivered(): readonly string[]
}

async function scene(follow = false): Promise<Scene> {
  const dir = mkdtempSync(join(tmpdir(), 'weir-registry-fault-'))
  const server = await fakeRegistry()
  server.authorization = `Basic ${Buffer.from(`ann:${password}`).toString('base64')}`
  const write = (name: string, text: string) => writeFileSync(join(dir, name), text)
  write(
    'weir.yaml',
    `registry: { url: "${server.url}", auth: { basic: { username: ann, password: "\${REGISTRY_PASSWORD}" } }, timeout: 2s }\n`,
  )
  write(
    'p.yaml',
    `pipeline: p
source: { file: { paths: [in.ndjson], format: ndjson, follow: ${follow} } }
map: { id: this.id }
topic: { name: t, key: record.id, schema: r.avsc, partitions: 1 }
consume: [{ group: g, sink: { file: { path: out.ndjson } } }]
shutdown_timeout: 4s
`,
  )
  const children: ChildProcess[] = []
  const self: Scene = {
    server,
    weir: (argv, started) =>
      runWeir(argv, {
        cwd: dir,
        env: { REGISTRY_PASSWORD: password },
        deadlineMs: 40_000,
        started: child => {
          children.push(child)
          started?.(child)
        },
      }),
    schema: type => write('r.avsc', JSON.stringify({ type: 'record', name: 'R', fields: [{ name: 'id', type }] })),
    feed: (...ids) => appendFileSync(join(dir, 'in.ndjson'), ids.map(id => `${JSON.stringify({ id })}\n`).join('')),
    delivered() {
      try {
        const text = readFileSync(join(dir, 'out.ndjson'), 'utf8')
        return text
          .split('\n')
          .filter(Boolean)
          .map(line => JSON.parse(line).id)
      } catch {
        return []
      }
    },
    async [Symbol.asyncDispose]() {
      for (const child of children) child.kill('SIGKILL')
      await server[Symbol.asyncDispose]()
      rmSync(dir, { recursive: true })
    },
  }
  self.schema('string')
  self.feed()
  return self
}

test('a start without the registry ends with 3, names its address, says what to do and shows no credentials', async () => {
  await using s = await scene()
  s.feed('a')
  await s.server.stop()
  const { code, err, out } = await s.weir(['run', 'p.yaml', '--until', 'end'])
  expect(code).toBe(3)
  expect(err).toContain(
    `registry.unavailable] The schema registry at ${s.server.url} cannot be used: the connection was refused.`,
  )
  expect(err).toContain('hint:')
  expect(out + err).not.toContain(password)
})

test('a start with a wrong password ends with 3 and says so', async () => {
  await using s = await scene()
  s.server.authorization = 'Basic other'
  const { code, err, out } = await s.weir(['run', 'p.yaml', '--until', 'end'])
  expect(code).toBe(3)
  expect(err).toContain('registry.denied')
  expect(out + err).not.toContain(password)
})

test('I14: a schema that the registry refuses ends the start with 2, before the first record', async () => {
  await using s = await scene()
  expect((await s.weir(['run', 'p.yaml', '--until', 'end'])).code).toBe(0)
  s.schema('int')
  s.feed('7')
  const { code, err } = await s.weir(['run', 'p.yaml', '--until', 'end'])
  expect(code).toBe(2)
  expect(err).toContain('registry.incompatible')
  expect(err).toContain('TYPE_MISMATCH')
  expect(s.delivered()).toEqual([])
})

test('records go on through topic and sink while the registry is away, and a stop is clean', async () => {
  await using s = await scene(true)
  s.feed('a')
  let child: ChildProcess | undefined
  const result = s.weir(['run', 'p.yaml'], started => {
    child = started
  })
  await eventually('the first record', () => s.delivered().length === 1)
  await s.server.stop()
  s.feed('b', 'c')
  await eventually('the records of the outage', () => s.delivered().length === 3)
  child!.kill('SIGTERM')
  const { code, out } = await result
  expect(code).toBe(0)
  expect(s.delivered()).toEqual(['a', 'b', 'c'])
  expect(out).not.toContain(password)
})
