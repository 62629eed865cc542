// Times pages of dead letters through the function behind `weir dlq list`, in a process that has just started: opening the store, the first
// page, the same page again, the same page behind half a topic of discarded letters, one letter found by its code at the very end.
// Usage: list-letters.ts DATA_DIR TOPIC PAGE TIMES; prints JSON, times in milliseconds
import { type LetterQuery, selectLetters } from '../../src/app/dead-letters.ts'
import { openBroker } from '../../src/app/open.ts'
import { Marks, marksScope, OffsetSet } from '../../src/pipeline/marks.ts'

const [dataDir, topic, pageText, timesText] = process.argv.slice(2) as [string, string, string, string]
const page = Number(pageText)

const openedMs = performance.now()
await using broker = await openBroker({
  file: null,
  broker: { kind: 'embedded' },
  registry: { kind: 'embedded' },
  dataDir,
})
const openMs = performance.now() - openedMs
const info = await broker.log.topic(topic)
const letters = info!.partitionInfo[0]!.latest

async function time(query: LetterQuery): Promise<{ ms: number; found: number; first: string | undefined }> {
  const startedMs = performance.now()
  const ids: string[] = []
  for await (const { id } of selectLetters(broker, topic, query, AbortSignal.timeout(600_000))) ids.push(id)
  return { ms: performance.now() - startedMs, found: ids.length, first: ids[0] }
}

// Left by a run that was killed.
await broker.log.writeCursors(marksScope(topic), [{ split: '0', value: null }])
const open: LetterQuery = { states: ['open'], limit: page }
const first = await time(open)
const again: number[] = []
for (let i = 0; i < Number(timesText); i++) again.push((await time(open)).ms)

const half = letters / 2n
const discarded = new Marks(new OffsetSet(), new OffsetSet([[0n, half - 1n]]))
const setMarks = (value: string | null) => broker.log.writeCursors(marksScope(topic), [{ split: '0', value }])
await setMarks(discarded.serialize())
const behind = await time(open)
await setMarks(null)
const rare = await time({ states: ['open'], codes: ['encode.too_large'], limit: page })

console.log(
  JSON.stringify({ letters: Number(letters), openMs, first, again, behind: { ...behind, half: Number(half) }, rare }),
)
