// What an answer means: the rules of the definition first, over status, headers and body, then the status. And what it asks beside that: to
// leave its host alone for a while.
import type { HttpResponse, Verdict } from '../../fetch/guard.ts'
import { compileExpression, type Expression } from '../../mapping/expression.ts'
import type { ErrorRule } from './spec.ts'
import { errorVars } from './vars.ts'

export interface Judgement {
  readonly verdict: Verdict
  /** The answer says that there is nothing: the pass of the split ends without items. */
  readonly nothing?: 'skip' | 'gone'
  /** The answer says that the job is not ready; how long to wait where the rule says. */
  readonly pending?: { readonly waitMs?: number }
  /** True where a rule of the definition decided. */
  readonly byRule?: boolean
}

/** `body` gives what rules see as `body`: the decoded body, or its text when it cannot be decoded. `job`: what they see of it. */
export type Judge = (response: HttpResponse, body: () => unknown, job?: unknown) => Judgement

/**
 * @param wait expression for the milliseconds that the host wants to be left alone
 * @throws config.expression
 */
export function createJudge(rules: readonly ErrorRule[], wait?: string): Judge {
  const compiled = rules.map((rule, index) => ({ ...rule, index, when: compileExpression(rule.when, errorVars) }))
  const waitMs = wait === undefined ? undefined : compileExpression(wait, errorVars)
  return (response, body, job = null) => {
    const vars = {
      status: BigInt(response.status),
      headers: response.headers,
      job,
      // Read only by the expressions that look at it.
      get body() {
        return body()
      },
    }
    const rule = compiled.find(({ when }) => evaluated(when, vars) === true)
    const judgement: Judgement = rule
      ? { ...byRule(rule, response.status), byRule: true }
      : { verdict: byStatus(response.status) }
    const asked = waitMs && evaluated(waitMs, vars)
    const holdMs = typeof asked === 'bigint' || typeof asked === 'number' ? Number(asked) : 0
    return holdMs > 0 ? { ...judgement, verdict: { ...judgement.verdict, holdMs } } : judgement
  }
}

/** The value; undefined where it cannot be computed, as over an answer of another kind. */
function evaluated(expression: Expression, vars: Readonly<Record<string, unknown>>): unknown {
  try {
    return expression.evaluate(vars)
  } catch {
    return undefined
  }
}

function byRule(
  rule: { readonly do: ErrorRule['do']; readonly after?: number; readonly index: number },
  status: number,
): Judgement {
  const reason = `status ${status}, by error rule ${rule.index + 1}`
  const wait = rule.after === undefined ? {} : { waitMs: rule.after }
  switch (rule.do) {
    case 'ok':
      return { verdict: { class: 'ok' } }
    case 'skip':
    case 'gone':
      return { verdict: { class: 'ok' }, nothing: rule.do }
    case 'pending':
      return { verdict: { class: 'ok' }, pending: wait }
    case 'retry':
      return { verdict: { class: 'retry', reason, ...wait } }
    case 'wait':
      return { verdict: { class: 'throttled', reason, ...wait } }
    case 'blocked':
      return { verdict: { class: 'blocked', reason, ...wait } }
    case 'fail':
      return { verdict: { class: 'fatal', reason } }
  }
}

function byStatus(status: number): Verdict {
  if (status >= 200 && status < 300) return { class: 'ok' }
  if (status === 429) return { class: 'throttled', reason: 'status 429: too many requests' }
  if (status === 408 || status === 425 || (status >= 500 && status < 600))
    return { class: 'retry', reason: `status ${status}` }
  if (status === 404 || status === 410)
    return {
      class: 'fatal',
      reason: `status ${status}: nothing is there (where that is normal, write an error rule with \`do: gone\`)`,
    }
  return { class: 'fatal', reason: `status ${status}` }
}
