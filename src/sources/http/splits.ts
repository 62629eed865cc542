// The splits of a source: one for each value of `for_each`, of several lists one for each combination.
import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import { WeirError } from '../../core/errors.ts'
import { decodeUtf8 } from '../../core/json-text.ts'
import type { Split } from '../../core/record.ts'
import { openFile } from '../file/place.ts'
import type { SplitVars } from './list.ts'
import type { HttpConfig } from './spec.ts'

type ForEach = NonNullable<HttpConfig['for_each']>

const maxSplits = 100_000
const maxListBytes = 8 * 1024 * 1024
const maxIdBytes = 512

/** Reads the watch lists anew each time, so that they may grow. @throws file.*, config.invalid, and what `listed` throws */
export async function splitsOf(
  forEach: ForEach | undefined,
  baseDir: string,
  listed: (name: string, vars: SplitVars) => Promise<readonly (string | number)[]>,
): Promise<readonly Split[]> {
  if (forEach === undefined) return [{ id: 'all', vars: {} }]
  let combinations: SplitVars[] = [{}]
  for (const [name, list] of Object.entries(forEach)) {
    const values = await valuesOf(list, baseDir)
    const longer: SplitVars[] = []
    for (const vars of combinations) {
      const distinct = new Set(values ?? (await listed(name, vars)))
      if (longer.length + distinct.size > maxSplits)
        throw new WeirError('config.invalid', `for_each gives more than ${maxSplits} splits`, {
          at: '/for_each',
          hint: 'Spread the values over several pipelines.',
        })
      for (const value of distinct) longer.push({ ...vars, [name]: value })
    }
    combinations = longer
  }
  const splits = new Map<string, Split>()
  for (const vars of combinations) {
    const id = splitId(vars)
    if (!splits.has(id)) splits.set(id, { id, vars })
  }
  return [...splits.values()]
}

/** The values of a list that is written in the definition or in a file; undefined: they come from a request. */
async function valuesOf(list: ForEach[string], baseDir: string): Promise<readonly (string | number)[] | undefined> {
  if (Array.isArray(list)) return list
  return 'file' in list ? readList(list.file, baseDir) : undefined
}

/** `asin=B07FZ8S74R,site=us`: stable, and free of characters that other tools stumble over. */
function splitId(vars: Readonly<Record<string, string | number>>): string {
  const id = Object.entries(vars)
    .map(([name, value]) => `${name}=${encodeURIComponent(String(value).toWellFormed()).replaceAll('%20', ' ')}`)
    .join(',')
  if (id.length <= maxIdBytes) return id
  return `${id.slice(0, maxIdBytes - 33)}#${createHash('sha256').update(id).digest('hex').slice(0, 32)}`
}

async function readList(file: string, baseDir: string): Promise<readonly string[]> {
  await using opened = await openFile(resolve(baseDir, file), file, baseDir)
  const { size } = await opened.handle.stat()
  if (size > maxListBytes)
    throw new WeirError('file.refused', 'The list is too large', {
      at: file,
      hint: 'A list has at most 8 MB; spread it over several pipelines.',
    })
  const text = decodeUtf8(await opened.handle.readFile(), file)
  return text
    .split(/\r\n|\n|\r/)
    .map(line => line.trim())
    .filter(line => line !== '' && !line.startsWith('#'))
}
