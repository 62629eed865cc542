// Apache Kafka (KRaft, one node or three) as plain Java processes on 127.0.0.1, with everything a test needs to get at it, hurt it and end it.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { cached } from './cache.ts'
import { type Certificates, makeCertificates } from './certificates.ts'
import { scratchDir } from './guard.ts'
import { findJava, kafkaJars, kafkaVersion } from './java.ts'
import { aclProperties, loginProperties, scramArguments, tlsProperties } from './kafka-logins.ts'
import {
  type Listener,
  log4jText,
  type NodeAddresses,
  nodeProperties,
  type Properties,
  propertiesText,
  protocolOf,
} from './kafka-settings.ts'
import { freePort } from './ports.ts'
import { type ServiceProcess, startProcess } from './service-process.ts'

export interface KafkaOptions {
  /** Three: leaders and coordinators can move. Default 1. */
  readonly nodes?: 1 | 3
  /** Besides PLAINTEXT. */
  readonly listeners?: readonly Listener[]
  /** PLAINTEXT and the user admin may do everything, others what ACLs allow. Default: everybody may do everything. */
  readonly acl?: boolean
  /** On top of nodeProperties; these win. */
  readonly properties?: Properties
  /** On top of the defaults; the last of two that contradict each other wins. */
  readonly jvm?: readonly string[]
}

export interface Kafka extends AsyncDisposable {
  /** host:port of the PLAINTEXT listeners, by commas. */
  readonly bootstrap: string
  /** The same of each listener. */
  readonly addresses: Readonly<Partial<Record<Listener, string>>>
  /** One a node, where there is a PROXIED listener: what openFaultProxy takes. */
  readonly proxied: readonly { readonly target: string; readonly listen: number }[]
  readonly nodes: readonly ServiceProcess[]
  /** The first node: kill, stop, restart. */
  readonly process: ServiceProcess
  /** What its TLS listeners show and what clients need; null where there is none. */
  readonly certificates: Certificates | null
  /** Runs a command of Kafka by its class, such as kafka.admin.ConfigCommand; what it prints. `--bootstrap-server` is added. Takes a second. */
  tool(command: string, ...args: string[]): Promise<string>
}

// Half of a second to start is JIT: a broker of tests does not live long enough to earn it back.
const quickStart = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']
const clusterId = 'weirTestsClusterAAAAAA'

/** Starts it and waits until it can be used. @throws MissingService without Java 17, or when Kafka can not be fetched */
export async function startKafka(options: KafkaOptions = {}): Promise<Kafka> {
  const java = findJava(17)
  const jars = await kafkaJars()
  const runtime: Runtime = { java, jars, jvm: [...(await classArchive(java, jars)), ...(options.jvm ?? [])] }
  const names: readonly Listener[] = [...new Set<Listener>(['PLAINTEXT', ...(options.listeners ?? [])])]
  const places = await Promise.all(
    Array.from({ length: options.nodes ?? 1 }, async (): Promise<NodeAddresses> => {
      const ports = await Promise.all(names.map(async name => [name, await freePort()] as const))
      return { controller: await freePort(), proxy: await freePort(), listeners: new Map(ports) }
    }),
  )
  const certificates = names.some(name => protocolOf(name).endsWith('SSL'))
    ? await makeCertificates(scratchDir('certificates'))
    : null
  const properties = (index: number, dir: string): Properties => ({
    ...nodeProperties(places, index, dir),
    ...Object.assign({}, ...names.map(loginProperties)),
    ...(certificates && Object.assign({}, ...names.map(name => tlsProperties(name, certificates)))),
    ...(options.acl === true ? aclProperties : {}),
    ...options.properties,
  })
  const started = await Promise.allSettled(
    places.map((_, index) => {
      const dir = scratchDir('kafka')
      return startNode(`Kafka node ${index + 1}`, runtime, dir, properties(index, dir))
    }),
  )
  const nodes = started.flatMap(each => (each.status === 'fulfilled' ? [each.value] : []))
  const endAll = async () => void (await Promise.all(nodes.map(node => node[Symbol.asyncDispose]())))
  const failed = started.find(each => each.status === 'rejected')
  if (failed) {
    await endAll()
    throw failed.reason
  }
  const addressOf = (name: Listener) => places.map(place => `127.0.0.1:${place.listeners.get(name)}`).join(',')
  const bootstrap = addressOf('PLAINTEXT')
  return {
    bootstrap,
    addresses: Object.fromEntries(names.map(name => [name, addressOf(name)])),
    proxied: names.includes('PROXIED')
      ? places.map(({ listeners, proxy }) => ({ target: `127.0.0.1:${listeners.get('PROXIED')}`, listen: proxy }))
      : [],
    nodes,
    process: nodes[0]!,
    certificates,
    tool: (command, ...args) => runTool(runtime, command, ['--bootstrap-server', bootstrap, ...args]),
    [Symbol.asyncDispose]: endAll,
  }
}

/** What the nodes of a broker are started with. */
interface Runtime {
  readonly java: string
  readonly jars: string
  readonly jvm: readonly string[]
}

async function startNode(name: string, runtime: Runtime, dir: string, properties: Properties): Promise<ServiceProcess> {
  const { java, jars, jvm } = runtime
  mkdirSync(`${dir}/data`)
  writeFileSync(`${dir}/server.properties`, propertiesText(properties))
  writeFileSync(`${dir}/log4j2.properties`, log4jText)
  const scram = 'sasl.enabled.mechanisms' in properties ? scramArguments : []
  const format = ['format', '-t', clusterId, '-c', `${dir}/server.properties`, ...scram]
  await runTool(runtime, 'kafka.tools.StorageTool', format)
  return await startProcess({
    name,
    command: java,
    args: [
      ...['-Xmx512m', ...quickStart, ...jvm, `-Dlog4j2.configurationFile=${dir}/log4j2.properties`],
      ...['-cp', `${jars}/*`, 'kafka.Kafka', `${dir}/server.properties`],
    ],
    dir,
    ready: said => said.includes('Kafka Server started'),
  })
}

/**
 * The JVM flag that takes Kafka's classes from an archive, which halves what a start costs. The archive is made once for a Java and a Kafka, by
 * a broker that starts and stops; a JVM that can not make one does without.
 */
async function classArchive(java: string, jars: string): Promise<string[]> {
  const release = readFileSync(join(dirname(java), '../release'))
  const key = createHash('sha256').update(jars).update(java).update(release).digest('hex').slice(0, 12)
  const make = async (dir: string) => {
    const own = scratchDir('kafka')
    const place = {
      controller: await freePort(),
      proxy: 0,
      listeners: new Map([['PLAINTEXT' as const, await freePort()]]),
    }
    const runtime = { java, jars, jvm: [`-XX:ArchiveClassesAtExit=${dir}/classes.jsa`] }
    await using node = await startNode('Kafka, for its archive', runtime, own, nodeProperties([place], 0, own))
    await node.kill('SIGTERM')
  }
  try {
    const file = join(await cached(`kafka-${kafkaVersion}-classes-${key}`, make), 'classes.jsa')
    return existsSync(file) ? [`-XX:SharedArchiveFile=${file}`] : []
  } catch {
    return []
  }
}

async function runTool({ java, jars, jvm }: Runtime, command: string, args: readonly string[]): Promise<string> {
  const flags = jvm.filter(flag => flag.startsWith('-XX:SharedArchiveFile'))
  const line = [...quickStart, ...flags, '-cp', `${jars}/*`, command, ...args]
  const { stdout } = await promisify(execFile)(java, line, { timeout: 60_000 })
  return stdout
}
