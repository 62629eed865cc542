// The Avro schema a topic names: read, parsed, and the mapping checked against it. Reads that one file and nothing else.
import { resolve } from 'node:path'
import { toWeirError, WeirError } from '../core/errors.ts'
import { checkMapping } from '../mapping/check.ts'
import { parseSchema } from '../schema/parse.ts'
import { nameOf } from './complaint.ts'
import type { Problems } from './problem.ts'
import type { Reading } from './resolve.ts'
import { readText } from './text.ts'

/** The largest schema file. */
const maxSchemaBytes = 1024 * 1024

export interface SchemaFile {
  readonly file: string
  readonly text: string
}

/** The schema named at a pointer, or undefined with the reason in the problems. */
export function readSchemaFile(path: string, pointer: string, reading: Reading): SchemaFile | undefined {
  const { problems, resolved } = reading
  // What came out of a variable is not shown; the line of the definition is.
  const named = resolved.get(pointer)?.outside.length ? 'The schema file' : `The schema file ${path}`
  const file = resolve(reading.variables.baseDir, path)
  const fail = (message: string, hint: string): undefined => {
    problems.add({ code: 'config.schema', message, pointer, hint })
  }
  const read = readText(file, maxSchemaBytes)
  if ('failure' in read)
    return fail(
      `${named} cannot be used. ${read.failure.message}`,
      read.failure.missing ? 'The path is relative to this file.' : read.failure.hint,
    )
  try {
    JSON.parse(read.text)
  } catch (error) {
    return fail(`${named} is not JSON${placeIn(error, read.text)}.`, 'An .avsc file holds one JSON object.')
  }
  try {
    parseSchema(read.text)
    return { file, text: read.text }
  } catch (thrown) {
    const error = toWeirError(thrown, 'schema.invalid')
    return fail(
      `${named} is not a usable Avro schema: ${error.message}${error.at ? ` (at ${error.at})` : ''}`,
      error.hint ?? 'The root of the schema is a record whose types are all defined.',
    )
  }
}

function placeIn(error: unknown, text: string): string {
  const position = /position (\d+)/.exec(error instanceof Error ? error.message : '')?.[1]
  if (position === undefined) return text.trim() === '' ? ': it is empty' : ''
  const before = text.slice(0, Number(position)).split('\n')
  return ` (line ${before.length}, column ${before.at(-1)!.length + 1})`
}

/**
 * Checks a mapping against the schema. `own`: the mapping stands in the definition, so each problem points at its field;
 * else it is the connector's and the problems point at `at`.
 */
export function checkAgainst(
  map: Readonly<Record<string, string>>,
  schema: SchemaFile,
  at: { readonly pointer: string; readonly own: boolean },
  problems: Problems,
): void {
  try {
    for (const problem of checkMapping(map, schema.text)) {
      const own = at.pointer + problem.pointer
      // What does not compile was said when the expression was read.
      if (at.own && !problems.failedAt(own, 'value')) problems.add({ ...problem, pointer: own })
      else if (!at.own)
        problems.add({
          ...problem,
          pointer: at.pointer,
          on: 'key',
          message: `The mapping of ${nameOf(at.pointer)} does not fit the schema: ${problem.message}`,
          hint: problem.hint ?? 'Write a `map:` of your own.',
        })
    }
  } catch (thrown) {
    if (!(thrown instanceof WeirError)) throw thrown
    problems.add({ code: 'config.mapping', message: thrown.message, pointer: at.pointer, on: 'key', hint: thrown.hint })
  }
}
