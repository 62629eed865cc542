// `weir reparse`: the raw pages of a pipeline mapped again with its definition of today. Nothing is fetched.
import { openHoldings } from '../adapters/holdings-sqlite/holdings.ts'
import type { PipelineDefinition } from '../config/definition.ts'
import { WeirError } from '../core/errors.ts'
import type { LogRecord } from '../core/record.ts'
import { createDecode, type Decode } from '../pipeline/decode.ts'
import { createFloodGuard } from '../pipeline/flood.ts'
import { itemResults, type PageSelection, type ReparsedPage, reparse } from '../pipeline/reparse.ts'
import { compileEncoder } from '../schema/codec.ts'
import { readSchemaId } from '../schema/wire.ts'
import { governedBroker } from './governance/gate.ts'
import {
  type AppDeps,
  encodeOf,
  mappingOf,
  type OpenBroker,
  openOffice,
  openSource,
  rawPageSchemaText,
  schemaToWrite,
} from './parts.ts'
import { findTopic } from './reading.ts'

export { itemResults, type PageSelection, type ReparsedPage }

export interface ReparseSettings {
  readonly dryRun: boolean
  /** Of weir, for what is written. */
  readonly version: string
}

/** Maps the chosen pages again; see `reparse`. @throws usage.invalid, usage.refused, log.*, registry.*, dead_letter.flood */
export async function* reparsePages(
  definition: PipelineDefinition,
  opened: OpenBroker,
  deps: AppDeps,
  selection: PageSelection,
  { dryRun, version }: ReparseSettings,
  signal: AbortSignal,
): AsyncGenerator<ReparsedPage> {
  const { pipeline, topic, deadLetter, raw } = definition
  const broker = governedBroker(opened, definition, deps.clock)
  if (raw === null)
    throw new WeirError('usage.invalid', `${pipeline} keeps no raw pages`, {
      hint: 'Write `keep_raw: topic` under `source`: pages that are fetched from then on are kept.',
    })
  await findTopic(broker.log, raw.topic)
  await using stack = new AsyncDisposableStack()
  const schemaId = await schemaToWrite(definition, broker, deps, dryRun)
  const source = stack.use(openSource(definition, deps, { version }))
  const writing = dryRun
    ? null
    : {
        office: await openOffice(definition, broker, deps.emit),
        flood: createFloodGuard(deadLetter.stopAfter, deps.clock),
      }
  yield* reparse(
    selection,
    {
      ...deps,
      log: broker.log,
      pipeline,
      topic: topic.name,
      rawTopic: raw.topic,
      deadLetterTopic: deadLetter.topic,
      holdings: stack.use(openHoldings()),
      asToday: asToday(definition, createDecode(broker.registry, topic.schemaText), schemaId),
      decode: createDecode(broker.registry, await rawPageSchemaText()),
      source,
      mapping: mappingOf(definition),
      encode: encodeOf(definition, schemaId),
      version,
      writing,
    },
    signal,
  )
}

/** A value that another schema was used for is read by the schema of today and written with it; null where it cannot be. */
function asToday({ topic }: PipelineDefinition, decode: Decode, schemaId: number) {
  const encoder = compileEncoder(topic.schemaText, { maxBytes: topic.maxRecordBytes })
  const again = async (record: LogRecord): Promise<Uint8Array | null> => {
    const [found] = (await decode([record])).decoded
    if (!found?.value) return null
    try {
      return Uint8Array.from(encoder.encode(found.value, schemaId))
    } catch {
      return null
    }
  }
  return async (records: readonly LogRecord[]) => {
    const values: (Uint8Array | null)[] = []
    for (const record of records) values.push(isOf(record.value, schemaId) ? record.value : await again(record))
    return values
  }
}

function isOf(value: Uint8Array | null, schemaId: number): boolean {
  try {
    return value !== null && readSchemaId(value) === schemaId
  } catch {
    return false
  }
}
