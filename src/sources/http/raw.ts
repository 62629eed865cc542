// Pages kept as they came, and read again: what the page itself does not tell goes with it, so that nothing has to be asked for.
import { isUtf8 } from 'node:buffer'
import { WeirError } from '../../core/errors.ts'
import type { RawPage, Split } from '../../core/record.ts'
import { redact } from '../../core/secret.ts'
import type { HttpResponse } from '../../fetch/guard.ts'
import type { RereadItem } from '../../pipeline/ports.ts'
import { answerVarsOf, evaluateAnswer } from './answer.ts'
import type { Engine } from './engine.ts'
import type { Page } from './items.ts'
import { nameOf } from './known.ts'
import { type Answer, listOf, pageValue, usable } from './page.ts'
import { emptyState, type PageState, type PassState } from './state.ts'
import { openTracker } from './tracker.ts'

interface Context {
  readonly v: 1
  readonly page: PageState
  readonly index: number
  /** Finished passes: part of some positions. */
  readonly passes: number
  readonly job: unknown
  /** What was on the page, new or known: the signatures of its items as names of 11 characters, one after the other. */
  readonly items: string
}

/** The page as it is kept; undefined where the pipeline keeps none. */
export function rawPageOf(
  { keepsRaw, itemizer }: Engine,
  { page, provenance, response }: Answer,
  split: Split,
  pass: PassState,
  passes: number,
): RawPage | undefined {
  if (!keepsRaw || provenance === null) return undefined
  const signatures = Array.from({ length: itemizer.count(page) }, (_, n) => itemizer.signature(page, n, split))
  const items = signatures.map(nameOf).join('')
  const place: PageState = { ...cleared(pass.page), kind: pass.page.kind } as PageState
  const context: Context = { v: 1, page: place, index: pass.index, passes, job: cleared(page.job ?? null), items }
  return {
    ...provenance,
    body: withoutSecrets(response.body),
    status: response.status,
    contentType: response.headers['content-type'] ?? null,
    context: JSON.stringify(context),
  }
}

/** The same without secrets in its texts: a token, or what is kept of a job, may hold one (I9). */
function cleared<T>(value: T): T {
  return JSON.parse(JSON.stringify(value, (_, each) => (typeof each === 'string' ? redact(each) : each)))
}

/** Some sources repeat the request, with the key that was in it (I9). */
function withoutSecrets(body: Uint8Array): Uint8Array {
  const encoding = isUtf8(body) ? 'utf8' : 'latin1'
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString(encoding)
  const redacted = redact(text)
  return redacted === text ? body : Buffer.from(redacted, encoding)
}

/**
 * The items of a kept page under the definition of today. Expressions see its status and, of its headers, content-type.
 * @throws source.* when the page does not fit the definition
 */
export async function reread(engine: Engine, raw: RawPage, split: Split): Promise<readonly RereadItem[]> {
  const { decoder, itemizer, records, config, clock } = engine
  const { page: state, index, passes, job, items } = contextOf(raw)
  const response: HttpResponse = {
    status: raw.status,
    headers: raw.contentType === null ? {} : { 'content-type': raw.contentType },
    url: raw.url,
    body: raw.body,
  }
  const at = `the page of ${new Date(raw.fetchedAtMs).toISOString()}`
  const decoded = usable((await decoder.open(response, at))())
  const vars = answerVarsOf(response, decoded.body, {
    split: split.vars,
    page: { index: BigInt(index), ...pageValue(state) },
    job,
  })
  const list = listOf(engine, evaluateAnswer(records, vars, at), at)
  const page: Page = { decoded, records: list, index, bytes: raw.body.byteLength, job }
  // How many edits there were before the page, it does not tell.
  const tracker = { ...openTracker(config.cursor, emptyState, clock.now()), edits: () => 0 }
  const there = new Set(items.match(/.{11}/g))
  const found: RereadItem[] = []
  for (let n = 0; n < itemizer.count(page); n++) {
    const item = itemizer.item(page, n, tracker, split, passes)
    // Twice on one page is once.
    if (typeof item === 'string') continue
    const { change: _, ...rest } = item
    const wasThere = there.has(nameOf(itemizer.signature(page, n, split)))
    found.push({ item: rest, id: itemizer.idOf(page, n, split), wasThere })
  }
  return found
}

function contextOf({ context }: RawPage): Context {
  try {
    const parsed = JSON.parse(context) as Context
    if (parsed.v === 1) return parsed
  } catch {
    // Falls through: what is no JSON has no version.
  }
  throw new WeirError('source.shape', 'The page was kept by another version of weir, or is damaged', {
    hint: 'Use the version that kept it, or a newer one.',
  })
}
