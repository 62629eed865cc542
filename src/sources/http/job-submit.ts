// The first half of a job: how it is submitted once, and what becomes of a call whose outcome is in doubt.
import { hash as digest } from 'node:crypto'
import type { Clock } from '../../core/clock.ts'
import { WeirError } from '../../core/errors.ts'
import type { SourceBatch } from '../../core/record.ts'
import { formatDuration } from '../../core/units.ts'
import type { Expression } from '../../mapping/expression.ts'
import { evaluateOptional } from './answer.ts'
import type { Called } from './call.ts'
import { askOfJob, giveUp, type Intent, type JobPass, type Submitted, unreadable } from './job.ts'
import type { Keep } from './job-parts.ts'
import type { Judgement } from './judge.ts'
import { tell } from './notice.ts'
import { idText } from './order-key.ts'
import type { JobState } from './state.ts'

/** A submit that is out when the pipeline stops is waited for so long: its answer holds the id of what is paid for. */
const graceMs = 3_000
const dayMs = 86_400_000

/** The job under way, or a new one; null: the source says that there is nothing. @throws fetch.*, source.shape */
export async function* submitted(pass: JobPass, state: JobState | null): AsyncGenerator<SourceBatch, Submitted | null> {
  const { engine, split, signal, save } = pass
  if (state?.step === 'submitted') return state
  if (state?.step === 'intent') {
    const found = yield* resolved(pass, state)
    if (found !== undefined) return found
  }
  const nowMs = engine.clock.now()
  if (state?.step === 'failed') {
    const waitMs = state.untilMs - nowMs
    // A time further ahead than any pause was written by a clock that was wrong.
    if (waitMs > 0 && waitMs <= dayMs) throw tooSoon(state.failures, waitMs)
    if (state.inDoubt) tellDoubt(pass)
  }
  const salt = `${engine.pipeline} ${split.id} ${nowMs} ${engine.random()}`
  const tag = `weir-${digest('sha256', salt, 'hex').slice(0, 24)}`
  const intent: Intent = { step: 'intent', tag, atMs: nowMs, failures: state?.failures ?? 0 }
  signal.throwIfAborted()
  yield* save(intent, { barrier: true })
  if (signal.aborted) {
    yield* save(withdrawn(intent, nowMs), { owed: true })
    throw signal.reason
  }
  return yield* submit(pass, intent)
}

function tooSoon(failures: number, waitMs: number): WeirError {
  return new WeirError('fetch.job_failed', `The last job failed; the next is submitted in ${formatDuration(waitMs)}`, {
    hint: `${failures} failed in a row; \`pause\` under \`job\` is the first wait, doubled with each failure.`,
  })
}

function tellDoubt({ engine, split }: JobPass): void {
  tell(
    engine,
    split,
    'fetch.job_in_doubt',
    'It is not known whether the last job was taken, and the source cannot be asked: another one is submitted, so it may be paid for twice; `find` under `job` avoids that',
  )
}

/** An intent that was stored last, by a process that died: the job, or undefined where there is none that can be found. */
async function* resolved(pass: JobPass, intent: Intent): AsyncGenerator<SourceBatch, Submitted | undefined> {
  if (pass.parts.find === undefined) {
    tellDoubt(pass)
    return undefined
  }
  const found = await lookUp(pass, intent)
  if (found === undefined) {
    tell(pass.engine, pass.split, 'info', 'The last job was not taken by the source; another one is submitted')
    return undefined
  }
  return yield* took(pass, found, 'was taken by the source before weir stopped')
}

