// Kafka Connect 4.3.1 with exactly-once sources: one worker for all rounds, as it runs in earnest, and a file connector for each round.

import { readFileSync, writeFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { cached } from '../../test/support/services/cache.ts'
import { scratchDir } from '../../test/support/services/guard.ts'
import { findJava, kafkaVersion, maven, mavenDependencyPlugin } from '../../test/support/services/java.ts'
import { log4jText } from '../../test/support/services/kafka-settings.ts'
import { freePort } from '../../test/support/services/ports.ts'
import { startProcess } from '../../test/support/services/service-process.ts'
import type { Codec, KafkaScene } from './kafka.ts'
import type { Measured } from './measure.ts'
import { usageOf, whenDone } from './other-process.ts'
import { root } from './scene.ts'

export interface Connect extends AsyncDisposable {
  readonly name: string
  /** Copies the lines of a file into a topic. The time runs from the order to the last commit; CPU and memory are the worker's. */
  copy(file: string, topic: string, compression: Codec, isAll: () => Promise<boolean>): Promise<Measured>
}

/** As connect-distributed.sh starts it. */
const jvm = [
  '-Xms256M',
  '-Xmx2G',
  '-server',
  '-XX:+UseG1GC',
  '-XX:MaxGCPauseMillis=20',
  '-XX:InitiatingHeapOccupancyPercent=35',
]
const answerWithinMs = 60_000

const dependency = (group: string, artifact: string, version: string) =>
  `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`
const pom = (
  dependencies: string,
) => `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>weir.bench</groupId><artifactId>connect</artifactId><version>1</version><dependencies>${dependencies}</dependencies></project>
`

/** A folder with the worker in `libs` and the file connector alone in `plugins`. @throws MissingService */
function connectJars(): Promise<string> {
  return cached(`kafka-connect-${kafkaVersion}`, async dir => {
    const libs = dependency('org.apache.kafka', 'connect-runtime', kafkaVersion)
    await writeFile(
      join(dir, 'pom.xml'),
      pom(libs + dependency('org.apache.logging.log4j', 'log4j-slf4j-impl', '2.25.1')),
    )
    const what = `Kafka Connect ${kafkaVersion}`
    await maven(what, dir, [
      `${mavenDependencyPlugin}:copy-dependencies`,
      '-DincludeScope=runtime',
      `-DoutputDirectory=${join(dir, 'libs')}`,
    ])
    await mkdir(join(dir, 'plugins'))
    await maven(what, dir, [
      `${mavenDependencyPlugin}:copy`,
      `-Dartifact=org.apache.kafka:connect-file:${kafkaVersion}`,
      `-DoutputDirectory=${join(dir, 'plugins', 'connect-file')}`,
    ])
  })
}

/** Starts a worker and waits until it takes orders. @throws MissingService */
export async function startConnect({ bootstrap, ends }: KafkaScene): Promise<Connect> {
  const java = findJava(17)
  const jars = await connectJars()
  const url = `http://127.0.0.1:${await freePort()}`
  const dir = scratchDir('connect')
  const filled = readFileSync(join(root, 'bench', 'peers', 'connect', 'distributed.properties'), 'utf8')
    .replace('=BROKER', `=${bootstrap}`)
    .replace('=LISTENER', `=${url.replace('http', 'HTTP')}`)
    .replace('=PLUGINS', `=${join(jars, 'plugins')}`)
  writeFileSync(join(dir, 'worker.properties'), filled)
  writeFileSync(join(dir, 'log4j2.properties'), log4jText)
  const ask = async (method: string, path: string, body?: object): Promise<number> => {
    const response = await fetch(`${url}${path}`, {
      method,
      signal: AbortSignal.timeout(answerWithinMs),
      ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    })
    await response.body?.cancel()
    return response.status
  }
  const process = await startProcess({
    name: 'Kafka Connect',
    command: java,
    args: [
      ...[...jvm, `-Dlog4j2.configurationFile=${dir}/log4j2.properties`, '-cp', `${jars}/libs/*`],
      ...['org.apache.kafka.connect.cli.ConnectDistributed', `${dir}/worker.properties`],
    ],
    dir,
    ready: async () => (await ask('GET', '/connectors').catch(() => 0)) === 200,
  })
  return {
    name: `Kafka Connect ${kafkaVersion}`,
    async copy(file, topic, compression, isAll) {
      const before = usageOf(process.pid)
      const startedMs = performance.now()
      const config = {
        'connector.class': 'org.apache.kafka.connect.file.FileStreamSourceConnector',
        'tasks.max': '1',
        'exactly.once.support': 'required',
        'transaction.boundary': 'poll',
        'batch.size': '2000',
        'producer.override.compression.type': compression,
        file,
        topic,
      }
      const path = `/connectors/${topic}`
      // A worker that is sharing out its work anew says so with 409.
      while ((await ask('PUT', `${path}/config`, config)) !== 201) await delay(50)
      const alive = () => {
        if (!process.running) throw new Error(`Kafka Connect ended. It said:\n${process.log().slice(-3000)}`)
      }
      const doneMs = await whenDone({ look: () => ends(topic), isAll, alive })
      const after = usageOf(process.pid)
      const status = await ask('DELETE', path)
      if (status !== 204) throw new Error(`Kafka Connect does not delete ${topic}: ${status}`)
      return {
        wallMs: doneMs - startedMs,
        cpuMs: (after?.cpuMs ?? Number.NaN) - (before?.cpuMs ?? 0),
        rssMb: after?.rssMb ?? Number.NaN,
        stdout: '',
      }
    },
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  }
}
