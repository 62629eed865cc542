// The embedded store: one connection to one SQLite file, write transactions one after another, short reads.
// Keeps I1 and L2: a COMMIT that fails without proof leaves the outcome open; the connection is dropped and opened again.
import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite'
import type { Clock } from '../../core/clock.ts'
import { toWeirError, WeirError } from '../../core/errors.ts'
import { type Failpoint, failpoint } from '../../core/failpoint.ts'
import { checkDatabase, emptyWal, openDatabase } from './open-database.ts'
import { isBusy, isFull, provesRollback, spoilsConnection, toLogError } from './sqlite-errors.ts'
import { type FileIdentity, goneError, identify, prepareFile, walBytes } from './store-file.ts'

export interface StoreOptions {
  /** Directory of the file `weir.db`; made when missing. */
  readonly dataDir: string
  readonly clock: Clock
  /** How long a call waits for a lock that another process holds before log.busy. Default 5,000 ms. */
  readonly busyMs?: number
  /** Told once in a while when the write-ahead log grows because some reader holds an old snapshot. */
  readonly walWarning?: (bytes: number) => void
  /** Largest number of pages of the file (PRAGMA max_page_count): a quota; beyond it log.full. */
  readonly maxPages?: number
}

export type Row = Record<string, SQLOutputValue>

/** Statements of the connection at hand; use only inside the callback that got it. */
export interface Sql {
  get(text: string, ...values: SQLInputValue[]): Row | undefined
  all(text: string, ...values: SQLInputValue[]): Row[]
  run(text: string, ...values: SQLInputValue[]): { changes: number | bigint; lastInsertRowid: number | bigint }
}

/** Failpoints around the commit of a transaction. */
export interface CommitPoints {
  readonly before: Failpoint
  readonly after: Failpoint
}

const defaultBusyMs = 5_000
/** The file is looked at this often, so that a removed one is noticed within 5 s at the latest. */
const fileCheckMs = 1_000
const walWarnBytes = 64 * 1024 * 1024
const walWarnEveryMs = 60_000

export class Store implements AsyncDisposable {
  readonly path: string
  readonly clock: Clock
  readonly #options: StoreOptions
  readonly #statements = new Map<string, StatementSync>()
  readonly #sql: Sql
  readonly #stop = new AbortController()
  readonly #goneListeners = new Set<(error: WeirError) => void>()
  readonly #watcher: Promise<void>
  #db: DatabaseSync | null
  #files: FileIdentity
  #gone: WeirError | null = null
  #checkedMs: number
  #warnedMs = Number.NEGATIVE_INFINITY
  #doubtful = false
  #wasFull = false
  #writes: Promise<unknown> = Promise.resolve()

