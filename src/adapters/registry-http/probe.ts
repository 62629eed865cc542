// What a registry really supports of Confluent's contract, found out on throw-away subjects that are removed again. Nothing that all subjects
// share is changed.
import type { Random } from '../../core/clock.ts'
import { isObject } from '../../core/json-text.ts'
import { escapeActing } from '../../core/printable.ts'
import { redact } from '../../core/secret.ts'
import { replyOf } from './answers.ts'
import type { HttpRegistryOptions } from './options.ts'
import { type Behaviour, behaviours } from './probe-behaviours.ts'
import { type Answer, openTransport, type Transport } from './transport.ts'

export interface ProbeFinding {
  /** A fixed word for programs, such as `config_40408`. */
  readonly behaviour: string
  /** What Confluent's registry does. */
  readonly expected: string
  /** true: as Confluent's. */
  readonly supported: boolean
  /** What this one did, in a few words. */
  readonly found: string
}

export interface RegistryProbe {
  /** Without credentials. */
  readonly registry: string
  readonly findings: readonly ProbeFinding[]
  /** Subjects that could not be removed again. */
  readonly left: readonly string[]
}

/** One answer, whatever it says. */
export interface Said {
  readonly status: number
  /** Confluent's code in an error body; null without one. */
  readonly code: number | null
  readonly json: unknown
  /** In a few words, for people: `404 (40401)`. */
  readonly brief: string
}

/** What a behaviour is tried with. */
export interface Trial {
  /** A subject of this trial alone. */
  readonly subject: string
  /** A second one. */
  readonly other: string
  /** A name for a record that no other schema has. */
  readonly name: string
  ask(method: string, path: string, body?: unknown): Promise<Said>
}

/** Tries every behaviour. @throws registry.unavailable, registry.denied */
export async function probeRegistry(
  options: Omit<HttpRegistryOptions, 'recheckMs'> & { readonly onTried?: (done: number, total: number) => void },
): Promise<RegistryProbe> {
  const { origin, pathname } = new URL(options.url)
  const place = `${origin}${pathname}`.replace(/\/+$/, '')
  await using transport = openTransport(options, place)
  const send = senderOf(transport, options, place)
  const ask = askerOf(send)
  await requireRegistry(send, place)
  const findings: ProbeFinding[] = []
  const left: string[] = []
  for (const behaviour of behaviours) {
    const tag = tagOf(options.random)
    const subject = `weir-probe-${tag}`
    const trial: Trial = { subject, other: `${subject}-other`, name: `WeirProbe${tag}`, ask }
    try {
      findings.push(await tried(behaviour, trial))
    } finally {
      // Also when the registry went away meanwhile: the first error is the one that counts.
      for (const each of [trial.subject, trial.other])
        if (!(await removed(each, ask).catch(() => false))) left.push(each)
    }
    options.onTried?.(findings.length, behaviours.length)
  }
  return { registry: place, findings, left }
}

async function tried({ name, expected, run }: Behaviour, trial: Trial): Promise<ProbeFinding> {
  const { supported, found } = await run(trial)
  return { behaviour: name, expected, supported, found: redact(escapeActing(found)) }
}

type Send = (method: string, path: string, body?: unknown) => Promise<Answer>

const accept = 'application/vnd.schemaregistry.v1+json, application/json'

function senderOf(transport: Transport, { timeoutMs }: Pick<HttpRegistryOptions, 'timeoutMs'>, place: string): Send {
  const base = new URL(place).pathname.replace(/\/+$/, '')
  return (method, path, body) =>
    transport.send(
      {
        method,
        path: `${base}${path}`,
        headers: {
          accept,
          ...(body === undefined ? {} : { 'content-type': 'application/vnd.schemaregistry.v1+json' }),
        },
        body: body === undefined ? null : JSON.stringify(body),
      },
      timeoutMs,
    )
}

function askerOf(send: Send): Trial['ask'] {
  return async (method, path, body) => {
    const answer = await send(method, path, body)
    const json = parsed(answer.body)
    const given = isObject(json) ? json['error_code'] : undefined
    const code = typeof given === 'number' ? given : null
    const brief = code === null || code === answer.status ? String(answer.status) : `${answer.status} (${code})`
    return { status: answer.status, code, json, brief }
  }
}

/** What is no registry, or lets us not look or not register, is an error and not a finding. @throws registry.unavailable, registry.denied */
async function requireRegistry(send: Send, place: string): Promise<void> {
  replyOf(await send('GET', '/subjects'), place)
  // Nothing is registered by it: a login that may not register is told before the schema is looked at.
  const answer = await send('POST', '/subjects/weir-probe-access/versions', { schema: '{' })
  if (answer.status === 401 || answer.status === 403) replyOf(answer, place)
}

/** True when nothing of the subject is left. */
async function removed(subject: string, ask: Trial['ask']): Promise<boolean> {
  for (const path of [
    `/mode/${subject}`,
    `/config/${subject}`,
    `/subjects/${subject}`,
    `/subjects/${subject}?permanent=true`,
  ])
    await ask('DELETE', path)
  const after = await ask('GET', `/subjects/${subject}/versions?deleted=true`)
  return after.status === 404
}

const tagOf = (random: Random) =>
  Math.floor(random() * 2 ** 48)
    .toString(36)
    .padStart(10, '0')

function parsed(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}
