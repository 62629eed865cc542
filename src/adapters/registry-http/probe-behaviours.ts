// The behaviours of Confluent's contract that registries differ in, each with a trial of a few requests.
import { isObject } from '../../core/json-text.ts'
import type { Said, Trial } from './probe.ts'

export interface Tried {
  readonly supported: boolean
  readonly found: string
}

export interface Behaviour {
  readonly name: string
  readonly expected: string
  readonly run: (trial: Trial) => Promise<Tried>
}

const id = { name: 'id', type: 'string' }
const note = { name: 'note', type: ['null', 'string'], default: null }
const rating = { name: 'rating', type: 'int' }

const record = (name: string, fields: readonly object[], more: object = {}) => ({
  schema: JSON.stringify({ type: 'record', name, namespace: 'weir.probe', fields, ...more }),
})
const versions = (subject: string) => `/subjects/${subject}/versions`
const partOf = ({ json }: Said, key: string) => (isObject(json) ? json[key] : undefined)
const shown = (value: unknown) => (value === undefined ? 'nothing' : JSON.stringify(value))
const register = ({ ask, subject, name }: Trial, ...fields: readonly object[]) =>
  ask('POST', versions(subject), record(name, fields))
/** `expected` is a status, or Confluent's code where there is one. */
const is = (said: Said, expected: number) => (expected > 999 ? said.code : said.status) === expected
const by = (said: Said, expected: number): Tried => ({ supported: is(said, expected), found: said.brief })

/** Several answers and what each must be: the first that is not so is what was found. */
function all(...rows: readonly (readonly [what: string, said: Said, expected: number])[]): Tried {
  const wrong = rows.find(([, said, expected]) => !is(said, expected))
  if (wrong) return { supported: false, found: `${wrong[0]}: ${wrong[1].brief}` }
  return { supported: true, found: rows.map(([what, said]) => `${what}: ${said.brief}`).join(', ') }
}

const equals = (what: string, found: unknown, expected: unknown): Tried => ({
  supported: JSON.stringify(found) === JSON.stringify(expected),
  found: `${what}: ${shown(found)}`,
})

const behaviour = (name: string, expected: string, run: Behaviour['run']): Behaviour => ({ name, expected, run })

