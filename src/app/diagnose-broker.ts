// The checks of `weir doctor` on what a workspace names: brokers reached and logged in to, topics against their definitions, who runs what,
// the registry with its levels. Nothing is created.
import { existsSync } from 'node:fs'
import { storeFile } from '../adapters/embedded-store/store-file.ts'
import type { KafkaBrokerDefinition, PipelineDefinition, WorkspaceDefinition } from '../config/definition.ts'
import type { Clock, Random } from '../core/clock.ts'
import type { EventLog, SchemaRegistry } from '../pipeline/ports.ts'
import { cautionsOf } from './cautions.ts'
import { type Finding, findingsOf } from './diagnose.ts'
import { kafkaOptions, openLog, openRegistry } from './open.ts'

export interface BrokerCheckOptions {
  readonly clock: Clock
  readonly random: Random
  /** The pipelines of this folder that can run. */
  readonly definitions: readonly PipelineDefinition[]
}

export interface BrokerChecks {
  readonly findings: readonly Finding[]
  /** The time of the newest cursor, stamped by the machine that wrote it; null when there is none. */
  readonly newestWriteMs: number | null
}

/** Cursors are looked at of so many pipelines: enough to see a clock that is off. */
const maxPipelines = 20

/** Everything about the broker and the registry. What fails is a finding. */
export async function checkBroker(workspace: WorkspaceDefinition, options: BrokerCheckOptions): Promise<BrokerChecks> {
  const { broker } = workspace
  const findings: Finding[] = cautionsOf(workspace).map(caution => ({ check: 'safety', status: 'warn', ...caution }))
  if (broker.kind === 'kafka') findings.push(...(await findingsOf('broker', () => clusterFindings(broker, options))))
  let newestWriteMs: number | null = null
  // What cannot be reached was told already, address by address.
  if (findings.some(each => each.check === 'broker' && each.status === 'ok') || broker.kind === 'embedded')
    findings.push(
      ...(await findingsOf('broker', async () => {
        await using opened = await openLog(workspace, options.clock, options.random)
        const { log } = opened
        newestWriteMs = broker.kind === 'kafka' ? await newestCursorMs(log) : null
        return [...(await topicFindings(log, options.definitions)), ...(await ownerFindings(log))]
      })),
    )
  if (workspace.registry.kind !== 'embedded' || existsSync(storeFile(workspace.dataDir)))
    findings.push(
      ...(await findingsOf('registry', async () => {
        await using registry = await openRegistry(workspace, options.clock, options.random)
        return await registryFindings(registry, options.definitions)
      })),
    )
  return { findings, newestWriteMs }
}

/** Each address, then how well the topics of the pipelines are kept. */
async function clusterFindings(broker: KafkaBrokerDefinition, { clock, random, definitions }: BrokerCheckOptions) {
  const { inspectTopics, reachBrokers } = await import('../adapters/event-log-kafka/inspect.ts')
  await using stack = new AsyncDisposableStack()
  const options = await kafkaOptions(broker, clock, random, stack)
  const reaches = await reachBrokers(options)
  const findings: Finding[] = reaches.map(({ address, ms, error }) =>
    error === null
      ? { check: 'broker', status: 'ok', message: `${address} answers${wayIn(broker)}, in ${ms} ms` }
      : {
          check: 'broker',
          status: 'fail',
          message: `${error.message} [${error.code}]`,
          ...(error.hint ? { hint: error.hint } : {}),
        },
  )
  if (!reaches.some(each => each.error === null)) return findings
  const names = definitions.flatMap(({ topic, deadLetter }) => [topic.name, deadLetter.topic])
  const { brokers, topics } = await inspectTopics(options, names)
  const hint = 'Topics that are there keep their replicas: change them with the tools of the broker.'
  const wanted = broker.replicationFactor
  for (const { topic, replicas, notes } of topics) {
    if (wanted !== null && replicas < wanted)
      findings.push({
        check: 'replicas',
        status: 'warn',
        message: `Topic ${topic} has ${replicas} of the ${wanted} replicas that weir.yaml asks for.`,
        hint,
      })
    for (const message of notes) findings.push({ check: 'replicas', status: 'warn', message })
  }
  if (brokers === 1)
    findings.push({
      check: 'replicas',
      status: 'warn',
      message: 'The cluster shows one broker: every topic has one replica, and what that broker loses is lost.',
      hint: 'For a test that is fine. Otherwise: three brokers, replication_factor: 3, min.insync.replicas 2.',
    })
  else if (!findings.some(each => each.check === 'replicas'))
    findings.push({
      check: 'replicas',
      status: 'ok',
      message: `${topics.length} topics of these pipelines survive the loss of a broker`,
    })
  return findings
}

