// `weir record`: a source read once for real, its exchanges scrubbed, and what a replay of them comes to as what is expected. Nothing is
// written that does not replay, and nothing that holds what was scrubbed.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { stringify } from 'yaml'
import { parseCassette } from '../../config/cassette/load.ts'
import { type Exchange, scrubbedMark } from '../../config/cassette/spec.ts'
import type { PipelineDefinition } from '../../config/definition.ts'
import { DefinitionError, type LocatedProblem } from '../../config/problem.ts'
import type { Clock, Random } from '../../core/clock.ts'
import { type Code, WeirError } from '../../core/errors.ts'
import { isObject } from '../../core/json-text.ts'
import { forget, redact, remember, Secret } from '../../core/secret.ts'
import { loadCatalogue } from '../catalogue.ts'
import { loadDefinition } from '../definitions.ts'
import { expectationsOf } from './expecting.ts'
import { createListener, type Heard } from './listening.ts'
import { readThrough } from './replay.ts'
import { createScrubber, type Scrubber } from './scrub.ts'
import { openSubject } from './subject.ts'
import { createBreakerMemory, replay, withExpectations } from './testing.ts'

export interface RecordOptions {
  /** The pipeline file, absolute. */
  readonly file: string
  /** Where the cassette goes, absolute; null: beside the pipeline. */
  readonly out: string | null
  readonly maxRequests: number
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly random: Random
  readonly signal: AbortSignal
  readonly warn: (problem: LocatedProblem) => void
}

export interface Recorded {
  readonly file: string
  readonly requests: number
  readonly records: number
  /** How often what was scrubbed, by kind. */
  readonly scrubbed: Readonly<Record<string, number>>
  /** Parts of requests that change from run to run, and may be anything in a replay. */
  readonly relaxed: readonly string[]
  /** Codes of the passes that were given up. */
  readonly failures: readonly Code[]
}

/** @throws usage.refused, config.*, and what ends a run */
export async function recordPipeline(options: RecordOptions): Promise<Recorded> {
  const { file, clock, random, signal, maxRequests } = options
  const variables = spyOn(options.env)
  const definition = await loadDefinition(file, variables.env, options.warn)
  const out = options.out ?? defaultOut(definition, clock.now())
  if (existsSync(out))
    throw new WeirError('usage.refused', `${relative('.', out)} is there already.`, {
      hint: 'Remove it, or name another file with --out.',
    })
  const startedMs = clock.now()
  const heard: Heard[] = []
  const outcome = await readThrough(
    definition,
    { clock, random, emit: () => {}, dataDir: '' },
    {
      store: createBreakerMemory(),
      transport: network => createListener(network(), { heard, maxRequests, maxBody: definition.fetch.max_body }),
    },
    { count: 1, pauseMs: 0, isOver: () => false },
    signal,
  )
  if (heard.length === 0)
    throw new WeirError('usage.refused', 'The source made no call over the network; there is nothing to record.', {
      hint: 'For a source that reads files, write a cassette with `files`.',
    })
  const standIns = variablesOf(variables.read)
  const addresses = [...variables.read].flatMap(([name, value]) => (standIns[name] === value ? [value] : []))
  forgetAddresses(definition.source.config, addresses)
  const scrubber = createScrubber()
  for (const { requestBody, answer } of heard) {
    if (requestBody !== undefined) scrubber.look(requestBody)
    if (answer) scrubber.look(answer.body)
  }
  for (const record of outcome.records) scrubber.lookAtRecord(record)
  const { text, relaxed, requests, records } = await settled(
    out,
    {
      pipeline: relative(dirname(out), file),
      variables: standIns,
      now: new Date(startedMs).toISOString(),
      exchanges: merged(heard.map(each => exchangeOf(each, scrubber))),
    },
    definition,
  )
  const scrubbed = Object.fromEntries([...scrubber.taken].sort())
  const told = Object.entries(scrubbed).map(([kind, count]) => `${count} ${kind}`)
  const whole = `# Recorded by weir record. Scrubbed: ${told.join(', ') || 'nothing was found'}. Texts of reviews are as they were: read them before you share this.\n${text}`
  // Opened with them, the pipeline has made secrets of them.
  for (const value of Object.values(standIns)) forget(value)
  forgetAddresses(definition.source.config, addresses)
  if (scrubber.leaks(whole))
    throw new WeirError(
      'usage.refused',
      'Something that was to be scrubbed is still in the cassette; nothing was stored.',
      {
        hint: 'A secret, a name or an id is the same as a word of the answers that has to stay, such as the name of a field.',
      },
    )
  mkdirSync(dirname(out), { recursive: true })
  writeFileSync(out, whole)
  return { file: out, requests, records, scrubbed, relaxed, failures: outcome.failures.map(({ code }) => code) }
}