const basics: readonly Behaviour[] = [
  behaviour('register', 'register, look up, versions, latest, by id', async trial => {
    const { ask, subject, name } = trial
    const made = await register(trial, id)
    return all(
      ['register', made, 200],
      ['look up', await ask('POST', `/subjects/${subject}`, record(name, [id])), 200],
      ['versions', await ask('GET', versions(subject)), 200],
      ['latest', await ask('GET', `${versions(subject)}/latest`), 200],
      ['by id', await ask('GET', `/schemas/ids/${partOf(made, 'id')}`), 200],
    )
  }),
  behaviour('ids_versions', 'ids/{id}/versions', async trial =>
    by(await trial.ask('GET', `/schemas/ids/${partOf(await register(trial, id), 'id')}/versions`), 200),
  ),
  behaviour('ids_subjects', 'ids/{id}/subjects', async trial =>
    by(await trial.ask('GET', `/schemas/ids/${partOf(await register(trial, id), 'id')}/subjects`), 200),
  ),
  behaviour('ids_schema', 'ids/{id}/schema', async trial =>
    by(await trial.ask('GET', `/schemas/ids/${partOf(await register(trial, id), 'id')}/schema`), 200),
  ),
  behaviour('same_id', 'equal content has one id in every subject', async trial => {
    const first = await register(trial, id)
    const second = await trial.ask('POST', versions(trial.other), record(trial.name, [id]))
    return equals('ids are equal', partOf(first, 'id') === partOf(second, 'id'), true)
  }),
  behaviour('doc_is_content', 'a changed doc is a new version', async trial => {
    await register(trial, id)
    await register(trial, { ...id, doc: 'the id' })
    return equals('versions', (await trial.ask('GET', versions(trial.subject))).json, [1, 2])
  }),
  behaviour('normalize', 'normalize=true: other forms of a schema are the same version', async trial => {
    const { ask, subject, name } = trial
    await ask('POST', `${versions(subject)}?normalize=true`, record(name, [{ name: 'id', type: 'string', b: 1, a: 2 }]))
    const other = [{ name: 'id', type: { type: 'string' }, a: 2, b: 1 }]
    await ask('POST', `${versions(subject)}?normalize=true`, record(name, other))
    return equals('versions', (await ask('GET', versions(subject))).json, [1])
  }),
  behaviour('metadata', 'metadata and tags are kept and answered', async trial => {
    const metadata = { properties: { owner: 'weir' }, tags: { 'weir.probe.id': ['PII'] } }
    await trial.ask('POST', versions(trial.subject), { ...record(trial.name, [id]), metadata })
    const found = partOf(await trial.ask('GET', `${versions(trial.subject)}/latest`), 'metadata')
    const whole = isObject(found) && isObject(found['properties']) && isObject(found['tags'])
    return { supported: whole, found: isObject(found) ? `kept: ${Object.keys(found).join(', ')}` : 'dropped' }
  }),
  behaviour('contexts', 'contexts: `:.name:subject`', async ({ ask, subject, name }) => {
    const qualified = encodeURIComponent(`:.weir-probe:${subject}`)
    const made = await ask('POST', versions(qualified), record(name, [id]))
    const contexts = await ask('GET', '/contexts')
    const known = Array.isArray(contexts.json) && contexts.json.includes('.weir-probe')
    await ask('DELETE', `/subjects/${qualified}`)
    await ask('DELETE', `/subjects/${qualified}?permanent=true`)
    // Only where there are contexts: Apicurio 3.3.3 leaves some of these requests without an answer.
    if (known) await ask('DELETE', `/contexts/${encodeURIComponent(':.weir-probe:')}`)
    const kind = known ? 'yes' : made.status === 200 ? 'taken as a plain subject' : `refused: ${made.brief}`
    return { supported: known, found: kind }
  }),
]

const checks: readonly Behaviour[] = [
  behaviour('compatibility', 'compatibility with one version', async trial => {
    await trial.ask('PUT', `/config/${trial.subject}`, { compatibility: 'BACKWARD' })
    await register(trial, id)
    const said = await trial.ask('POST', `/compatibility${versions(trial.subject)}/1`, record(trial.name, [id, rating]))
    return equals('is_compatible', partOf(said, 'is_compatible'), false)
  }),
  behaviour('compatibility_all', 'compatibility with all versions', async trial => {
    await trial.ask('PUT', `/config/${trial.subject}`, { compatibility: 'BACKWARD' })
    await register(trial, id)
    const said = await trial.ask('POST', `/compatibility${versions(trial.subject)}`, record(trial.name, [id, rating]))
    const verdict = partOf(said, 'is_compatible')
    return { supported: verdict === false, found: verdict === undefined ? said.brief : `is_compatible: ${verdict}` }
  }),
  behaviour('verbose', 'verbose=true: reasons with rule and path', async trial => {
    await trial.ask('PUT', `/config/${trial.subject}`, { compatibility: 'BACKWARD' })
    await register(trial, id)
    const path = `/compatibility${versions(trial.subject)}/latest?verbose=true`
    const messages = partOf(await trial.ask('POST', path, record(trial.name, [id, rating])), 'messages')
    if (!Array.isArray(messages) || messages.length === 0) return { supported: false, found: 'no messages' }
    const precise = /READER_FIELD_MISSING_DEFAULT_VALUE.*\/fields\/1/s.test(messages.join('\n'))
    return { supported: precise, found: precise ? 'rule and path' : 'messages without rule or path' }
  }),
  behaviour('compatibility_unknown', 'a check against an unknown subject is fine', async ({ ask, subject, name }) => {
    const said = await ask('POST', `/compatibility${versions(subject)}/latest`, record(name, [id]))
    return { supported: partOf(said, 'is_compatible') === true, found: said.brief }
  }),
  behaviour('incompatible_40901', 'an incompatible schema is refused: 409 (40901)', async trial => {
    await trial.ask('PUT', `/config/${trial.subject}`, { compatibility: 'BACKWARD' })
    await register(trial, id)
    return by(await register(trial, id, rating), 40901)
  }),
  behaviour('bad_default_42201', 'a default that does not fit is refused: 422 (42201)', async trial =>
    by(await register(trial, { name: 'id', type: 'int', default: 'x' }), 42201),
  ),
  behaviour('bad_name_42201', 'a name that Avro does not allow is refused: 422 (42201)', async trial =>
    by(await register(trial, { name: 'a-b', type: 'int' }), 42201),
  ),
  behaviour('second_branch_default', 'a default of the second branch of a union is taken', async trial =>
    by(await register(trial, { name: 'note', type: ['null', 'string'], default: 'x' }), 200),
  ),
]