async function* submit(pass: JobPass, intent: Intent): AsyncGenerator<SourceBatch, Submitted | null> {
  const { engine, parts, save, signal } = pass
  let mayBeTaken = false
  const reading = (judgement: Judgement): Judgement => {
    const read = forSubmit(judgement)
    if (read.verdict.class !== 'ok' && read.verdict.class !== 'retry') mayBeTaken = false
    return read
  }
  const once = (attempt: 'sending' | 'not_sent') => {
    mayBeTaken = attempt === 'sending'
  }
  const linger = lingering(signal, engine.clock)
  let called: Called
  try {
    called = await askOfJob(pass, intent, { builder: parts.submit, reading, once }, linger.signal)
  } catch (error) {
    if (!mayBeTaken) {
      yield* save(withdrawn(intent, engine.clock.now()), { owed: true })
      throw error
    }
    if (signal.aborted) throw signal.reason
    if (parts.find === undefined) return yield* giveUp(pass, intent, error, true)
    const found = await lookUp(pass, intent)
    if (found !== undefined) return yield* took(pass, found, 'was taken, though its call failed')
    yield* save(withdrawn(intent, engine.clock.now()), { owed: true })
    throw error
  } finally {
    linger.end()
  }
  if (called.judgement.nothing) return null
  const job = jobOf(intent, idOf(parts.id, called), parts.keep, called)
  if (job !== undefined) return yield* took(pass, job, 'is submitted')
  const found = parts.find && !signal.aborted ? await lookUp(pass, intent) : undefined
  if (found !== undefined) return yield* took(pass, found, 'was found by its tag')
  const error = new WeirError(
    'source.shape',
    `The answer to \`submit\` has no id at \`${parts.id.text.slice(0, 200)}\``,
    {
      at: called.at,
      hint: 'The source may have taken the job. Look at an answer and at `id` under `job`; where such an answer is a refusal, write an error rule for it.',
    },
  )
  return yield* giveUp(pass, intent, error)
}

/** A submit that a rule calls a passing fault was refused, so it may be made again; "not ready" is what a job is when it is submitted. */
function forSubmit(judgement: Judgement): Judgement {
  const { verdict, byRule } = judgement
  if (byRule && verdict.class === 'retry') return { ...judgement, verdict: { ...verdict, class: 'throttled' } }
  return judgement
}

async function* took(pass: JobPass, job: Submitted, what: string): AsyncGenerator<SourceBatch, Submitted> {
  yield* pass.save(job, { owed: true })
  tell(pass.engine, pass.split, 'info', `Job ${job.id} ${what}`)
  pass.signal.throwIfAborted()
  return job
}

/** The job with the tag of the intent, as the source lists it; looked for again until a job that was taken must be listed. @throws fetch.*, source.shape */
async function lookUp(pass: JobPass, intent: Intent): Promise<Submitted | undefined> {
  const { request, id, keep } = pass.parts.find!
  const { clock } = pass.engine
  const settledMs = clock.monotonic() + pass.parts.config.find!.settle
  for (;;) {
    const isSettled = clock.monotonic() >= settledMs
    const called = await askOfJob(pass, intent, { builder: request })
    if (called.judgement.nothing === undefined) {
      const problem = unreadable(called)
      if (problem !== undefined) throw problem
      const value = evaluateOptional(id, called.loosely(), called.at)
      const found = jobOf(intent, Array.isArray(value) ? value[0] : value, keep, called)
      if (found !== undefined) return found
    }
    if (isSettled) return undefined
    await clock.sleep(Math.max(1, settledMs - clock.monotonic()), pass.signal)
  }
}

/** An answer out of which no id can be read has none: what it stands for must not be lost to an error. */
function idOf(expression: Expression, { loosely, at }: Called): unknown {
  try {
    return evaluateOptional(expression, loosely(), at)
  } catch {
    return undefined
  }
}

const maxIdLength = 1000

function jobOf(
  { tag, atMs, failures }: Intent,
  value: unknown,
  keep: Keep,
  { loosely, at }: Called,
): Submitted | undefined {
  const id = typeof value === 'string' && value.length > maxIdLength ? undefined : idText(value)
  return id === undefined ? undefined : { step: 'submitted', tag, atMs, id, kept: keep(loosely(), at), failures }
}

/** Nothing was submitted: only what failed before counts on. */
function withdrawn({ failures }: Intent, nowMs: number): JobState | null {
  return failures === 0 ? null : { step: 'failed', failures, untilMs: nowMs }
}

/** A signal that follows another one, later. */
function lingering(signal: AbortSignal, clock: Clock): { readonly signal: AbortSignal; end(): void } {
  const late = new AbortController()
  const over = new AbortController()
  const follow = () => {
    clock.sleep(graceMs, over.signal).then(
      () => late.abort(signal.reason),
      () => {},
    )
  }
  if (signal.aborted) follow()
  else signal.addEventListener('abort', follow, { once: true })
  return {
    signal: late.signal,
    end() {
      signal.removeEventListener('abort', follow)
      over.abort()
    },
  }
}
