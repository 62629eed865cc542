// Whether items still look as they did when the run began: a vendor that changes its shape is told about, even where the mapping bears it.
// Only paths and kinds of values are kept and told, never values: items hold personal data. Bounded: a sample of each page, so many paths.
import type { Emit } from '../../core/event.ts'

/** Items that say how things look at first. */
const firstItems = 200
/** Of a page so many are looked at, spread over it. */
const sampledItems = 50
/** On fewer items nothing can be said of "most of them". */
const fewestItems = 3
/** A field that no expression reads is missed only where so many items are without it. */
const fewestUnused = 5
const maxPaths = 500
const maxDepth = 8
/** An object with more keys is a map, and its keys are data. */
const maxKeys = 100
const maxTold = 50

type Kind = 'text' | 'number' | 'boolean' | 'object' | 'list'

interface Field {
  /** Items that have it, null not counted. */
  items: number
  readonly kinds: Map<Kind, number>
}

interface Looks {
  items: number
  readonly fields: Map<string, Field>
}

export interface DriftWatch {
  /** Sees the items of a page. */
  look(items: readonly unknown[], split: string): void
}

/** @param uses paths of `this` that the mapping reads, such as `author.name` */
export function watchDrift(emit: Emit, pipeline: string, uses: readonly string[] = []): DriftWatch {
  const used = new Set(uses)
  const first: Looks = { items: 0, fields: new Map() }
  const told = new Set<string>()
  return {
    look(items, split) {
      const page = looksOf(items)
      if (first.items >= fewestItems && page.items >= fewestItems)
        for (const { path, ...found } of changesBetween(first, page, used)) {
          if (told.has(path) || told.size >= maxTold) continue
          told.add(path)
          emit({ type: 'drift', pipeline, split, path, used: used.has(path), ...found })
        }
      if (first.items < firstItems) merge(first, page)
    },
  }
}

interface Change {
  readonly path: string
  readonly change: 'appeared' | 'vanished' | 'kind'
  readonly was?: string
  readonly is?: string
}

function changesBetween(first: Looks, page: Looks, used: ReadonlySet<string>): readonly Change[] {
  const changes: Change[] = []
  // What hangs on a field that has changed has changed with it.
  const isBelow = (path: string) =>
    changes.some(({ path: above }) => path.startsWith(`${above}.`) || path.startsWith(`${above}[`))
  const paths = [...new Set([...first.fields.keys(), ...page.fields.keys()])].sort()
  for (const path of paths) {
    if (isBelow(path)) continue
    const before = first.fields.get(path)
    const now = page.fields.get(path)
    if (now === undefined || before === undefined || isMost(first.items - before.items, first.items)) {
      if (before === undefined && first.fields.size < maxPaths && isMost(now?.items ?? 0, page.items))
        changes.push({ path, change: 'appeared', is: kindsOf(now) })
      else if (before && isMissed(before, first, now, page, used.has(path)))
        changes.push({ path, change: 'vanished', was: kindsOf(before) })
      continue
    }
    const other = [...now.kinds].filter(([kind]) => !before.kinds.has(kind)).reduce((sum, [, count]) => sum + count, 0)
    if (isMost(other, now.items)) changes.push({ path, change: 'kind', was: kindsOf(before), is: kindsOf(now) })
    else if (isMissed(before, first, now, page, used.has(path)))
      changes.push({ path, change: 'vanished', was: kindsOf(before) })
  }
  return changes
}

/** A field that is read counts where most items had it and most have not; any other where all had it and none has. */
function isMissed(before: Field, first: Looks, now: Field | undefined, page: Looks, isUsed: boolean): boolean {
  if (isUsed) return isMost(before.items, first.items) && isMost(page.items - (now?.items ?? 0), page.items)
  return before.items === first.items && now === undefined && page.items >= fewestUnused
}

const isMost = (count: number, of: number) => count * 2 > of
const kindsOf = (field: Field | undefined) => [...(field?.kinds.keys() ?? [])].sort().join(' or ')

function looksOf(items: readonly unknown[]): Looks {
  const looks: Looks = { items: 0, fields: new Map() }
  const step = Math.max(1, items.length / sampledItems)
  for (let at = 0; at < items.length; at += step) {
    const item = items[Math.floor(at)]
    if (typeof item !== 'object' || item === null || Array.isArray(item)) continue
    looks.items++
    const seen = new Map<string, Kind>()
    see(item, '', 0, seen)
    for (const [path, kind] of seen) {
      let field = looks.fields.get(path)
      if (field === undefined) {
        if (looks.fields.size >= maxPaths) continue
        looks.fields.set(path, (field = { items: 0, kinds: new Map() }))
      }
      field.items++
      field.kinds.set(kind, (field.kinds.get(kind) ?? 0) + 1)
    }
  }
  return looks
}

function see(value: object, path: string, depth: number, seen: Map<string, Kind>): void {
  if (Array.isArray(value)) {
    // The first one stands for all: lists are alike inside.
    if (value.length > 0) note(value[0], `${path}[]`, depth, seen)
    return
  }
  const keys = Object.keys(value)
  if (keys.length > maxKeys) return
  for (const key of keys)
    if (isName(key)) note((value as Record<string, unknown>)[key], path === '' ? key : `${path}.${key}`, depth, seen)
}

function note(value: unknown, path: string, depth: number, seen: Map<string, Kind>): void {
  if (value === null || value === undefined || seen.size >= maxPaths) return
  seen.set(path, kindOf(value))
  if (typeof value === 'object' && depth < maxDepth) see(value, path, depth + 1, seen)
}

/** Other keys may be data. */
const isName = (key: string) => /^[A-Za-z_$@][\w$@-]{0,63}$/.test(key)

function kindOf(value: unknown): Kind {
  if (typeof value === 'object') return Array.isArray(value) ? 'list' : 'object'
  if (typeof value === 'string') return 'text'
  return typeof value === 'boolean' ? 'boolean' : 'number'
}

function merge(into: Looks, { items, fields }: Looks): void {
  into.items += items
  for (const [path, field] of fields) {
    const known = into.fields.get(path)
    if (known === undefined) {
      if (into.fields.size < maxPaths) into.fields.set(path, field)
      continue
    }
    known.items += field.items
    for (const [kind, count] of field.kinds) known.kinds.set(kind, (known.kinds.get(kind) ?? 0) + count)
  }
}
