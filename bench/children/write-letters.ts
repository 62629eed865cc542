// Fills a dead-letter topic through the ports, in batches of one transaction each: letters as the map stage writes them, with reviews of
// about 560 bytes as their originals. The last one alone has the code encode.too_large. Usage: write-letters.ts DATA_DIR TOPIC COUNT
import { openBroker } from '../../src/app/open.ts'
import { deadLetterSchemaText } from '../../src/app/parts.ts'
import type { Code } from '../../src/core/errors.ts'
import type { OutRecord } from '../../src/core/record.ts'
import { createOffice, type DeadLetter } from '../../src/pipeline/dead-letter.ts'
import { identityOf, identityPrefix } from '../../src/pipeline/identity.ts'
import type { Bucket } from '../../src/pipeline/ports.ts'
import { compileEncoder } from '../../src/schema/codec.ts'
import { valueSubject } from '../../src/schema/subject.ts'
import { review, seeded } from '../data.ts'

const [dataDir, topic, countText] = process.argv.slice(2) as [string, string, string]
const count = Number(countText)
const batchLetters = 2000
const pipeline = 'bench-letters'
const maxRecordBytes = 16 * 1024 * 1024
const firstMs = Date.UTC(2026, 0, 1)

const random = seeded(7)
const originals = Array.from({ length: 1000 }, (_, index) => Buffer.from(JSON.stringify(review(random, index))))
const codes: readonly Code[] = ['map.failed', 'map.failed', 'map.missing', 'encode.invalid']

function letterAt(index: number): DeadLetter {
  const code = index === count - 1 ? 'encode.too_large' : codes[index % codes.length]!
  return {
    error_code: code,
    error_message: 'review_date: no such key: timestamp',
    error_path: '/review_date',
    error_hint: 'Write this.?timestamp.orValue(null) where the source may leave it out.',
    stage: code.startsWith('map.') ? 'map' : 'encode',
    pipeline,
    split: 'reviews.ndjson',
    source_position: String(index * 560),
    source_place: `line ${index + 1}`,
    context: null,
    topic: 'reviews',
    original_topic: null,
    original_partition: null,
    original_offset: null,
    consumer_group: null,
    original_key: null,
    original: originals[index % originals.length]!,
    original_headers: [],
    schema_id: 1,
    attempts: 1,
    first_failed_at: firstMs + index,
    last_failed_at: firstMs + index,
    weir_version: '0.1.0',
  }
}

await using broker = await openBroker({
  file: null,
  broker: { kind: 'embedded' },
  registry: { kind: 'embedded' },
  dataDir,
})
const { log, registry } = broker
const limits = { retentionMs: null, retentionBytes: null, maxRecordBytes }
await log.ensureTopic({ name: topic, partitions: 1, ...limits })
const text = await deadLetterSchemaText()
const { id } = await registry.register(valueSubject(topic), text)
const encoder = compileEncoder(text, { maxBytes: maxRecordBytes, repairText: true })
const office = createOffice({ topic, encoder, schemaId: id, maxRecordBytes, emit: () => {} })

const assigned = Promise.withResolvers<Bucket>()
await using _producer = await log.joinProducers({
  pipeline,
  buckets: 1,
  assigned: assigned.resolve,
  revoked: async () => {},
  lost: (_, error) => {
    throw error
  },
})
const bucket = await assigned.promise
const prefix = identityPrefix(pipeline, 'reviews.ndjson')
for (let next = 0; next < count; ) {
  const records: OutRecord[] = []
  for (; records.length < batchLetters && next < count; next++) {
    const letter = letterAt(next)
    records.push(office.write(letter, identityOf(prefix, letter.source_position!)))
  }
  await bucket.transact({ appends: [{ topic, records }], cursors: [] })
}
