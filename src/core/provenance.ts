// Headers of a record that say where it comes from, for sources that ask someone for it.
export const provenanceHeaders = {
  /** Connector or vendor, with the version of weir. */
  source: 'weir-source',
  /** Address of the page, without what is secret. */
  url: 'weir-url',
  /** When the answer was there: ISO 8601, UTC, milliseconds. */
  fetchedAt: 'weir-fetched-at',
  /** SHA-256 of the body, in hex. */
  response: 'weir-response',
} as const
