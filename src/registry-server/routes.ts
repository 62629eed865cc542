// Every endpoint, as a table: method, path, whether it changes something, and what it answers.
import type { SchemaBook, Which } from '../adapters/registry-embedded/book.ts'
import { confluentMessages } from '../adapters/registry-embedded/compatibility.ts'
import { refusals } from '../adapters/registry-embedded/refusal.ts'
import { levelNamed, modeNamed } from '../adapters/registry-embedded/settings.ts'
import { invalidSchema, RawJson, shownConfig, shownSchema, shownVersion } from './answers.ts'
import { configRequestIn, idIn, modeRequestIn, type Query, schemaRequestIn, subjectIn, versionIn } from './request.ts'

export interface Call {
  readonly book: SchemaBook
  readonly path: Readonly<Record<string, string>>
  readonly query: Query
  readonly body: unknown
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly path: string
  /** What a token that may only look may do too. */
  readonly looks: boolean
  readonly answer: (call: Call) => Promise<unknown>
}

const look = (method: Route['method'], path: string, answer: Route['answer']): Route => ({
  method,
  path,
  looks: true,
  answer,
})
const change = (method: Route['method'], path: string, answer: Route['answer']): Route => ({
  method,
  path,
  looks: false,
  answer,
})

const subjectOf = ({ path }: Call) => path['subject']!
const versionOf = ({ path }: Call) => versionIn(path['version']!)
const schemaOf = ({ body, query }: Call) => schemaRequestIn(body, query.flag('normalize'))
const deleted = ({ query }: Call) => query.flag('deleted')

/** As many as Confluent's registry lists at a time: each comes with its text. */
const maxSchemasListed = 1000

/** The part of a list that is asked for; a limit of 0 or less is none. */
function part({ query }: Call): { readonly offset: number; readonly limit: number } {
  return { offset: Math.max(0, query.whole('offset', 0)), limit: query.whole('limit', -1) }
}

function page<T>(list: readonly T[], call: Call): T[] {
  const { offset, limit } = part(call)
  return list.slice(offset, limit > 0 ? offset + limit : undefined)
}

function which({ query }: Call): Which {
  return query.flag('deletedOnly') ? 'deleted' : query.flag('deleted') ? 'all' : 'live'
}

/** `:*:` stands for every context: this registry has one. */
function prefixOf({ query }: Call): string {
  return query.text('subjectPrefix').replace(/^:(\*|\.):/, '')
}

const reading: readonly Route[] = [
  look('GET', '/', async () => ({})),
  look('GET', '/contexts', async () => ['.']),
  look('GET', '/schemas/types', async () => ['AVRO']),
  look('GET', '/schemas', async call => {
    const { offset, limit } = part(call)
    const found = await call.book.everything({
      withDeleted: deleted(call),
      latestOnly: call.query.flag('latestOnly'),
      prefix: prefixOf(call),
      offset,
      limit: limit > 0 ? Math.min(limit, maxSchemasListed) : maxSchemasListed,
    })
    return found.map(shownVersion)
  }),
  look('GET', '/schemas/ids/:id', async call => {
    const content = await call.book.content(idIn(call.path['id']!))
    return shownSchema(content, call.query.flag('fetchMaxId') ? await call.book.highestId() : null)
  }),
  look('GET', '/schemas/ids/:id/schema', async call => {
    const { text } = await call.book.content(idIn(call.path['id']!))
    return new RawJson(text)
  }),
  look('GET', '/schemas/ids/:id/subjects', async call => {
    const subjects = (await placesOf(call)).map(each => each.subject)
    return page([...new Set(subjects)], call)
  }),
  look('GET', '/schemas/ids/:id/versions', async call =>
    page(
      (await placesOf(call)).map(({ subject, version }) => ({ subject, version })),
      call,
    ),
  ),
  look('GET', '/subjects', async call =>
    page(
      (await call.book.subjects(which(call))).filter(each => each.startsWith(prefixOf(call))),
      call,
    ),
  ),
  look('GET', '/subjects/:subject/versions', async call =>
    page(
      (await call.book.versions(subjectOf(call), which(call))).map(each => each.version),
      call,
    ),
  ),
  look('GET', '/subjects/:subject/versions/:version', async call =>
    shownVersion(await call.book.version(subjectOf(call), versionOf(call), deleted(call))),
  ),
  look('GET', '/subjects/:subject/versions/:version/schema', async call => {
    const { text } = await call.book.version(subjectOf(call), versionOf(call), deleted(call))
    return new RawJson(text)
  }),
  look('GET', '/subjects/:subject/versions/:version/referencedby', async call =>
    page(await call.book.referencedBy(subjectOf(call), versionOf(call), deleted(call)), call),
  ),
  look('POST', '/subjects/:subject', async call => {
    const subject = subjectOf(call)
    const found = await call.book.lookup(subject, schemaOf(call), deleted(call))
    if (found) return shownVersion(found)
    throw (await call.book.hasSubject(subject, deleted(call)))
      ? refusals.unknownSchema()
      : refusals.unknownSubject(subject)
  }),
  look('POST', '/compatibility/subjects/:subject/versions/:version', call => compatibility(call, versionOf(call))),
  look('POST', '/compatibility/subjects/:subject/versions', call => compatibility(call, 'all')),
]

