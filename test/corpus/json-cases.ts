// Set E: how each bad JSON is read, mapped and encoded. Texts too large or too odd to write down are made here.
import { systemClock } from '../../src/core/clock.ts'
import { toWeirError } from '../../src/core/errors.ts'
import { compileMapping } from '../../src/mapping/mapping.ts'
import { compileDecoder, compileEncoder } from '../../src/schema/codec.ts'
import type { FileConfig } from '../../src/sources/file/settings.ts'
import { openFileSource, put, readOnce } from '../support/file-source.ts'

export interface JsonCase {
  readonly case: string
  /** The file, as text, as Base64, or made by the maker of this name. */
  readonly text?: string
  readonly base64?: string
  readonly make?: string
  readonly source?: Partial<FileConfig>
  readonly expect: readonly Outcome[]
}

/** A record, without the fields that are null; or the code of the item's error, its place and a part of its hint. */
export type Outcome =
  | { readonly record: Readonly<Record<string, unknown>> }
  | { readonly code: string; readonly at?: string; readonly hint?: string }

const nested = (depth: number) => `[${'['.repeat(depth)}${']'.repeat(depth)}]`

export const makers: Readonly<Record<string, () => string>> = {
  nesting_1e5: () => nested(1e5),
  nesting_1e7: () => nested(1e7),
  million_keys: () => `[{"id":"a",${Array.from({ length: 1e6 }, (_, i) => `"k${i}":1`).join(',')}}]`,
  key_1mb: () => `[{"id":"a","${'k'.repeat(1e6)}":1}]`,
  string_20mb: () => `[{"id":"a","text":"${'x'.repeat(20e6)}"},{"id":"b"}]`,
  integer_400: () => `[{"id":"a","n":${'7'.repeat(400)}}]`,
  hash_dos: () => `[{"id":"a",${Array.from({ length: 50_000 }, (_, i) => `"${i * 2 ** 15}":1`).join(',')}}]`,
}

const nullable = (name: string, type: unknown) => ({ name, type: ['null', type], default: null })
const schema = JSON.stringify({
  type: 'record',
  name: 'Case',
  fields: [
    { name: 'id', type: 'string' },
    nullable('n', 'long'),
    nullable('x', 'double'),
    nullable('text', 'string'),
    nullable('verified', 'boolean'),
    nullable('kind', { type: 'enum', name: 'Kind', symbols: ['NEW', 'EDITED'] }),
    nullable('day', 'string'),
  ],
})
const map = {
  id: 'blank_to_null(this.id)',
  n: 'this.?n',
  x: 'this.?x',
  text: 'this.?text',
  verified: 'this.?verified',
  kind: 'this.?kind',
  day: 'iso_date(this.?date)',
}

/** What becomes of every item of the file, in order. */
export async function outcomesOf(folder: string, jsonCase: JsonCase): Promise<Outcome[]> {
  const bytes =
    jsonCase.base64 === undefined
      ? Buffer.from(jsonCase.make === undefined ? jsonCase.text! : makers[jsonCase.make]!())
      : Buffer.from(jsonCase.base64, 'base64')
  put(folder, { 'case.json': bytes })
  const mapping = compileMapping(map, schema)
  const encoder = compileEncoder(schema)
  const decoder = compileDecoder(schema, null)
  await using opened = openFileSource(folder, { paths: ['case.json'], ...jsonCase.source }, systemClock)
  const { items } = await readOnce(opened.source)
  return items.map(item => {
    try {
      if (item.error) throw item.error
      const record = decoder.decode(encoder.encode(mapping.apply({ this: item.value, split: {}, now: 0 }), 1))
      return { record: Object.fromEntries(Object.entries(record).filter(([, value]) => value !== null).map(plainly)) }
    } catch (thrown) {
      const { code, at, hint } = toWeirError(thrown)
      return { code, ...(at === undefined ? {} : { at }), ...(hint === undefined ? {} : { hint }) }
    }
  })
}

/** Longs as JSON can hold them. */
function plainly([name, value]: [string, unknown]): [string, unknown] {
  return [name, typeof value === 'bigint' ? `${value}n` : Object.is(value, -0) ? '-0' : value]
}
