// Every record carries where it came from, so that an auditor can prove I2 and a consumer can tell repeats apart.

/** Header with the identity of a record: pipeline/split/position, split and position percent-encoded. */
export const identityHeader = 'weir-id'
/** Header of a record that a replay wrote: topic/partition/offset of its dead letter. */
export const replayedFromHeader = 'weir-replayed-from'
/** Headers of a dead letter: what selection needs without decoding the envelope. */
export const deadLetterHeaders = {
  code: 'weir-error-code',
  stage: 'weir-stage',
  pipeline: 'weir-pipeline',
  attempts: 'weir-attempts',
} as const

/** The part of the identity that all records of a split share. */
export function identityPrefix(pipeline: string, split: string): string {
  return `${pipeline}/${encodeURIComponent(split)}/`
}

/** Positions are mostly plain; only those with a slash or percent sign need encoding. */
export function identityOf(prefix: string, position: string): string {
  return prefix + (/[/%]/.test(position) ? encodeURIComponent(position) : position)
}
