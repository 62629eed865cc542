// The partitions a member of a group works on, one batch of each at a time.
// A partition here: assigned -> placed (its offset is known) -> draining -> gone; or lost, and orphaned until its batch in work is given up.

export interface Assigned {
  readonly partition: number
  /** The group's offset, and where the group would start without one; null until they are read. */
  standing: { committed: bigint | null; readonly start: bigint } | null
  inWork: boolean
  /** Set while the partition is asked back: resolved once nothing of it is in work. */
  idle: PromiseWithResolvers<void> | null
}

export interface ShareOptions {
  /** Resolves when the caller's own work on a partition that is asked back has ended. */
  readonly revoked: (partition: number) => Promise<void>
  /** It is not read any more. */
  readonly dropped: (partition: number) => void
  /** Something that was waited for may be there now. */
  readonly changed: () => void
}

export class Share {
  readonly #options: ShareOptions
  readonly #states = new Map<number, Assigned>()
  /** Lost with a batch in work: until that batch is given up, nothing of them is given out or committed. */
  readonly #orphaned = new Set<number>()

  constructor(options: ShareOptions) {
    this.#options = options
  }

  get all(): readonly Assigned[] {
    return [...this.#states.values()]
  }

  /** Those whose offsets are still to be read. */
  get unplaced(): readonly Assigned[] {
    return this.all.filter(({ standing, idle }) => standing === null && idle === null)
  }

  holds(state: Assigned): boolean {
    return this.#states.get(state.partition) === state
  }

  assign(partitions: readonly number[]): void {
    for (const partition of partitions) this.#states.set(partition, unplaced(partition))
  }

  /** Resolves when no batch of the partitions is in work; nothing new of them is given out meanwhile. */
  async revoke(partitions: readonly number[]): Promise<void> {
    await Promise.all(
      partitions.map(async partition => {
        const state = this.#states.get(partition)
        if (!state) return
        state.idle = Promise.withResolvers<void>()
        if (!state.inWork) state.idle.resolve()
        await Promise.all([this.#options.revoked(partition), state.idle.promise])
        if (!this.holds(state)) return
        this.#states.delete(partition)
        this.#options.dropped(partition)
      }),
    )
  }

  lose(partitions: readonly number[]): void {
    for (const partition of partitions) {
      const state = this.#states.get(partition)
      state?.idle?.resolve()
      if (state?.inWork) this.#orphaned.add(partition)
      this.#states.delete(partition)
      this.#options.dropped(partition)
    }
    this.#options.changed()
  }

  /** The partition, when a batch of it may be given out now. */
  ready(partition: number): Assigned | null {
    const state = this.#states.get(partition)
    const isReady = state?.standing && !state.inWork && !state.idle && !this.#orphaned.has(partition)
    return isReady ? state : null
  }

  /** The partition a commit speaks of; null when its batch was given out before the partition was lost, or when it is not held at all. */
  committing(partition: number): Assigned | null {
    if (!this.#orphaned.delete(partition)) return this.#states.get(partition) ?? null
    this.#options.changed()
    return null
  }

  /** Nothing of it is in work any more. */
  finish(state: Assigned): void {
    // What was lost while its commit was on the way is no orphan: the commit has been answered.
    if (!this.holds(state)) this.#orphaned.delete(state.partition)
    state.inWork = false
    state.idle?.resolve()
    this.#options.changed()
  }

  /** Gives the batch of a partition back. */
  release(partition: number): void {
    this.#orphaned.delete(partition)
    const state = this.#states.get(partition)
    if (state) this.finish(state)
    else this.#options.changed()
  }

  /** Gives all batches back. */
  releaseAll(): void {
    for (const partition of new Set([...this.#states.keys(), ...this.#orphaned])) this.release(partition)
  }

  /** Nothing that was read of their offsets is trusted. */
  unplaceAll(): void {
    for (const { partition, idle } of this.all) {
      if (idle) continue
      this.#states.set(partition, unplaced(partition))
      this.#options.dropped(partition)
    }
  }

  /** All are given up, whatever is in work. */
  clear(): void {
    for (const { idle } of this.all) idle?.resolve()
    this.#states.clear()
  }
}

function unplaced(partition: number): Assigned {
  return { partition, standing: null, inWork: false, idle: null }
}