const settings: readonly Behaviour[] = [
  behaviour('default_backward', 'the default level is BACKWARD', async ({ ask }) =>
    equals('level', partOf(await ask('GET', '/config'), 'compatibilityLevel'), 'BACKWARD'),
  ),
  behaviour('config_40408', 'a subject without a level of its own: 404 (40408)', async trial => {
    const before = await trial.ask('GET', `/config/${trial.subject}`)
    await register(trial, id)
    const after = await trial.ask('GET', `/config/${trial.subject}`)
    const level = partOf(after, 'compatibilityLevel')
    if (level !== undefined) return { supported: false, found: `${after.brief} with ${level}` }
    return all(['before it is registered', before, 40408], ['after', after, 40408])
  }),
  behaviour('default_to_global', 'defaultToGlobal=true gives the level in effect', async trial => {
    const said = await trial.ask('GET', `/config/${trial.subject}?defaultToGlobal=true`)
    const level = partOf(said, 'compatibilityLevel')
    return {
      supported: said.status === 200 && level !== undefined,
      found: level === undefined ? said.brief : `${level}`,
    }
  }),
  behaviour('config_delete', 'the level of a subject can be taken away', async trial => {
    const { ask, subject } = trial
    await register(trial, id)
    await ask('PUT', `/config/${subject}`, { compatibility: 'FULL' })
    const taken = await ask('DELETE', `/config/${subject}`)
    return all(['delete', taken, 200], ['level', await ask('GET', `/config/${subject}`), 40408])
  }),
  behaviour('mode_40409', 'a subject without a mode of its own: 404 (40409)', async ({ ask, subject }) =>
    by(await ask('GET', `/mode/${subject}`), 40409),
  ),
  behaviour('mode_readonly', 'mode READONLY is enforced: 422 (42205)', async trial => {
    const put = await trial.ask('PUT', `/mode/${trial.subject}`, { mode: 'READONLY' })
    if (put.status !== 200) return { supported: false, found: `cannot be set: ${put.brief}` }
    const refused = await register(trial, id)
    return { supported: is(refused, 42205), found: refused.status === 200 ? 'not enforced' : refused.brief }
  }),
  // No id is tried: one that is taken is taken for ever.
  behaviour('mode_import', 'mode IMPORT takes no schema without an id: 422 (42205)', async trial => {
    const put = await trial.ask('PUT', `/mode/${trial.subject}?force=true`, { mode: 'IMPORT' })
    if (put.status !== 200) return { supported: false, found: `cannot be set: ${put.brief}` }
    const refused = await register(trial, id)
    return { supported: is(refused, 42205), found: refused.status === 200 ? 'not enforced' : refused.brief }
  }),
]