const defaultOut = ({ baseDir, pipeline }: PipelineDefinition, nowMs: number) =>
  join(baseDir, 'cassettes', pipeline, `${new Date(nowMs).toISOString().slice(0, 10)}.yaml`)

/** The variables, and which of them were read. */
function spyOn(env: RecordOptions['env']): { readonly env: RecordOptions['env']; readonly read: Map<string, string> } {
  const read = new Map<string, string>()
  const note = (name: string | symbol) => {
    const value = typeof name === 'string' ? env[name] : undefined
    if (value !== undefined) read.set(name as string, value)
    return value
  }
  return {
    read,
    env: new Proxy(env, {
      get: (_, name) => note(name),
      getOwnPropertyDescriptor: (target, name) => {
        note(name)
        return Object.getOwnPropertyDescriptor(target, name)
      },
    }),
  }
}

/** Where calls go is no secret, though it came from outside, and has to stay readable: it, and texts that hold nothing else from there. */
function forgetAddresses(config: unknown, addresses: readonly string[]): void {
  for (const address of addresses) forget(address)
  if (config instanceof Secret) {
    const text = config.reveal()
    const address = addresses.find(each => text.startsWith(each))
    if (address === undefined) return
    forget(text)
    const rest = text.slice(address.length)
    if (redact(rest) !== rest) remember(text)
  } else if (Array.isArray(config)) for (const each of config) forgetAddresses(each, addresses)
  else if (isObject(config)) for (const each of Object.values(config)) forgetAddresses(each, addresses)
}

const variablesOf = (read: ReadonlyMap<string, string>) =>
  Object.fromEntries([...read].map(([name, value]) => [name, standInOf(name, value)]))

/** An address stays, so that the pipeline can be opened; a secret does not. */
function standInOf(name: string, value: string): string {
  if (redact(value) === value) return value
  const url = URL.parse(value)
  const isAddress = url && /^https?:$/.test(url.protocol) && !url.username && !url.password && !url.search
  return isAddress && url.pathname.length <= 1 ? value : `stand-in-of-${name}`
}

type Draft = {
  pipeline: string
  variables: Record<string, string>
  now: string
  exchanges: Exchange[]
}

/** Answers that matter to a source: what they are, limits, links, versions. */
const keptHeaders =
  /^(content-type|retry-after|link|location|etag|last-modified|x-robots-tag|(x-)?ratelimit.*|x-rate-limit.*|x-amzn-ratelimit.*)$/
const keptRequestHeaders = /^(if-none-match|if-modified-since|content-type)$/

function exchangeOf({ method, url, requestHeaders, requestBody, answer, fails }: Heard, scrubber: Scrubber): Exchange {
  const clean = new URL(scrubber.url(url))
  const query = Object.fromEntries(clean.searchParams)
  const headers = (from: Readonly<Record<string, string>>, kept: RegExp) => {
    const some = Object.entries(from).filter(([name]) => kept.test(name))
    const scrub = (name: string, value: string) => (name === 'location' ? scrubber.url(value) : scrubber.text(value))
    return some.length > 0 ? { headers: Object.fromEntries(some.map(([k, v]) => [k, scrub(k, v)])) } : {}
  }
  return {
    request: {
      method,
      url: clean.origin + decodedMark(clean.pathname),
      ...(clean.search ? { query } : {}),
      ...headers(requestHeaders, keptRequestHeaders),
      ...(requestBody === undefined ? {} : { body: fieldsOf(requestBodyOf(requestBody, requestHeaders, scrubber)) }),
    },
    ...(answer
      ? {
          response: {
            status: answer.status,
            ...headers(answer.headers, keptHeaders),
            ...(answer.body === '' ? {} : { body: fieldsOf(scrubber.text(answer.body)) }),
          },
        }
      : { fails: fails! }),
    times: 1,
  }
}

