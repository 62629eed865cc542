// What values of retained records tell besides: personal data in fields without a tag, and values that a removed and an added field share.

import { toJsonText } from '../schema/json.ts'
import type { Comparison, SharedValues } from './comparison.ts'
import type { TypeOutline } from './outline.ts'
import { rootPath } from './outline.ts'
import type { PersonalValues } from './personal.ts'
import type { PiiKind } from './policy.ts'
import { branchOf } from './union-value.ts'
import { looksLike } from './value-kinds.ts'

/** Texts looked at in one field. */
const maxTexts = 2_000
/** Items of a list or map looked at in one record. */
const maxItems = 20
const maxFields = 2_000
/** On fewer texts nothing is said. */
const fewestTexts = 5
/** Share of the texts of a field that must look like it. Names are made of plain words, so that more of them must. */
const enough: Readonly<Record<PiiKind, number>> = { email: 0.2, phone: 0.2, ip: 0.2, card: 0.2, iban: 0.2, name: 0.8 }
/** Fields whose values are compared, and distinct values kept of each. */
const maxCompared = 40
const maxDistinct = 1_000
/** Fewer distinct values are shared by chance: yes and no, stars. */
const fewestDistinct = 10
const keptLength = 64

interface Texts {
  texts: number
  readonly matching: Map<PiiKind, number>
}

export class ValueSamples {
  readonly #kinds: readonly PiiKind[]
  readonly #fields = new Map<string, Texts>()
  /** By path without the root: the fields that only one of base and candidate has, with the values seen. */
  readonly #distinct = new Map<string, Set<string>>()
  readonly #pairs: readonly { readonly removed: string; readonly added: string }[]

  /** `comparison`: of base and candidate; null for a new subject. */
  constructor(kinds: readonly PiiKind[], comparison: Comparison | null) {
    this.#kinds = kinds
    const fields = comparison?.fields ?? []
    // A pair that was guessed is a removed and an added field too.
    const removed = fields
      .filter(({ after, how }) => after === null || how === 'guess')
      .map(({ beforePath }) => beforePath!)
    const added = fields.filter(({ before, how }) => before === null || how === 'guess').map(({ path }) => path)
    const few = (paths: readonly string[]) => paths.slice(0, maxCompared)
    this.#pairs = few(removed).flatMap(each => few(added).map(other => ({ removed: each, added: other })))
    for (const { removed: one, added: other } of this.#pairs)
      for (const path of [one, other]) this.#distinct.set(below(path), new Set())
  }

  /** A record. `readPath`: where the candidate has what stands at a path of the writer. */
  add(value: unknown, root: TypeOutline, readPath: (path: string) => string): void {
    this.#visit(value, root, rootPath(root), readPath)
  }

  #visit(value: unknown, type: TypeOutline, path: string, readPath: (path: string) => string): void {
    const found = type.kind === 'union' ? branchOf(value, type) : { branch: type, value }
    if (!found || found.value === null || found.value === undefined) return
    const { branch, value: inner } = found
    if (branch.kind === 'record') {
      for (const field of branch.fields)
        this.#visit((inner as Record<string, unknown>)[field.name], field.type, `${path}.${field.name}`, readPath)
    } else if (branch.kind === 'array') {
      for (const item of (inner as readonly unknown[]).slice(0, maxItems))
        this.#visit(item, branch.inner!, `${path}[]`, readPath)
    } else if (branch.kind === 'map') {
      for (const item of Object.values(inner as object).slice(0, maxItems))
        this.#visit(item, branch.inner!, `${path}{}`, readPath)
    } else {
      this.#keep(inner, below(path))
      if (branch.kind === 'string') this.#look(inner as string, readPath(path))
    }
  }

  #keep(value: unknown, path: string): void {
    const seen = this.#distinct.get(path)
    if (seen && seen.size < maxDistinct) seen.add(toJsonText(value).slice(0, keptLength))
  }

  #look(text: string, path: string): void {
    if (this.#kinds.length === 0 || text.trim() === '') return
    let field = this.#fields.get(path)
    if (!field) {
      if (this.#fields.size >= maxFields) return
      this.#fields.set(path, (field = { texts: 0, matching: new Map() }))
    }
    if (field.texts >= maxTexts) return
    field.texts++
    for (const kind of this.#kinds)
      if (looksLike(kind, text)) field.matching.set(kind, (field.matching.get(kind) ?? 0) + 1)
  }

  /** Fields whose texts look personal, each with the kind that most of them look like. */
  personal(): readonly PersonalValues[] {
    return [...this.#fields].flatMap(([path, { texts, matching }]) => {
      const [best] = [...matching]
        .filter(([kind, count]) => texts >= fewestTexts && count >= texts * enough[kind])
        .sort(([, a], [, b]) => b - a)
      return best ? [{ field: fieldOf(path), kind: best[0], records: texts, matching: best[1] }] : []
    })
  }

  /** Pairs of a removed and an added field with values in common. */
  shared(): readonly SharedValues[] {
    return this.#pairs.flatMap(({ removed, added }) => {
      const [a, b] = [this.#distinct.get(below(removed))!, this.#distinct.get(below(added))!]
      const fewer = Math.min(a.size, b.size)
      if (fewer < fewestDistinct) return []
      let both = 0
      for (const value of a) if (b.has(value)) both++
      return both === 0 ? [] : [{ removed, added, share: both / fewer }]
    })
  }
}

/** Without the name of the root, which versions may call otherwise. */
const below = (path: string) => path.slice(path.indexOf('.') + 1)

/** The field that holds a list or map. */
const fieldOf = (path: string) => path.replace(/(\[\]|\{\})+$/, '')
