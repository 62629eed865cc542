// The properties of a Kafka node for tests: one machine, quick to start, quick to compact, expire and give up.

/**
 * Besides PLAINTEXT, which is always there and whose clients may do anything: logins (SASL_PLAINTEXT, SASL_SSL), TLS without login (SSL),
 * SASL_SSL with a bad certificate (EXPIRED, WRONG_HOST, SELF_SIGNED), and PROXIED: plain, its clients are sent to the port of a fault proxy.
 */
export type Listener =
  | 'PLAINTEXT'
  | 'PROXIED'
  | 'SSL'
  | 'SASL_PLAINTEXT'
  | 'SASL_SSL'
  | 'EXPIRED'
  | 'WRONG_HOST'
  | 'SELF_SIGNED'

export type Properties = Readonly<Record<string, string | number>>

export const protocolOf = (listener: Listener): string =>
  listener === 'PROXIED'
    ? 'PLAINTEXT'
    : listener === 'EXPIRED' || listener === 'WRONG_HOST' || listener === 'SELF_SIGNED'
      ? 'SASL_SSL'
      : listener

export interface NodeAddresses {
  readonly controller: number
  /** The port each listener is bound to. */
  readonly listeners: ReadonlyMap<Listener, number>
  /** The port that clients of PROXIED are told. */
  readonly proxy: number
}

/** Properties of node `index` of `nodes`; the data goes to `dir`. */
export function nodeProperties(nodes: readonly NodeAddresses[], index: number, dir: string): Properties {
  const { controller, listeners, proxy } = nodes[index]!
  const bound = [...listeners].map(([name, port]) => `${name}://127.0.0.1:${port}`)
  const told = [...listeners].map(([name, port]) => `${name}://127.0.0.1:${name === 'PROXIED' ? proxy : port}`)
  const replicas = nodes.length
  return {
    'process.roles': 'broker,controller',
    'node.id': index + 1,
    'controller.quorum.voters': nodes.map((node, i) => `${i + 1}@127.0.0.1:${node.controller}`).join(','),
    listeners: [...bound, `CONTROLLER://127.0.0.1:${controller}`].join(','),
    'advertised.listeners': told.join(','),
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map': [
      'CONTROLLER:PLAINTEXT',
      ...[...listeners.keys()].map(name => `${name}:${protocolOf(name)}`),
    ].join(','),
    'log.dirs': `${dir}/data`,
    'offsets.topic.replication.factor': replicas,
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': Math.min(2, replicas),
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': Math.min(2, replicas),
    'default.replication.factor': replicas,
    ...forTests,
    ...(nodes.length > 1 ? quickFailover : {}),
  }
}

const forTests: Properties = {
  'auto.create.topics.enable': 'false',
  'offsets.topic.num.partitions': 5,
  'transaction.state.log.num.partitions': 5,
  'share.coordinator.state.topic.num.partitions': 1,
  'group.initial.rebalance.delay.ms': 0,
  'group.min.session.timeout.ms': 100,
  'num.network.threads': 2,
  'num.io.threads': 4,
  'num.recovery.threads.per.data.dir': 1,
  // A node that was killed is taken back only when its session is over; a node that is gone loses its leaders then.
  'broker.heartbeat.interval.ms': 500,
  'broker.session.timeout.ms': 2_500,
  // Whatever runs by the clock runs soon: retention, compaction, the end of abandoned transactions.
  'log.initial.task.delay.ms': 100,
  'log.retention.check.interval.ms': 300,
  'log.segment.delete.delay.ms': 300,
  'log.cleaner.backoff.ms': 100,
  'log.cleaner.min.cleanable.ratio': 0.01,
  'log.cleaner.dedupe.buffer.size': 8_388_608,
  'offsets.retention.check.interval.ms': 1_000,
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': 200,
  'transaction.remove.expired.transaction.cleanup.interval.ms': 1_000,
  'transaction.max.timeout.ms': 900_000,
}

/** For a broker that is neither killed nor started again: on a busy machine it is not taken for dead, which would cost it its leaders. */
export const steady: Properties = { 'broker.session.timeout.ms': 60_000 }

/** Another controller is elected within two seconds. */
const quickFailover: Properties = {
  'controller.quorum.election.timeout.ms': 500,
  'controller.quorum.fetch.timeout.ms': 1_000,
  'replica.lag.time.max.ms': 2_000,
}

export const propertiesText = (properties: Properties): string =>
  Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')

/** What it logs goes to its output; the dump of all settings is left out. */
export const log4jText = `appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d{HH:mm:ss.SSS} %p %c{1} %m%n
rootLogger.level=info
rootLogger.appenderRef.out.ref=out
logger.config.name=org.apache.kafka.common.config.AbstractConfig
logger.config.level=warn
`
