// A store of a weir that knew no references, metadata, deletion and modes: its ids, versions and levels are what they were.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, expect, test } from 'vitest'
import { applicationId, migrations } from '../../../src/adapters/embedded-store/migrations.ts'
import { openSchemaBook } from '../../../src/adapters/registry-embedded/book.ts'
import { openEmbeddedRegistry } from '../../../src/adapters/registry-embedded/registry.ts'
import { systemClock } from '../../../src/core/clock.ts'
import { canonicalText } from '../../../src/schema/parse.ts'

const root = mkdtempSync(join(tmpdir(), 'weir-migration-'))
afterAll(() => rmSync(root, { recursive: true }))

const schema = (name: string) =>
  canonicalText(
    JSON.stringify({ type: 'record', name, fields: [{ name: 'id', type: 'string', doc: 'key' }], 'x-owner': 'a' }),
  )

function oldStore(dataDir: string): void {
  const db = new DatabaseSync(join(dataDir, 'weir.db'))
  db.exec('PRAGMA page_size = 4096; PRAGMA journal_mode = WAL')
  for (const step of migrations.slice(0, 2)) db.exec(step)
  db.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = 2`)
  const add = db.prepare('INSERT INTO schema (id, text) VALUES (?, ?)')
  add.run(3, schema('A'))
  add.run(7, schema('B'))
  db.exec(`INSERT INTO subject_version VALUES ('a-value', 1, 3), ('a-value', 2, 7), ('b-value', 1, 7);
    INSERT INTO subject_level VALUES ('', 'FULL'), ('a-value', 'NONE')`)
  db.close()
}

test('an old store is taken over whole', async () => {
  oldStore(root)
  await using registry = await openEmbeddedRegistry({ dataDir: root, clock: systemClock })
  expect(await registry.subjects()).toEqual(['a-value', 'b-value'])
  expect(await registry.versions('a-value')).toEqual([1, 2])
  expect(await registry.byId(3)).toBe(schema('A'))
  expect(await registry.lookup('a-value', schema('B'))).toMatchObject({ id: 7, version: 2 })
  // A pipeline that starts again registers what it had.
  expect(await registry.register('a-value', schema('A'))).toMatchObject({ id: 3, version: 1 })
  expect(await registry.level()).toBe('FULL')
  expect(await registry.level('a-value')).toBe('NONE')
  expect(await registry.level('b-value')).toBeNull()
  // Ids go on after the highest.
  expect(await registry.register('a-value', schema('C'))).toMatchObject({ id: 8, version: 3 })
})

test('and taken over once: what is there after it stays', async () => {
  await using book = await openSchemaBook({ dataDir: root, clock: systemClock })
  await book.setMode('b-value', 'READONLY', false)
  expect(await book.deleteSubject('a-value', false)).toEqual([1, 2, 3])
  await using again = await openSchemaBook({ dataDir: root, clock: systemClock })
  expect(await again.subjects('live')).toEqual(['b-value'])
  expect(await again.subjects('deleted')).toEqual(['a-value'])
  expect(await again.own('b-value')).toEqual({ level: null, normalize: null, mode: 'READONLY' })
})
