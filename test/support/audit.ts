// The auditor: a separate program that sees only what the source served, what readers of the topic see, and the dead letters.
// Usage: audit.ts JOURNAL TOPIC DEAD_LETTERS [LIMIT]
//   JOURNAL       NDJSON: { id, key, dead } in the order served; id is the weir-id a record of it must carry, dead: true where it cannot be mapped
//   TOPIC         output of `weir topic cat TOPIC --json`
//   DEAD_LETTERS  output of `weir topic cat DLQ --json`
// Prints one line an anomaly and exits 1 when there is any; else prints the counts.
import { createReadStream, existsSync } from 'node:fs'
import { createInterface } from 'node:readline'

interface Served {
  readonly id: string
  readonly key: string | null
  readonly dead: boolean
}

interface Read {
  readonly partition: number
  readonly offset: number
  readonly key: string | null
  readonly headers: Record<string, string | undefined>
}

async function* lines<T>(path: string): AsyncGenerator<T> {
  if (!existsSync(path)) throw new Error(`the auditor has no ${path}`)
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY }))
    if (line !== '') yield JSON.parse(line) as T
}

const [journalPath, topicPath, deadPath, limit = '20'] = process.argv.slice(2) as [string, string, string, string?]
const anomalies: string[] = []
const tell = (name: string, what: string) => anomalies.push(`${name} ${what}`)

const served = new Map<string, Served & { readonly order: number }>()
let order = 0
for await (const each of lines<Served>(journalPath)) served.set(each.id, { ...each, order: order++ })

const idOf = (record: Read) => record.headers['weir-id'] ?? ''
const inTopic = new Map<string, number>()
const lastOfKey = new Map<string, number>()
const lastOffset = new Map<number, number>()
for await (const record of lines<Read>(topicPath)) {
  const id = idOf(record)
  const source = served.get(id)
  inTopic.set(id, (inTopic.get(id) ?? 0) + 1)
  if (!source) tell('invented', id)
  else if (source.dead) tell('invented', `${id}: it cannot be mapped`)
  else if (source.key !== record.key) tell('wrong-key', id)
  const previous = lastOffset.get(record.partition) ?? -1
  if (record.offset <= previous) tell('nonmonotonic-poll', `${record.partition}/${record.offset} after ${previous}`)
  lastOffset.set(record.partition, record.offset)
  if (source && record.key !== null) {
    const last = lastOfKey.get(record.key) ?? -1
    if (source.order < last && inTopic.get(id) === 1) tell('out-of-order', `${id} under key ${record.key}`)
    lastOfKey.set(record.key, Math.max(last, source.order))
  }
}
const inDead = new Map<string, number>()
for await (const record of lines<Read>(deadPath)) {
  const id = idOf(record)
  inDead.set(id, (inDead.get(id) ?? 0) + 1)
  if (!served.has(id)) tell('invented', `dead letter ${id}`)
}
for (const { id, dead } of served.values()) {
  const records = inTopic.get(id) ?? 0
  const letters = inDead.get(id) ?? 0
  if (records > 1) tell('duplicate', `${id} x${records}`)
  if (letters > 1) tell('dlq-double', `${id} x${letters}`)
  if (records > 0 && letters > 0) tell('duplicate', `${id} is a record and a dead letter`)
  if (records + letters === 0) tell(dead ? 'dlq-missing' : 'lost-write', id)
  if (!dead && letters > 0) tell('dlq-unexpected', id)
}

if (anomalies.length > 0) {
  for (const anomaly of anomalies.slice(0, Number(limit))) console.log(anomaly)
  console.log(`${anomalies.length} anomalies`)
  process.exit(1)
}
console.log(`${served.size} served = ${inTopic.size} records + ${inDead.size} dead letters`)
