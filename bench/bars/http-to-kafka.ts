// Paginated HTTP -> map -> Avro -> Kafka, exactly once, a cursor with each page: at least 15,000 records/s, at most 200 MB.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { compare } from '../harness/compare.ts'
import { openKafka, weirs } from '../harness/kafka.ts'
import { measure, remember } from '../harness/measure.ts'
import { profiling } from '../harness/profile.ts'
import { type Bar, compareTable, profileLines, rssVerdicts } from '../harness/report.ts'
import { cache, httpIntake, removeFolder } from '../harness/scene.ts'
import { produceToKafka, topicContender } from './file-to-kafka.ts'

const fewestPerSecond = 15_000
const mostMb = 200
const withinMs = 330_000

export const httpToKafka: Bar = {
  name: 'kafka-http',
  async run({ records, rounds, compression, profile, tell }) {
    await using scene = await openKafka()
    using vendor = remember(fork(join(import.meta.dirname, '../children/serve-pages.ts'), [String(records)]))
    const [port] = (await once(vendor, 'message')) as [number]
    const url = `http://127.0.0.1:${port}/reviews`
    const work = { scene, intake: httpIntake(url), records, compression }
    const script = join(import.meta.dirname, '../by-hand/http-to-kafka-kafkajs.ts')
    const byHand = topicContender(work, 'by hand (kafkajs)', 'http-by-hand-kafkajs', topic =>
      measure([script, url, scene.bootstrap, topic, scene.registry, compression]),
    )
    const weir = weirs.map(({ build, driver }) =>
      topicContender(work, `weir (${build}, ${driver})`, `http-${build}-${driver}`, topic =>
        produceToKafka(work, build, driver, topic),
      ),
    )
    const lines = await compare([byHand, ...weir], { records, rounds, warmup: 1, withinMs, tell })
    const verdicts = [
      ...lines.slice(1).map(({ name, perSecond }) => ({
        bar: `${name}: ≥ ${fewestPerSecond.toLocaleString('en')} records/s`,
        found: `${Math.round(perSecond).toLocaleString('en')} records/s`,
        met: perSecond >= fewestPerSecond,
      })),
      ...rssVerdicts(lines.slice(1), mostMb),
    ]
    const profiles = []
    if (profile || verdicts.some(({ met }) => !met)) {
      const topic = 'http-profile-kafkajs'
      const { options, top } = profiling(topic)
      await scene.prepare(topic)
      await produceToKafka(work, 'src', 'kafkajs', topic, options)
      removeFolder(join(cache, 'work', topic))
      profiles.push({ of: 'weir (src, kafkajs)', top: top(profileLines) })
    }
    return {
      title: `paginated HTTP -> map -> Avro -> Kafka, ${records.toLocaleString('en')} reviews, 1,000 a page, compression ${compression}`,
      table: compareTable(lines),
      verdicts,
      notes: [
        'weir: exactly once; records, dead letters and cursor of a page in one transaction.',
        'by hand: bench/by-hand/http-to-kafka-kafkajs.ts, a batch a page, five on their way, acks=all, no transactions, no cursor.',
      ],
      profiles,
    }
  },
}
