// What a simulated vendor can be told: every setting with its default, checked before anything listens.
import { type Clock, systemClock } from '../../core/clock.ts'
import { demoKey, demoUser } from '../../core/demo-login.ts'
import { WeirError } from '../../core/errors.ts'
import { localeTags } from './locale.ts'

/** Markup of the product pages: as it was for years, or as it is in 2026. */
export const markups = ['classic', '2026'] as const
export type Markup = (typeof markups)[number]

/** What /robots.txt answers: the rules that matter of a real one, a ban on everything of ours, a 404, a 503. */
export const robotsStyles = ['usual', 'strict', 'missing', 'unavailable'] as const
export type RobotsStyle = (typeof robotsStyles)[number]

export interface VendorOptions {
  /** Default 127.0.0.1. */
  readonly host?: string
  /** Default 0: any free port. */
  readonly port?: number
  /** All that looks like chance follows from it and from the order of calls. Default 1. */
  readonly seed?: number
  /** Reviews there from the start, besides the invented ones. Default 300. */
  readonly initial?: number
  /** Ticks that have happened already at the start. Default 0. */
  readonly ticks?: number
  /** Milliseconds between two ticks; at each a review appears while there are more. null: only by `advance`. Default null. */
  readonly addEveryMs?: number | null
  /** At every so many ticks an older review is edited. Default 0: never. */
  readonly editEvery?: number
  /** User, access key or client id, where the vendor has one. */
  readonly user?: string
  /** Token, password or secret. */
  readonly key?: string
  /** Share of calls, of jobs and of items that have a fault, each of some kind with the same share. Default 0. */
  readonly faults?: number
  /** Share of one kind, by its name; wins over `faults`. */
  readonly fault?: Readonly<Record<string, number>>
  /** How long a slow answer takes. Default 2 s. */
  readonly slowMs?: number
  /** How long each answer takes, up to half more or less of it. Default 0. */
  readonly latencyMs?: number
  /** Calls in the vendor's window (a second at most of them). null: no limit. Default the vendor's own. */
  readonly rateLimit?: number | null
  /** Jobs, or calls, at a time. null: no limit. Default the vendor's own. */
  readonly atOnce?: number | null
  /** Polls that hear "not yet". Default 2. */
  readonly readyAfter?: number
  /** How long results are kept. Default the vendor's own. */
  readonly keepMs?: number
  /** A job with a webhook is done by itself after so long. Default 1 s. */
  readonly pushAfterMs?: number
  /** What can be paid for before the money is gone. null: all. Default null. */
  readonly credits?: number | null
  /** How long an OAuth token is good. Default an hour. */
  readonly tokenLifeMs?: number
  /** Language of the pages. Default en-US. */
  readonly locale?: string
  readonly markup?: Markup
  readonly robots?: RobotsStyle
  /** True: review lists are behind the sign-in page, as they are. Default true. */
  readonly wall?: boolean
  /** File the journal is appended to, NDJSON. */
  readonly journalFile?: string | null
  /** Default the system's. */
  readonly clock?: Clock
}

/** `rateLimit`, `atOnce` and `keepMs` stay undefined where the vendor's own holds. */
export type VendorSettings = Required<Omit<VendorOptions, 'rateLimit' | 'atOnce' | 'keepMs'>> &
  Pick<VendorOptions, 'rateLimit' | 'atOnce' | 'keepMs'>

/** The options with every default filled in. @throws usage.invalid */
export function vendorSettings(options: VendorOptions): VendorSettings {
  const settings: VendorSettings = {
    host: '127.0.0.1',
    port: 0,
    seed: 1,
    initial: 300,
    ticks: 0,
    addEveryMs: null,
    editEvery: 0,
    user: demoUser,
    key: demoKey,
    faults: 0,
    fault: {},
    slowMs: 2000,
    latencyMs: 0,
    readyAfter: 2,
    pushAfterMs: 1000,
    credits: null,
    tokenLifeMs: 3_600_000,
    locale: 'en-US',
    markup: 'classic',
    robots: 'usual',
    wall: true,
    journalFile: null,
    clock: systemClock,
    ...options,
  }
  whole('port', settings.port, 0, 65_535)
  for (const name of [
    'seed',
    'initial',
    'ticks',
    'editEvery',
    'slowMs',
    'latencyMs',
    'readyAfter',
    'pushAfterMs',
  ] as const)
    whole(name, settings[name], 0)
  for (const name of ['addEveryMs', 'rateLimit', 'atOnce', 'keepMs', 'tokenLifeMs'] as const) {
    const value = settings[name]
    if (value !== null && value !== undefined) whole(name, value, 1)
  }
  if (settings.credits !== null) whole('credits', settings.credits, 0)
  word('locale', settings.locale, localeTags)
  word('markup', settings.markup, markups)
  word('robots', settings.robots, robotsStyles)
  for (const name of ['user', 'key'] as const) if (settings[name] === '') throw invalid(name, 'is empty', 'Write one.')
  if (settings.user.includes(':')) throw invalid('user', 'has a colon', 'HTTP cannot send it; use one without.')
  return settings
}

const maxWhole = 10_000_000_000

function whole(name: string, value: number, min: number, max = maxWhole): void {
  if (Number.isInteger(value) && value >= min && value <= max) return
  throw invalid(name, `cannot be ${value}`, `It is a whole number from ${min} to ${max}.`)
}

function word(name: string, value: string, known: readonly string[]): void {
  if (!known.includes(value)) throw invalid(name, `cannot be ${value}`, `Known: ${known.join(', ')}.`)
}

const invalid = (name: string, what: string, hint: string) =>
  new WeirError('usage.invalid', `${name} of the simulated vendor ${what}`, { at: name, hint })
