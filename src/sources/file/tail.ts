// Waiting at the end of a file that is followed: for more bytes, or for the file to be moved away or truncated.
import { type FSWatcher, watch } from 'node:fs'
import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Clock } from '../../core/clock.ts'
import { beginsAs, type Head } from './bookmark.ts'
import type { OpenFile } from './place.ts'

export type Change = 'more' | 'moved' | 'truncated' | 'aborted'

/** Tells about changes in the folder of a file: the system's own notice where there is one, else every `everyMs`. */
export class Tail {
  readonly #path: string
  readonly #clock: Clock
  readonly #everyMs: number
  readonly #watcher: FSWatcher | undefined
  #changed = false
  #wake = () => {}

  constructor(path: string, clock: Clock, everyMs: number) {
    this.#path = path
    this.#clock = clock
    this.#everyMs = everyMs
    try {
      this.#watcher = watch(dirname(path), { persistent: false }, () => {
        this.#changed = true
        this.#wake()
      })
      this.#watcher.on('error', () => {})
    } catch {
      // No watch is left, or the folder is not there: looking every `everyMs` is enough.
    }
  }

  [Symbol.dispose](): void {
    this.#watcher?.close()
  }

  /** Resolves when something may have changed, at the latest after `everyMs`; false when the signal has aborted. */
  async pause(signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return false
    if (!this.#changed) {
      const stop = new AbortController()
      this.#wake = () => stop.abort()
      await this.#clock.sleep(this.#everyMs, AbortSignal.any([signal, stop.signal])).catch(() => {})
      this.#wake = () => {}
    }
    this.#changed = false
    return !signal.aborted
  }

  /** What happens to a file that was read up to byte `readTo`. */
  async change(file: OpenFile, readTo: number, head: Head, signal: AbortSignal): Promise<Change> {
    for (let moved = false; ; ) {
      const { size } = await file.handle.stat()
      if (size < readTo) return 'truncated'
      if (size > readTo) return (await beginsAs(file.handle, head)) ? 'more' : 'truncated'
      // Whoever writes may hold the old file open a moment longer: it counts as moved when a second look finds nothing new.
      if (moved) return 'moved'
      moved = await this.#isMoved(file)
      if (!(await this.pause(signal))) return 'aborted'
    }
  }

  async #isMoved(file: OpenFile): Promise<boolean> {
    const now = await stat(this.#path, { bigint: true }).catch(() => undefined)
    return now !== undefined && (now.ino !== file.ino || now.dev !== file.dev)
  }
}
