// The auditor: a separate program that sees only what the source served, what readers of the topics see, the cursors and the sink's file.
// Usage: audit.ts --journal FILE --topic FILE --dead FILE [--cursors FILE] [--sink FILE] [--keys-may-move] [--any-order] [--seed TEXT] [--limit N]
//   --journal  NDJSON in the order served: { id, key, dead, split?, at? }; id is the weir-id that its record must carry, dead: true where it
//              cannot be mapped, aborted: true where only an aborted transaction wrote it; at: where it ends in its split, as the cursor counts
//   --topic, --dead  NDJSON of the topics: `weir topic cat --json` or `kcat -J`
//   --cursors  the cursor topic, `kcat -J`: each record closes one transaction of its split
//   --sink     what the file sink wrote, with metadata
// Prints one line an anomaly (names after jepsen-io/redpanda) and exits 1 when there is any; else prints the counts.
import { createReadStream, existsSync } from 'node:fs'
import { parseArgs } from 'node:util'

interface Served {
  readonly id: string
  readonly key: string | null
  readonly dead: boolean
  readonly aborted?: boolean
  readonly split?: string
  readonly at?: number
}

interface Read {
  readonly partition: number
  readonly offset: number
  readonly key: string | null
  readonly id: string
  readonly payload: string | null
}

async function* lines<T>(path: string): AsyncGenerator<T> {
  if (!existsSync(path)) throw new Error(`the auditor has no ${path}`)
  let rest = ''
  for await (const text of createReadStream(path, 'utf8')) {
    // Not `readline`: it ends a line at U+2028 too, whose bytes a binary payload may have.
    const whole = (rest + text).split('\n')
    rest = whole.pop()!
    for (const line of whole) if (line !== '') yield JSON.parse(line) as T
  }
  if (rest !== '') yield JSON.parse(rest) as T
}

type Raw = Omit<Read, 'id'> & { readonly headers?: readonly string[] | Readonly<Record<string, string>> }

async function* records(path: string): AsyncGenerator<Read> {
  for await (const { headers = {}, ...raw } of lines<Raw>(path)) {
    const named = Array.isArray(headers)
      ? (headers as string[])[headers.indexOf('weir-id') + 1]
      : (headers as Record<string, string>)['weir-id']
    yield { ...raw, offset: Number(raw.offset), id: named ?? '' }
  }
}

const { values: given } = parseArgs({
  options: {
    journal: { type: 'string' },
    topic: { type: 'string' },
    dead: { type: 'string' },
    cursors: { type: 'string' },
    sink: { type: 'string' },
    'keys-may-move': { type: 'boolean', default: false },
    'any-order': { type: 'boolean', default: false },
    seed: { type: 'string' },
    limit: { type: 'string', default: '20' },
  },
})
const anomalies: string[] = []
const tell = (name: string, what: string) => anomalies.push(`${name} ${what}`)

const served = new Map<string, Served & { readonly order: number }>()
let order = 0
for await (const each of lines<Served>(given.journal!)) served.set(each.id, { ...each, order: order++ })

const inTopic = new Map<string, number>()
const lastOfKey = new Map<string, number>()
const partitionOfKey = new Map<string, number>()
const offsetsOf = new Map<number, number[]>()
for await (const record of records(given.topic!)) {
  const { id, key, partition, offset } = record
  const source = served.get(id)
  inTopic.set(id, (inTopic.get(id) ?? 0) + 1)
  if (!source) tell('invented', id)
  else if (source.aborted) tell('aborted-read', id)
  else if (source.dead) tell('invented', `${id}: it cannot be mapped`)
  else if (source.key !== key) tell('wrong-key', id)
  const offsets = offsetsOf.get(partition) ?? []
  offsetsOf.set(partition, offsets)
  const previous = offsets.at(-1) ?? -1
  if (offset <= previous) tell('nonmonotonic-poll', `${partition}/${offset} after ${previous}`)
  offsets.push(offset)
  if (!source || key === null) continue
  if (!given['keys-may-move'] && (partitionOfKey.get(key) ?? partition) !== partition)
    tell('moved-key', `${key} is in partitions ${partitionOfKey.get(key)} and ${partition}`)
  partitionOfKey.set(key, partition)
  const ordered = `${partition} ${key}`
  const last = lastOfKey.get(ordered) ?? -1
  if (!given['any-order'] && source.order < last && inTopic.get(id) === 1)
    tell('out-of-order', `${id} under key ${key}`)
  lastOfKey.set(ordered, Math.max(last, source.order))
}
const inDead = new Map<string, number>()
for await (const { id } of records(given.dead!)) {
  inDead.set(id, (inDead.get(id) ?? 0) + 1)
  if (!served.has(id)) tell('invented', `dead letter ${id}`)
}

