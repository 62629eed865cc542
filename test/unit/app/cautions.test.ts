import { expect, test } from 'vitest'
import { cautionsOf } from '../../../src/app/cautions.ts'
import { ensureTopics } from '../../../src/app/parts.ts'
import type {
  KafkaBrokerDefinition,
  PipelineDefinition,
  TlsDefinition,
  WorkspaceDefinition,
} from '../../../src/config/definition.ts'
import type { Event } from '../../../src/core/event.ts'
import { Secret } from '../../../src/core/secret.ts'
import { embeddedIn } from '../../support/small-store.ts'

const tls: TlsDefinition = { ca: null, cert: null, key: null, serverName: null, verify: true }
const broker: KafkaBrokerDefinition = {
  kind: 'kafka',
  brokers: ['a:9092'],
  driver: 'kafkajs',
  clientId: 'weir',
  tls: null,
  sasl: null,
  replicationFactor: null,
  compression: 'zstd',
  transactionTimeoutMs: 1,
  sessionTimeoutMs: 1,
  requestTimeoutMs: 1,
}
const sasl = { mechanism: 'plain', username: 'u', password: () => new Secret('hunter2222') } as const
const registry = { kind: 'http', url: 'https://r', auth: null, tls: null, timeoutMs: 1 } as const
const workspace = (over: Partial<WorkspaceDefinition>): WorkspaceDefinition => ({
  file: null,
  broker,
  registry,
  dataDir: '/x',
  ...over,
})

test.each<[string, WorkspaceDefinition, readonly string[]]>([
  ['all embedded', embeddedIn('/x'), []],
  ['a plain cluster', workspace({}), []],
  ['a login over TLS', workspace({ broker: { ...broker, tls, sasl } }), []],
  ['any certificate of a broker', workspace({ broker: { ...broker, tls: { ...tls, verify: false } } }), ['The broker']],
  ['a login in the open', workspace({ broker: { ...broker, sasl } }), ['The login goes']],
  [
    'any certificate of a registry',
    workspace({ registry: { ...registry, tls: { ...tls, verify: false } } }),
    ['The registry'],
  ],
  ['a registry of this machine alone', workspace({ registry: { kind: 'embedded' } }), ['A cluster with an embedded']],
])('sec-30: %s', (_, of, begins) => {
  const cautions = cautionsOf(of)
  expect(cautions.map(each => each.message)).toEqual(begins.map(text => expect.stringMatching(`^${text}`)))
  expect(JSON.stringify(cautions)).not.toContain('hunter2222')
})

test('what the log notes about a topic is a warning of the pipeline', async () => {
  const events: Event[] = []
  const log = {
    ensureTopic: async (spec: { name: string; partitions: number }) => ({
      info: spec,
      created: false,
      notes: spec.name === 't' ? ['Topic t has one replica of each partition.'] : [],
    }),
  }
  const definition = {
    pipeline: 'p',
    topic: { name: 't', partitions: 1, retentionMs: null, retentionBytes: null, maxRecordBytes: 1 },
    deadLetter: { topic: 't_dlq', stopAfter: null, retentionMs: null },
  } as unknown as PipelineDefinition
  await ensureTopics(definition, { log } as never, event => events.push(event))
  expect(events.filter(event => event.type === 'warning')).toEqual([
    {
      type: 'warning',
      pipeline: 'p',
      code: 'config.warning',
      message: 'Topic t has one replica of each partition.',
    },
  ])
})
