// Every record carries where it came from, so that an auditor can prove I2 and a consumer can tell repeats apart.

/** Header with the identity of a record: pipeline/split/position, split and position percent-encoded. */
export const identityHeader = 'weir-id'
/** Header of a record that a replay wrote: topic/partition/offset of its dead letter. */
export const replayedFromHeader = 'weir-replayed-from'
/** Header of a record that a reparse wrote: topic/partition/offset of the raw page. */
export const reparsedFromHeader = 'weir-reparsed-from'
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

/** Split and position in an identity of the pipeline; null: it is of another one. */
export function placeOf(
  pipeline: string,
  identity: string,
): { readonly split: string; readonly position: string } | null {
  if (!identity.startsWith(`${pipeline}/`)) return null
  const rest = identity.slice(pipeline.length + 1)
  const slash = rest.indexOf('/')
  if (slash < 0) return null
  try {
    return { split: decodeURIComponent(rest.slice(0, slash)), position: decodeURIComponent(rest.slice(slash + 1)) }
  } catch {
    return null
  }
}
