// file -> map -> Avro -> Kafka with the cursor in the transaction: at least 4 times Benthos's throughput, at least that of Kafka Connect's
// exactly-once file source, at most 1.3 times the wall of a hand-written script with the same client and no transactions; at most 200 MB.
import { join } from 'node:path'
import { reviewsFile } from '../data.ts'
import { findBenthos } from '../harness/benthos.ts'
import { type Contender, compare, type Line, wallAgainst } from '../harness/compare.ts'
import { startConnect } from '../harness/connect.ts'
import {
  type Codec,
  type Driver,
  type Format,
  type KafkaScene,
  openKafka,
  weirs,
  writeProducer,
  writeWorkspace,
} from '../harness/kafka.ts'
import { type Measured, type MeasureOptions, measure } from '../harness/measure.ts'
import { showSpread } from '../harness/numbers.ts'
import { atLeast, atMost, peerIfThere } from '../harness/peers.ts'
import { profiling } from '../harness/profile.ts'
import { type Bar, compareTable, profileLines, rssVerdicts } from '../harness/report.ts'
import {
  type Build,
  cache,
  expectCount,
  fileIntake,
  freshFolder,
  type Intake,
  mainOf,
  removeFolder,
} from '../harness/scene.ts'

const timesBenthos = 4
const timesConnect = 1
const longestRatio = 1.3
const mostMb = 200
const withinMs = 330_000

interface Work {
  readonly scene: KafkaScene
  readonly input: string
  readonly records: number
  readonly compression: Codec
}

/** Runs the producer of a pipeline over the reviews into a topic that is ready for it. */
export function produceToKafka(
  { scene, intake, compression }: Pick<Work, 'scene' | 'compression'> & { readonly intake: Intake },
  build: Build,
  driver: Driver,
  topic: string,
  options: MeasureOptions = {},
): Promise<Measured> {
  const folder = freshFolder(topic)
  writeWorkspace(folder, scene, driver, compression)
  const pipeline = writeProducer(folder, topic, intake)
  const flags = ['--until', 'end', '--stage', 'producer']
  return measure([mainOf(build), 'run', pipeline, '--data', join(folder, 'store'), ...flags], {
    ...options,
    cwd: folder,
  })
}

/** Holds that a topic has every review once. `thorough`: librdkafka must count the same. */
export async function checkKafkaTopic(
  { scene, records }: Pick<Work, 'scene' | 'records'>,
  topic: string,
  format: Format,
  thorough: boolean,
): Promise<void> {
  const { lines, ids } = await scene.count(topic, format)
  expectCount(`${topic}, records`, lines, records)
  expectCount(`${topic}, different reviews`, ids, records)
  const counted = thorough ? await scene.countByKcat(topic) : null
  if (counted !== null) expectCount(`${topic}, records as kcat counts them`, counted, records)
}

/** A program that writes a topic of its own each round. */
export function topicContender(
  work: Pick<Work, 'scene' | 'records'>,
  name: string,
  slug: string,
  run: (topic: string) => Promise<Measured>,
  format: Format = 'avro',
): Contender {
  const topicOf = (round: number) => `${slug}-${round}`
  return {
    name,
    async run(round) {
      await work.scene.prepare(topicOf(round))
      return await run(topicOf(round))
    },
    async check(round, thorough) {
      const topic = topicOf(round)
      await checkKafkaTopic(work, topic, format, thorough)
      await work.scene.remove(topic)
      removeFolder(join(cache, 'work', topic))
    },
  }
}

function byHand(work: Work, driver: Driver, name: string, slug: string): Contender {
  const { input, scene, compression } = work
  const script = join(import.meta.dirname, `../by-hand/file-to-kafka-${driver}.ts`)
  return topicContender(work, name, slug, topic =>
    measure([script, input, scene.bootstrap, topic, scene.registry, compression]),
  )
}

async function benthos(work: Work, notes: string[]): Promise<Contender[]> {
  const { input, scene, compression } = work
  const peer = await peerIfThere(findBenthos, notes)
  if (peer === null) return []
  const env = { INPUT: input, BROKER: scene.bootstrap, REGISTRY: scene.registry, COMPRESSION: compression }
  const run = (topic: string) => peer.run('produce', cache, { ...env, TOPIC: topic, SUBJECT: `${topic}-value` })
  return [topicContender(work, peer.name, 'produce-benthos', run)]
}

