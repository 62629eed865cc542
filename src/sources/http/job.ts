// The job of a pass: submitted once, asked for until it is ready, its result read, whatever instant the process is killed at.
// It moves: none -> intent -> submitted -> (result stored) none. The intent is durable before the call goes out, the id as soon as it is known, so
// between the two the outcome is in doubt: it is looked up by the tag that went with the call, or, where the source cannot be asked, told and
// submitted again. intent -> none when the call was refused. Any -> failed when the job is given up: the next waits its turn, longer each time.
import { WeirError, weirErrorOf } from '../../core/errors.ts'
import type { SourceBatch, Split } from '../../core/record.ts'
import { formatDuration } from '../../core/units.ts'
import { retryAfterMs } from '../../fetch/retry-after.ts'
import type { Expression } from '../../mapping/expression.ts'
import { type AnswerVars, evaluateOptional } from './answer.ts'
import { ask, type Call, type Called, noPage, sinceValue } from './call.ts'
import { jsonDecoder } from './decoder.ts'
import type { Engine } from './engine.ts'
import { type JobParts, jobVars } from './job-parts.ts'
import type { Judgement } from './judge.ts'
import type { JobState, Mark } from './state.ts'

export type Submitted = Extract<JobState, { step: 'submitted' }>
export type Intent = Extract<JobState, { step: 'intent' }>

/** What the steps of a job need of the pass that they are part of. */
export interface JobPass {
  readonly engine: Engine
  readonly parts: JobParts
  readonly split: Split
  readonly since: Mark | null
  /** The batch that stores the job, without items and without moving what is covered; none where it is stored already. */
  readonly save: (job: JobState | null, flags: Pick<SourceBatch, 'barrier' | 'owed'>) => readonly SourceBatch[]
  readonly signal: AbortSignal
}

const dayMs = 86_400_000

/** Asks until the job is ready; null: the source says that there is nothing. @throws fetch.* */
export async function* polled(pass: JobPass, job: Submitted): AsyncGenerator<SourceBatch, Submitted | null> {
  const { parts } = pass
  if (parts.poll === undefined) return job
  const builder = parts.poll
  const called = yield* untilReady(pass, job, async reading => {
    const answer = await askOfJob(pass, job, { builder, reading })
    const isReady = answer.judgement.nothing !== undefined || isJobReady(pass, answer.loosely(), answer.at)
    return { ...answer, isReady, unreadable: answer.judgement.pending ? undefined : unreadable(answer) }
  })
  if (called.judgement.nothing) return null
  return { ...job, kept: { ...job.kept, ...parts.pollKeep(called.loosely(), called.at) } }
}

type Reading = NonNullable<Call['reading']>

/** What a call about a job came to. */
export interface AboutJob {
  readonly judgement: Judgement
  readonly response: Called['response']
  readonly isReady: boolean
  /** Why the answer says nothing of the job, as a maintenance page does not; left out: it does. */
  readonly unreadable?: unknown
}

/** What is wrong with the body of an answer; undefined: it can be read. */
export function unreadable({ decoded }: Called): unknown {
  try {
    return decoded().problem
  } catch (error) {
    return error
  }
}

/**
 * Makes the call until it is no longer answered with "not ready". A job that is gone, has failed or is not ready in time is forgotten.
 * @throws fetch.*: the job stays where it may still be had
 */
