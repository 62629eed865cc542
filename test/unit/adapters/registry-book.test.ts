// The embedded registry where its port and its contract meet: modes hold for pipelines too, and text forms are what they are said to be.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openSchemaBook, type SchemaBook } from '../../../src/adapters/registry-embedded/book.ts'
import { confluentMessages } from '../../../src/adapters/registry-embedded/compatibility.ts'
import { plainRequest } from '../../../src/adapters/registry-embedded/registering.ts'
import { openEmbeddedRegistry } from '../../../src/adapters/registry-embedded/registry.ts'
import { systemClock } from '../../../src/core/clock.ts'
import type { SchemaRegistry } from '../../../src/pipeline/ports.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'weir-book-'))
let book: SchemaBook
let registry: SchemaRegistry
beforeAll(async () => {
  book = await openSchemaBook({ dataDir, clock: systemClock })
  registry = await openEmbeddedRegistry({ dataDir, clock: systemClock })
})
afterAll(async () => {
  await book[Symbol.asyncDispose]()
  await registry[Symbol.asyncDispose]()
  rmSync(dataDir, { recursive: true })
})

const record = (...fields: object[]) => JSON.stringify({ type: 'record', name: 'R', namespace: 'shop', fields })
const id = { name: 'id', type: 'string' }
const stars = (type: unknown, more: object = {}) => ({ name: 'stars', type, ...more })

describe('the embedded registry', () => {
  test('a mode that takes no schemas holds for pipelines too, and lets those run whose schema is there', async () => {
    await registry.register('mode-value', record(id))
    await book.setMode('mode-value', 'READONLY', false)
    expect(await registry.register('mode-value', record(id))).toMatchObject({ version: 1 })
    await expect(registry.register('mode-value', record(id, stars('int', { default: 0 })))).rejects.toMatchObject({
      code: 'registry.denied',
      hint: expect.stringContaining('mode'),
    })
  })

  test('a refusal tells pipelines in sentences what is wrong, and every failing version of a transitive level', async () => {
    await book.setConfig('told-value', { level: 'NONE' })
    for (const type of ['string', 'int', 'boolean']) await registry.register('told-value', record(id, stars(type)))
    await book.setConfig('told-value', { level: 'BACKWARD_TRANSITIVE' })
    const { verdict, reasons } = await registry.check('told-value', record(id, stars('long')))
    expect(verdict).toBe('incompatible')
    expect(reasons.map(each => /version \d/.exec(each)![0])).toEqual(['version 3', 'version 1'])
    await expect(registry.register('told-value', record(id, stars('long')))).rejects.toMatchObject({
      code: 'registry.incompatible',
      message: expect.stringContaining('BACKWARD_TRANSITIVE compatibility of told-value: reading values of version 3'),
      hint: expect.any(String),
    })
    // Clients of the REST contract hear of the newest one only.
    const objection = await book.check('told-value', plainRequest(record(id, stars('long'))), 'all')
    expect(objection.breaks.length).toBe(2)
    const messages = confluentMessages(objection)
    expect(messages).toHaveLength(4)
    expect(messages[1]).toBe('{oldSchemaVersion: 3}')
  })

  test('FULL: the old schema is told where the new one is the reader, as Confluent does', async () => {
    await book.setConfig('full-value', { level: 'FULL' })
    await registry.register('full-value', record(id))
    const forwardOnly = await book.check('full-value', plainRequest(record(stars('int', { default: 0 }))), 'latest')
    expect(confluentMessages(forwardOnly)).toEqual([
      expect.stringContaining('in the old schema has no default value and is missing in the new schema'),
      "{validateFields: 'false', compatibility: 'FULL'}",
    ])
    const both = await book.check('full-value', plainRequest(record(stars('int'))), 'latest')
    expect(confluentMessages(both)).toEqual([
      expect.stringContaining("The field 'id'"),
      expect.stringContaining("The field 'stars'"),
      '{oldSchemaVersion: 1}',
      expect.stringContaining('{oldSchema: '),
      "{validateFields: 'false', compatibility: 'FULL'}",
    ])
  })

  test('a long old schema is cut in messages', async () => {
    await registry.register('long-value', JSON.stringify({ ...JSON.parse(record(id)), doc: 'x'.repeat(20_000) }))
    const objection = await book.check('long-value', plainRequest(record(stars('int'))), 'latest')
    const shown = confluentMessages(objection).find(each => each.startsWith('{oldSchema:'))!
    expect(shown).toMatch(/^\{oldSchema: <truncated> '\{"type":"record".*\.\.\.'\}$/)
    expect(shown.length).toBeLessThan(10_400)
  })

  test('what a subject had softly deleted stands against nothing', async () => {
    await registry.register('soft-value', record(id, stars('string')))
    await book.deleteVersion('soft-value', 1, false)
    expect(await registry.latest('soft-value')).toBeNull()
    expect(await registry.check('soft-value', record(id, stars('int')))).toEqual({ verdict: 'compatible', reasons: [] })
    expect(await registry.register('soft-value', record(id, stars('int')))).toMatchObject({ version: 2 })
  })

  test('a deleted version that is still referred to keeps its row when it comes back', async () => {
    const part = '{"type":"enum","name":"Part","namespace":"shop","symbols":["A"]}'
    await book.register('part', plainRequest(part))
    const reference = { name: 'shop.Part', subject: 'part', version: 1 }
    const whole = { ...plainRequest(record({ name: 'part', type: 'shop.Part' })), references: [reference] }
    await book.register('whole', whole)
    await book.deleteSubject('whole', false)
    await book.deleteSubject('part', false)
    await book.register('part', plainRequest(part))
    expect((await book.versions('part', 'all')).map(({ version, deleted }) => [version, deleted])).toEqual([
      [1, true],
      [2, false],
    ])
    // What it refers to is found, although that is softly deleted.
    expect(await book.register('whole', whole)).toMatchObject({ version: 2 })
    expect(JSON.parse((await book.wholeText((await book.version('whole', 2)).id))!)).toMatchObject({
      fields: [{ name: 'part', type: { name: 'shop.Part', symbols: ['A'] } }],
    })
  })

  test('after the highest id there is none: nothing is registered under one that no value can carry', async () => {
    await book.setMode('last-value', 'IMPORT', false)
    const last = { ...plainRequest(record({ name: 'last', type: 'int' })), id: 2 ** 31 - 1 }
    expect(await book.register('last-value', last)).toMatchObject({ id: 2 ** 31 - 1, version: 1 })
    const next = plainRequest(record({ name: 'next', type: 'int' }))
    await expect(book.register('next-value', next)).rejects.toMatchObject({ errorCode: 50001 })
    expect(await book.subjects('all')).not.toContain('next-value')
  })
})
