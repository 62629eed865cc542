// Two schemas side by side: which field of the base is which field of the candidate, and the types at each place that both have.
// Everything that a review says of a change (diff, silent breaks, personal data) is read from these pairs.

import { likeness, tellingWords, wordsOf } from './likeness.ts'
import { type FieldOutline, rootPath, shortName, type TypeOutline, typeText, valueTypes } from './outline.ts'

export interface FieldPair {
  /** In words, with the name of the candidate; of the base for what is gone. */
  readonly path: string
  /** The same in the base; null for what is new. */
  readonly beforePath: string | null
  readonly before: FieldOutline | null
  readonly after: FieldOutline | null
  /** How the two were matched; null for what only one of them has. `old-alias`: the base names the new field as its alias, the candidate does not. */
  readonly how: 'name' | 'alias' | 'old-alias' | 'guess' | null
  /** For what was guessed: why. */
  readonly guessedFrom: string | null
  /** The records they belong to. */
  readonly records: { readonly before: TypeOutline; readonly after: TypeOutline }
}

export interface TypePair {
  readonly path: string
  readonly beforePath: string
  readonly before: TypeOutline
  readonly after: TypeOutline
  /** True at a field, an item, a value or the root; false inside a union, whose change the place itself tells. */
  readonly whole: boolean
}

export interface Comparison {
  readonly fields: readonly FieldPair[]
  readonly types: readonly TypePair[]
}

/** Share of sampled values that two fields have in common, 0 to 1: evidence for a rename. */
export interface SharedValues {
  readonly removed: string
  readonly added: string
  readonly share: number
}

/** More pairs than this are not looked at for likeness. */
const maxGuessed = 10_000
/** What is alike enough to be called a rename. */
const guessFrom = 0.5

/** Matches by name, then by alias, then by likeness: same type, and names, docs or values that resemble each other. */
export function compare(base: TypeOutline, candidate: TypeOutline, shared: readonly SharedValues[] = []): Comparison {
  const fields: FieldPair[] = []
  const types: TypePair[] = []
  const seen = new Map<TypeOutline, Set<TypeOutline>>()

  const visitType = (
    before: TypeOutline,
    after: TypeOutline,
    path: string,
    beforePath: string,
    whole: boolean,
  ): void => {
    if (before.fullName !== null && after.fullName !== null) {
      const known = seen.get(before) ?? new Set()
      if (known.has(after)) return
      seen.set(before, known.add(after))
    }
    types.push({ path, beforePath, before, after, whole })
    if (before.kind === 'union' || after.kind === 'union') {
      for (const [a, b] of matchedBranches(before, after)) visitType(a, b, path, beforePath, false)
      return
    }
    if (before.kind !== after.kind) return
    const step = before.kind === 'array' ? '[]' : '{}'
    if (before.inner && after.inner) visitType(before.inner, after.inner, path + step, beforePath + step, true)
    if (before.kind === 'record') visitRecord(before, after, path, beforePath)
  }

  const visitRecord = (before: TypeOutline, after: TypeOutline, path: string, beforePath: string): void => {
    for (const pair of matchedFields(before, after, path, beforePath, shared)) {
      fields.push(pair)
      if (pair.before && pair.after) visitType(pair.before.type, pair.after.type, pair.path, pair.beforePath!, true)
    }
  }

  visitType(base, candidate, rootPath(candidate), rootPath(base), true)
  return { fields, types }
}

/** Tells of a path in words whether it is a field that the base has not, or in one. Without a base everything is new. */
export function newFields(comparison: Comparison | null): (path: string) => boolean {
  if (comparison === null) return () => true
  const added = new Set(comparison.fields.filter(({ before }) => before === null).map(({ path }) => path))
  if (added.size === 0) return () => false
  return path => {
    for (let end = path.length; end > 0; end = path.lastIndexOf('.', end - 1))
      if (added.has(path.slice(0, end).replace(/(\[\]|\{\})+$/, ''))) return true
    return false
  }
}

/** Branches of the same name or kind; one that is left over on each side is taken for the same. Null is left out. */
export function matchedBranches(before: TypeOutline, after: TypeOutline): readonly [TypeOutline, TypeOutline][] {
  const left = [...valueTypes(before)]
  const right = [...valueTypes(after)]
  const pairs: [TypeOutline, TypeOutline][] = []
  for (const same of [sameName, sameShortName])
    for (const a of [...left]) {
      const b = right.find(each => same(a, each))
      if (!b) continue
      pairs.push([a, b])
      left.splice(left.indexOf(a), 1)
      right.splice(right.indexOf(b), 1)
    }
  if (left.length === 1 && right.length === 1) pairs.push([left[0]!, right[0]!])
  return pairs
}

