// What was taken last, by id: what makes a delivery or message that comes again known, also after a restart, for it is the cursor (I13).
// Ids are kept as 72 bits of their SHA-256, oldest first; a hundred-thousandth of them colliding by chance takes 10^13 deliveries.
import { createHash } from 'node:crypto'
import { WeirError } from '../core/errors.ts'

const cursorVersion = 1
const hashBytes = 9
const hashLength = (hashBytes / 3) * 4

/** How a source calls itself and what it remembers, for people. */
export interface MemoryWords {
  readonly source: string
  readonly things: string
}

/** The name in the memory of what has an id, or a body where it has none. */
export function hashOf(kind: 'id' | 'body', content: string | Uint8Array): string {
  return createHash('sha256').update(`${kind}:`).update(content).digest().subarray(0, hashBytes).toString('base64url')
}

export class Memory {
  readonly #known: Set<string>
  readonly #limit: number
  #taken: number

  /** What the cursor holds; null: nothing yet. @throws cursor.invalid */
  constructor(cursor: string | null, limit: number, words: MemoryWords) {
    const { taken, ids } = readCursor(cursor, words)
    this.#taken = taken
    this.#limit = limit
    this.#known = new Set(ids)
    this.#forget()
  }

  has(hash: string): boolean {
    return this.#known.has(hash)
  }

  add(hash: string): void {
    this.#known.add(hash)
    this.#taken++
    this.#forget()
  }

  /** The cursor that covers what was added so far. */
  get cursor(): string {
    return JSON.stringify({ v: cursorVersion, taken: this.#taken, ids: [...this.#known].join('') })
  }

  #forget(): void {
    for (const oldest of this.#known) {
      if (this.#known.size <= this.#limit) return
      this.#known.delete(oldest)
    }
  }
}

/** A stored cursor in words. @throws cursor.invalid */
export function describeMemory(cursor: string, words: MemoryWords): string {
  const { taken, ids } = readCursor(cursor, words)
  return `${taken} ${words.things} taken, the last ${ids.length} remembered`
}

function readCursor(
  cursor: string | null,
  { source, things }: MemoryWords,
): { readonly taken: number; readonly ids: readonly string[] } {
  if (cursor === null) return { taken: 0, ids: [] }
  try {
    const { v, taken, ids } = JSON.parse(cursor)
    if (
      v === cursorVersion &&
      typeof ids === 'string' &&
      Number.isSafeInteger(taken) &&
      taken >= 0 &&
      /^([\w-]{12})*$/.test(ids)
    )
      return { taken, ids: ids.match(new RegExp(`.{${hashLength}}`, 'g')) ?? [] }
  } catch {
    // Not JSON, or not an object: said below.
  }
  throw new WeirError('cursor.invalid', `The stored cursor of ${source} cannot be understood`, {
    hint: `\`weir cursor reset\` starts over; ${things} that are sent again are stored again then.`,
  })
}
