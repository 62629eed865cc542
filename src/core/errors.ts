// The one error type and the closed table of codes. The table, not the call site, says whether a retry
// can help and which exit code follows. test/unit/core/errors.test.ts holds code, table and docs together.

/** How a code behaves: `exit` 0 fine, 1 our fault or unknown, 2 your input, 3 your environment; `retry`: the same call may succeed later. */
export interface CodeInfo {
  readonly exit: 1 | 2 | 3
  readonly retry: boolean
  /** One sentence for the reference page. */
  readonly doc: string
}

export const codes = {
  internal: { exit: 1, retry: false, doc: 'A defect in weir, or an error nobody has named yet.' },

  'usage.invalid': { exit: 2, retry: false, doc: 'The command line cannot be understood.' },
  'usage.not_found': { exit: 2, retry: false, doc: 'What the command names does not exist.' },
  'usage.refused': { exit: 2, retry: false, doc: 'The command is refused in this state, for safety.' },

  'environment.unsupported': {
    exit: 3,
    retry: false,
    doc: 'This Node, or the SQLite in it, is too old or lacks a part.',
  },
  'listen.failed': {
    exit: 3,
    retry: true,
    doc: 'The address cannot be listened on: in use, privileged, or not of this machine.',
  },

  'config.unreadable': { exit: 2, retry: false, doc: 'A definition file cannot be read, or is not UTF-8 text.' },
  'config.too_large': { exit: 2, retry: false, doc: 'A definition passes a cap on size, depth, keys or aliases.' },
  'config.syntax': { exit: 2, retry: false, doc: 'A definition is not well-formed YAML.' },
  'config.key_refused': { exit: 2, retry: false, doc: 'A key such as __proto__ is refused.' },
  'config.unknown_field': { exit: 2, retry: false, doc: 'A field that no definition has.' },
  'config.missing_field': { exit: 2, retry: false, doc: 'A required field is missing.' },
  'config.invalid': { exit: 2, retry: false, doc: 'A field has a value it cannot have.' },
  'config.variable': { exit: 2, retry: false, doc: 'A ${VAR} or ${file:...} cannot be resolved.' },
  'config.schema': { exit: 2, retry: false, doc: 'The Avro schema that a definition names cannot be used.' },
  'config.mapping': { exit: 2, retry: false, doc: 'A mapping does not fit the Avro schema.' },
  'config.expression': { exit: 2, retry: false, doc: 'A CEL expression cannot be compiled.' },
  'config.conflict': { exit: 2, retry: false, doc: 'Two parts of the definitions contradict each other.' },
  'config.warning': { exit: 2, retry: false, doc: 'Allowed, but likely not what was meant.' },

  'cassette.differs': { exit: 2, retry: false, doc: 'A replayed cassette came to something else than it expects.' },
  'cassette.unmatched': { exit: 2, retry: false, doc: 'A request that no exchange of the cassette answers.' },

  'fetch.timeout': { exit: 3, retry: true, doc: 'A call took longer than its deadline.' },
  'fetch.network': { exit: 3, retry: true, doc: 'The connection failed: refused, reset, DNS, TLS.' },
  'fetch.status': { exit: 3, retry: true, doc: 'The source answered with a failing status.' },
  'fetch.throttled': { exit: 3, retry: true, doc: 'The source asked to slow down.' },
  'fetch.blocked': { exit: 3, retry: true, doc: 'The source refuses to serve us; not the same as no records.' },
  'fetch.fatal': {
    exit: 3,
    retry: false,
    doc: 'The source refuses the call and will refuse it again: key, money, entitlement.',
  },
  'fetch.robots_refused': {
    exit: 3,
    retry: false,
    doc: 'The robots.txt of the host, or a page itself, asks robots to stay away.',
  },
  'fetch.breaker_open': { exit: 3, retry: true, doc: 'The circuit breaker of the host is open.' },
  'fetch.egress_refused': { exit: 2, retry: false, doc: 'The address, scheme or redirect is not allowed.' },
  'fetch.body_too_large': { exit: 3, retry: false, doc: 'The body passes its cap after decompression.' },
  'fetch.body_invalid': { exit: 3, retry: true, doc: 'The body is cut short, or its encoding is broken.' },

  'fetch.job_failed': {
    exit: 3,
    retry: false,
    doc: 'A job at the source failed, was not ready in time, or waits for its turn after one that did.',
  },
  'fetch.job_in_doubt': {
    exit: 3,
    retry: false,
    doc: 'It is not known whether the source took a job: the call was cut short.',
  },

  'source.shape': { exit: 3, retry: false, doc: 'The answer does not have the shape the definition expects.' },
  'source.layout_changed': {
    exit: 3,
    retry: false,
    doc: 'A page has none of the elements that every page of its kind has: its layout changed, or it is another page.',
  },
  'source.html_refused': {
    exit: 3,
    retry: false,
    doc: 'A page passes a limit of reading HTML: size, depth, elements, attributes, time, memory.',
  },
  'source.item_cut': { exit: 3, retry: false, doc: 'The page ends in the middle of an item.' },
  'source.loop': { exit: 3, retry: false, doc: 'Pagination leads back to a page already read.' },
  'source.cursor_refused': { exit: 3, retry: false, doc: 'The stored cursor does not fit the source any more.' },
  'source.invalid_json': { exit: 2, retry: false, doc: 'An item is not valid JSON.' },
  'source.invalid_csv': { exit: 2, retry: false, doc: 'A row is not valid CSV or TSV.' },
  'source.invalid_text': { exit: 2, retry: false, doc: 'Bytes are not valid UTF-8.' },
  'source.item_too_large': { exit: 2, retry: false, doc: 'One item passes the size cap.' },
  'source.item_shape': { exit: 2, retry: false, doc: 'An item is not an object, or lacks what the cursor needs.' },

  'webhook.unproven': {
    exit: 2,
    retry: false,
    doc: 'A delivery was refused: nothing proves that the vendor sent it, or it is too old.',
  },
  'webhook.invalid': {
    exit: 2,
    retry: false,
    doc: 'A delivery was refused: path, method, type, size, id or encoding is not what the definition takes.',
  },
  'webhook.unavailable': {
    exit: 3,
    retry: true,
    doc: 'A delivery cannot be stored now: the vendor is told to send it again.',
  },

  'file.not_found': { exit: 2, retry: false, doc: 'No file is there.' },
  'file.refused': { exit: 2, retry: false, doc: 'Not a regular file, a symlink out of its root, or an unsafe name.' },
  'file.unreadable': { exit: 3, retry: false, doc: 'The file cannot be opened or read.' },
  'file.truncated': { exit: 3, retry: false, doc: 'The file is shorter than what was read of it before.' },
  'file.corrupt': { exit: 3, retry: false, doc: 'Compressed data is damaged.' },

  'map.failed': { exit: 2, retry: false, doc: 'A mapping expression failed on an item.' },
  'map.missing': { exit: 2, retry: false, doc: 'A required field has no value.' },
  'encode.invalid': { exit: 2, retry: false, doc: 'A mapped record does not fit the Avro schema.' },
  'encode.too_large': { exit: 2, retry: false, doc: 'An encoded record is larger than the topic takes.' },
  'key.failed': { exit: 2, retry: false, doc: 'The key expression failed, or gave something that is no key.' },
  'filter.failed': { exit: 2, retry: false, doc: 'A filter expression failed on a record.' },

  'decode.not_framed': { exit: 2, retry: false, doc: 'A value does not start with the Confluent wire header.' },
  'decode.unknown_schema': { exit: 2, retry: false, doc: 'The schema id of a value is not in the registry.' },
  'decode.invalid': { exit: 2, retry: false, doc: 'Bytes do not decode under their schema.' },
  'decode.limit': { exit: 2, retry: false, doc: 'Bytes pass a decoding limit: length, count, depth.' },
  'schema.invalid': { exit: 2, retry: false, doc: 'An Avro schema is not valid, or passes a limit.' },
  'schema.too_complex': { exit: 2, retry: false, doc: 'Two Avro schemas cannot be compared within limits.' },
  'schema.policy': {
    exit: 2,
    retry: false,
    doc: 'A schema breaks what schemas/governance.yaml asks of it: level, docs, names, personal data, a blocking rule.',
  },
  'schema.not_registered': {
    exit: 2,
    retry: false,
    doc: 'The schema of a pipeline is not in the registry, and the policy leaves registering to `weir schema apply`.',
  },
  'schema.moved': {
    exit: 2,
    retry: false,
    doc: 'A plan was made of a registry, a policy or schemas that have changed since; nothing was changed.',
  },
  'schema.breaking': {
    exit: 2,
    retry: false,
    doc: 'A plan breaks levels or rules that no waiver covers; it is not applied.',
  },
  'schema.plan_invalid': {
    exit: 2,
    retry: false,
    doc: 'A plan file cannot be read, or was changed after it was made.',
  },
  'schema.unresolvable': { exit: 2, retry: false, doc: "A writer's schema cannot be read as the reader's." },

  'log.unavailable': { exit: 3, retry: true, doc: 'The event log cannot be reached or opened.' },
  'log.busy': { exit: 3, retry: true, doc: 'The event log is locked by another process.' },
  'log.full': { exit: 3, retry: true, doc: 'No space is left for the event log.' },
  'log.outcome_unknown': {
    exit: 3,
    retry: false,
    doc: 'A commit whose outcome is not proven: take a new epoch, read the cursor back.',
  },
  'log.fenced': { exit: 3, retry: false, doc: 'Another owner has taken over; nothing was written.' },
  'log.corrupt': {
    exit: 3,
    retry: false,
    doc: 'What the event log holds is damaged, or cannot be read within limits.',
  },
  'log.version': { exit: 3, retry: false, doc: 'The event log was written by a newer weir.' },
  'log.gone': { exit: 3, retry: false, doc: 'The event log file was removed or replaced while in use.' },
  'log.topic_unknown': { exit: 2, retry: false, doc: 'No such topic.' },
  'log.topic_conflict': { exit: 2, retry: false, doc: 'The topic exists with other settings.' },
  'log.record_too_large': { exit: 2, retry: false, doc: 'The record is larger than the topic takes.' },
  'log.offset_out_of_range': { exit: 3, retry: false, doc: 'Records at the group offset are no longer retained.' },
  'log.denied': { exit: 3, retry: false, doc: 'The broker refuses what is asked: its access rules do not allow it.' },
  'log.login_refused': { exit: 3, retry: true, doc: 'The broker refuses the login: name, password or token.' },
  'log.not_replicated': { exit: 3, retry: true, doc: 'Too few replicas are in sync for the broker to take a write.' },
  'log.timestamp_refused': { exit: 2, retry: false, doc: 'The broker refuses the time a record carries.' },
  'log.invalid': { exit: 2, retry: false, doc: 'A name, partition or offset the event log cannot use.' },

  'registry.unavailable': {
    exit: 3,
    retry: true,
    doc: 'The schema registry cannot be reached, or what answers there is none.',
  },
  'registry.denied': { exit: 3, retry: true, doc: 'The schema registry refuses the login, or what is asked.' },
  'registry.mismatch': {
    exit: 3,
    retry: false,
    doc: 'A schema id stands for another schema than before, or than the one registered: the registry was replaced, or it errs.',
  },
  'registry.incompatible': { exit: 2, retry: false, doc: "The schema breaks the subject's compatibility level." },
  'registry.unknown_subject': { exit: 2, retry: false, doc: 'No such subject.' },
  'registry.unknown_version': { exit: 2, retry: false, doc: 'No such version of the subject.' },
  'registry.unknown_id': { exit: 2, retry: false, doc: 'No schema has this id.' },

  'cursor.in_use': { exit: 2, retry: false, doc: 'A pipeline is running, so its cursor cannot be changed.' },
  'cursor.invalid': { exit: 3, retry: false, doc: 'A stored cursor cannot be understood.' },

  'sink.failed': { exit: 3, retry: true, doc: 'The sink could not take the records.' },
  'sink.rejected': { exit: 2, retry: false, doc: 'The sink will never take this record.' },
  'sink.locked': { exit: 3, retry: false, doc: 'Another process writes to the same sink.' },
  'sink.damaged': { exit: 3, retry: false, doc: 'What a sink wrote before is missing, shorter or not its own.' },

  'dead_letter.flood': {
    exit: 3,
    retry: false,
    doc: 'Too many dead letters: the pipeline stopped to protect the source.',
  },
  'replay.failed': { exit: 2, retry: false, doc: 'A dead letter fails again under the definition of today.' },
} as const satisfies Record<string, CodeInfo>

