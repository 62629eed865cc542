// The other way round: what is written with the candidate, read by versions that are in use. The records are made up, the same each time.
import { compileDecoder } from '../schema/codec.ts'
import { framedSample } from './example.ts'
import { outlineOf } from './outline.ts'
import { readerFor, Unreadable } from './read-as.ts'
import type { DataCheck } from './review.ts'
import type { NamedSchema } from './schema-tree.ts'

const madeRecords = 24

/** How each version fares with made-up records of the candidate; none where the codec can make no record of it. */
export function readByVersions(
  candidate: NamedSchema,
  versions: readonly { readonly version: number; readonly schema: NamedSchema }[],
): DataCheck['readers'] {
  const made = madeOf(candidate.text)
  if (made.length === 0) return []
  const root = outlineOf(candidate)
  return versions.map(({ version, schema }) => {
    const read = readerFor(root, outlineOf(schema))
    const failures = made.flatMap(value => {
      try {
        read(value)
        return []
      } catch (error) {
        if (!(error instanceof Unreadable)) throw error
        return [`${error.path}: ${error.message}`]
      }
    })
    return { version, records: made.length, failed: failures.length, message: failures[0] ?? null }
  })
}

function madeOf(text: string): readonly unknown[] {
  const framed = Array.from({ length: madeRecords }, (_, index) => framedSample(text, index)).filter(
    each => each !== null,
  )
  if (framed.length === 0) return []
  const decoder = compileDecoder(text, null)
  return framed.map(each => decoder.decode(each))
}
