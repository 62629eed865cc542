import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import type { HttpRegistryDefinition, KafkaBrokerDefinition, LiveSecret } from '../../../src/config/definition.ts'
import { problemsOf } from '../../../src/config/problem.ts'
import { brokerKind, findWorkspace, lintWorkspaceFile } from '../../../src/config/workspace.ts'
import { redact } from '../../../src/core/secret.ts'

const root = mkdtempSync(join(tmpdir(), 'weir-workspace-'))
let top: string
let deep: string
let count = 0
beforeEach(() => {
  top = join(root, String(count++))
  deep = join(top, 'a', 'b')
  mkdirSync(deep, { recursive: true })
  // The search ends at the root of a repository, so tests see nothing of the folders above.
  mkdirSync(join(top, '.git'))
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const write = (text: string, folder = top) => writeFileSync(join(folder, 'weir.yaml'), text)

test('without weir.yaml all is embedded, the store beside the pipelines', () => {
  expect(findWorkspace(deep, {})).toEqual({
    file: null,
    broker: { kind: 'embedded' },
    registry: { kind: 'embedded' },
    dataDir: join(deep, '.weir'),
  })
})

test('the nearest weir.yaml upwards counts, its data folder is relative to it', () => {
  write('data: far\n')
  expect(findWorkspace(deep, {}).dataDir).toBe(join(top, 'far'))
  write('data: near\n', join(top, 'a'))
  writeFileSync(join(deep, 'p.yaml'), '')
  expect(findWorkspace(join(deep, 'p.yaml'), {})).toMatchObject({
    file: join(top, 'a', 'weir.yaml'),
    dataDir: join(top, 'a', 'near'),
  })
})

test('the search ends at the root of a repository', () => {
  write('data: far\n')
  mkdirSync(join(deep, '.git'))
  expect(findWorkspace(deep, {}).file).toBeNull()
})

test('--data wins, relative to where the command runs', () => {
  write('data: far\n')
  expect(findWorkspace(deep, {}, { dataDir: 'here', cwd: root }).dataDir).toBe(join(root, 'here'))
  expect(findWorkspace(deep, {}, { dataDir: '/abs' }).dataDir).toBe('/abs')
})

test('variables count in it', () => {
  write('data: ${DATA}/store\n')
  expect(findWorkspace(deep, { DATA: '/srv' }).dataDir).toBe('/srv/store')
})

const cluster = `
broker:
  kafka:
    brokers: [redpanda-0:9092, "[::1]:9093"]
    driver: platformatic
    client_id: reviews
    tls: { server_name: redpanda.internal }
    sasl: { scram_sha_256: { username: weir, password: "\${KAFKA_PASSWORD}" } }
    replication_factor: 3
    compression: gzip
    transaction_timeout: 1m
    session_timeout: 20s
    request_timeout: 10s
registry:
  url: https://registry.example.com/base/
  auth: { basic: { username: weir, password: "\${REGISTRY_PASSWORD}" } }
`
const passwords = { KAFKA_PASSWORD: 'kafka-secret', REGISTRY_PASSWORD: 'registry-secret' }

test('a cluster and its registry, with all that can be said of them', async () => {
  write(cluster)
  const { broker, registry } = findWorkspace(deep, passwords)
  expect(broker).toEqual({
    kind: 'kafka',
    brokers: ['redpanda-0:9092', '[::1]:9093'],
    driver: 'platformatic',
    clientId: 'reviews',
    tls: { ca: null, cert: null, key: null, serverName: 'redpanda.internal', verify: true },
    sasl: { mechanism: 'scram-sha-256', username: 'weir', password: expect.any(Function) },
    replicationFactor: 3,
    compression: 'gzip',
    transactionTimeoutMs: 60_000,
    sessionTimeoutMs: 20_000,
    requestTimeoutMs: 10_000,
  })
  expect(registry).toEqual({
    kind: 'http',
    url: 'https://registry.example.com/base',
    auth: { username: 'weir', password: expect.any(Function) },
    tls: null,
    timeoutMs: 10_000,
  })
  const { sasl } = broker as KafkaBrokerDefinition
  expect(String(await (sasl as { password: LiveSecret }).password())).toBe('***')
  expect((await (sasl as { password: LiveSecret }).password()).reveal()).toBe('kafka-secret')
  const { auth } = registry as HttpRegistryDefinition
  expect((await (auth as { password: LiveSecret }).password()).reveal()).toBe('registry-secret')
})

test('what is left out has defaults', () => {
  write('broker: { kafka: { brokers: [a:9092] } }\nregistry: { url: "http://localhost:8081" }\n')
  expect(findWorkspace(deep, {})).toMatchObject({
    broker: {
      driver: 'kafkajs',
      clientId: 'weir',
      tls: null,
      sasl: null,
      replicationFactor: null,
      compression: 'zstd',
      transactionTimeoutMs: 30_000,
      sessionTimeoutMs: 15_000,
      requestTimeoutMs: 30_000,
    },
    registry: { url: 'http://localhost:8081', auth: null, tls: null, timeoutMs: 10_000 },
  })
})

test.each([
  ['plain: { username: u, password: "${P}" }', { mechanism: 'plain', username: 'u' }],
  ['scram_sha_512: { username: u, password: "${P}" }', { mechanism: 'scram-sha-512', username: 'u' }],
  ['oauthbearer: { token: "${P}" }', { mechanism: 'oauthbearer', token: { kind: 'secret' } }],
  [
    'oauthbearer: { token_url: "https://id/t", client_id: c, client_secret: "${P}", scope: kafka }',
    { mechanism: 'oauthbearer', token: { kind: 'endpoint', url: 'https://id/t', clientId: 'c', scope: 'kafka' } },
  ],
])('the login %s', (text, sasl) => {
  write(`broker: { kafka: { brokers: [a:9092], tls: true, sasl: { ${text} } } }\nregistry: { url: "https://r" }\n`)
  expect(findWorkspace(deep, { P: 'secret' }).broker).toMatchObject({ sasl })
})

test('a secret in a file is read anew at each use; both values stay redacted, and a file being replaced keeps the last one', async () => {
  const file = join(top, 'password')
  writeFileSync(file, 'first-password\n')
  write(
    'broker: { kafka: { brokers: [a:9092], tls: true, sasl: { plain: { username: u, password: "${file:password}" } } } }\n' +
      'registry: { url: "https://r", auth: { bearer: "${file:password}" } }\n',
  )
  const { broker, registry } = findWorkspace(deep, {})
  const { password } = (broker as KafkaBrokerDefinition).sasl as { password: LiveSecret }
  const { bearer } = (registry as HttpRegistryDefinition).auth as { bearer: LiveSecret }
  expect((await password()).reveal()).toBe('first-password')
  writeFileSync(file, 'second-password\n')
  expect((await password()).reveal()).toBe('second-password')
  expect((await bearer()).reveal()).toBe('second-password')
  expect(redact('first-password second-password')).toBe('*** ***')
  writeFileSync(file, '')
  expect((await password()).reveal()).toBe('second-password')
  rmSync(file)
  expect((await password()).reveal()).toBe('second-password')
})

test('a secret in a variable stays what it was', async () => {
  const env = { ...passwords }
  write(cluster)
  const { sasl } = findWorkspace(deep, env).broker as KafkaBrokerDefinition
  env.KAFKA_PASSWORD = 'another-secret'
  expect((await (sasl as { password: LiveSecret }).password()).reveal()).toBe('kafka-secret')
})

describe('WEIR_BROKER and WEIR_REGISTRY', () => {
  test.each([
    ['a:9092', ['a:9092']],
    ['kafka://a:9092,b:9093', ['a:9092', 'b:9093']],
    ['a:9092, b:9093', ['a:9092', 'b:9093']],
  ])('%s names a cluster without any file, a plain one', (value, brokers) => {
    expect(findWorkspace(deep, { WEIR_BROKER: value, WEIR_REGISTRY: 'http://r:8081/' })).toMatchObject({
      file: null,
      broker: { kind: 'kafka', brokers, tls: null, sasl: null, driver: 'kafkajs' },
      registry: { kind: 'http', url: 'http://r:8081', auth: null },
      dataDir: join(deep, '.weir'),
    })
  })

  test('they override addresses only: credentials and tls of weir.yaml stay in force', () => {
    write(cluster)
    expect(
      findWorkspace(deep, { ...passwords, WEIR_BROKER: 'other:9092', WEIR_REGISTRY: 'https://other' }),
    ).toMatchObject({
      broker: {
        brokers: ['other:9092'],
        driver: 'platformatic',
        tls: { serverName: 'redpanda.internal' },
        sasl: { username: 'weir' },
      },
      registry: { url: 'https://other', auth: { username: 'weir' } },
    })
  })

  test('what an override replaces need not be right, nor its variables set', () => {
    write('broker: { kafka: { brokers: ["${NOT_SET}"] } }\nregistry: { url: "${NOT_SET}" }\n')
    expect(findWorkspace(deep, { WEIR_BROKER: 'a:9092', WEIR_REGISTRY: 'https://r' }).broker).toMatchObject({
      brokers: ['a:9092'],
    })
    write('broker: redpanda\nregistry: { nonsense: 1 }\n')
    expect(findWorkspace(deep, { WEIR_BROKER: 'embedded', WEIR_REGISTRY: 'embedded' })).toMatchObject({
      broker: { kind: 'embedded' },
      registry: { kind: 'embedded' },
    })
  })

  test('the rules of weir.yaml hold for the addresses they bring', () => {
    write('registry: { url: "https://r", tls: true }\n')
    expect(() => findWorkspace(deep, { WEIR_REGISTRY: 'http://r' })).toThrow(/no meaning for an http address/)
  })

  test.each([
    ['WEIR_BROKER', 'redpanda', 'WEIR_BROKER has no port.'],
    ['WEIR_BROKER', 'kafka://x', 'WEIR_BROKER has no port.'],
    ['WEIR_BROKER', 'https://x:1', 'WEIR_BROKER has a scheme.'],
    ['WEIR_BROKER', 'a:9092,', 'WEIR_BROKER has an empty address.'],
    ['WEIR_BROKER', 'kafka://u:hunter2222@x:9092', 'WEIR_BROKER holds a user name or password.'],
    ['WEIR_REGISTRY', 'r:8081', 'WEIR_REGISTRY has no scheme.'],
    ['WEIR_REGISTRY', 'https://u:hunter2222@r', 'WEIR_REGISTRY holds a user name or password.'],
    ['WEIR_REGISTRY', 'file:///etc/passwd', 'WEIR_REGISTRY has the scheme file.'],
  ])('%s=%s is refused', (name, value, message) => {
    expect(() => findWorkspace(deep, { [name]: value })).toThrow(
      expect.objectContaining({ code: 'config.invalid', at: name, message }),
    )
  })

  test('I9: a password that was written into an address is redacted from then on', () => {
    expect(() => findWorkspace(deep, { WEIR_BROKER: 'u:swordfish-7@x:9092' })).toThrow()
    expect(redact('swordfish-7')).toBe('***')
  })

  test('empty ones count as unset here; the command line refuses them', () => {
    expect(findWorkspace(deep, { WEIR_BROKER: '', WEIR_REGISTRY: '' })).toMatchObject({
      broker: { kind: 'embedded' },
      registry: { kind: 'embedded' },
    })
  })
})

test('the kind of broker is told without secrets, and not at all where the file is wrong', () => {
  expect(brokerKind(deep, {})).toBe('embedded')
  write(cluster)
  expect(brokerKind(deep, {})).toBe('kafka')
  expect(brokerKind(deep, { WEIR_BROKER: 'embedded' })).toBe('embedded')
  expect(brokerKind(deep, { WEIR_BROKER: 'nonsense' })).toBeNull()
  write('broker: redpanda\n')
  expect(brokerKind(deep, {})).toBeNull()
  expect(brokerKind(deep, { WEIR_BROKER: 'a:9092' })).toBe('kafka')
})

test('warnings of weir.yaml are told to who asks', () => {
  write('broker: { kafka: { brokers: [a:9092] } }\n')
  const told: string[] = []
  findWorkspace(deep, {}, { warn: problem => told.push(problem.message) })
  expect(told).toEqual([expect.stringContaining('embedded registry')])
})

test('all mistakes of weir.yaml at once, with their places', () => {
  write('version: 3\nbrokr: embedded\ndata: 5\n')
  const problems = lintWorkspaceFile(join(top, 'weir.yaml'), {})
  expect(problems.map(p => `${p.code} ${p.line}:${p.column}`)).toEqual([
    'config.invalid 1:10',
    'config.unknown_field 2:1',
    'config.invalid 3:7',
  ])
  try {
    findWorkspace(deep, {})
    expect.unreachable()
  } catch (error) {
    expect(problemsOf(error)?.length).toBe(3)
  }
})
