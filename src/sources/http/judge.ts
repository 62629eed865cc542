// What an answer means: the rules of the definition first, over status, headers and body, then the status.
import type { HttpResponse, Verdict } from '../../fetch/guard.ts'
import { compileExpression } from '../../mapping/expression.ts'
import { type ErrorRule, errorVars } from './spec.ts'

export interface Judgement {
  readonly verdict: Verdict
  /** The answer says that there is nothing: the pass of the split ends without items. */
  readonly nothing?: 'skip' | 'gone'
}

/** `body` gives what rules see as `body`: the decoded body, or its text when it cannot be decoded. */
export type Judge = (response: HttpResponse, body: () => unknown) => Judgement

/** @throws config.expression */
export function createJudge(rules: readonly ErrorRule[]): Judge {
  const compiled = rules.map((rule, index) => ({ ...rule, index, when: compileExpression(rule.when, errorVars) }))
  return (response, body) => {
    if (compiled.length === 0) return { verdict: byStatus(response.status) }
    const vars = {
      status: BigInt(response.status),
      headers: response.headers,
      // Read only by the rules that look at it.
      get body() {
        return body()
      },
    }
    for (const rule of compiled) if (holds(rule.when, vars)) return byRule(rule, response.status)
    return { verdict: byStatus(response.status) }
  }
}

function holds(when: ReturnType<typeof compileExpression>, vars: Readonly<Record<string, unknown>>): boolean {
  try {
    return when.evaluate(vars) === true
  } catch {
    return false
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
