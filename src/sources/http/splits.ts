// The splits of a source: one for each value of `for_each`, of several lists one for each combination.
import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import { WeirError } from '../../core/errors.ts'
import { decodeUtf8 } from '../../core/json-text.ts'
import type { Split } from '../../core/record.ts'
import { openFile } from '../file/place.ts'
import type { HttpConfig } from './spec.ts'

type ForEach = NonNullable<HttpConfig['for_each']>

const maxSplits = 100_000
const maxListBytes = 8 * 1024 * 1024
const maxIdBytes = 512

/** Reads the watch lists anew each time, so that they may grow. @throws file.*, config.invalid */
export async function splitsOf(forEach: ForEach | undefined, baseDir: string): Promise<readonly Split[]> {
  if (forEach === undefined) return [{ id: 'all', vars: {} }]
  let combinations: Readonly<Record<string, string | number>>[] = [{}]
  for (const [name, list] of Object.entries(forEach)) {
    const values = Array.isArray(list) ? list : await readList((list as { readonly file: string }).file, baseDir)
    const distinct = [...new Set(values)]
    if (combinations.length * distinct.length > maxSplits)
      throw new WeirError('config.invalid', `for_each gives more than ${maxSplits} splits`, {
        at: '/for_each',
        hint: 'Spread the values over several pipelines.',
      })
    combinations = combinations.flatMap(vars => distinct.map(value => ({ ...vars, [name]: value })))
  }
  const splits = new Map<string, Split>()
  for (const vars of combinations) {
    const id = splitId(vars)
    if (!splits.has(id)) splits.set(id, { id, vars })
  }
  return [...splits.values()]
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