const decodedMark = (path: string) => path.replaceAll(/%2A%2A%2A/gi, scrubbedMark)

function requestBodyOf(body: string, headers: Heard['requestHeaders'], scrubber: Scrubber): string {
  if (!headers['content-type']?.includes('form-urlencoded')) return scrubber.text(body)
  const form = new URL(`http://form/?${body}`)
  return JSON.stringify(Object.fromEntries(new URL(scrubber.url(form.href)).searchParams))
}

/** Larger bodies are kept as one text. */
const maxFields = 400

/** JSON as fields, where a definition file can hold them; else the text. */
function fieldsOf(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    let fields = 0
    const fits = (each: unknown, depth: number): boolean => {
      if (depth > 20 || ++fields > maxFields) return false
      if (typeof each === 'number') return Number.isSafeInteger(each) || !Number.isInteger(each)
      if (Array.isArray(each)) return each.every(item => fits(item, depth + 1))
      if (!isObject(each)) return true
      return Object.entries(each).every(
        ([key, field]) => !/^(|__proto__|constructor|prototype)$/.test(key) && fits(field, depth + 1),
      )
    }
    return typeof value === 'object' && value !== null && fits(value, 0) ? value : text
  } catch {
    return text
  }
}

/** The same call answered the same way, several times in a row, is one exchange. */
function merged(exchanges: readonly Exchange[]): Exchange[] {
  const result: Exchange[] = []
  for (const exchange of exchanges) {
    const last = result.at(-1)
    const same = last && JSON.stringify({ ...last, times: 1 }) === JSON.stringify(exchange)
    if (same) last.times++
    else result.push(exchange)
  }
  return result
}

/** Parts of requests that may change from run to run before it is given up. */
const maxRelaxed = 200

/** The cassette as text that replays to the end. What makes a request another one in each run, such as the time, becomes ***. */
async function settled(out: string, draft: Draft, definition: PipelineDefinition) {
  const catalogue = await loadCatalogue()
  const relaxed = new Set<string>()
  for (;;) {
    const { exchanges, variables, ...rest } = draft
    const written = {
      ...rest,
      ...(Object.keys(variables).length > 0 ? { variables } : {}),
      exchanges: exchanges.map(({ times, ...exchange }) => (times === 1 ? exchange : { ...exchange, times })),
      expect: {},
    }
    const text = stringify(written, { lineWidth: 0, flowCollectionPadding: false, aliasDuplicateObjects: false })
    const { cassette, problems } = parseCassette(out, text)
    if (!cassette) throw new DefinitionError(problems.list())
    using subject = openSubject(out, cassette, catalogue, problems)
    if (!subject.definition) throw new DefinitionError(problems.list())
    const { outcome, calls } = await replay(
      { ...subject.definition, pipeline: definition.pipeline },
      cassette,
      problems,
    )
    if (!calls.isLost)
      return {
        text: withExpectations(text, expectationsOf(outcome, calls.asked)),
        relaxed: [...relaxed],
        requests: calls.asked,
        records: outcome.records.length,
      }
    const { nearest } = calls
    const pointers = nearest?.found.map(({ pointer }) => pointer) ?? []
    if (!nearest || pointers.length === 0 || relaxed.size > maxRelaxed || !pointers.every(isRelaxable))
      throw new DefinitionError(problems.list())
    for (const pointer of pointers) {
      relax(exchanges[nearest.index]!.request, pointer.split('/').slice(1))
      relaxed.add(pointer.slice(1).replaceAll('/', '.'))
    }
  }
}

const isRelaxable = (pointer: string) => /^\/(query|headers|body)/.test(pointer)

/** Puts *** in the place of a field of the request. */
function relax(request: object, [name, ...rest]: readonly string[]): void {
  const fields = request as Record<string, unknown>
  const value = fields[name!]
  if (rest.length > 0 && typeof value === 'object' && value !== null) relax(value, rest)
  else fields[name!] = scrubbedMark
}
