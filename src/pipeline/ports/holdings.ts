// What a reparse needs from outside beside the log: an index of what the topic holds.

/** The newest record of an item in the topic. */
export interface Holding {
  /** SHA-256 of key and value, in hex. */
  readonly hash: string
  /** SHA-256 of the page it came from, in hex; null where it does not say. */
  readonly response: string | null
  readonly fetchedAtMs: number
  /** Time of the record. */
  readonly writtenAtMs: number
  /** null: not known yet. */
  readonly partition: number | null
}

/** What the topic of a pipeline holds, by split and position: an index on disk, made anew for each reparse and gone with it. */
export interface Holdings extends Disposable {
  /** Takes the place of an earlier record: one before it in its partition, or, in another partition, one that is not newer. */
  put(split: string, position: string, holding: Holding): void
  get(split: string, position: string): Holding | undefined
  /**
   * The position under which what a page gave is held: where a version came back after another one it is followed by `~` and the number of edits up
   * to it, which a page alone does not tell. `page`: SHA-256 of it in hex, and when it was fetched. The position itself where nothing of the page is held.
   */
  positionOf(split: string, position: string, page: { readonly response: string; readonly fetchedAtMs: number }): string
  /** When the newest of the records of an item was fetched, all its versions but this one; null: there is none. `id`: see `RereadItem`. */
  newest(split: string, id: string, except: string): number | null
  /** Marks a position as one that has a dead letter. */
  bury(split: string, position: string): void
  /** Also of a version that came back, as in `positionOf`. */
  isDead(split: string, position: string): boolean
}