const sameName = (a: TypeOutline, b: TypeOutline) => a.kind === b.kind && a.fullName === b.fullName
const sameShortName = (a: TypeOutline, b: TypeOutline) =>
  a.kind === b.kind && a.fullName !== null && b.fullName !== null && shortName(a.fullName) === shortName(b.fullName)

function matchedFields(
  before: TypeOutline,
  after: TypeOutline,
  path: string,
  beforePath: string,
  shared: readonly SharedValues[],
): readonly FieldPair[] {
  const records = { before, after }
  const removed = new Set(before.fields)
  const added = new Set(after.fields)
  const matches = new Map<FieldOutline, Pick<FieldPair, 'before' | 'how' | 'guessedFrom'>>()
  const match = (a: FieldOutline, b: FieldOutline, how: FieldPair['how'], guessedFrom: string | null = null) => {
    removed.delete(a)
    added.delete(b)
    matches.set(b, { before: a, how, guessedFrom })
  }
  const oldNames = new Map(before.fields.map(field => [field.name, field]))
  const oldAliases = new Map(before.fields.flatMap(field => field.aliases.map(alias => [alias, field] as const)))
  const matchAll = (how: FieldPair['how'], find: (b: FieldOutline) => FieldOutline | undefined) => {
    for (const b of [...added]) {
      const a = find(b)
      if (a && removed.has(a)) match(a, b, how)
    }
  }
  matchAll('name', b => oldNames.get(b.name))
  matchAll('alias', b => oldNames.get(b.aliases.find(alias => removed.has(oldNames.get(alias)!)) ?? ''))
  matchAll('old-alias', b => oldAliases.get(b.name))
  const guesses =
    removed.size * added.size > maxGuessed
      ? []
      : [...removed].flatMap(a =>
          [...added].map(b => ({
            a,
            b,
            ...likenessOf(
              a,
              b,
              shared.find(each => each.removed === `${beforePath}.${a.name}` && each.added === `${path}.${b.name}`),
            ),
          })),
        )
  for (const { a, b, why } of guesses.filter(each => each.score >= guessFrom).sort((x, y) => y.score - x.score))
    if (removed.has(a) && added.has(b)) match(a, b, 'guess', why)
  return [
    ...after.fields.map((field): FieldPair => {
      const found = matches.get(field)
      return {
        path: `${path}.${field.name}`,
        beforePath: found?.before ? `${beforePath}.${found.before.name}` : null,
        before: found?.before ?? null,
        after: field,
        how: found?.how ?? null,
        guessedFrom: found?.guessedFrom ?? null,
        records,
      }
    }),
    ...[...removed].map(
      (field): FieldPair => ({
        path: `${path}.${field.name}`,
        beforePath: `${beforePath}.${field.name}`,
        before: field,
        after: null,
        how: null,
        guessedFrom: null,
        records,
      }),
    ),
  ]
}

/** How much a removed and an added field resemble each other, 0 to 1, and why. Fields of another type are never the same. */
function likenessOf(
  a: FieldOutline,
  b: FieldOutline,
  shared: SharedValues | undefined,
): { readonly score: number; readonly why: string } {
  if (valueText(a) !== valueText(b)) return { score: 0, why: '' }
  const names = likeness(wordsOf(a.name), wordsOf(b.name))
  const docs = a.doc === null || b.doc === null ? 0 : likeness(tellingWords(a.doc), tellingWords(b.doc))
  const values = shared?.share ?? 0
  const percent = (share: number) => `${Math.round(share * 100)} %`
  const reasons = [
    'same type',
    ...(names > 0 ? [`names alike (${percent(names)})`] : []),
    ...(docs > 0 ? [`docs alike (${percent(docs)})`] : []),
    ...(values > 0 ? [`${percent(values)} of the sampled values are the same`] : []),
  ]
  return { score: Math.max(names, docs, values, (names + docs) * 0.75), why: reasons.join(', ') }
}

/** The type without null, so that a field that became optional on the way is still found. */
const valueText = (field: FieldOutline) => valueTypes(field.type).map(typeText).join(' or ')