const cursors = given.cursors === undefined ? null : await readCursors(given.cursors)
if (cursors) auditCursors(cursors)
for (const { id, dead, aborted, split, at } of served.values()) {
  if (aborted) continue
  const here = inTopic.get(id) ?? 0
  const letters = inDead.get(id) ?? 0
  if (here > 1) tell('duplicate', `${id} x${here}`)
  if (letters > 1) tell('dlq-double', `${id} x${letters}`)
  if (here > 0 && letters > 0) tell('duplicate', `${id} is a record and a dead letter`)
  if (here + letters === 0) tell(isCovered(split, at) ? (dead ? 'dlq-missing' : 'lost-write') : 'unseen', id)
  if (!dead && letters > 0) tell('dlq-unexpected', id)
}
if (given.sink !== undefined) await auditSink(given.sink)

if (anomalies.length > 0) {
  for (const anomaly of anomalies.slice(0, Number(given.limit)))
    console.log(given.seed === undefined ? anomaly : `${anomaly} (seed ${given.seed})`)
  console.log(`${anomalies.length} anomalies`)
  process.exit(1)
}
const items = [...served.values()].filter(each => !each.aborted).length
console.log(`${items} served = ${inTopic.size} records + ${inDead.size} dead letters`)

/** Where the cursors of each split stood, in the order of the log. */
async function readCursors(path: string): Promise<Map<string, number[]>> {
  const found = new Map<string, number[]>()
  for await (const { key, payload } of records(path)) {
    if (payload === null) continue
    const { split, cursor } = JSON.parse(payload) as { split: string; cursor: string }
    if (split.startsWith('~weir/')) continue // A mark of weir's own, not a place in the source.
    if (split !== key) tell('invented', `a cursor of ${split} under the key ${key}`)
    const { offset } = JSON.parse(cursor) as { offset: number }
    const stood = found.get(split) ?? []
    found.set(split, stood)
    if (offset < (stood.at(-1) ?? 0)) tell('cursor-regress', `${split}: ${offset} after ${stood.at(-1)}`)
    stood.push(offset)
  }
  return found
}

/** What a cursor closes is there as a whole, what lies behind the last one is not. */
function auditCursors(found: ReadonlyMap<string, readonly number[]>): void {
  const bySplit = Map.groupBy(
    [...served.values()].filter(each => each.at !== undefined && !each.aborted),
    e => e.split!,
  )
  for (const [split, items] of bySplit) {
    const closed = [...(found.get(split) ?? [])].sort((a, b) => a - b)
    let next = 0
    let missing = 0
    for (const to of [...closed, Number.POSITIVE_INFINITY]) {
      const from = next
      while (next < items.length && items[next]!.at! <= to) next++
      const own = items.slice(from, next)
      const there = own.filter(({ id }) => inTopic.has(id) || inDead.has(id)).length
      if (to === Number.POSITIVE_INFINITY) {
        if (there > 0)
          tell('torn-txn', `${split}: ${there} items lie behind the cursor at ${closed.at(-1) ?? 'the start'}`)
      } else {
        missing += own.length - there
        if (there > 0 && there < own.length)
          tell('torn-txn', `${split}: of ${own.length} items up to ${to}, ${own.length - there} are missing`)
      }
    }
    if (missing > 0)
      tell('cursor-ahead', `${split}: the cursor at ${closed.at(-1)} covers ${missing} items that are nowhere`)
  }
}

/** Without cursors to tell, all that was served counts as taken. */
function isCovered(split: string | undefined, at: number | undefined): boolean {
  if (!cursors || split === undefined || at === undefined) return true
  return (cursors.get(split)?.at(-1) ?? 0) >= at
}

/** The sink got each record of the topic once, in the order of its partition. */
async function auditSink(path: string): Promise<void> {
  const reached = new Map<number, number>()
  for await (const { partition, offset: written } of lines<{ partition: number; offset: number | string }>(path)) {
    const offset = Number(written)
    const offsets = offsetsOf.get(partition) ?? []
    const at = reached.get(partition) ?? 0
    const found = indexOf(offsets, offset)
    if (found === -1) tell('aborted-read', `sink: ${partition}/${offset} is no committed record`)
    else if (found < at) tell('nonmonotonic-poll', `sink: ${partition}/${offset} again`)
    else if (found > at) tell('poll-skip', `sink: ${partition}, ${found - at} records before ${offset}`)
    reached.set(partition, Math.max(at, found + 1))
  }
  for (const [partition, offsets] of offsetsOf)
    if ((reached.get(partition) ?? 0) < offsets.length)
      tell('poll-skip', `sink: ${partition}, the last ${offsets.length - (reached.get(partition) ?? 0)} records`)
}

function indexOf(ascending: readonly number[], wanted: number): number {
  let from = 0
  let to = ascending.length
  while (from < to) {
    const middle = (from + to) >>> 1
    if (ascending[middle]! < wanted) from = middle + 1
    else to = middle
  }
  return ascending[from] === wanted ? from : -1
}