async function placesOf(call: Call) {
  const places = await call.book.places(idIn(call.path['id']!))
  return places.filter(each => deleted(call) || !each.deleted)
}

/** With `verbose` an invalid schema is a message, not an error. */
async function compatibility(call: Call, against: number | 'latest' | 'all'): Promise<unknown> {
  const { book, query } = call
  const verbose = query.flag('verbose')
  const messages = await book.check(subjectOf(call), schemaOf(call), against).then(confluentMessages, thrown => {
    const invalid = verbose ? invalidSchema(thrown) : null
    if (invalid === null) throw thrown
    return [invalid]
  })
  return { is_compatible: messages.length === 0, ...(verbose ? { messages } : {}) }
}

const changing: readonly Route[] = [
  change('POST', '/subjects/:subject/versions', async call => {
    const { subject, deleted, ...shown } = shownVersion(
      await call.book.register(subjectIn(subjectOf(call)), schemaOf(call)),
    )
    return shown
  }),
  change('DELETE', '/subjects/:subject', call =>
    call.book.deleteSubject(subjectOf(call), call.query.flag('permanent')),
  ),
  change('DELETE', '/subjects/:subject/versions/:version', call =>
    call.book.deleteVersion(subjectOf(call), versionOf(call), call.query.flag('permanent')),
  ),
]

/** `/config` and `/mode`, with a subject and without. */
const settings: readonly Route[] = ['', '/:subject'].flatMap(end => {
  const whose = (call: Call) => (end === '' ? null : subjectOf(call))
  const named = (call: Call) => (end === '' ? null : subjectIn(subjectOf(call)))
  return [
    look('GET', `/config${end}`, async ({ book, ...call }) => {
      const subject = whose({ book, ...call })
      const own = await book.own(subject)
      const fallback = subject === null || call.query.flag('defaultToGlobal')
      if (!fallback && own.level === null && own.normalize === null) throw refusals.noLevel(subject)
      if (!fallback) return shownConfig(own, 'compatibilityLevel')
      const { level, normalize } = await book.inEffect(subject)
      return shownConfig({ level, normalize: normalize || null }, 'compatibilityLevel')
    }),
    change('PUT', `/config${end}`, async call => {
      const { level, normalize } = configRequestIn(call.body)
      const change = {
        ...(level === undefined ? {} : { level: levelNamed(level) }),
        ...(normalize === undefined ? {} : { normalize }),
      }
      return shownConfig(await call.book.setConfig(named(call), change), 'compatibility')
    }),
    change('DELETE', `/config${end}`, async call => {
      const before = await call.book.removeConfig(whose(call))
      return shownConfig({ ...before, level: before.level ?? (end === '' ? 'BACKWARD' : null) }, 'compatibilityLevel')
    }),
    look('GET', `/mode${end}`, async call => {
      const subject = whose(call)
      if (subject === null || call.query.flag('defaultToGlobal'))
        return { mode: (await call.book.inEffect(subject)).mode }
      const { mode } = await call.book.own(subject)
      if (mode === null) throw refusals.noMode(subject)
      return { mode }
    }),
    change('PUT', `/mode${end}`, async call => {
      const name = modeRequestIn(call.body)
      const mode = name === null ? null : modeNamed(name)
      await call.book.setMode(named(call), mode, call.query.flag('force'))
      return { mode }
    }),
    change('DELETE', `/mode${end}`, async call => ({ mode: await call.book.removeMode(whose(call)) })),
  ]
})

export const routes: readonly Route[] = [...reading, ...changing, ...settings]
