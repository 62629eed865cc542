// Set D: bad pages through the real source. Each gives the items it says, or an error with its code and its place, in time and in bounded memory.
import { afterAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { codeOf, type WeirError } from '../../src/core/errors.ts'
import { compileExpression } from '../../src/mapping/expression.ts'
import type { Source } from '../../src/pipeline/ports.ts'
import { openHttpSource, poll } from '../support/open-http.ts'
import { type ScriptedGuard, scriptedGuard } from '../support/scripted-guard.ts'
import { cases, type HtmlCase } from './html/cases.ts'

const listed =
  'empty · not HTML · 5 MB text · 50k nested div · 200k attributes · 1M siblings · unclosed script · <script/> sibling loss · formatting-element bomb <b><i> · comment never closed · CDATA · plaintext tag · frameset · meta refresh · charset in meta differs · NUL characters · surrogate entity · &#x110000; · entity flood · selector matches none · selector matches 100k · selector :has nest · selector invalid · layout changed (sentinel missing) · duplicate ids · base href evil · javascript: link · data: image 5 MB · svg onload · bidi override text · zero-width text · rating `4,5` vs `4.5` · date `31/02/2026`'

const usual = {
  request: { url: 'https://a.example/r' },
  decode: 'html',
  cursor: { mode: 'membership', id: 'this.id' },
}
const html = {
  require: 'main',
  item: '.r',
  fields: { id: { attr: 'id' }, text: 'p' },
  page: { next: { css: 'a.next', attr: 'href' } },
}

/** The page that is served now: sources of the same definition are one, so that its thread is warm. */
let served: HtmlCase
const guard: ScriptedGuard = scriptedGuard(() => ({ body: served.page(guard.requests.length), headers: { 'content-type': served.contentType ?? 'text/html' } }))
const opened = new Map<string, Source>()
afterAll(async () => {
  for (const source of opened.values()) await source[Symbol.asyncDispose]()
})

function sourceOf({ fields, source: more }: HtmlCase): Source {
  const definition = { ...usual, html: { ...html, ...(fields ? { fields } : {}) }, ...more }
  const key = JSON.stringify(definition)
  const source = opened.get(key) ?? openHttpSource(definition, guard, { clock: systemClock }).source
  opened.set(key, source)
  return source
}

const deadlineMs = 2000
/** What it costs to look for cannot be seen beforehand: its thread is ended. */
const reachesDeadline = ({ name }: HtmlCase) => name === 'selector :has nest'

/** Starts the thread that will read the page. */
async function warm(each: HtmlCase): Promise<void> {
  if ('code' in each.expect && each.expect.code === 'config.invalid') return
  served = { ...each, page: () => '<main></main>' }
  await poll(sourceOf(each), null)
}

async function read(each: HtmlCase) {
  served = each
  guard.requests.length = 0
  return poll(sourceOf(each), null)
}

describe('bad pages', () => {
  test('every listed case is there', () => expect(cases.map(({ name }) => name)).toEqual(listed.split(' · ')))

  test('a good page first, so that the time of the others is their own', async () => {
    expect((await read(cases.find(({ name }) => name === 'svg onload')!)).values).toHaveLength(1)
  })

  test.each(cases)('D: $name', async each => {
    // A thread that starts is not the page's fault.
    await warm(each)
    const startedMs = performance.now()
    const result = await read(each).catch((error: WeirError) => error)
    expect(performance.now() - startedMs).toBeLessThan(reachesDeadline(each) ? deadlineMs + 1000 : deadlineMs)
    expect(guard.requests.every(({ url }) => url.startsWith('https://a.example/r'))).toBe(true)
    if ('code' in each.expect) {
      expect(codeOf(result)).toBe(each.expect.code)
      const { hint, at, code, message } = result as WeirError
      expect(/takes longer than 2s/.test(message), message).toBe(reachesDeadline(each))
      expect(hint).toBeTruthy()
      if (code !== 'config.invalid') expect(at).toBe('GET https://a.example/r')
      return
    }
    if (result instanceof Error) throw result
    const expression = compileExpression(each.map ?? 'this.text', ['this'])
    const gives = result.values.map(value => plain(expression.evaluate({ this: value })))
    expect(gives).toEqual(each.expect.gives)
    expect(result.errors.map(({ code }) => code)).toEqual(each.expect.dead ?? [])
    expect(result.duplicates).toBe(each.expect.duplicates ?? 0)
  })

  test('I10: the largest of them do not grow the process', async () => {
    const before = process.memoryUsage().rss
    for (const each of cases.filter(({ name }) => /5 MB|siblings|nested|attributes|flood|bomb/.test(name)))
      await read(each).catch(() => {})
    expect(process.memoryUsage().rss - before).toBeLessThan(128 * 1024 * 1024)
  })
})

const plain = (value: unknown): unknown => (typeof value === 'bigint' ? Number(value) : value)
