// The compiled parts of an `http` definition, and what they need from outside.
import type { Clock, Random } from '../../core/clock.ts'
import type { Emit } from '../../core/event.ts'
import type { FetchGuard } from '../../fetch/guard.ts'
import type { Expression } from '../../mapping/expression.ts'
import type { SourceDeps } from '../source.ts'
import { answerExpression } from './answer.ts'
import { createSigners, type SignerOf } from './auth.ts'
import { createDecoder, type Decoder } from './decoder.ts'
import { type DriftWatch, watchDrift } from './drift.ts'
import { createItemizer, type Itemizer } from './items.ts'
import { compileJob, type JobParts } from './job-parts.ts'
import { createJudge, type Judge } from './judge.ts'
import { createPaginator, type Paginator } from './paginate.ts'
import { createRequestBuilder, type RequestBuilder } from './request.ts'
import { robotsGuard } from './robots.ts'
import type { HttpConfig } from './spec.ts'

export interface Engine {
  readonly config: HttpConfig
  readonly pipeline: string
  readonly clock: Clock
  readonly random: Random
  readonly emit: Emit
  readonly fetch: () => FetchGuard
  readonly builder: RequestBuilder
  readonly paginator: Paginator
  readonly decoder: Decoder
  readonly judge: Judge
  readonly records: Expression
  readonly itemizer: Itemizer
  readonly job: JobParts | undefined
  readonly signerOf: SignerOf
  /** Who the records are said to come from; undefined: they do not say. */
  readonly origin: string | undefined
  /** Each page goes with its items, to be kept. */
  readonly keepsRaw: boolean
  readonly drift: DriftWatch
}

/** @throws config.expression */
export function createEngine(config: HttpConfig, deps: SourceDeps): Engine {
  const { pipeline, clock, random, emit, fetch, origin, reads, keepsRaw = false } = deps
  const { robots } = config
  const signerOf = createSigners(deps)
  return {
    config,
    pipeline,
    clock,
    random,
    emit,
    fetch: robots ? robotsGuard(fetch, robots.agent, clock) : fetch,
    builder: createRequestBuilder(config, signerOf(config.request.auth)),
    paginator: createPaginator(config.paginate),
    decoder: createDecoder(config, clock),
    judge: createJudge(config.errors, config.limits?.wait),
    records: answerExpression(config.decode === 'html' && config.records === 'body' ? 'body.items' : config.records),
    itemizer: createItemizer(config.cursor, config.max_item),
    job: compileJob(config, signerOf),
    signerOf,
    origin,
    keepsRaw: keepsRaw && origin !== undefined,
    drift: watchDrift(emit, pipeline, reads),
  }
}
