// The compiled parts of a job: its requests, and the expressions over their answers.

import type { Expression } from '../../mapping/expression.ts'
import { type AnswerVars, answerExpression, evaluateOptional } from './answer.ts'
import type { SignerOf } from './auth.ts'
import { createRequestBuilder, type RequestBuilder } from './request.ts'
import type { HttpConfig, JobConfig, RequestConfig } from './spec.ts'
import type { JobState, Kept } from './state.ts'

export interface JobParts {
  readonly config: JobConfig
  readonly submit: RequestBuilder
  readonly id: Expression
  readonly keep: Keep
  readonly poll: RequestBuilder | undefined
  readonly pollKeep: Keep
  readonly ready: Expression | undefined
  readonly failed: Expression | undefined
  readonly find: { readonly request: RequestBuilder; readonly id: Expression; readonly keep: Keep } | undefined
}

/** The kept values of an answer. One that is not there, or is no scalar, is null: the job is paid for, so nothing is thrown here. */
export type Keep = (vars: AnswerVars, at: string) => Kept

/** @throws config.expression */
export function compileJob(config: HttpConfig, signerOf: SignerOf): JobParts | undefined {
  const { job } = config
  if (job === undefined) return undefined
  const builder = (request: RequestConfig) =>
    createRequestBuilder({ ...config, decode: 'json', request }, signerOf(request.auth))
  const { poll, find } = job
  return {
    config: job,
    submit: builder(job.submit),
    id: answerExpression(job.id),
    keep: keepOf(job.keep),
    poll: poll.request && builder(poll.request),
    pollKeep: keepOf(poll.keep),
    ready: poll.ready === undefined ? undefined : answerExpression(poll.ready),
    failed: poll.failed === undefined ? undefined : answerExpression(poll.failed),
    find: find && { request: builder(find.request), id: answerExpression(find.id), keep: keepOf(find.keep) },
  }
}

/** What templates and expressions see as `job`. */
export function jobVars(job: JobState | null): unknown {
  if (job === null || job.step === 'failed') return null
  return job.step === 'intent' ? { id: null, tag: job.tag } : { ...job.kept, id: job.id, tag: job.tag }
}

function keepOf(keep: JobConfig['keep']): Keep {
  const expressions = Object.entries(keep ?? {}).map(([name, text]) => [name, answerExpression(text)] as const)
  return (vars, at) =>
    Object.fromEntries(
      expressions.map(([name, expression]) => [name, kept(() => evaluateOptional(expression, vars, at))]),
    )
}

const maxKeptLength = 4096

function kept(evaluate: () => unknown): Kept[string] {
  let value: unknown
  try {
    value = evaluate()
  } catch {
    return null
  }
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  if (typeof value === 'string') return value.length <= maxKeptLength ? value : null
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  return typeof value === 'boolean' ? value : null
}
