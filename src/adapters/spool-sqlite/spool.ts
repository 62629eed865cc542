// The spool in the embedded store: entries in order, each durable when `append` resolves, none removed but by whoever holds the claim (I6).
// The claim is checked inside every transaction, so that a process that was replaced can neither add to the chain nor take from it.
import { randomUUID } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { Clock } from '../../core/clock.ts'
import { WeirError } from '../../core/errors.ts'
import type { Spool, SpoolEntry, SpoolLink, SpoolPlace, SpoolShare, SpoolSize } from '../../pipeline/ports.ts'
import { corrupt } from '../embedded-store/sqlite-errors.ts'
import { openStore, type Row, type Sql, type Store } from '../embedded-store/store.ts'
import { BatchDamage } from '../event-log-sqlite/batch-format.ts'
import { decodeAppends, encodeAppends } from './entry-format.ts'

const appendPoints = { before: 'spool.before_append', after: 'spool.after_append' } as const
const ofShare = 'pipeline = ? AND bucket = ?'

/** Opens the spool in the embedded store of a data directory, making it where it is missing. @throws log.unavailable, log.busy, log.version, log.corrupt */
export async function openSqliteSpool(options: { readonly dataDir: string; readonly clock: Clock }): Promise<Spool> {
  const store = await openStore(options)
  return {
    async claim(pipeline, bucket) {
      const share = new SqliteSpoolShare(store, pipeline, bucket)
      await store.write(sql => share.take(sql))
      return share
    },
    backlog: pipeline =>
      store.read(sql => {
        const row = sql.get(
          `SELECT count(*) AS entries, coalesce(sum(records), 0) AS records, coalesce(sum(bytes), 0) AS bytes, min(stored_ms) AS oldest
           FROM spool_entry INDEXED BY spool_entry_order WHERE pipeline = ?`,
          pipeline,
        )!
        return {
          entries: row['entries'] as number,
          records: row['records'] as number,
          bytes: row['bytes'] as number,
          oldestMs: row['oldest'] as number | null,
        }
      }),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}

class SqliteSpoolShare implements SpoolShare {
  readonly id = randomUUID()
  readonly #store: Store
  readonly #pipeline: string
  readonly #bucket: number

  constructor(store: Store, pipeline: string, bucket: number) {
    this.#store = store
    this.#pipeline = pipeline
    this.#bucket = bucket
  }

  take(sql: Sql): void {
    sql.run(
      'INSERT INTO spool_claim (pipeline, bucket, holder) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET holder = excluded.holder',
      ...[this.#pipeline, this.#bucket, this.id],
    )
  }

  append({ before, after, cursors, appends }: SpoolEntry): Promise<SpoolPlace> {
    const link = JSON.stringify({ before, after, cursors })
    const payload = encodeAppends(appends)
    const place = {
      records: appends.reduce((sum, { records }) => sum + records.length, 0),
      bytes: payload.length,
      storedAtMs: this.#store.clock.now(),
    }
    return this.#store.write(sql => {
      this.#check(sql)
      const { lastInsertRowid } = sql.run(
        'INSERT INTO spool_entry (pipeline, bucket, link, crc, records, bytes, stored_ms) VALUES (?, ?, ?, ?, ?, ?, ?)',
        ...[this.#pipeline, this.#bucket, link, this.#checksum(link), place.records, place.bytes, place.storedAtMs],
      )
      sql.run('INSERT INTO spool_payload (id, bytes) VALUES (?, ?)', lastInsertRowid, payload)
      return { id: Number(lastInsertRowid), ...place }
    }, appendPoints)
  }

  links(after: number, limit: number): Promise<readonly (SpoolLink & SpoolPlace)[]> {
    return this.#store.read(sql => {
      this.#check(sql)
      return sql
        .all(
          `SELECT * FROM spool_entry WHERE ${ofShare} AND id > ? ORDER BY id LIMIT ?`,
          ...[this.#pipeline, this.#bucket, after, limit],
        )
        .map(row => this.#linkOf(row))
    })
  }

  next(after: number): Promise<(SpoolEntry & SpoolPlace) | null> {
    return this.#store.read(sql => {
      this.#check(sql)
      const row = sql.get(
        `SELECT e.*, p.bytes AS payload FROM spool_entry e LEFT JOIN spool_payload p USING (id)
         WHERE ${ofShare} AND id > ? ORDER BY id LIMIT 1`,
        ...[this.#pipeline, this.#bucket, after],
      )
      if (row === undefined) return null
      const link = this.#linkOf(row)
      return { ...link, appends: this.#appendsOf(row['payload'] as Uint8Array | null, link) }
    })
  }

  removeThrough(id: number): Promise<SpoolSize & { entries: number }> {
    return this.#remove('id <= ?', id)
  }

  removeFrom(id: number): Promise<SpoolSize & { entries: number }> {
    return this.#remove('id >= ?', id)
  }

  #remove(which: 'id <= ?' | 'id >= ?', id: number): Promise<SpoolSize & { entries: number }> {
    const values = [this.#pipeline, this.#bucket, id] as const
    const those = `FROM spool_entry WHERE ${ofShare} AND ${which}`
    return this.#store.write(sql => {
      this.#check(sql)
      const row = sql.get(
        `SELECT count(*) AS entries, coalesce(sum(records), 0) AS records, coalesce(sum(bytes), 0) AS bytes ${those}`,
        ...values,
      )!
      sql.run(`DELETE FROM spool_payload WHERE id IN (SELECT id ${those})`, ...values)
      sql.run(`DELETE ${those}`, ...values)
      return {
        entries: row['entries'] as number,
        records: row['records'] as number,
        bytes: row['bytes'] as number,
      }
    })
  }

  /** @throws log.fenced */
  #check(sql: Sql): void {
    const row = sql.get(`SELECT holder FROM spool_claim WHERE ${ofShare}`, this.#pipeline, this.#bucket)
    if (row?.['holder'] !== this.id)
      throw new WeirError(
        'log.fenced',
        `The spool of bucket ${this.#bucket} of ${this.#pipeline} has another owner by now; nothing was written.`,
        {
          hint: 'Another process of this data directory has taken over. Start this one again: it goes on where the other stands.',
        },
      )
  }

  #checksum(link: string): number {
    return crc32(`${this.#pipeline}\0${this.#bucket}\0${link}`)
  }

  #linkOf(row: Row): SpoolLink & SpoolPlace {
    const text = row['link'] as string
    const id = row['id'] as number
    if (this.#checksum(text) !== row['crc']) throw this.#damaged(id, 'its checksum does not match')
    const { before, after, cursors } = JSON.parse(text) as SpoolLink
    return {
      before,
      after,
      cursors,
      id,
      records: row['records'] as number,
      bytes: row['bytes'] as number,
      storedAtMs: row['stored_ms'] as number,
    }
  }

  #appendsOf(payload: Uint8Array | null, { id }: SpoolPlace): SpoolEntry['appends'] {
    if (payload === null) throw this.#damaged(id, 'its records are missing')
    try {
      return decodeAppends(payload)
    } catch (error) {
      throw error instanceof BatchDamage ? this.#damaged(id, error.message, error) : error
    }
  }

  #damaged(id: number, why: string, cause?: unknown): WeirError {
    return corrupt(this.#store.path, `entry ${id} of the spool of ${this.#pipeline}: ${why}`, cause)
  }
}
