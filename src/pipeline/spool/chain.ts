// What the spooled transactions of a bucket come to against how the bucket stands in the cluster (I6). Only links are read, no records.
import type { SpoolShare } from '../ports.ts'
import { advance, copyOf, follows, type Standing } from './standing.ts'

export interface Chain {
  /** How the bucket stands when all that follows is forwarded. */
  readonly head: Standing
  /** The newest entry that is in the cluster or follows; the id that was given, when there is none. */
  readonly last: number
  /** The newest entry that is in the cluster already. */
  readonly landed: number | null
  /** The oldest entry that does not follow: something else was written in its place. Those after it build on it. */
  readonly superseded: number | null
}

const linksAtOnce = 200

/** Reads the entries after an id. @throws as SpoolShare */
export async function readChain(share: SpoolShare, there: Standing, after: number): Promise<Chain> {
  let head = copyOf(there)
  let last = after
  let landed: number | null = null
  let superseded: number | null = null
  for (let seen = after; ; ) {
    const links = await share.links(seen, linksAtOnce)
    for (const link of links) {
      seen = link.id
      if (link.after === there.mark) {
        landed = last = link.id
        superseded = null
        head = copyOf(there)
      } else if (superseded === null && follows(link, head)) {
        advance(head, link.after, link.cursors, link.storedAtMs)
        last = link.id
      } else superseded ??= link.id
    }
    if (links.length === 0) return { head, last, landed, superseded }
  }
}
