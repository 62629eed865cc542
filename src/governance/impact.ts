// Item 12: which consumers a change touches, by the fields that they read.
import type { Change, Consumer } from './review.ts'

/** A reader of the subject. `fields`: paths of the record that it reads, without the name of the root; null: it takes the whole record. */
export type Reader = Pick<Consumer, 'pipeline' | 'file' | 'group' | 'sink' | 'fields'>

/** Words that change what a schema says, but nothing that a reader of values sees. */
const unseen: ReadonlySet<Change['kind']> = new Set(['doc-changed', 'alias-added', 'property-changed', 'order-changed'])

/** A reader of the whole record is affected by any change of it; one of single fields by changes of these, of what is in them and of what they are in. */
export function impactOf(readers: readonly Reader[], changes: readonly Change[]): readonly Consumer[] {
  const changed = [...new Set(changes.filter(change => !unseen.has(change.kind)).flatMap(pathsOf))]
  return readers.map(reader => {
    if (reader.fields === null) return { ...reader, touched: [], affected: changed.length > 0 }
    const touched = reader.fields.filter(field =>
      changed.some(path => path === '' || isWithin(field, path) || isWithin(path, field)),
    )
    return { ...reader, touched, affected: touched.length > 0 }
  })
}

/** Without the root and the marks of items and values; of a rename the old name too, which readers still use. */
function pathsOf({ kind, field, before }: Change): readonly string[] {
  const path = field
    .split('.')
    .slice(1)
    .join('.')
    .replace(/\[\]|\{\}/g, '')
  // A new field is in nobody's way.
  if (kind === 'field-added') return []
  if (kind !== 'field-renamed' || before === null) return [path]
  return [path, [...path.split('.').slice(0, -1), String(JSON.parse(before))].join('.')]
}

const isWithin = (inner: string, outer: string) => inner === outer || inner.startsWith(`${outer}.`)