async function connect(work: Work, stack: AsyncDisposableStack, notes: string[]): Promise<Contender[]> {
  const { input, scene, records, compression } = work
  const peer = await peerIfThere(() => startConnect(scene), notes)
  if (peer === null) return []
  stack.use(peer)
  const run = (topic: string) =>
    peer.copy(input, topic, compression, async () => (await scene.count(topic, 'json')).lines >= records)
  return [topicContender(work, peer.name, 'produce-connect', run, 'json')]
}

export const fileToKafka: Bar = {
  name: 'kafka-produce',
  async run({ records, rounds, compression, profile, tell }) {
    const input = await reviewsFile(records)
    await using stack = new AsyncDisposableStack()
    const scene = stack.use(await openKafka())
    const work: Work = { scene, input, records, compression }
    const intake = fileIntake(input)
    const notes: string[] = []
    const first = byHand(work, 'kafkajs', 'by hand (kafkajs)', 'produce-by-hand-kafkajs')
    const again = byHand(work, 'kafkajs', 'by hand (kafkajs), again', 'produce-by-hand-kafkajs-again')
    const other = byHand(work, 'platformatic', 'by hand (platformatic)', 'produce-by-hand-platformatic')
    const [benthosPeer] = await benthos(work, notes)
    const [connectPeer] = await connect(work, stack, notes)
    const weir = weirs.map(({ build, driver }) =>
      topicContender(work, `weir (${build}, ${driver})`, `produce-${build}-${driver}`, topic =>
        produceToKafka({ ...work, intake }, build, driver, topic),
      ),
    )
    const peers = [benthosPeer, connectPeer].filter(each => each !== undefined)
    const lines = await compare([first, ...weir.slice(0, 2), again, other, ...weir.slice(2), ...peers], {
      records,
      rounds,
      warmup: 1,
      withinMs,
      tell,
    })
    const lineOf = (one: Contender | undefined): Line | undefined => lines.find(({ name }) => name === one?.name)
    const weirLines = weir.map(each => lineOf(each)!)
    const verdicts = [
      ...weirLines.flatMap((line, i) => [
        ...atLeast(timesBenthos, line, lineOf(benthosPeer)),
        ...atLeast(timesConnect, line, lineOf(connectPeer)),
        ...atMost(longestRatio, line, lineOf(weirs[i]!.driver === 'kafkajs' ? first : other)),
      ]),
      ...rssVerdicts(weirLines, mostMb),
    ]
    const profiles = []
    if (profile || verdicts.some(({ met }) => !met))
      for (const driver of ['kafkajs', 'platformatic'] as const) {
        const topic = `produce-profile-${driver}`
        const { options, top } = profiling(topic)
        await scene.prepare(topic)
        await produceToKafka({ ...work, intake }, 'src', driver, topic, options)
        removeFolder(join(cache, 'work', topic))
        profiles.push({ of: `weir (src, ${driver})`, top: top(profileLines) })
      }
    return {
      title: `file -> map -> Avro -> Kafka, ${records.toLocaleString('en')} reviews, compression ${compression}`,
      table: compareTable(lines),
      verdicts,
      notes: [
        ...notes,
        `A/A: ${again.name} took ${showSpread(wallAgainst(lineOf(again)!, lineOf(first)!))} of the first one's wall.`,
        'weir: exactly once; records, dead letters and cursor in one transaction, each record with its identity in a header.',
        'by hand: bench/by-hand/file-to-kafka-*.ts, batches of 1,000, five on their way, acks=all, no transactions.',
        ...(benthosPeer
          ? ['Benthos: bench/peers/benthos/produce.yaml; idempotent, acks=all, batches of 1,000, ten on their way.']
          : []),
        ...(connectPeer
          ? [
              'Kafka Connect: one worker, warm from the second round on; its time runs from the order for a connector to the last commit. It copies lines: no mapping, no Avro.',
            ]
          : []),
      ],
      profiles,
    }
  },
}