const deletion: readonly Behaviour[] = [
  behaviour('delete_codes', 'deletion twice, or permanent first: 404 with 40404 to 40407', async trial => {
    const { ask, subject } = trial
    await register(trial, id)
    await register(trial, id, note)
    const one = `${versions(subject)}/1`
    const whole = `/subjects/${subject}`
    const found = [
      ['version permanent first', await ask('DELETE', `${one}?permanent=true`), 40407],
      ['subject permanent first', await ask('DELETE', `${whole}?permanent=true`), 40405],
      ['version softly', await ask('DELETE', one), 200],
      ['version twice', await ask('DELETE', one), 40406],
      ['subject softly', await ask('DELETE', whole), 200],
      ['subject twice', await ask('DELETE', whole), 40404],
      ['subject permanently', await ask('DELETE', `${whole}?permanent=true`), 200],
    ] as const
    const result = all(...found)
    const other = found.find(([, said, code]) => code > 999 && said.status !== 404)
    return result.supported && other ? { supported: false, found: `${other[0]}: ${other[1].brief}` } : result
  }),
  behaviour('reregister', 'after soft deletion a schema comes back with its id and the next version', async trial => {
    await register(trial, id)
    const first = await register(trial, id, note)
    await trial.ask('DELETE', `${versions(trial.subject)}/2`)
    const again = await register(trial, id, note)
    const numbers = (await trial.ask('GET', versions(trial.subject))).json
    const sameId = partOf(first, 'id') === partOf(again, 'id')
    return {
      supported: sameId && JSON.stringify(numbers) === '[1,3]',
      found: `${sameId ? 'same' : 'another'} id, versions ${shown(numbers)}`,
    }
  }),
  behaviour('reregister_drops', 'the softly deleted row of before is dropped then', async trial => {
    await register(trial, id)
    await register(trial, id, note)
    await trial.ask('DELETE', `${versions(trial.subject)}/2`)
    await register(trial, id, note)
    return equals('versions', (await trial.ask('GET', `${versions(trial.subject)}?deleted=true`)).json, [1, 3])
  }),
]

/** A schema in `other`, and what refers to it in `subject`. */
async function refer({ ask, subject, other, name }: Trial): Promise<{ part: Said; whole: Said }> {
  const part = await ask('POST', versions(other), {
    schema: JSON.stringify({ type: 'enum', name: `${name}Star`, namespace: 'weir.probe', symbols: ['A', 'B'] }),
  })
  return { part, whole: await ask('POST', versions(subject), referring(name, other)) }
}

const referring = (name: string, other: string, ...more: readonly object[]) => ({
  ...record(name, [{ name: 'star', type: `weir.probe.${name}Star` }, ...more]),
  references: [{ name: `weir.probe.${name}Star`, subject: other, version: 1 }],
})

/** So that the referred subject can be removed after it. */
async function unrefer({ ask, subject }: Trial): Promise<void> {
  await ask('DELETE', `/subjects/${subject}`)
  await ask('DELETE', `/subjects/${subject}?permanent=true`)
}

const referringBehaviour = (name: string, expected: string, run: Behaviour['run']) =>
  behaviour(name, expected, async trial => {
    const { part, whole } = await refer(trial)
    const result =
      part.status === 200 && whole.status === 200
        ? await run(trial)
        : { supported: false, found: `references are refused: ${(part.status === 200 ? whole : part).brief}` }
    await unrefer(trial)
    return result
  })

const references: readonly Behaviour[] = [
  referringBehaviour('references', 'schemas refer to schemas of other subjects', async ({ ask, subject }) => {
    const found = partOf(await ask('GET', `${versions(subject)}/1`), 'references')
    return {
      supported: Array.isArray(found) && found.length === 1,
      found: `answered: ${shown(found) === 'nothing' ? 'no' : 'yes'}`,
    }
  }),
  referringBehaviour('referencedby', 'referencedby', async ({ ask, other }) => {
    const said = await ask('GET', `${versions(other)}/1/referencedby`)
    return { supported: Array.isArray(said.json) && said.json.length === 1, found: said.brief }
  }),
  referringBehaviour('referenced_42206', 'what is referred to is not deleted: 422 (42206)', async ({ ask, other }) =>
    by(await ask('DELETE', `${versions(other)}/1`), 42206),
  ),
  referringBehaviour('compatibility_references', 'schemas with references can be checked', async trial => {
    const { ask, subject, other, name } = trial
    const said = await ask('POST', `/compatibility${versions(subject)}/latest`, referring(name, other, note))
    return { supported: partOf(said, 'is_compatible') === true, found: said.brief }
  }),
]

export const behaviours: readonly Behaviour[] = [...basics, ...checks, ...settings, ...deletion, ...references]
