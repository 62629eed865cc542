// Why a delivery is not taken: the status the vendor gets, and the error that says it. Nothing of a refused delivery is stored.
import { toWeirError, WeirError } from '../../core/errors.ts'

export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly status: number
  readonly error: WeirError
  /** Headers the answer carries besides the usual ones. */
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, error: WeirError, headers: Readonly<Record<string, string>> = {}) {
    super(error.message, { cause: error })
    this.status = status
    this.error = error
    this.headers = headers
  }
}

/** A vendor tries again after this many seconds at the earliest. */
const retryAfterS = 5

/** 401: nothing proves that the vendor sent it. */
export function unproven(message: string, hint: string): Refusal {
  return new Refusal(401, new WeirError('webhook.unproven', message, { hint }))
}

/** 4xx: it is not what the definition takes. */
export function invalid(
  status: number,
  message: string,
  hint: string,
  headers: Readonly<Record<string, string>> = {},
): Refusal {
  return new Refusal(status, new WeirError('webhook.invalid', message, { hint }), headers)
}

/** 503: it cannot be stored now, and is to be sent again. */
export function unavailable(message: string, hint: string): Refusal {
  return new Refusal(503, new WeirError('webhook.unavailable', message, { hint }), {
    'retry-after': String(retryAfterS),
  })
}

/** Any thrown value as what the vendor is answered: what reads bodies throws WeirErrors (400), all else is a defect of ours (500). */
export function asRefusal(thrown: unknown): Refusal {
  if (thrown instanceof Refusal) return thrown
  const error = toWeirError(thrown)
  if (error.code !== 'internal') return new Refusal(400, error)
  return new Refusal(500, new WeirError('internal', 'The delivery could not be looked at', { cause: error }))
}
