// A process that delivers records to a file sink until each partition holds them all: what the kill test kills.
//   node file-sink-writer.ts <folder> <records per partition> <partitions> <seed>
// It starts where the sink's own offset record stands, as a consumer does. Prints `open`, then `failed <code>` for each failed delivery, `done` at the end.
import { setTimeout as delay } from 'node:timers/promises'
import { codeOf } from '../../src/core/errors.ts'
import { file } from '../../src/sinks/file.ts'
import { createSinkWorld, reviewAt } from './sink-world.ts'

const [folder = '.', records = '0', partitions = '1', seed = '1'] = process.argv.slice(2)
let state = Number(seed)
const random = () => (state = (state * 1103515245 + 12345) % 2147483648) / 2147483648

const sink = await file.open({ path: 'out.ndjson', metadata: true }, createSinkWorld(folder).deps)
console.log('open')
const positions = Array.from({ length: Number(partitions) }, (_, partition) =>
  Number(sink.startAt!('reviews', partition) ?? 0n),
)
const signal = new AbortController().signal
const pump = async (partition: number): Promise<void> => {
  while (positions[partition]! < Number(records)) {
    const from = positions[partition]!
    const to = Math.min(Number(records), from + 1 + Math.floor(random() * 40))
    // Every seventh record is filtered out before the sink, and counts all the same.
    const kept = Array.from({ length: to - from }, (_, i) => from + i).filter(offset => offset % 7 !== 0)
    const delivery = {
      topic: 'reviews',
      partition,
      records: kept.map(offset => reviewAt(offset, partition)),
      nextOffset: BigInt(to),
    }
    try {
      await sink.deliver!(delivery, signal)
      positions[partition] = to
    } catch (error) {
      console.log(`failed ${codeOf(error)}`)
      if (codeOf(error) !== 'sink.failed') throw error
      await delay(20)
    }
  }
}
await Promise.all(positions.map((_, partition) => pump(partition)))
await sink[Symbol.asyncDispose]()
console.log('done')
