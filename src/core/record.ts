// The words for what moves: an item as a source gives it, a record as the log keeps it.
import type { WeirError } from './errors.ts'

/** A header: name and value. A string value is UTF-8. Names may repeat, as in Kafka. */
export type Header = readonly [name: string, value: string | Uint8Array]

/** A record on its way into a topic. */
export interface OutRecord {
  readonly key: Uint8Array | null
  /** null is a tombstone. */
  readonly value: Uint8Array | null
  readonly headers: readonly Header[]
  /** Milliseconds since the epoch. */
  readonly timestampMs: number
  /** Where to put it; omitted: murmur2 of the key as Kafka's default partitioner does, round robin by batch without a key. */
  readonly partition?: number
}

/** A record as it stands in a topic. Offsets start at 0 and may have gaps. Header values are bytes. */
export interface LogRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  readonly timestampMs: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly (readonly [name: string, value: Uint8Array])[]
}

/** The next offset a group will read in a partition. */
export interface Position {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
}

/** A part of a source that can be read alone and has its own cursor. */
export interface Split {
  /** Stable name, unique in the source: `asin=B07FZ8S74R`, a file's path. At most 512 bytes of UTF-8. */
  readonly id: string
  /** What expressions see as `split`. */
  readonly vars: Readonly<Record<string, unknown>>
}

/** One thing a source yields: decoded (`value`), or failed (`error`) with its bytes kept. */
export interface Item {
  /** The decoded item: what expressions see as `this`. Undefined when `error` is set. */
  readonly value: unknown
  /** The bytes as the source gave them; a function where they are costly to cut out and needed only for a dead letter. */
  readonly raw: Uint8Array | (() => Uint8Array)
  /** Where it stands in its split; together with the split it identifies this version of the item: a byte offset, an id with its date. */
  readonly position: string
  /** The same for people: `line 17`. */
  readonly place?: string
  /** Why it could not be decoded. */
  readonly error?: WeirError
  /** What `Source.reparse` needs besides the bytes, such as the column names of a CSV file. */
  readonly context?: string
  /** What happened to something that is known already; omitted: it is new, or the source cannot tell. */
  readonly change?: Change
}

/** Header of a record that is not new: what happened to what it tells about. */
export const changeHeader = 'weir-change'
/** deleted: the record is a tombstone, the item holds its id alone. remapped: the item is as it was, the definition is not. */
export type Change = 'edited' | 'deleted' | 'remapped'

/** Items that the source itself leaves out on purpose; counted, never silent. */
export type DropReason = 'duplicate' | 'unchanged' | 'skipped' | 'filtered'
export type Drops = Partial<Readonly<Record<DropReason, number>>>

/** A page as the source got it, kept so that it can be mapped again without asking for it. */
export interface RawPage {
  /** Decompressed, without what is known to be secret. */
  readonly body: Uint8Array
  readonly status: number
  readonly contentType: string | null
  /** Without what is secret. */
  readonly url: string
  /** SHA-256 of the body as it came, in hex. */
  readonly response: string
  readonly fetchedAtMs: number
  /** Connector or vendor, with the version of weir. */
  readonly origin: string
  /** What `Source.reread` needs beside the body. */
  readonly context: string
}

/** A page or chunk of a split, with the cursor that covers everything up to its end. */
export interface SourceBatch {
  readonly items: readonly Item[]
  /** Opaque to the runtime, versioned by the source. Stored in one transaction with the items. */
  readonly cursor: string
  readonly drops?: Drops
  /** Written with each of its records: where they come from. */
  readonly headers?: readonly Header[]
  /** Stored with it where the pipeline keeps raw pages. Of a page in several batches the first one has it. */
  readonly raw?: RawPage
  /** What expressions see as `now`, and the time of its records; omitted: the time at which it is mapped. */
  readonly atMs?: number
  /** True: the next batch follows at once, so both may be stored in one transaction. A source that may have to wait for more never says so. */
  readonly more?: boolean
  /** True: the source must not go on before this batch is durable, as before a call that cannot be taken back. It is asked for more only then. */
  readonly barrier?: boolean
  /** True: stored even while the pipeline stops, because it tells of what was done outside and must not be done again. */
  readonly owed?: boolean
  /**
   * Called once, when the transaction that holds the batch is durable: for a source that owes an answer to whoever sent it. Not called for a batch
   * that was not stored, or of which nobody knows: then `read` ends, and what is stored is what the cursor of the next `read` covers.
   */
  readonly stored?: () => void
}

/** The bytes of an item, cut out now if they were not yet. */
export function rawOf(item: Item): Uint8Array {
  return typeof item.raw === 'function' ? item.raw() : item.raw
}
