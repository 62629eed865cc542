// Raw pages in their topic: written in the transaction of the records that came of them (I1), and read back for a reparse.
import { provenanceHeaders } from '../core/provenance.ts'
import type { Header, LogRecord, OutRecord, RawPage, Split } from '../core/record.ts'
import type { Encoder } from '../schema/codec.ts'
import { header } from './dead-letter-stage.ts'
import type { Decode } from './decode.ts'
import { deadLetterHeaders } from './identity.ts'

export interface PageKeeper {
  readonly topic: string
  /** Encodes a page for the topic of raw pages. Keyed by its split, so that the pages of a split keep their order. */
  write(page: RawPage, split: Split): OutRecord
}

export interface PageKeeperOptions {
  readonly topic: string
  readonly pipeline: string
  readonly encoder: Encoder
  readonly schemaId: number
}

export function createPageKeeper({ topic, pipeline, encoder, schemaId }: PageKeeperOptions): PageKeeper {
  return {
    topic,
    write(page, split) {
      const value = encoder.encode(
        {
          pipeline,
          split: split.id,
          split_vars: JSON.stringify(split.vars),
          source: page.origin,
          url: page.url,
          status: page.status,
          content_type: page.contentType,
          fetched_at: page.fetchedAtMs,
          response: page.response,
          context: page.context,
          body: page.body,
        },
        schemaId,
      )
      return {
        key: Buffer.from(split.id),
        value: Uint8Array.from(value),
        headers: [[deadLetterHeaders.pipeline, pipeline], ...originHeaders(page)],
        timestampMs: page.fetchedAtMs,
      }
    },
  }
}

/** What records of the page say of where they come from. */
export function originHeaders({ origin, url, fetchedAtMs, response }: RawPage): readonly Header[] {
  return [
    [provenanceHeaders.source, origin],
    [provenanceHeaders.url, url],
    [provenanceHeaders.fetchedAt, new Date(fetchedAtMs).toISOString()],
    [provenanceHeaders.response, response],
  ]
}

/** A raw page as it stands in its topic. */
export interface KeptPage {
  /** `partition/offset` */
  readonly id: string
  readonly split: Split
  readonly page: RawPage
}

/** The pages of a pipeline among these records. @throws decode.* when one cannot be read */
export async function pagesIn(records: readonly LogRecord[], pipeline: string, decode: Decode): Promise<KeptPage[]> {
  const own = records.filter(record => header(record, deadLetterHeaders.pipeline) === pipeline)
  const { decoded, failures } = await decode(own)
  if (failures[0]) throw failures[0].error
  return decoded.flatMap(({ log, value }) => (value === null ? [] : [pageOf(log, value as unknown as Stored)]))
}

interface Stored {
  readonly split: string
  readonly split_vars: string
  readonly source: string
  readonly url: string
  readonly status: number
  readonly content_type: string | null
  readonly fetched_at: number | bigint
  readonly response: string
  readonly context: string
  readonly body: Uint8Array
}

function pageOf({ partition, offset }: LogRecord, stored: Stored): KeptPage {
  return {
    id: `${partition}/${offset}`,
    split: { id: stored.split, vars: JSON.parse(stored.split_vars) as Split['vars'] },
    page: {
      body: stored.body,
      status: stored.status,
      contentType: stored.content_type,
      url: stored.url,
      response: stored.response,
      fetchedAtMs: Number(stored.fetched_at),
      origin: stored.source,
      context: stored.context,
    },
  }
}
