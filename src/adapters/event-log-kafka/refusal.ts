// An error code that a broker answered with. Inside the adapter it decides what happens next; outside it becomes a WeirError (log-errors.ts).

/** Codes that decisions hang on; numbers and names as the Kafka protocol defines them. */
export const refusals = {
  UNKNOWN_SERVER_ERROR: -1,
  OFFSET_OUT_OF_RANGE: 1,
  UNKNOWN_TOPIC_OR_PARTITION: 3,
  LEADER_NOT_AVAILABLE: 5,
  NOT_LEADER_OR_FOLLOWER: 6,
  REQUEST_TIMED_OUT: 7,
  MESSAGE_TOO_LARGE: 10,
  COORDINATOR_LOAD_IN_PROGRESS: 14,
  COORDINATOR_NOT_AVAILABLE: 15,
  NOT_COORDINATOR: 16,
  INVALID_TOPIC_EXCEPTION: 17,
  RECORD_LIST_TOO_LARGE: 18,
  NOT_ENOUGH_REPLICAS: 19,
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: 20,
  ILLEGAL_GENERATION: 22,
  UNKNOWN_MEMBER_ID: 25,
  REBALANCE_IN_PROGRESS: 27,
  TOPIC_AUTHORIZATION_FAILED: 29,
  GROUP_AUTHORIZATION_FAILED: 30,
  CLUSTER_AUTHORIZATION_FAILED: 31,
  INVALID_TIMESTAMP: 32,
  UNSUPPORTED_VERSION: 35,
  TOPIC_ALREADY_EXISTS: 36,
  POLICY_VIOLATION: 44,
  INVALID_PRODUCER_EPOCH: 47,
  INVALID_TXN_STATE: 48,
  INVALID_PRODUCER_ID_MAPPING: 49,
  CONCURRENT_TRANSACTIONS: 51,
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 53,
  MEMBER_ID_REQUIRED: 79,
  FENCED_INSTANCE_ID: 82,
  INVALID_RECORD: 87,
  UNSTABLE_OFFSET_COMMIT: 88,
  PRODUCER_FENCED: 90,
  TRANSACTIONAL_ID_NOT_FOUND: 105,
} as const

const names = new Map<number, string>(Object.entries(refusals).map(([name, code]) => [code, name]))

/**
 * A broker's answer that carries an error code. `subject`: the topic, `topic[partition]`, group or transactional id it speaks of;
 * `reason`: what the broker says of it, where it says something.
 */
export class BrokerRefusal extends Error {
  override readonly name = 'BrokerRefusal'
  readonly code: number
  readonly api: string
  readonly subject: string

  constructor(code: number, api: string, subject: string, reason: string | null = null) {
    super(`${api} of ${subject}: ${names.get(code) ?? `error code ${code}`}${reason ? ` (${reason})` : ''}`)
    this.code = code
    this.api = api
    this.subject = subject
  }

  /** True when the code is one of those. */
  is(...among: readonly (keyof typeof refusals)[]): boolean {
    return among.some(name => refusals[name] === this.code)
  }
}

/** The refusal that an error is, or comes from. */
export function refusalIn(thrown: unknown): BrokerRefusal | undefined {
  for (let e = thrown, depth = 0; e instanceof Error && depth < 16; e = e.cause, depth++)
    if (e instanceof BrokerRefusal) return e
  return undefined
}
