// How a message of the Kafka protocol is described: its key, the versions weir speaks, and how request and answer lie in bytes.
import type { Reader } from './reader.ts'
import type { Writer } from './writer.ts'

export interface Api<Request, Answer> {
  readonly name: string
  readonly key: number
  /** The first of these that the broker speaks is used. */
  readonly versions: readonly number[]
  /** From this version on lengths are compact and structs end in tagged fields. Absent: none of `versions`. */
  readonly flexibleFrom?: number
  encode(to: Writer, request: Request, version: number): unknown
  decode(from: Reader, version: number): Answer
  /** Bytes a request will take, about, where they may be many. */
  readonly size?: (request: Request) => number
}

/** Items by topic, in the order in which topics first appear: the shape of most requests. */
export function byTopic<T extends { readonly topic: string }>(items: readonly T[]): (readonly [string, T[]])[] {
  return [...Map.groupBy(items, item => item.topic)]
}