export type Code = keyof typeof codes

/** A record of a transaction: index of the append, index of the record in it. */
export interface RecordPlace {
  readonly append: number
  readonly record: number
}

export interface ErrorDetail {
  /** Where: a file:line:column, a JSON pointer, a record position. */
  readonly at?: string
  /** What to do next: one plain sentence. */
  readonly hint?: string
  /** The records of a refused transaction that are to blame: they will never be taken, the others may be. */
  readonly records?: readonly RecordPlace[]
  readonly cause?: unknown
}

/** The only error weir throws on purpose. `message` never carries payload or secrets. */
export class WeirError extends Error {
  readonly code: Code
  readonly at: string | undefined
  readonly hint: string | undefined
  readonly records: readonly RecordPlace[] | undefined

  constructor(code: Code, message: string, detail: ErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause })
    this.name = 'WeirError'
    this.code = code
    this.at = detail.at
    this.hint = detail.hint
    this.records = detail.records
  }

  get retry(): boolean {
    return codes[this.code].retry
  }
}

/** The code of any thrown value: the first WeirError in its chain of causes, else `internal`. */
export function codeOf(thrown: unknown): Code {
  return weirErrorOf(thrown)?.code ?? 'internal'
}

/** The first WeirError in the chain of causes of a thrown value. */
export function weirErrorOf(thrown: unknown): WeirError | undefined {
  for (let e = thrown, depth = 0; e instanceof Error && depth < 16; e = e.cause, depth++)
    if (e instanceof WeirError) return e
  return undefined
}

/** Any thrown value as a WeirError; what is not one becomes `code` (default `internal`) with the original as its cause. */
export function toWeirError(thrown: unknown, code: Code = 'internal'): WeirError {
  const known = weirErrorOf(thrown)
  if (known) return known
  return new WeirError(code, thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown })
}

export function exitCodeOf(thrown: unknown): 1 | 2 | 3 {
  return codes[codeOf(thrown)].exit
}
