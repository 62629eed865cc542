// One member of a scope: tells that it lives, takes its share of the slots, gives up what is above it, notices what was taken away.
// A slot here: free -> held (assigned) -> draining (revoked) -> free; held -> lost (fenced, or the store is gone).
import { randomUUID } from 'node:crypto'
import { toWeirError, WeirError } from '../../core/errors.ts'
import { processIdentity } from '../embedded-store/process-identity.ts'
import type { Sql, Store } from '../embedded-store/store.ts'
import { beat, bury, join, type Lease, leasesOf, leave, livingMembers, release, renewEpoch, take } from './lease.ts'
import { nextMoves } from './share.ts'
import type { Tail } from './tail.ts'

export interface MembershipOptions<T> {
  readonly store: Store
  readonly tail: Tail
  readonly scope: string
  readonly slots: number
  readonly exclusive: boolean
  readonly leaseMs: number
  /** Reads what goes with a slot, in the transaction that takes it. */
  readonly read: (sql: Sql, slot: number) => T
  readonly assigned: (membership: Membership<T>, slot: number, epoch: number, read: T) => void
  /** Resolves when the work on the slot has drained. */
  readonly revoked: (slot: number) => Promise<void>
  readonly lost: (slot: number, error: WeirError) => void
}

/** Codes after which there is no point in trying further. */
const final = new Set(['log.gone', 'log.corrupt', 'log.version'])

export class Membership<T> implements AsyncDisposable {
  readonly id = randomUUID()
  readonly #options: MembershipOptions<T>
  readonly #held = new Map<number, number>()
  readonly #draining = new Set<number>()
  readonly #stop = new AbortController()
  #beatMs = Number.NEGATIVE_INFINITY
  #loop: Promise<void> = Promise.resolve()
  #closing: Promise<void> | null = null

  private constructor(options: MembershipOptions<T>) {
    this.#options = options
  }

  /** Joins, and takes what is free at once. @throws log.busy and others of Store.write, log.invalid */
  static async join<T>(options: MembershipOptions<T>): Promise<Membership<T>> {
    const member = new Membership(options)
    const { store, scope, slots, exclusive, leaseMs } = options
    await store.write(sql =>
      join(
        sql,
        { id: member.id, scope, slots, exclusive, process: processIdentity(), leaseMs },
        store.clock.monotonic(),
      ),
    )
    await member.#balance()
    member.#loop = member.#run()
    return member
  }

  /** Slots held, each with its epoch. */
  get held(): ReadonlyMap<number, number> {
    return this.#held
  }

  /** New epochs for the given slots and what goes with them, in one transaction. @throws log.fenced, and others of Store.write */
  async renew(slots: readonly number[]): Promise<Map<number, { epoch: number; read: T }>> {
    const { store, scope, read } = this.#options
    const renewed = await store.write(
      sql =>
        new Map(slots.map(slot => [slot, { epoch: renewEpoch(sql, scope, slot, this.id), read: read(sql, slot) }])),
    )
    for (const [slot, { epoch }] of renewed) this.#held.set(slot, epoch)
    return renewed
  }

