// Planted bugs keep their place: a plant that fits nowhere any more, or elsewhere too, is told before the slow tests that need it run.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { kafkaPlants, type Plant, planted, plants } from '../../support/plants.ts'

const src = resolve(import.meta.dirname, '../../../src')
const all: Readonly<Record<string, Plant>> = { ...plants, ...kafkaPlants }
const folder = mkdtempSync(join(tmpdir(), 'weir-plants-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test.each(Object.keys(all))('%s: there is one place for it, and the program with it can be read', name => {
  const plant = all[name]!
  const text = readFileSync(join(src, plant.file), 'utf8')
  const changed = planted(plant, text)
  expect(changed).not.toBe(text)
  const file = join(folder, 'planted.mjs')
  writeFileSync(file, stripTypeScriptTypes(changed))
  execFileSync(process.execPath, ['--check', file], { stdio: 'pipe' })
})

test('a plant with two places for it is refused, and one with none', () => {
  const plant: Plant = { file: 'x.ts', find: /await check\(\)/, replace: '' }
  expect(planted(plant, 'a(); await check(); b()')).toBe('a(); ; b()')
  expect(() => planted(plant, 'if (spent) await check()\nawait check()')).toThrow('2 places to plant in x.ts')
  expect(() => planted(plant, 'a()')).toThrow('0 places to plant in x.ts')
})