export async function* untilReady<T extends AboutJob>(
  pass: JobPass,
  job: Submitted,
  call: (reading: Reading) => Promise<T>,
): AsyncGenerator<SourceBatch, T> {
  const { clock } = pass.engine
  const { every, give_up_after: giveUpMs } = pass.parts.config.poll
  for (;;) {
    let last: { readonly judgement: Judgement; readonly status: number } | undefined
    let answer: T
    try {
      answer = await call((judgement, { status }) => {
        last = { judgement, status }
        return judgement
      })
    } catch (error) {
      if (pass.signal.aborted || !isOver(error, job, last, clock.now(), giveUpMs)) throw error
      return yield* giveUp(pass, job, error)
    }
    const { pending } = answer.judgement
    if (!pending && answer.isReady) return answer
    const leftMs = Math.min(giveUpMs, job.atMs + giveUpMs - clock.now())
    // It may be ready, and is looked at again by a later poll.
    if (leftMs <= 0 && answer.unreadable !== undefined && !isOver(answer.unreadable, job, last, clock.now(), giveUpMs))
      throw answer.unreadable
    if (leftMs <= 0)
      return yield* giveUp(
        pass,
        job,
        new WeirError(
          'fetch.job_failed',
          `Job ${job.id} is not ready ${formatDuration(giveUpMs)} after it was submitted; it is given up`,
          {
            hint: 'Raise `give_up_after` if the source needs longer. The cursor has not moved; a later poll submits another job.',
          },
        ),
      )
    const asked = pending?.waitMs ?? retryAfterMs(answer.response.headers['retry-after'], clock.now()) ?? every
    await clock.sleep(Math.min(asked, leftMs), pass.signal)
  }
}

/** Forgets the job and says why. @throws the error */
export async function* giveUp(
  { save, engine, parts }: JobPass,
  job: Submitted | Intent,
  error: unknown,
  inDoubt = false,
): AsyncGenerator<SourceBatch, never> {
  const { failures } = job
  const pauseMs = Math.min(dayMs, parts.config.pause * 2 ** Math.min(failures, 30))
  const untilMs = engine.clock.now() + Math.round(pauseMs)
  yield* save(
    { step: 'failed', failures: failures + 1, untilMs, ...(inDoubt ? { inDoubt: true as const } : {}) },
    { owed: true },
  )
  throw error
}

/** Refusals of who we are, not of the job: it can be had once they are over. */
const aboutUs = new Set([401, 402, 403, 407])

/**
 * True when the failure is the end of the job: it has failed, it is not there, or a rule says not to call again. All else may pass, or be mended
 * in the definition, so the job, which may be paid for, is kept for a day, or longer where `give_up_after` is.
 */
function isOver(
  error: unknown,
  job: Submitted,
  last: { readonly judgement: Judgement; readonly status: number } | undefined,
  nowMs: number,
  giveUpMs: number,
): boolean {
  const code = weirErrorOf(error)?.code
  if (code === 'fetch.job_failed') return true
  if (nowMs - job.atMs >= Math.max(giveUpMs, dayMs)) return true
  if (code !== 'fetch.fatal' || last === undefined || aboutUs.has(last.status)) return false
  return last.judgement.byRule === true || last.status === 404 || last.status === 410
}

/** True unless `ready` says otherwise. @throws fetch.job_failed, source.shape */
export function isJobReady({ parts }: JobPass, vars: AnswerVars, at: string): boolean {
  if (parts.failed && isTrue(parts.failed, vars, at))
    throw new WeirError('fetch.job_failed', 'The source says that the job has failed', {
      at,
      hint: 'The cursor has not moved; a later poll submits another job.',
    })
  return parts.ready === undefined || isTrue(parts.ready, vars, at)
}

/** A field that is not there yet is no "true". @throws source.shape */
function isTrue(expression: Expression, vars: AnswerVars, at: string): boolean {
  const value = evaluateOptional(expression, vars, at)
  if (typeof value === 'boolean' || value === null || value === undefined) return value === true
  throw new WeirError('source.shape', `\`${expression.text.slice(0, 200)}\` gave no true or false`, {
    at,
    hint: 'Compare with something: body.status == "ready".',
  })
}

/** A call of the job's own, which is none of a page. @throws fetch.*, map.failed */
export function askOfJob(
  { engine, split, since, signal }: JobPass,
  job: JobState,
  call: Pick<Call, 'builder' | 'reading' | 'once'>,
  callSignal = signal,
): Promise<Called> {
  const vars = { split: split.vars, page: noPage, cursor: sinceValue(since), job: jobVars(job) }
  const { reading, ...rest } = call
  return ask(engine, { ...rest, vars, decoder: jsonDecoder, ...(reading ? { reading } : {}) }, callSignal)
}