  constructor(path: string, db: DatabaseSync, options: StoreOptions) {
    this.path = path
    this.clock = options.clock
    this.#options = options
    this.#db = db
    this.#files = identify(path)
    this.#checkedMs = options.clock.monotonic()
    this.#sql = {
      get: (text, ...values) => this.#prepared(text).get(...values),
      all: (text, ...values) => this.#prepared(text).all(...values),
      run: (text, ...values) => this.#prepared(text).run(...values),
    }
    this.#watcher = this.#watch()
  }

  /**
   * Runs `work` in one durable transaction, after all writes asked for before it. `work` must be synchronous.
   * @throws what `work` throws (nothing is written then), log.busy, log.full, log.unavailable, log.corrupt, log.gone: proven not written
   * @throws log.outcome_unknown: written or not
   */
  write<T>(work: (sql: Sql) => T, points?: CommitPoints): Promise<T> {
    const result = this.#writes.then(() => this.#patiently(() => this.#transact(work, points)))
    this.#writes = result.catch(() => {})
    return result
  }

  /** Runs `work` over one snapshot. `work` must be synchronous and short: a snapshot held keeps the write-ahead log growing. */
  read<T>(work: (sql: Sql) => T): Promise<T> {
    return this.#patiently(() => {
      this.#connect()
      try {
        this.#prepared('BEGIN').run()
        return work(this.#sql)
      } catch (error) {
        throw this.#failed(error)
      } finally {
        if (this.#db?.isTransaction) this.#prepared('COMMIT').run()
      }
    })
  }

  /** Changes whenever another connection has committed; null when that cannot be told now. */
  dataVersion(): number | null {
    try {
      this.#connect()
      return (this.#prepared('PRAGMA data_version').get() as { data_version: number }).data_version
    } catch {
      return null
    }
  }

  /** Calls `listener` once when the file was removed or replaced; at once if it already was. @returns how to stop listening */
  onGone(listener: (error: WeirError) => void): () => void {
    if (this.#gone) listener(this.#gone)
    else this.#goneListeners.add(listener)
    return () => this.#goneListeners.delete(listener)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#stop.signal.aborted) return
    await this.#writes
    this.#stop.abort()
    await this.#watcher
    this.#drop()
  }

  #transact<T>(work: (sql: Sql) => T, points: CommitPoints | undefined): T {
    this.#connect()
    if (this.#wasFull) this.#giveBackSpace()
    let result: T
    try {
      this.#prepared('BEGIN IMMEDIATE').run()
      result = work(this.#sql)
      if (points) failpoint(points.before)
    } catch (error) {
      this.#rollback()
      throw this.#failed(error)
    }
    try {
      this.#prepared('COMMIT').run()
      if (points) failpoint(points.after)
    } catch (error) {
      this.#rollback()
      if (provesRollback(error)) throw this.#failed(error)
      this.#doubtful = true
      this.#drop()
      throw new WeirError(
        'log.outcome_unknown',
        'A commit of the embedded store failed without proof of its outcome.',
        {
          at: this.path,
          hint: 'Look at the disk and the system log; weir reads back what is stored and goes on from there.',
          cause: error,
        },
      )
    }
    return result
  }

  /** After SQLITE_FULL and its like the transaction may be rolled back already. */
  #rollback(): void {
    try {
      if (this.#db?.isTransaction) this.#prepared('ROLLBACK').run()
    } catch {
      this.#drop()
    }
  }

  #failed(error: unknown): unknown {
    if (isFull(error)) this.#wasFull = true
    if (spoilsConnection(error)) this.#drop()
    return toLogError(error, this.path)
  }

  /** After a full disk the write-ahead log is emptied first: it holds pages many times over, and would eat the space that came back. */
  #giveBackSpace(): void {
    try {
      if (this.#db !== null && emptyWal(this.#db)) this.#wasFull = false
    } catch {
      // Still full: the write will say so.
    }
  }

  /** Makes sure of an open connection to the very file that was opened first. @throws log.gone, log.busy and others */
  #connect(): void {
    if (this.#stop.signal.aborted)
      throw new WeirError('log.unavailable', 'The embedded store is closed.', { at: this.path })
    if (this.clock.monotonic() - this.#checkedMs > fileCheckMs) this.#checkFile()
    if (this.#gone) throw this.#gone
    if (this.#db) return
    this.#checkFile({ walToo: false })
    if (this.#gone) throw this.#gone
    try {
      const db = openDatabase(this.path)
      try {
        this.#limit(db)
        checkDatabase(db, this.path)
        // After a failed fsync the log may have holes that only the page cache fills: what stands in it must reach the file before anything builds on it.
        if (this.#doubtful && !emptyWal(db))
          throw new WeirError('log.busy', 'A reader is in the way of recovery.', { at: this.path })
      } catch (error) {
        db.close()
        throw error
      }
      this.#doubtful = false
      this.#db = db
      this.#files = identify(this.path)
    } catch (error) {
      throw toLogError(error, this.path)
    }
  }

  #limit(db: DatabaseSync): void {
    if (this.#options.maxPages !== undefined) db.exec(`PRAGMA max_page_count = ${this.#options.maxPages}`)
  }

  #drop(): void {
    this.#statements.clear()
    const db = this.#db
    this.#db = null
    try {
      db?.close()
    } catch {
      // Closing copies the log back into the file; where that fails, the log stays and is read at the next start.
    }
  }

  #prepared(text: string): StatementSync {
    let statement = this.#statements.get(text)
    if (statement === undefined) {
      if (this.#db === null)
        throw new WeirError('log.unavailable', 'The connection to the embedded store was lost.', { at: this.path })
      statement = this.#db.prepare(text)
      this.#statements.set(text, statement)
    }
    return statement
  }

  /** Runs `attempt`, again and again while another process holds a lock, for `busyMs` at most. */
  async #patiently<T>(attempt: () => T): Promise<T> {
    const startMs = this.clock.monotonic()
    const busyMs = this.#options.busyMs ?? defaultBusyMs
    for (let waitMs = 2; ; waitMs = Math.min(waitMs * 2, 50)) {
      try {
        return attempt()
      } catch (error) {
        const busy = isBusy(error) || (error instanceof WeirError && error.code === 'log.busy')
        if (!busy || this.clock.monotonic() - startMs >= busyMs || this.#stop.signal.aborted) throw error
        await this.clock.sleep(waitMs, this.#stop.signal).catch(() => {})
      }
    }
  }

  async #watch(): Promise<void> {
    for (;;) {
      try {
        await this.clock.sleep(fileCheckMs, this.#stop.signal)
      } catch {
        return
      }
      this.#checkFile()
      const bytes = walBytes(this.path)
      if (bytes < walWarnBytes || this.clock.monotonic() - this.#warnedMs < walWarnEveryMs) continue
      this.#warnedMs = this.clock.monotonic()
      this.#options.walWarning?.(bytes)
    }
  }

  #checkFile({ walToo } = { walToo: true }): void {
    this.#checkedMs = this.clock.monotonic()
    if (this.#gone) return
    this.#gone = goneError(this.path, walToo && this.#db ? this.#files : { ...this.#files, wal: '' })
    if (!this.#gone) return
    for (const listener of this.#goneListeners) listener(this.#gone)
    this.#goneListeners.clear()
  }
}

/** Opens the store of a data directory, making it where it is missing. @throws log.unavailable, log.busy, log.version, log.corrupt */
export async function openStore(options: StoreOptions): Promise<Store> {
  const path = prepareFile(options.dataDir)
  const startMs = options.clock.monotonic()
  for (;;) {
    try {
      const db = openDatabase(path)
      try {
        if (options.maxPages !== undefined) db.exec(`PRAGMA max_page_count = ${options.maxPages}`)
        checkDatabase(db, path)
        return new Store(path, db, options)
      } catch (error) {
        db.close()
        throw error
      }
    } catch (error) {
      if (!isBusy(error) || options.clock.monotonic() - startMs >= (options.busyMs ?? defaultBusyMs))
        throw toWeirError(toLogError(error, path))
      await options.clock.sleep(10)
    }
  }
}
