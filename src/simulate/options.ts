// What the simulated review vendor can be told: every setting with its default, checked before anything listens.
import { type Clock, systemClock } from '../core/clock.ts'
import { WeirError } from '../core/errors.ts'
import { type Damage, damageKinds, type ItemStyle, itemStyles } from './item.ts'

/**
 * Faults the vendor can have: a status, 429 with Retry-After, a reset in the middle of the body, an HTML page with status 200,
 * a robot check with status 200, a slow answer.
 */
export const faultKinds = ['500', '503', '429', 'reset', 'html', 'captcha', 'slow'] as const
export type FaultKind = (typeof faultKinds)[number]

/** How Retry-After is written: a number of seconds, or an HTTP date. */
export const retryAfterStyles = ['seconds', 'date'] as const
export type RetryAfterStyle = (typeof retryAfterStyles)[number]

export interface SimulateOptions {
  /** Default 127.0.0.1. */
  readonly host?: string
  /** Default 0: any free port. */
  readonly port?: number
  /** All that looks like chance follows from it and from the order of calls. Default 1. */
  readonly seed?: number
  /** Reviews there from the start. Default 300; the shipped set has 366. */
  readonly initial?: number
  /** Ticks that have happened already at the start: a vendor started again goes on where it stopped. Default 0. */
  readonly ticks?: number
  /** Milliseconds between two ticks; at each a review appears while there are more. null: only by `advance`. Default null. */
  readonly addEveryMs?: number | null
  /** At every so many ticks an older review is edited: newer updated_at, changed text. Default 0: never. */
  readonly editEvery?: number
  /** Share of review versions that are served damaged, 0 to 1. Default 0. */
  readonly malformed?: number
  /** How they are damaged. Default every kind. */
  readonly damageKinds?: readonly Damage[]
  /** Default plain. */
  readonly style?: ItemStyle
  /** Share of calls that fail, 0 to 1. Default 0. */
  readonly faults?: number
  /** Which faults. Default all but `slow`. */
  readonly faultKinds?: readonly FaultKind[]
  /** How long a slow answer takes. Default 2 s. */
  readonly slowMs?: number
  /** Calls that are served in a second before 429 with Retry-After. Default null: no limit. */
  readonly perSecond?: number | null
  /** Default seconds. */
  readonly retryAfter?: RetryAfterStyle
  /** Asked for as `Authorization: Bearer`, `X-Api-Key` or `?key=`. Default: none. */
  readonly token?: string | null
  /** Asked for as HTTP basic authentication; with `token`, either will do. Default: none. */
  readonly basic?: { readonly username: string; readonly password: string } | null
  /** File the journal is appended to, NDJSON. */
  readonly journalFile?: string | null
  /** Time for ticks, rate limits and slow answers. Default the system's. */
  readonly clock?: Clock
}

export type Settings = Required<SimulateOptions>

/** The options with every default filled in. @throws usage.invalid */
export function settingsOf(options: SimulateOptions): Settings {
  const settings: Settings = {
    host: '127.0.0.1',
    port: 0,
    seed: 1,
    initial: 300,
    ticks: 0,
    addEveryMs: null,
    editEvery: 0,
    malformed: 0,
    damageKinds,
    style: 'plain',
    faults: 0,
    faultKinds: faultKinds.filter(kind => kind !== 'slow'),
    slowMs: 2000,
    perSecond: null,
    retryAfter: 'seconds',
    token: null,
    basic: null,
    journalFile: null,
    clock: systemClock,
    ...options,
  }
  checkWhole('port', settings.port, 0, 65_535)
  for (const name of ['seed', 'initial', 'ticks', 'editEvery', 'slowMs'] as const) checkWhole(name, settings[name], 0)
  for (const name of ['addEveryMs', 'perSecond'] as const)
    if (settings[name] !== null) checkWhole(name, settings[name], 1)
  checkShare('malformed', settings.malformed)
  checkFaults(settings.faults, settings.faultKinds)
  checkOneOf('damageKinds', settings.damageKinds, damageKinds)
  checkOneOf('style', [settings.style], itemStyles)
  checkOneOf('retryAfter', [settings.retryAfter], retryAfterStyles)
  if (settings.token === '') throw invalid('token', 'is empty', 'Leave it out when none is to be asked for.')
  const { basic } = settings
  if (basic && (basic.username === '' || basic.username.includes(':')))
    throw invalid('basic', 'has a user name that HTTP cannot send', 'Use one with no colon in it, and not empty.')
  return settings
}

/** @throws usage.invalid */
export function checkFaults(share: number, kinds: readonly FaultKind[]): void {
  checkShare('faults', share)
  checkOneOf('faultKinds', kinds, faultKinds)
}

const maxWhole = 1_000_000_000

function checkWhole(name: keyof Settings, value: number, min: number, max = maxWhole): void {
  if (Number.isInteger(value) && value >= min && value <= max) return
  throw invalid(name, `cannot be ${value}`, `It is a whole number from ${min} to ${max}.`)
}

function checkShare(name: keyof Settings, value: number): void {
  if (value >= 0 && value <= 1) return
  throw invalid(name, `cannot be ${value}`, 'It is a share from 0 to 1.')
}

function checkOneOf(name: keyof Settings, values: readonly string[], known: readonly string[]): void {
  if (values.length > 0 && values.every(value => known.includes(value))) return
  throw invalid(name, values.length === 0 ? 'is empty' : 'has an unknown word', `Known: ${known.join(', ')}.`)
}

function invalid(name: keyof Settings, what: string, hint: string): WeirError {
  return new WeirError('usage.invalid', `${name} of the simulated vendor ${what}`, { at: name, hint })
}
