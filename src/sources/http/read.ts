// One pass over the pages of a split: fetch, find the items, yield what is new with the cursor that covers it (I4, I10, I13).
// A pass moves: started or resumed -> (job ready) -> page after page -> over. Every batch carries the state from which the pass can go on.
import type { Drops, Item, SourceBatch, Split } from '../../core/record.ts'
import type { Engine } from './engine.ts'
import { isJobReady, type JobPass, polled, untilReady } from './job.ts'
import { jobVars } from './job-parts.ts'
import { submitted } from './job-submit.ts'
import { goneItem, idPathOf } from './listing.ts'
import { tell } from './notice.ts'
import { hash } from './order-key.ts'
import { type Answer, askForPage, maxBatchItems, partsOf } from './page.ts'
import { loopError } from './paginate.ts'
import { headersOf, type Provenance } from './provenance.ts'
import { rawPageOf } from './raw.ts'
import type { HttpConfig } from './spec.ts'
import {
  decodeState,
  emptyState,
  encodeState,
  type JobState,
  type Mark,
  type PageState,
  type PassState,
  type SplitState,
  type StateKind,
} from './state.ts'
import { openTracker, type Tracker } from './tracker.ts'

/** The very same items once more is possible where just a page of new items came in between; so often in a row, the source ignores the number. */
const maxSameBodies = 4

function stateKindOf({ cursor }: HttpConfig): StateKind {
  if (cursor === undefined) return 'none'
  return cursor.mode === 'membership' ? 'membership' : cursor.as
}

export async function* readSplit(
  engine: Engine,
  split: Split,
  cursor: string | null,
  signal: AbortSignal,
): AsyncGenerator<SourceBatch> {
  const { config, job: parts } = engine
  const kind = stateKindOf(config)
  const given = cursor === null ? emptyState : decodeState(cursor, kind)
  const isResumed = canResume(engine, given)
  const tracker = openTracker(config.cursor, given, engine.clock.now(), parts !== undefined)
  const visited = new Set<string>()
  let pass: PassState = isResumed ? resumed(engine, given.pass!) : { page: engine.paginator.first, index: 0, top: null }
  let job: JobState | null = parts ? given.job : null
  let latest = cursor
  const batch = (
    items: readonly Item[],
    drops: Drops,
    state: SplitState,
    provenance: Provenance | null = null,
    raw?: SourceBatch['raw'],
  ): SourceBatch | undefined => {
    const text = encodeState({ ...state, job: state.pass ? job : null }, kind)
    const hasDrops = Object.keys(drops).length > 0
    if (items.length === 0 && !hasDrops && !raw && text === latest) return undefined
    latest = text
    return {
      items,
      cursor: text,
      ...(hasDrops ? { drops } : {}),
      ...(items.length > 0 && provenance ? { headers: headersOf(provenance) } : {}),
      // Kept pages are mapped again as of the time they were fetched at.
      ...(engine.keepsRaw && provenance ? { atMs: provenance.fetchedAtMs } : {}),
      ...(raw ? { raw } : {}),
    }
  }
  const jobPass: JobPass | undefined = parts && {
    engine,
    parts,
    split,
    since: tracker.since,
    signal,
    save: (next, flags) => {
      const text = encodeState({ ...leftOf(config, given, tracker, pass), job: next }, kind)
      if (text === latest) return []
      latest = text
      return [{ items: [], cursor: text, ...flags }]
    },
  }
  if (jobPass) {
    const taken = yield* submitted(jobPass, job)
    job = taken && !isResumed ? yield* polled(jobPass, taken) : taken
    if (job === null) {
      tell(engine, split, 'info', 'Nothing here: the source says so of the job')
      const last = batch([], {}, tracker.after(pass.top))
      if (last) yield last
      return
    }
  }
  let validators = given.validators
  for (let first = true; ; first = false) {
    signal.throwIfAborted()
    const isStart = first && !isResumed
    const call = {
      split,
      pass,
      since: tracker.since,
      job: jobVars(job),
      // A page of a result that is refused is the end of its job.
      isResumed: first && isResumed && parts === undefined,
      validators: config.conditional && isStart ? given.validators : null,
    }
    const answer =
      jobPass && job?.step === 'submitted'
        ? yield* untilReady(jobPass, job, reading =>
            askForPage(engine, { ...call, reading, ...(isStart && isReadyOf(jobPass)) }, signal),
          )
        : await askForPage(engine, call, signal)
    if (answer.nothing) {
      tell(engine, split, 'info', `Nothing here (${answer.nothing}, status ${answer.response.status})`)
      const last = batch([], {}, { ...tracker.after(pass.top), validators })
      if (last) yield last
      return
    }
    if (isStart) validators = answer.validators
    const { page } = answer
    engine.drift.look(page.records, split.id)
    const next = nextPage(engine, pass, answer, visited)
    tracker.beginPage()
    let end: PageEnd | undefined
    let raw = rawPageOf(engine, answer, split, pass, given.passes)
    for (const part of partsOf(engine, page, tracker, split, given.passes, pass)) {
      if (part.rest) {
        const middle = batch(
          part.items,
          part.drops,
          tracker.during({ ...pass, taken: part.rest }),
          answer.provenance,
          raw,
        )
        raw = undefined
        if (middle) yield middle
        continue
      }
      end = endOf(engine, split, pass, next, tracker, answer)
      let { items, drops } = part
      if (end.over && end.whole) {
        if (tracker.isBlurred)
          tell(engine, split, 'info', 'Items are missing, and one has no id: none is told as deleted')
        let gone = goneItems(engine, tracker, given.passes)
        while (gone.length === maxBatchItems) {
          const middle = batch([...items, ...gone], drops, tracker.during(pass), answer.provenance, raw)
          raw = undefined
          if (middle) yield middle
          ;({ items, drops } = { items: [], drops: {} })
          gone = goneItems(engine, tracker, given.passes)
        }
        items = [...items, ...gone]
      }
      const state = end.over ? { ...tracker.after(end.top), validators } : tracker.during(end.pass)
      const last = batch(items, drops, state, answer.provenance, raw)
      if (last) yield last
    }
    if (!end || end.over) return
    pass = end.pass
  }
}

