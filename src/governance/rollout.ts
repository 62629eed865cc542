// Items 5, 7 and 15: in which order to roll out, which defaults fill what, and what registering would do.
import { printJson } from '../schema/json-text.ts'
import { everythingIn, rootPath, type TypeOutline } from './outline.ts'
import type { FilledDefault, RegisterEffect, Rollout } from './review.ts'

export interface Readable {
  /** The candidate reads what the base wrote. */
  readonly oldByNew: boolean
  /** The base reads what the candidate writes. */
  readonly newByOld: boolean
}

/** Who moves first. null: there is no base. */
export function rolloutOf(readable: Readable | null): Rollout {
  if (readable === null)
    return {
      order: 'any',
      steps: ['Register the schema.', 'Start producers and consumers in any order: nothing has been written yet.'],
    }
  const { oldByNew, newByOld } = readable
  if (oldByNew && newByOld)
    return {
      order: 'any',
      steps: ['Register the schema.', 'Move producers and consumers in any order: each reads what the other writes.'],
    }
  if (oldByNew)
    return {
      order: 'consumers-first',
      steps: [
        'Register the schema.',
        'Move every consumer to the new schema; it reads old records too.',
        'Then move the producers: consumers that have not moved cannot read what they write.',
      ],
    }
  if (newByOld)
    return {
      order: 'producers-first',
      steps: [
        'Register the schema.',
        'Move every producer to the new schema; the consumers of today read what it writes.',
        'Wait until no old record is retained, or no consumer will read one again.',
        'Then move the consumers: they cannot read old records.',
      ],
    }
  return {
    order: 'new-subject',
    steps: [
      'Register the schema under a new subject, for a new topic.',
      'Write both topics for a while.',
      'Move the consumers to the new topic, one after the other.',
      'Stop writing the old topic, and let its records run out.',
    ],
  }
}

export interface OldVersion {
  readonly version: number
  readonly root: TypeOutline
}

/** For each version, the defaults that fill fields which it did not write. Only fields of records that both have, matched by path. */
export function filledDefaults(candidate: TypeOutline, history: readonly OldVersion[]): readonly FilledDefault[] {
  const { fields } = everythingIn(candidate)
  const withDefault = fields.filter(({ field }) => field.hasDefault)
  return history.flatMap(({ version, root }) => {
    const there = new Set([rootPath(root), ...everythingIn(root).fields.map(({ path }) => path)])
    return withDefault
      .filter(({ path, field }) => {
        const parent = path.slice(0, path.lastIndexOf('.'))
        const known = there.has(parent) || there.has(parent.replace(/(\[\]|\{\})+$/, ''))
        return known && !there.has(path) && !field.aliases.some(alias => there.has(`${parent}.${alias}`))
      })
      .map(({ path, field }) => ({ field: path, version, value: printJson(field.default) }))
  })
}

export interface RegisterLookup {
  /** The version that this very schema has already; null when it has none. */
  readonly found: number | null
  /** The newest version; null for a new subject. */
  readonly latest: number | null
  /** What the registry would store with `normalize`; null when it is what was given. */
  readonly normalized: string | null
}

/** What `POST /subjects/…/versions` would do. */
export function registerEffect({ found, latest, normalized }: RegisterLookup): RegisterEffect {
  if (latest === null)
    return {
      effect: 'new-subject',
      version: null,
      latest,
      normalized,
      text: 'registers version 1: the subject is new',
    }
  if (found === null)
    return { effect: 'new-version', version: null, latest, normalized, text: `registers a version after ${latest}` }
  if (found === latest)
    return {
      effect: 'no-op',
      version: found,
      latest,
      normalized,
      text: `no-op: it is version ${found}, the latest, already`,
    }
  return {
    effect: 'revert',
    version: found,
    latest,
    normalized,
    text: `no-op: it is version ${found} already, and version ${latest} stays the latest; a registry does not go back to an old version by registering it again`,
  }
}
