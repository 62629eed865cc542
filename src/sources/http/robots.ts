// Robots.txt: read through the same guard before the first page of a host, kept for a day. Rules for our own name and those for everyone
// both count, and of two crawl delays the longer one. Fail closed: while robots.txt cannot be read for a fault of the host, its pages are not
// read either.
import robotsParser from 'robots-parser'
import type { Clock } from '../../core/clock.ts'
import { WeirError } from '../../core/errors.ts'
import { redact } from '../../core/secret.ts'
import type { FetchGuard, HttpRequest, HttpResponse, Verdict } from '../../fetch/guard.ts'

/** The package is CommonJS, its types say otherwise. */
const parseRobots = robotsParser as unknown as typeof robotsParser.default

const keptMs = 24 * 60 * 60 * 1000
/** What RFC 9309 says a reader must read at least; the rest is not looked at. */
const maxRobotsBytes = 500 * 1024

interface Rules {
  /** Where `url` is disallowed: for whom, and the rule. */
  against(url: string): { readonly agent: string; readonly line: number; readonly rule: string } | undefined
}

/** The guard of a source that obeys robots.txt. @param agent who we are; a version or contact after the name does not count */
export function robotsGuard(guard: () => FetchGuard, agent: string, clock: Clock): () => FetchGuard {
  const known = new Map<string, { readonly rules: Promise<Rules>; readonly untilMs: number }>()
  const rulesOf = (request: HttpRequest, signal: AbortSignal): Promise<Rules> => {
    const { origin } = new URL(request.url)
    const kept = known.get(origin)
    if (kept !== undefined && clock.now() < kept.untilMs) return kept.rules
    const rules = fetchRules(guard(), origin, request.headers['user-agent'] ?? agent, nameOf(agent), signal)
    const entry = { rules, untilMs: clock.now() + keptMs }
    known.set(origin, entry)
    // What failed is asked for again with the next page.
    rules.catch(() => known.get(origin) === entry && known.delete(origin))
    return rules
  }
  const obedient: FetchGuard = {
    async call(request, judge, signal) {
      const check = async (url: string) => {
        const found = (await rulesOf({ ...request, url }, signal)).against(url)
        if (found !== undefined) throw disallowed({ ...request, url }, found)
      }
      await check(request.url)
      const response = await guard().call(request, judge, signal)
      // The guard follows redirects; what one led to where robots may not go is not used.
      if (response.url !== request.url) await check(response.url)
      return response
    },
    async [Symbol.asyncDispose]() {},
  }
  return () => obedient
}

/** Rules name robots by their name alone. */
const nameOf = (agent: string) => agent.split(/[\s/(;]/)[0]!

async function fetchRules(
  guard: FetchGuard,
  origin: string,
  userAgent: string,
  name: string,
  signal: AbortSignal,
): Promise<Rules> {
  const url = `${origin}/robots.txt`
  let text = ''
  let robots = parseRobots(url, text)
  const judge = (answer: HttpResponse): Verdict => {
    text = isThere(answer) ? Buffer.from(answer.body.subarray(0, maxRobotsBytes)).toString('utf8') : ''
    robots = parseRobots(url, text)
    return { ...verdictOf(answer), spaceMs: Math.max(...['*', name].map(agent => crawlDelayMs(robots, agent))) }
  }
  await guard.call({ method: 'GET', url, headers: { 'user-agent': userAgent } }, judge, signal)
  const lines = text.split(/\r\n|\r|\n/)
  return {
    against(page) {
      for (const agent of ['*', name]) {
        if (robots.isAllowed(page, agent) !== false) continue
        const line = robots.getMatchingLineNumber(page, agent)
        return { agent, line, rule: (lines[line - 1] ?? '').trim().slice(0, 200) }
      }
      return undefined
    },
  }
}

/** How far apart the host wants its pages asked for; 0 where it does not say. */
function crawlDelayMs(robots: ReturnType<typeof parseRobots>, agent: string): number {
  const seconds = robots.getCrawlDelay(agent) ?? 0
  return seconds > 0 && Number.isFinite(seconds) ? Math.round(seconds * 1000) : 0
}

const isThere = ({ status }: HttpResponse) => status >= 200 && status < 300

/** RFC 9309: what is not there allows everything. A host that refuses its robots.txt to us does not want us. */
function verdictOf({ status }: HttpResponse): Verdict {
  const reason = `robots.txt: status ${status}`
  if (status === 429) return { class: 'throttled', reason }
  if (status === 401 || status === 403) return { class: 'blocked', reason }
  if (status >= 200 && status < 500 && status !== 408) return { class: 'ok' }
  return { class: 'retry', reason }
}

function disallowed(
  { method, url }: HttpRequest,
  { agent, line, rule }: NonNullable<ReturnType<Rules['against']>>,
): WeirError {
  const { origin, pathname } = new URL(url)
  return new WeirError(
    'fetch.robots_refused',
    `robots.txt of the host disallows this address for ${agent === '*' ? 'every robot' : agent}: line ${line}, "${rule}"`,
    {
      at: redact(`${method} ${origin}${pathname}`),
      hint: 'Leave it out, or ask the site for another way to its data.',
    },
  )
}
