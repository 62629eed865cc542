// Kafka -> Avro decode -> NDJSON file, exactly once: at least twice the throughput of Benthos; at most 200 MB.
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { reviewsFile } from '../data.ts'
import { findBenthos } from '../harness/benthos.ts'
import { type Contender, compare, type Line, wallAgainst } from '../harness/compare.ts'
import { type Driver, type KafkaScene, openKafka, weirs, writeConsumer, writeWorkspace } from '../harness/kafka.ts'
import { type Measured, type MeasureOptions, measure } from '../harness/measure.ts'
import { showSpread } from '../harness/numbers.ts'
import { atLeast, peerIfThere } from '../harness/peers.ts'
import { profiling } from '../harness/profile.ts'
import { type Bar, compareTable, profileLines, rssVerdicts } from '../harness/report.ts'
import {
  type Build,
  cache,
  countFile,
  expectCount,
  fileIntake,
  freshFolder,
  mainOf,
  removeFolder,
} from '../harness/scene.ts'
import { checkKafkaTopic, produceToKafka } from './file-to-kafka.ts'

const timesBenthos = 2
const mostMb = 200
const withinMs = 150_000
const topic = 'consume-input'

interface Work {
  readonly scene: KafkaScene
  readonly records: number
}

/** Runs a consumer of its own group over the whole topic into `out.ndjson` of its folder. */
function consume(scene: KafkaScene, build: Build, driver: Driver, group: string, options: MeasureOptions = {}) {
  const folder = freshFolder(group)
  writeWorkspace(folder, scene, driver, 'none')
  const pipeline = writeConsumer(folder, topic, group)
  const flags = ['--until', 'end', '--stage', 'consumer']
  return measure([mainOf(build), 'run', pipeline, '--data', join(folder, 'store'), ...flags], {
    ...options,
    cwd: folder,
  })
}

/** A program that reads the topic with a group of its own each round into `out.ndjson` of a folder with the group's name. */
function contender(
  { records }: Work,
  name: string,
  slug: string,
  run: (group: string) => Promise<Measured>,
): Contender {
  const groupOf = (round: number) => `${slug}-${round}`
  return {
    name,
    run: round => run(groupOf(round)),
    async check(round) {
      const folder = join(cache, 'work', groupOf(round))
      const { lines, ids } = await countFile(join(folder, 'out.ndjson'))
      expectCount(`${name}, lines`, lines, records)
      expectCount(`${name}, different reviews`, ids, records)
      removeFolder(folder)
    },
  }
}

function byHand(work: Work, driver: Driver, name: string, slug: string): Contender {
  const script = join(import.meta.dirname, `../by-hand/kafka-to-file-${driver}.ts`)
  return contender(work, name, slug, group =>
    measure([script, work.scene.bootstrap, topic, group, join(freshFolder(group), 'out.ndjson'), String(work.records)]),
  )
}

async function benthos(work: Work, notes: string[]): Promise<Contender[]> {
  const peer = await peerIfThere(findBenthos, notes)
  if (peer === null) return []
  const env = { TOPIC: topic, BROKER: work.scene.bootstrap, REGISTRY: work.scene.registry }
  const run = (group: string) => {
    const folder = freshFolder(group)
    const path = join(folder, 'out.ndjson')
    return peer.run(
      'consume',
      folder,
      { ...env, GROUP: group, OUTPUT: path },
      {
        look: async () => statSync(path, { throwIfNoEntry: false })?.size ?? 0,
        isAll: async () =>
          statSync(path, { throwIfNoEntry: false }) !== undefined && (await countFile(path)).lines >= work.records,
      },
    )
  }
  return [contender(work, peer.name, 'consume-benthos', run)]
}

export const kafkaToFile: Bar = {
  name: 'kafka-consume',
  async run({ records, rounds, compression, profile, tell }) {
    const input = await reviewsFile(records)
    await using scene = await openKafka()
    const work: Work = { scene, records }
    await scene.prepare(topic)
    await produceToKafka({ scene, intake: fileIntake(input), compression }, 'dist', 'kafkajs', topic)
    removeFolder(join(cache, 'work', topic))
    await checkKafkaTopic(work, topic, 'avro', true)
    const notes: string[] = []
    const first = byHand(work, 'kafkajs', 'by hand (kafkajs)', 'consume-by-hand-kafkajs')
    const again = byHand(work, 'kafkajs', 'by hand (kafkajs), again', 'consume-by-hand-kafkajs-again')
    const other = byHand(work, 'platformatic', 'by hand (platformatic)', 'consume-by-hand-platformatic')
    const [peer] = await benthos(work, notes)
    const weir = weirs.map(({ build, driver }) =>
      contender(work, `weir (${build}, ${driver})`, `consume-${build}-${driver}`, group =>
        consume(scene, build, driver, group),
      ),
    )
    const contenders = [first, ...weir.slice(0, 2), again, other, ...weir.slice(2), ...(peer ? [peer] : [])]
    const lines = await compare(contenders, { records, rounds, warmup: 1, withinMs, tell })
    const lineOf = (one: Contender | undefined): Line | undefined => lines.find(({ name }) => name === one?.name)
    const weirLines = weir.map(each => lineOf(each)!)
    const verdicts = [
      ...weirLines.flatMap(line => atLeast(timesBenthos, line, lineOf(peer))),
      ...rssVerdicts(weirLines, mostMb),
    ]
    const profiles = []
    if (profile || verdicts.some(({ met }) => !met))
      for (const driver of ['kafkajs', 'platformatic'] as const) {
        const group = `consume-profile-${driver}`
        const { options, top } = profiling(group)
        await consume(scene, 'src', driver, group, options)
        removeFolder(join(cache, 'work', group))
        profiles.push({ of: `weir (src, ${driver})`, top: top(profileLines) })
      }
    return {
      title: `Kafka -> Avro -> file sink, ${records.toLocaleString('en')} reviews that weir wrote, compression ${compression}`,
      table: compareTable(lines),
      verdicts,
      notes: [
        ...notes,
        `A/A: ${again.name} took ${showSpread(wallAgainst(lineOf(again)!, lineOf(first)!))} of the first one's wall.`,
        'weir: exactly once, synced, batches of 500 records a partition (the default).',
        'by hand: bench/by-hand/kafka-to-file-*.ts, synced, offsets committed afterwards, at least once. There is no bar beside it.',
        ...(peer
          ? [
              'Benthos: bench/peers/benthos/consume.yaml; its time ends with the last byte in the file, its end is not counted.',
            ]
          : []),
      ],
      profiles,
    }
  },
}
