// What was really served: one entry per item and answer, for the auditor that compares it with the topic and the dead letters.
// An item counts once its whole answer was handed over; what a fault, a reset or a client that went away cut off does not.
import { closeSync, openSync, writeSync } from 'node:fs'
import { WeirError } from '../core/errors.ts'
import type { Damage, WireItem } from './item.ts'
import type { Version } from './world.ts'

/** A version of a review, as the vendor knows it: the true id and product also where the item is damaged. */
export interface VersionFacts {
  readonly asin: string
  readonly id: string
  /** 1 for the first; edits count up. */
  readonly version: number
  readonly updated_at: string
  /** What is wrong with the item on purpose; null: it is sound. */
  readonly damage: Damage | null
  /** SHA-256 of the item's JSON text as served, hex. */
  readonly sha256: string
}

export interface Served extends VersionFacts {
  /** Number of the call that got it, from 1. */
  readonly request: number
}

export interface Journal<Entry = Served> extends Disposable {
  readonly entries: readonly Entry[]
  /** Why the file cannot be written any more; null: it can. */
  readonly broken: WeirError | null
  add(entries: readonly Entry[]): void
}

/** Entries kept in memory; the oldest are let go. The file keeps all. */
const maxEntries = 200_000

export function factsOf({ review, number, updatedAt }: Version, { damage, sha256 }: WireItem): VersionFacts {
  return { asin: review.asin, id: review.id, version: number, updated_at: updatedAt, damage, sha256 }
}

/** @param file NDJSON, appended to; null: memory only. @throws usage.invalid when it cannot be opened */
export function createJournal<Entry = Served>(file: string | null): Journal<Entry> {
  const entries: Entry[] = []
  const fd = file === null ? null : openForAppend(file)
  let broken: WeirError | null = null
  return {
    entries,
    get broken() {
      return broken
    },
    add(added) {
      for (const each of added) entries.push(each)
      // Cut seldom, so that keeping the bound costs nothing per entry.
      if (entries.length > maxEntries * 1.1) entries.splice(0, entries.length - maxEntries)
      if (fd === null || broken !== null || added.length === 0) return
      try {
        writeSync(fd, added.map(each => `${JSON.stringify(each)}\n`).join(''))
      } catch (error) {
        broken = unwritable(file!, error)
      }
    },
    [Symbol.dispose]: () => {
      if (fd !== null) closeSync(fd)
    },
  }
}

function openForAppend(file: string): number {
  try {
    return openSync(file, 'a', 0o600)
  } catch (error) {
    throw unwritable(file, error)
  }
}

function unwritable(file: string, cause: unknown): WeirError {
  const { code = 'unknown' } = cause as NodeJS.ErrnoException
  return new WeirError('usage.invalid', `the journal cannot be written (${code})`, {
    at: file,
    hint: 'Name a file in a folder that exists, may be written and has room.',
    cause,
  })
}
