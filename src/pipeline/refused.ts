// Records that the log will never take, such as one larger than its topic takes since today: named by the error of a commit of which nothing
// was written. They leave the transaction for the dead letters, and the rest goes on (I5). A dead letter or a raw page that is refused itself stops the
// pipeline before anything is lost.
import { WeirError, weirErrorOf } from '../core/errors.ts'

/** What an error of a commit says about records. */
export interface RefusedRecords {
  readonly error: WeirError
  /** By index of the append, the indexes of the records in it. */
  readonly of: ReadonlyMap<number, ReadonlySet<number>>
}

/**
 * The records that a commit was refused for, where they are among the first `appends` appends; null where the error is about something else.
 * `letters`, `pages`: the append that holds dead letters, that holds raw pages, -1 for none.
 * @throws a clearer error when one of those is refused
 */
export function refusedRecords(thrown: unknown, appends: number, letters: number, pages = -1): RefusedRecords | null {
  const error = weirErrorOf(thrown)
  if (!error?.records || error.records.length === 0) return null
  const isIn = (which: number) => which >= 0 && error.records!.some(({ append }) => append === which)
  if (isIn(letters)) throw ownRefused(error, 'A dead letter', 'the dead-letter topic')
  if (isIn(pages)) throw ownRefused(error, 'A raw page', 'the topic of raw pages, or lower `fetch: { max_body }`')
  if (error.records.some(({ append }) => append >= appends)) return null
  const of = new Map<number, Set<number>>()
  for (const { append, record } of error.records) of.set(append, (of.get(append) ?? new Set()).add(record))
  return { error, of }
}

function ownRefused(cause: WeirError, what: string, where: string): WeirError {
  return new WeirError(cause.code, `${what} cannot be stored: ${cause.message}`, {
    ...(cause.at === undefined ? {} : { at: cause.at }),
    hint: `Nothing was stored and the cursor stands before it. Mend the settings of ${where}, then start again. ${cause.hint ?? ''}`.trim(),
    cause,
  })
}