const wayIn = ({ tls, sasl }: KafkaBrokerDefinition) =>
  `${tls ? ', over TLS' : ''}${sasl ? `, logged in by ${sasl.mechanism.toUpperCase()}` : ''}`

/** The topics that are there against their definitions. */
async function topicFindings(log: EventLog, definitions: readonly PipelineDefinition[]): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  let there = 0
  for (const { pipeline, topic } of definitions) {
    const info = await log.topic(topic.name)
    if (info === null) continue
    there++
    if (info.partitions !== topic.partitions)
      findings.push({
        check: 'topics',
        status: 'fail',
        message: `Topic ${topic.name} has ${info.partitions} partitions, ${pipeline} wants ${topic.partitions}: it will not start.`,
        hint: `Write \`partitions: ${info.partitions}\`, or choose another topic.`,
      })
  }
  if (findings.length > 0 || definitions.length === 0) return findings
  const missing = definitions.length - there
  const message = `topics as defined: ${there}${missing > 0 ? `; not there yet: ${missing}, a run makes them` : ''}`
  return [{ check: 'topics', status: 'ok', message }]
}

async function ownerFindings(log: EventLog): Promise<readonly Finding[]> {
  const pipelines = await log.pipelines()
  const running = pipelines.filter(p => p.running).map(p => p.pipeline)
  const groups = await log.groups()
  const behind = groups.reduce((sum, g) => sum + g.lag, 0n)
  return [
    {
      check: 'owners',
      status: 'ok',
      message:
        running.length > 0 ? `running: ${running.join(', ')}` : `none is running; with cursors: ${pipelines.length}`,
    },
    {
      check: 'groups',
      status: 'ok',
      message: `consumer groups: ${new Set(groups.map(g => g.group)).size}, records behind: ${behind}`,
    },
  ]
}

/** The registry, and the compatibility level of each subject that the pipelines write. */
async function registryFindings(
  registry: SchemaRegistry,
  definitions: readonly PipelineDefinition[],
): Promise<readonly Finding[]> {
  const subjects = await registry.subjects()
  const findings: Finding[] = [
    { check: 'registry', status: 'ok', message: `${registry.kind}, subjects: ${subjects.length}` },
  ]
  const ours = [...new Set(definitions.map(({ topic }) => topic.subject))].filter(each => subjects.includes(each))
  if (ours.length === 0) return findings
  const all = await registry.level()
  for (const subject of ours) {
    const own = await registry.level(subject)
    const level = own ?? all
    const message = `${subject}: ${level ?? 'no level'}${own === null ? ', as all subjects without one of their own' : ''}`
    findings.push(
      level === 'NONE'
        ? {
            check: 'level',
            status: 'warn',
            message: `${message}: any schema may follow any other, also one that readers cannot read`,
            hint: 'Set a level, such as BACKWARD, in the registry.',
          }
        : { check: 'level', status: 'ok', message },
    )
  }
  return findings
}

async function newestCursorMs(log: EventLog): Promise<number | null> {
  const times: number[] = []
  for (const { pipeline } of (await log.pipelines()).slice(0, maxPipelines))
    for (const { updatedAtMs } of await log.cursors(pipeline)) times.push(updatedAtMs)
  return times.length === 0 ? null : times.reduce((a, b) => Math.max(a, b))
}