/** What is gone, so much as fits into a batch. */
function goneItems({ config: { cursor } }: Engine, tracker: Tracker, passes: number): readonly Item[] {
  const path = cursor && idPathOf(cursor.id)
  return path ? tracker.takeMissing(maxBatchItems).map(id => goneItem(path, id, passes)) : []
}

/** Where the result itself says whether it is ready, it is asked. */
const isReadyOf = (pass: JobPass) =>
  pass.parts.poll === undefined && {
    isReady: (vars: Answer['pageAnswer']['vars'], at: string) => isJobReady(pass, vars, at),
  }

/** A pass goes on where its pages can still be asked for: by the same style, and of the same job. */
function canResume({ paginator, job }: Engine, given: SplitState): boolean {
  if (given.pass === null || !paginator.accepts(given.pass.page)) return false
  return job ? given.job?.step === 'submitted' : given.job === null
}

/** The state without the pass under way: what was taken in it is known, and nothing more is covered. */
function leftOf({ cursor }: HttpConfig, given: SplitState, tracker: Tracker, pass: PassState): SplitState {
  const hasRead = pass.index > 0 || pass.taken !== undefined
  if (cursor === undefined) return hasRead ? tracker.after(null) : { ...given, pass: null }
  return { ...tracker.during(pass), pass: null }
}

/**
 * Where a pass that was interrupted goes on. Oldest first and by page number, one page before: it may have been the last and short then, and what
 * has filled it since would lie below the mark once the pass is over. What is known of it is counted as repeated.
 */
function resumed({ config, paginator }: Engine, stored: PassState): PassState {
  const { cursor } = config
  // What was alike before does not count on: a pass that was stopped for it by mistake must be able to go on.
  const { last: _last, ...pass } = stored
  if (cursor === undefined || cursor.mode === 'membership' || cursor.order !== 'asc' || pass.taken) return pass
  const page = paginator.before(pass.page)
  return page === null ? pass : { page, index: Math.max(0, pass.index - 1), top: pass.top }
}

/** `whole`: all pages were read. */
type PageEnd =
  | { readonly over: true; readonly top: Mark | null; readonly whole: boolean }
  | { readonly over: false; readonly pass: PassState }

/** After the items of a page: is the pass over, and where does it go on. */
function endOf(
  engine: Engine,
  split: Split,
  pass: PassState,
  next: PageState | null,
  tracker: Tracker,
  answer: Answer,
): PageEnd {
  const { top, covered } = tracker.endPage(pass)
  if (covered && pass.index === 0)
    tell(
      engine,
      split,
      'source.cursor_refused',
      'The newest item of the source is older than the cursor: items were removed, or the source was reset; `weir cursor reset` reads it anew',
    )
  if (next === null || covered) return { over: true, top, whole: next === null }
  if (pass.index + 1 >= engine.paginator.max) {
    tell(engine, split, 'info', `The pass stops after ${engine.paginator.max} pages, as \`max\` says; there are more`)
    return { over: true, top, whole: false }
  }
  const body = answer.sameness
  const last = body === undefined ? {} : { last: { body, times: body === pass.last?.body ? pass.last.times + 1 : 1 } }
  return { over: false, pass: { page: next, index: pass.index + 1, top, ...last } }
}

/** @throws source.loop when the next page was read in this pass, or when the pages no longer differ */
function nextPage(engine: Engine, pass: PassState, answer: Answer, visited: Set<string>): PageState | null {
  const { at } = answer.pageAnswer
  const isSame = answer.sameness !== undefined && answer.sameness === pass.last?.body
  if (isSame && pass.last!.times + 1 >= maxSameBodies) throw loopError(at)
  const next = engine.paginator.next(pass.page, answer.pageAnswer)
  // The first page has no stored address; the one it was asked for at counts as well.
  if (next?.kind === 'url')
    visited.add(nameOf({ kind: 'url', value: engine.builder.storable(new URL(answer.pageAnswer.requestUrl)) }))
  visited.add(nameOf(pass.page))
  if (next !== null && visited.has(nameOf(next))) throw loopError(at)
  return next
}

const nameOf = (page: PageState) => hash(JSON.stringify(page))
