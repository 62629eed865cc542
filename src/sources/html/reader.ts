// Reads pages in a thread of its own: one at a time, each within a deadline. A thread that does not answer in time is ended, and the next
// page starts a new one. It starts with the first page and stays warm.
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { type Clock, deadline } from '../../core/clock.ts'
import { type Code, WeirError } from '../../core/errors.ts'
import { codeFolder, isCheckout } from '../../core/shipped.ts'
import { formatDuration } from '../../core/units.ts'
import { refuseLarge } from './document.ts'
import type { HtmlPage } from './extract.ts'
import type { HtmlConfig } from './spec.ts'

const pageDeadlineMs = 2000
/** Loading the parser is not the page's fault; a busy machine takes its time over it. */
const startDeadlineMs = 60_000
/** A tree of the most elements takes about half of it. */
const maxHeapMb = 256

export interface WorkerData {
  readonly config: HtmlConfig
  readonly robot: string | undefined
}

export interface PageQuestion {
  readonly bytes: Uint8Array
  readonly contentType: string | undefined
}

export type PageAnswer =
  | { readonly page: HtmlPage }
  | { readonly refused: { readonly code: Code; readonly message: string; readonly hint: string | undefined } }

export interface HtmlReader extends AsyncDisposable {
  /** What the definition takes out of the page. @throws source.html_refused (a limit or the deadline was passed) */
  read(bytes: Uint8Array, contentType: string | undefined): Promise<HtmlPage>
}

export interface HtmlReaderOptions {
  readonly config: HtmlConfig
  readonly clock: Clock
  /** Name of a meta element that counts as `robots` does. */
  readonly robot?: string
  readonly deadlineMs?: number
}

export function openHtmlReader({ config, clock, robot, deadlineMs = pageDeadlineMs }: HtmlReaderOptions): HtmlReader {
  let worker: Promise<Worker> | undefined
  let turn: Promise<unknown> = Promise.resolve()
  let isClosed = false

  const end = async (): Promise<void> => {
    const ended = worker
    worker = undefined
    await (await ended?.catch(() => undefined))?.terminate()
  }

  const ask = async (bytes: Uint8Array, contentType: string | undefined): Promise<HtmlPage> => {
    if (isClosed) throw new WeirError('source.html_refused', 'The source is closed', { hint: 'Nothing is to be done.' })
    try {
      worker ??= start({ config, robot }, clock)
      const thread = await worker
      const copy = new Uint8Array(bytes)
      const answered = reply<PageAnswer>(thread, clock, deadlineMs)
      thread.postMessage({ bytes: copy, contentType } satisfies PageQuestion, [copy.buffer])
      const answer = await answered
      if ('page' in answer) return answer.page
      const { code, message, hint } = answer.refused
      throw new WeirError(code, message, hint === undefined ? {} : { hint })
    } catch (error) {
      if (error instanceof WeirError && !(error instanceof ThreadError)) throw error
      await end()
      throw error
    }
  }

  return {
    async read(bytes, contentType) {
      refuseLarge(bytes.byteLength)
      const mine = turn.then(() => ask(bytes, contentType))
      turn = mine.catch(() => undefined)
      return mine
    },
    async [Symbol.asyncDispose]() {
      isClosed = true
      await end()
    },
  }
}

/** The thread is of no more use. */
class ThreadError extends WeirError {}

async function start(workerData: WorkerData, clock: Clock): Promise<Worker> {
  const thread = new Worker(join(codeFolder, `sources/html/worker.${isCheckout ? 'ts' : 'js'}`), {
    workerData,
    // The page's thread needs nothing of ours.
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: maxHeapMb, maxYoungGenerationSizeMb: 32 },
  })
  thread.unref()
  await reply(thread, clock, startDeadlineMs)
  return thread
}

/** The next message of the thread; asked for before the question, so that none is missed. @throws ThreadError */
function reply<T>(thread: Worker, clock: Clock, withinMs: number): Promise<T> {
  const late = new AbortController()
  return new Promise<T>((resolve, reject) => {
    const settle = (finish: () => void) => {
      thread.off('message', onMessage)
      thread.off('error', onError)
      thread.off('exit', onExit)
      thread.unref()
      late.abort()
      finish()
    }
    const fail = (why: string, cause?: unknown) =>
      settle(() =>
        reject(
          new ThreadError('source.html_refused', `The page is not read: ${why}`, {
            hint: 'Look at what the address serves, and at the selectors: one with :has inside :has looks at everything again and again.',
            cause,
          }),
        ),
      )
    const onMessage = (message: T) => settle(() => resolve(message))
    const onError = (error: Error) =>
      fail(/memory/i.test(error.message) ? 'it needs too much memory' : 'the thread that reads it failed', error)
    const onExit = () => fail('the thread that reads it ended')
    thread.on('message', onMessage)
    thread.on('error', onError)
    thread.on('exit', onExit)
    // While an answer is awaited the process stays; between pages the thread does not keep it.
    thread.ref()
    deadline(clock, withinMs, late.signal).then(
      // An answer that came while this thread was busy itself counts.
      () => setImmediate(fail, `it takes longer than ${formatDuration(withinMs)}`),
      () => {},
    )
  })
}
