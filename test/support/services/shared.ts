// The services that all tests of one run share, each started when it is first asked for. Which one is taken for `kafka` and `registry`:
// an address given by environment, then a container, then a Java process; else MissingService says why there is none.
import { type Apicurio, startApicurio } from './apicurio.ts'
import { type Kafka, startKafka } from './kafka.ts'
import { steady } from './kafka-settings.ts'
import { MissingService } from './missing.ts'
import { type Redpanda, startRedpanda } from './redpanda.ts'

export interface SharedKafka {
  /** host:port, by commas. Topics, groups and transactional ids of a test need names of their own. */
  readonly bootstrap: string
  /** Whose it is, for names of tests. */
  readonly from: string
}

/** Apache Kafka in a process of ours: its PROXIED listener sends clients to `proxied.listen`, where a test may open a fault proxy. */
export interface SharedApacheKafka extends SharedKafka {
  readonly proxied: { readonly target: string; readonly listen: number }
}

export interface SharedRegistry {
  /** Confluent-compatible, without a slash at its end. Subjects of a test need names of their own; the global level is everybody's. */
  readonly url: string
  readonly from: string
}

export interface SharedServices {
  readonly kafka: SharedKafka
  readonly 'apache-kafka': SharedApacheKafka
  readonly redpanda: SharedKafka & SharedRegistry
  readonly registry: SharedRegistry
  readonly apicurio: SharedRegistry
}

export type SharedName = keyof SharedServices

export interface ServiceStore extends AsyncDisposable {
  /** The same one for everybody who asks. @throws MissingService */
  take<N extends SharedName>(name: N): Promise<SharedServices[N]>
}

/** How services are started; tests of the choice pass their own. */
export interface Starters {
  readonly kafka: () => Promise<Kafka>
  readonly apicurio: () => Promise<Apicurio>
  readonly redpanda: () => Promise<Redpanda>
}

const realStarters: Starters = {
  kafka: () => startKafka({ listeners: ['PROXIED'], properties: steady }),
  apicurio: startApicurio,
  redpanda: startRedpanda,
}

/** Whatever it started ends with it. */
export function openServices(env: NodeJS.ProcessEnv = process.env, starters: Starters = realStarters): ServiceStore {
  const opened = new AsyncDisposableStack()
  const once = <T>(make: () => Promise<T>): (() => Promise<T>) => {
    let made: Promise<T> | null = null
    return () => (made ??= make())
  }
  const redpandaProcess = once(async () => opened.use(await starters.redpanda()))
  const services: { readonly [N in SharedName]: () => Promise<SharedServices[N]> } = {
    redpanda: once(async () => {
      const { bootstrap, registry } = await redpandaProcess()
      return { bootstrap, url: registry, from: 'Redpanda' }
    }),
    'apache-kafka': once(async () => {
      const { bootstrap, proxied } = opened.use(await starters.kafka())
      return { bootstrap, proxied: proxied[0]!, from: 'Apache Kafka' }
    }),
    apicurio: once(async () => ({ url: opened.use(await starters.apicurio()).url, from: 'Apicurio Registry' })),
    kafka: once(async () => {
      if (env.WEIR_TEST_KAFKA) return { bootstrap: env.WEIR_TEST_KAFKA, from: 'WEIR_TEST_KAFKA' }
      return await firstThere<SharedKafka>(services.redpanda, services['apache-kafka'])
    }),
    registry: once(async () => {
      if (env.WEIR_TEST_REGISTRY) return { url: env.WEIR_TEST_REGISTRY.replace(/\/+$/, ''), from: 'WEIR_TEST_REGISTRY' }
      return await firstThere<SharedRegistry>(services.redpanda, services.apicurio)
    }),
  }
  return { take: name => services[name](), [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

/** The first that is not missing; one that is there and fails is a failure, not a reason to take the next. */
async function firstThere<T>(...choices: readonly (() => Promise<T>)[]): Promise<T> {
  const reasons: string[] = []
  for (const choice of choices)
    try {
      return await choice()
    } catch (error) {
      if (!(error instanceof MissingService)) throw error
      reasons.push(error.message)
    }
  throw new MissingService(reasons.join('; '))
}