  /** Drops a slot that a write found to be another owner's. */
  lose(slot: number, error: WeirError): void {
    if (!this.#held.delete(slot)) return
    this.#draining.delete(slot)
    this.#options.lost(slot, error)
  }

  /** True when every slot has a living owner. */
  async settled(): Promise<boolean> {
    const { store, scope } = this.#options
    return store.read(sql => {
      const living = new Set(livingMembers(sql, scope, store.clock.monotonic()).map(member => member.id))
      return leasesOf(sql, scope).every(lease => lease.member !== null && living.has(lease.member))
    })
  }

  /** Leaves: slots are free for others at once. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#stop.abort()
    await this.#loop
    this.#held.clear()
    const { store, scope, tail } = this.#options
    // Whatever fails here, the lease runs out by itself.
    await store.write(sql => leave(sql, scope, this.id)).catch(() => {})
    tail.notify()
  }

  async #run(): Promise<void> {
    const { store, leaseMs } = this.#options
    const everyMs = Math.min(500, leaseMs / 10)
    const unlisten = store.onGone(error => this.#loseAll(error))
    try {
      for (;;) {
        await store.clock.sleep(everyMs, this.#stop.signal)
        await this.#balance()
      }
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#loseAll(toWeirError(error))
    } finally {
      unlisten()
    }
  }

  #loseAll(error: WeirError): void {
    for (const slot of [...this.#held.keys()]) this.lose(slot, error)
  }

  /** Looks at the rows, and writes only when something is to be done. @throws what no further try can mend */
  async #balance(): Promise<void> {
    const { store, leaseMs, tail } = this.#options
    try {
      const nowMs = store.clock.monotonic()
      const due = nowMs - this.#beatMs >= leaseMs / 4
      if (!due && !(await store.read(sql => this.#hasWork(sql)))) return
      const taken = await store.write(sql => this.#step(sql))
      this.#beatMs = nowMs
      for (const { slot, epoch, read } of taken) {
        this.#held.set(slot, epoch)
        this.#options.assigned(this, slot, epoch, read)
      }
      if (taken.length > 0) tail.notify()
      await this.#noticeLosses()
      await this.#drainSurplus()
    } catch (error) {
      const known = toWeirError(error)
      if (final.has(known.code) || known.code === 'internal') throw known
    }
  }

  #hasWork(sql: Sql): boolean {
    const { scope, store } = this.#options
    const members = livingMembers(sql, scope, store.clock.monotonic())
    const leases = leasesOf(sql, scope)
    const { take, drain } = nextMoves(this.id, members, leases, new Set(this.#held.keys()), this.#draining)
    return take.length > 0 || drain.length > 0 || leases.some(lease => this.#isLost(lease))
  }

  /** Epochs under our own name are our own doing: a renewal may be on its way here. */
  #isLost({ slot, member }: Lease): boolean {
    return this.#held.has(slot) && member !== this.id
  }

  /** Beats, buries the dead and takes what is due, in one transaction. */
  #step(sql: Sql): { slot: number; epoch: number; read: T }[] {
    const { scope, store, slots, exclusive, leaseMs, read } = this.#options
    const nowMs = store.clock.monotonic()
    if (!beat(sql, this.id, nowMs))
      join(sql, { id: this.id, scope, slots, exclusive, process: processIdentity(), leaseMs }, nowMs)
    const members = livingMembers(sql, scope, nowMs)
    bury(sql, scope, members)
    const moves = nextMoves(this.id, members, leasesOf(sql, scope), new Set(this.#held.keys()), this.#draining)
    return moves.take.map(slot => ({ slot, epoch: take(sql, scope, slot, this.id), read: read(sql, slot) }))
  }

  async #noticeLosses(): Promise<void> {
    const { scope, store } = this.#options
    const leases = await store.read(sql => leasesOf(sql, scope))
    for (const lease of leases)
      if (this.#isLost(lease))
        this.lose(
          lease.slot,
          new WeirError('log.fenced', `Part ${lease.slot} of ${scope} was taken over by another process.`, {
            hint: 'This process was paused for longer than its lease.',
          }),
        )
  }

  async #drainSurplus(): Promise<void> {
    const { scope, store } = this.#options
    const moves = await store.read(sql =>
      nextMoves(
        this.id,
        livingMembers(sql, scope, store.clock.monotonic()),
        leasesOf(sql, scope),
        new Set(this.#held.keys()),
        this.#draining,
      ),
    )
    for (const slot of moves.drain) {
      this.#draining.add(slot)
      void this.#drain(slot)
    }
  }

  async #drain(slot: number): Promise<void> {
    const { scope, store, revoked, tail } = this.#options
    await revoked(slot).catch(() => {})
    while (this.#draining.has(slot) && !this.#stop.signal.aborted) {
      try {
        await store.write(sql => release(sql, scope, slot, this.id))
        break
      } catch {
        await store.clock.sleep(100, this.#stop.signal).catch(() => {})
      }
    }
    this.#held.delete(slot)
    this.#draining.delete(slot)
    tail.notify()
  }
}
