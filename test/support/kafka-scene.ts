// A pipeline on files against a real Kafka, run by processes that tests kill, stop and start again; then audited over what kcat reads.
import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { openCluster } from '../../src/adapters/event-log-kafka/cluster.ts'
import { cursorTopicOf, transactionalIdOf } from '../../src/adapters/event-log-kafka/cursor-topic.ts'
import { drivers } from '../../src/adapters/event-log-kafka/event-log.ts'
import type { DriverName } from '../../src/adapters/event-log-kafka/options.ts'
import { bucketOf } from '../../src/core/murmur2.ts'
import { readBookmark } from '../../src/sources/file/bookmark.ts'
import { type CliOptions, type CliResult, runWeir } from './cli.ts'
import { eventually } from './eventually.ts'
import { kafkaOptions, openKafkaLog } from './kafka-log.ts'
import { type ReviewFiles, type ReviewFilesOptions, reviewFiles, runAuditor, type Verdict } from './review-files.ts'
import { endWithUs, scratchDir } from './services/guard.ts'
import type { Kcat } from './services/kcat.ts'

const root = resolve(import.meta.dirname, '../..')
const plantFile = join(import.meta.dirname, 'plant.ts')
/** As `weir run` shares splits. */
const buckets = 8

export interface KafkaSceneOptions extends ReviewFilesOptions {
  /** Where the auditor reads: past every proxy. */
  readonly bootstrap: string
  readonly kcat: Kcat
  /** What weir is told. Default: bootstrap. */
  readonly brokers?: string
  readonly driver?: DriverName
  /** Seconds, as in weir.yaml. */
  readonly sessionTimeout?: number
  readonly transactionTimeout?: number
  readonly requestTimeout?: number
  /** Files are followed as they grow; runs end only when told to. */
  readonly follow?: boolean
  /** Without a consumer there is one group less to share out. */
  readonly consumes?: boolean
  readonly partitions?: number
  /** Lines of weir.yaml under `kafka:`. */
  readonly more?: string
}

export interface StartOptions {
  readonly failpoint?: string
  /** A bug of plants.ts. */
  readonly plant?: string
  readonly args?: readonly string[]
  readonly deadlineMs?: number
}

/** A `weir run` that is under way. */
export interface Running {
  readonly child: ChildProcess
  /** Its end, however it comes. */
  readonly result: Promise<CliResult>
  /** Events of its log so far. */
  events(type: string): readonly LoggedEvent[]
  /** Resolves once the log holds the event so often; fails when the process ends before. */
  told(type: string, count?: number, withinMs?: number): Promise<void>
  /** Sends the signal and waits for the end. */
  end(signal?: NodeJS.Signals): Promise<CliResult>
}

export interface LoggedEvent {
  readonly event: string
  readonly time: string
  readonly [field: string]: unknown
}

export interface KafkaScene extends AsyncDisposable {
  readonly dir: string
  readonly files: ReviewFiles
  readonly pipeline: string
  readonly topic: string
  readonly deadTopic: string
  readonly cursorTopic: string
  /** The transactional id under which a file is written. */
  transactionalId(file: number): string
  start(options?: StartOptions): Running
  /** One run to the end of the source, with everything consumed. */
  drain(options?: StartOptions): Promise<CliResult>
  weir(args: readonly string[], options?: Partial<CliOptions>): Promise<CliResult>
  /** Serves so many lines of each file every `everyMs`, until it is disposed. */
  feed(lines: number, everyMs: number): Disposable
  /** What the auditor says of all topics, cursors and sinks, read by kcat as committed. */
  audit(...more: readonly string[]): Promise<Verdict>
  /** True when the stored cursors have reached these places in the files: for waiting, while weir runs; the audit is another matter. */
  covers(ends: ReadonlyMap<string, number>): Promise<boolean>
  /** Committed records of topic and dead letters as kcat counts them. */
  rows(): Promise<number>
  /** Changes the definition. */
  edit(from: string | RegExp, to: string): void
}

