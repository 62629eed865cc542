// Set J: odd and hostile files. Each is read, or refused with its code and what to do; nothing is passed over silently.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { WeirError } from '../../src/core/errors.ts'
import { temporaryFolder } from '../support/file-source.ts'
import { arrangements, read } from './file-cases.ts'

interface FileCase {
  readonly case: string
  /** The error that ends the pass. */
  readonly code?: string
  readonly items?: readonly { readonly position: string; readonly code?: string; readonly place?: string }[]
  /** Held by the tests of the file sink. */
  readonly side?: 'sink'
}

const cases: readonly FileCase[] = JSON.parse(readFileSync(join(import.meta.dirname, 'files/expect.json'), 'utf8'))
const ofSource = cases.filter(({ side }) => side === undefined)

const listed =
  'missing · dir · fifo · device · symlink out of root · symlink loop · `..` in name from data · absolute name from data · name 300 bytes · name with newline · NUL · reserved chars · unreadable · grows while read · truncated while read · rotated · replaced inode · zero bytes · no last newline · 100 MB line · CRLF mix · CSV quote never closed · CSV ragged · CSV 10k columns · gzip file bomb · zip slip · hidden file · disk full on write · rename across devices · two sinks same file'

describe('odd files', () => {
  test('every listed case is there, those of the source with their set-up', () => {
    expect(cases.map(each => each.case)).toEqual(listed.split(' · '))
    expect(Object.keys(arrangements)).toEqual(ofSource.map(each => each.case))
  })

  test.each(ofSource)('$case', async ({ case: name, code, items = [] }) => {
    const folder = temporaryFolder()
    const setup = arrangements[name]!(folder)
    const rssBefore = process.memoryUsage.rss()
    const { batches, error } = await read(folder, setup)
    expect(process.memoryUsage.rss() - rssBefore).toBeLessThan(64 * 1024 * 1024)
    expect(error instanceof WeirError ? error.code : error).toBe(code)
    if (error instanceof WeirError) expect(error.hint).toBeTruthy()
    const found = batches.flatMap(batch => batch.items)
    expect(found.map(item => [item.position, item.error?.code])).toEqual(items.map(item => [item.position, item.code]))
    items.forEach(({ place }, i) => {
      if (place !== undefined) expect(found[i]!.place).toBe(place)
    })
    for (const item of found) if (item.error) expect(item.error.hint).toBeTruthy()
  })

  test.skip.each(cases.filter(({ side }) => side === 'sink'))('$case (held by the tests of the file sink)', () => {})
})
