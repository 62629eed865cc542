import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { compileDecoder } from '../../src/schema/codec.ts'
import { sinks } from '../../src/sinks/index.ts'
import type { SinkConnector } from '../../src/sinks/sink.ts'
import { reviewSchema } from '../support/sink-world.ts'
import { type SinkUnderTest, sinkContract } from './sink.ts'

// Those of AWS need a service: sink.aws.test.ts.
const under: Record<Exclude<keyof typeof sinks, 'sqs' | 'kinesis'>, Omit<SinkUnderTest, 'connector'>> = {
  log: {
    config: () => ({}),
    arrived: async ({ events }) =>
      events.flatMap(event => (event.type === 'record_logged' ? [(event.value as { id: string }).id] : [])),
  },
  file: {
    config: n => ({ path: `deep/folder/out-${n}.ndjson`, metadata: false }),
    arrived: async ({ deps }, config) => {
      const text = await readFile(join(deps.baseDir, String(config['path'])), 'utf8')
      return text
        .split('\n')
        .slice(0, -1)
        .map(line => JSON.parse(line).id)
    },
  },
  topic: {
    config: n => ({ topic: `copies-${n}`, partitions: 2 }),
    arrived: async (_, __, appends) => {
      const decoder = compileDecoder(reviewSchema, null)
      return appends.flatMap(append => append.records.map(record => String(decoder.decode(record.value!)['id'])))
    },
  },
}

for (const [name, rest] of Object.entries(under))
  sinkContract({ connector: sinks[name as keyof typeof sinks] as unknown as SinkConnector, ...rest })
