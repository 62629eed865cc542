// Failures of the cluster that is read from, as failures of a source: its log.* errors must not be taken for those of the pipeline's own log.
import { type Code, toWeirError, WeirError } from '../../core/errors.ts'

const codes: Readonly<Partial<Record<Code, Code>>> = {
  'log.unavailable': 'fetch.network',
  'log.login_refused': 'fetch.fatal',
  'log.denied': 'fetch.fatal',
  'log.topic_unknown': 'fetch.fatal',
  'log.invalid': 'fetch.fatal',
  'log.corrupt': 'source.shape',
  'log.offset_out_of_range': 'source.cursor_refused',
  'registry.unavailable': 'fetch.network',
  'registry.denied': 'fetch.fatal',
  'registry.mismatch': 'source.shape',
}

/** What the work gives; what fails in the cluster or its registry comes out as fetch.* or source.*. */
export async function asSource<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (thrown) {
    throw sourceError(thrown)
  }
}

export function sourceError(thrown: unknown): unknown {
  const error = toWeirError(thrown)
  const code = codes[error.code] ?? (/^(log|registry)\./.test(error.code) ? 'fetch.network' : undefined)
  if (code === undefined) return thrown
  return new WeirError(code, `The cluster that is read from: ${error.message}`, {
    ...(error.at === undefined ? {} : { at: error.at }),
    hint: error.hint ?? 'See to the cluster named in `source.kafka`; the cursor stays where it is.',
    cause: thrown,
  })
}
