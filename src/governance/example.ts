// Item 13: one record under both schemas, side by side. And the check of two engines: what weir's checker says against what avsc does.
import { toWeirError } from '../core/errors.ts'
import { compileDecoder, compileEncoder, type Decoder } from '../schema/codec.ts'
import { parseSchema } from '../schema/parse.ts'
import type { Comparison } from './comparison.ts'
import { rootPath, type TypeOutline } from './outline.ts'
import { readerFor, Unreadable } from './read-as.ts'
import type { Example } from './review.ts'
import { sampleRecord } from './sample-record.ts'
import { leavesOf, meansTheSame } from './shown-value.ts'

export interface SchemaSide {
  readonly text: string
  readonly root: TypeOutline
}

export interface ExampleInput {
  readonly base: SchemaSide
  readonly candidate: SchemaSide
  readonly comparison: Comparison
  readonly direction: Example['direction']
  /** The value with its wire header, written under the base for `old-by-new`, else under the candidate. */
  readonly framed: Uint8Array
  readonly from: string
  /** True for fields, by path in the candidate, whose values are not shown. */
  readonly masked: (path: string) => boolean
}

/** A record read with the schema it was written with and with the other one. Never throws for what the bytes or the schemas hold. */
export function exampleOf(input: ExampleInput): Example {
  const { direction, from } = input
  const [writer, reader] = sidesOf(input)
  try {
    const written = compileDecoder(writer.text, null).decode(input.framed)
    const before = leavesOf(written, writer.root, rootPath(writer.root))
    try {
      const read = readerFor(writer.root, reader.root)(written)
      return {
        direction,
        from,
        error: null,
        fields: rowsOf(input, before, leavesOf(read, reader.root, rootPath(reader.root))),
      }
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error
      return { direction, from, error: `${error.path}: ${error.message}`, fields: rowsOf(input, before, null) }
    }
  } catch (error) {
    return { direction, from, error: toWeirError(error).message, fields: [] }
  }
}

const sidesOf = ({
  base,
  candidate,
  direction,
}: Pick<ExampleInput, 'base' | 'candidate' | 'direction'>): readonly [SchemaSide, SchemaSide] =>
  direction === 'old-by-new' ? [base, candidate] : [candidate, base]

/** `after` null: the record could not be read. */
function rowsOf(
  { comparison, direction, masked }: ExampleInput,
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string> | null,
): Example['fields'] {
  const readPath = pathsOf(comparison, direction)
  const written = new Map([...before].map(([path, text]) => [readPath(path), { path, text }]))
  const hidden = (path: string, text: string | null) =>
    text !== null && text !== 'null' && masked(path) ? '***' : text
  const rows = [...(after ?? [])].map(([path, text]): Example['fields'][number] => {
    const own = written.get(path)
    written.delete(path)
    const mark = own === undefined ? 'defaulted' : meansTheSame(own.text, text) ? 'same' : 'changed'
    return { field: path, before: hidden(path, own?.text ?? null), after: hidden(path, text), mark }
  })
  const lost = [...written.values()].map(({ path, text }) => ({
    field: path,
    before: hidden(path, text),
    after: null,
    mark: after ? ('lost' as const) : ('same' as const),
  }))
  return [...rows, ...lost]
}

/** Where the reader has what the writer wrote: by name, or by an alias that the reader knows. */
export function pathsOf({ fields, types }: Comparison, direction: Example['direction']): (written: string) => string {
  const forward = direction === 'old-by-new'
  const roots = [rootPath(types[0]!.before), rootPath(types[0]!.after)] as const
  const known = new Map([forward ? roots : [roots[1], roots[0]]])
  for (const { path, beforePath, how } of fields) {
    if (beforePath === null || how === null) continue
    const matched = how === 'name' || how === (forward ? 'alias' : 'old-alias')
    const [from, to] = forward ? [beforePath, path] : [path, beforePath]
    known.set(from, matched ? to : from)
  }
  return written => {
    for (let end = written.length; end > 0; end = written.lastIndexOf('.', end - 1)) {
      const found = known.get(written.slice(0, end))
      if (found !== undefined) return found + written.slice(end)
    }
    return written
  }
}

/** A made-up record in each direction; none where the codec cannot take a schema, such as one whose root is no record. */
export function generatedExamples(base: SchemaSide, candidate: SchemaSide, comparison: Comparison): readonly Example[] {
  return (['old-by-new', 'new-by-old'] as const).flatMap(direction => {
    const [writer] = sidesOf({ base, candidate, direction })
    const framed = framedSample(writer.text, 0)
    return framed
      ? [exampleOf({ base, candidate, comparison, direction, framed, from: 'generated', masked: () => false })]
      : []
  })
}

/** A made-up record with its wire header; null where the codec takes the schema or the record not. */
export function framedSample(text: string, index: number): Uint8Array | null {
  try {
    const value = sampleRecord(parseSchema(text).root, index)
    return value === null ? null : compileEncoder(text).encode(value, 1).slice()
  } catch {
    return null
  }
}

/** How many made-up records are tried in each direction. */
const triedRecords = 24

/** Why avsc does not read what was written with `writer`, as `reader`: the first failure of the made-up records; null when it reads all of them. */
export function avscRefusal(writer: string, reader: string): string | null {
  let decoder: Decoder
  try {
    decoder = compileDecoder(writer, reader)
  } catch (error) {
    return toWeirError(error).message
  }
  for (let index = 0; index < triedRecords; index++) {
    const framed = framedSample(writer, index)
    if (!framed) return null
    try {
      decoder.decode(framed)
    } catch (error) {
      return toWeirError(error).message
    }
  }
  return null
}