/** Everything has names of its own, so scenes may share a broker. */
export function kafkaScene(options: KafkaSceneOptions): KafkaScene {
  const { bootstrap, kcat, follow = false, consumes = true, partitions = 3 } = options
  scratchDir('scene')
  const dir = mkdtempSync(join(tmpdir(), 'weir-kafka-'))
  const pipeline = `p${randomBytes(4).toString('hex')}`
  const cursorTopic = cursorTopicOf(pipeline)
  const files = reviewFiles(dir, pipeline, options)
  const running = new Set<ChildProcess>()
  const feeds = new Set<NodeJS.Timeout>()
  writeFileSync(join(dir, 'weir.yaml'), workspaceText(options))
  let definition = `pipeline: ${pipeline}
source: { file: { paths: ["reviews-*.ndjson"], format: ndjson${follow ? ', follow: true' : ''} } }
map:
  review_id: this.id
  product_asin: this.asin
  rating: double(this.stars)
  review_text: this.body
topic: { name: ${pipeline}, key: record.product_asin, schema: ${join(root, 'schemas/raw-review.avsc')}, partitions: ${partitions} }
${consumes ? consumeText(pipeline) : ''}`
  const define = (text: string) => {
    definition = text
    writeFileSync(join(dir, 'pipeline.yaml'), text)
    // A drain reads to the end of what there is.
    writeFileSync(join(dir, 'drain.yaml'), text.replace(', follow: true', ''))
  }
  define(definition)

  const weir = (args: readonly string[], more: Partial<CliOptions> = {}) =>
    runWeir(args, {
      cwd: dir,
      deadlineMs: 200_000,
      ...more,
      started: child => {
        running.add(child)
        endWithUs(child)
        child.once('exit', () => running.delete(child))
        more.started?.(child)
      },
    })
  const launch = (file: string, { failpoint, plant, args = [], deadlineMs }: StartOptions, until: readonly string[]) =>
    watched(started =>
      weir(['run', file, '--log-level', 'debug', '--log-format', 'json', ...until, ...args], {
        started,
        env: {
          ...(failpoint ? { WEIR_FAILPOINT: failpoint } : {}),
          // Planted code is not kept for other runs.
          ...(plant ? { WEIR_PLANT: plant, XDG_CACHE_HOME: null, HOME: null } : {}),
        },
        nodeArgs: plant ? ['--import', plantFile] : [],
        ...(deadlineMs ? { deadlineMs } : {}),
      }),
    )
  const dump = async (topic: string) => {
    const path = join(dir, `${topic}.kcat.ndjson`)
    writeFileSync(path, await kcat(readJson(bootstrap, topic)))
    return path
  }
  const deadTopic = `${pipeline}_dlq`
  const copyTopic = `${pipeline}_copy`
  return {
    dir,
    files,
    pipeline,
    topic: pipeline,
    deadTopic,
    cursorTopic,
    transactionalId: file => transactionalIdOf(cursorTopic, bucketOf(`reviews-${file}.ndjson`, buckets)),
    start: (start = {}) => launch('pipeline.yaml', start, follow ? [] : ['--until', 'end']),
    drain: (start = {}) => launch('drain.yaml', start, ['--until', 'end']).result,
    weir,
    feed(lines, everyMs) {
      const timer = setInterval(() => files.serve(lines), everyMs)
      feeds.add(timer)
      return { [Symbol.dispose]: () => clearInterval(timer) }
    },
    async audit(...more) {
      const names = [pipeline, deadTopic, cursorTopic, ...(consumes ? [copyTopic] : [])]
      await decided(bootstrap, names)
      const [topic, dead, cursors, copy] = await Promise.all(names.map(dump))
      const common = ['--journal', files.journal(), '--dead', dead!, '--cursors', cursors!, ...more]
      // A copy of keys that moved was read from two partitions of each.
      const anyOrder = more.includes('--keys-may-move')
      const sink = ['--sink', join(dir, 'out/reviews.ndjson')]
      const [of, ofCopy] = await Promise.all([
        runAuditor(['--topic', topic!, ...common, ...(consumes ? sink : [])]),
        copy === undefined ? null : runAuditor(['--topic', copy, ...common, ...(anyOrder ? ['--any-order'] : [])]),
      ])
      if (ofCopy === null || ofCopy.report === of!.report) return of!
      return { ok: false, report: `${of!.report}\nthe copy:\n${ofCopy!.report}` }
    },
    async covers(ends) {
      await using log = await openKafkaLog(bootstrap)
      const stored = new Map((await log.cursors(pipeline)).map(({ split, value }) => [split, value]))
      return [...ends].every(([split, end]) => stored.has(split) && readBookmark(stored.get(split)!).offset >= end)
    },
    async rows() {
      await decided(bootstrap, [pipeline, deadTopic])
      const read = await Promise.all([pipeline, deadTopic].map(topic => kcat(readJson(bootstrap, topic))))
      return read.reduce((sum, text) => sum + text.toString('latin1').split('\n').length - 1, 0)
    },
    edit: (from, to) => define(definition.replace(from, to)),
    async [Symbol.asyncDispose]() {
      for (const timer of feeds) clearInterval(timer)
      for (const child of running) child.kill('SIGKILL')
      await rm(dir, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}

/** Waits until no transaction stands open: a commit counts once its answer is there, readers see it a moment later. */
async function decided(bootstrap: string, topics: readonly string[]): Promise<void> {
  const options = kafkaOptions(bootstrap)
  await using cluster = await openCluster(options, (await drivers[options.driver]())(options))
  const lane = cluster.lane()
  const partitions = (await lane.metadata(topics)).flatMap(({ topic, partitions }) =>
    partitions.map(({ partition }) => ({ topic, partition })),
  )
  const written = await lane.listOffsets(partitions, 'latest', 'uncommitted')
  await eventually(
    'no transaction stands open',
    async () => {
      const decided = await lane.listOffsets(partitions, 'latest', 'committed')
      return decided.every(({ offset }, i) => offset >= written[i]!.offset)
    },
    20_000,
  )
}

/** kcat reads a topic from its beginning to its end, committed records only, one JSON object each. */
const readJson = (bootstrap: string, topic: string): readonly string[] => [
  ...['-b', bootstrap, '-C', '-t', topic, '-o', 'beginning', '-e', '-q', '-J'],
  ...['-X', 'isolation.level=read_committed', '-X', 'enable.partition.eof=true'],
]

/** Two groups: one whose sink keeps offsets of its own, one that writes to the log in the transaction of its offsets. */
const consumeText = (pipeline: string) => `consume:
  - group: ${pipeline}-export
    batch: { records: 300 }
    sink: { file: { path: out/reviews.ndjson, metadata: true } }
  - group: ${pipeline}-copy
    batch: { records: 300 }
    sink: { topic: { topic: ${pipeline}_copy, partitions: 3 } }
`

function workspaceText(options: KafkaSceneOptions): string {
  const { bootstrap, brokers = bootstrap, driver = 'kafkajs' } = options
  const { sessionTimeout = 6, transactionTimeout = 10, requestTimeout = 5, more = '' } = options
  return `broker:
  kafka:
    brokers: ["${brokers}"]
    driver: ${driver}
    session_timeout: ${sessionTimeout}s
    transaction_timeout: ${transactionTimeout}s
    request_timeout: ${requestTimeout}s
${more}`
}

function watched(launch: (started: (child: ChildProcess) => void) => Promise<CliResult>): Running {
  const log: LoggedEvent[] = []
  const waiting = new Set<() => void>()
  let child!: ChildProcess
  let rest = ''
  const result = launch(started => {
    child = started
    child.stdout!.on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop()!
      for (const line of lines) if (line.startsWith('{')) log.push(JSON.parse(line) as LoggedEvent)
      for (const look of waiting) look()
    })
  })
  const events = (type: string) => log.filter(({ event }) => event === type)
  return {
    child,
    result,
    events,
    told(type, count = 1, withinMs = 120_000) {
      const there = Promise.withResolvers<void>()
      const look = () => events(type).length >= count && there.resolve()
      const timer = setTimeout(
        () => there.reject(new Error(`no ${count} x ${type} within ${withinMs} ms, but: ${lastOf(log)}`)),
        withinMs,
      )
      const ended = ({ code, signal, err }: CliResult) =>
        there.reject(new Error(`ended (${code ?? signal}) before ${count} x ${type}: ${err}`))
      result.then(ended, there.reject)
      waiting.add(look)
      look()
      return there.promise.finally(() => {
        clearTimeout(timer)
        waiting.delete(look)
      })
    },
    end(signal = 'SIGTERM') {
      child.kill(signal)
      return result
    },
  }
}

const lastOf = (log: readonly LoggedEvent[]) =>
  log
    .slice(-5)
    .map(each => JSON.stringify(each))
    .join('\n')
