// The variables that templates and expressions of an `http` source may use, by what they stand in.

/**
 * What templates of a request see. `cursor`: the newest committed value less the lookback, in the form the source gave it; null at first.
 * `job`: id, tag and kept values of the job; null without one.
 */
export const requestVars = ['split', 'page', 'cursor', 'now', 'job'] as const
/** What expressions over an answer see. */
export const answerVars = ['status', 'headers', 'body', 'split', 'page', 'job'] as const
/** What expressions over an answer that may be an error see. `job.id` is null until the source has given it. */
export const errorVars = ['status', 'headers', 'body', 'job'] as const
/** What expressions over one item see. */
export const itemVars = ['this', 'split', 'job'] as const
