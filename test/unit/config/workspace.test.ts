import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { problemsOf } from '../../../src/config/problem.ts'
import { findWorkspace, lintWorkspaceFile } from '../../../src/config/workspace.ts'

const root = mkdtempSync(join(tmpdir(), 'weir-workspace-'))
let top: string
let deep: string
let count = 0
beforeEach(() => {
  top = join(root, String(count++))
  deep = join(top, 'a', 'b')
  mkdirSync(deep, { recursive: true })
  // The search ends at the root of a repository, so tests see nothing of the folders above.
  mkdirSync(join(top, '.git'))
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const write = (text: string, folder = top) => writeFileSync(join(folder, 'weir.yaml'), text)

test('without weir.yaml all is embedded, the store beside the pipelines', () => {
  expect(findWorkspace(deep, {})).toEqual({
    file: null,
    broker: { kind: 'embedded' },
    registry: { kind: 'embedded' },
    dataDir: join(deep, '.weir'),
  })
})

test('the nearest weir.yaml upwards counts, its data folder is relative to it', () => {
  write('data: far\n')
  expect(findWorkspace(deep, {}).dataDir).toBe(join(top, 'far'))
  write('data: near\n', join(top, 'a'))
  writeFileSync(join(deep, 'p.yaml'), '')
  expect(findWorkspace(join(deep, 'p.yaml'), {})).toMatchObject({
    file: join(top, 'a', 'weir.yaml'),
    dataDir: join(top, 'a', 'near'),
  })
})

test('the search ends at the root of a repository', () => {
  write('data: far\n')
  mkdirSync(join(deep, '.git'))
  expect(findWorkspace(deep, {}).file).toBeNull()
})

test('--data wins, relative to where the command runs', () => {
  write('data: far\n')
  expect(findWorkspace(deep, {}, { dataDir: 'here', cwd: root }).dataDir).toBe(join(root, 'here'))
  expect(findWorkspace(deep, {}, { dataDir: '/abs' }).dataDir).toBe('/abs')
})

test('variables count in it', () => {
  write('data: ${DATA}/store\n')
  expect(findWorkspace(deep, { DATA: '/srv' }).dataDir).toBe('/srv/store')
})

test.each([
  'broker: { kafka: { brokers: [localhost:9092] } }\n',
  'registry: { url: http://localhost:8081 }\n',
  'broker: redpanda\n',
])('%s is told to be of another version, unless the environment overrides it', text => {
  write(text)
  expect(() => findWorkspace(deep, {})).toThrow(/This version has the embedded (broker|registry) only/)
  expect(findWorkspace(deep, { WEIR_BROKER: 'embedded', WEIR_REGISTRY: 'embedded' }).broker.kind).toBe('embedded')
})

test('WEIR_BROKER names what is not there yet', () => {
  expect(() => findWorkspace(deep, { WEIR_BROKER: 'kafka://x' })).toThrow(
    expect.objectContaining({ code: 'config.invalid', at: 'WEIR_BROKER' }),
  )
  expect(() => findWorkspace(deep, { WEIR_REGISTRY: 'http://x' })).toThrow(
    expect.objectContaining({ at: 'WEIR_REGISTRY' }),
  )
  expect(findWorkspace(deep, { WEIR_BROKER: '', WEIR_REGISTRY: 'embedded' }).broker.kind).toBe('embedded')
})

test('all mistakes of weir.yaml at once, with their places', () => {
  write('version: 3\nbrokr: embedded\ndata: 5\n')
  const problems = lintWorkspaceFile(join(top, 'weir.yaml'), {})
  expect(problems.map(p => `${p.code} ${p.line}:${p.column}`)).toEqual([
    'config.invalid 1:10',
    'config.unknown_field 2:1',
    'config.invalid 3:7',
  ])
  try {
    findWorkspace(deep, {})
    expect.unreachable()
  } catch (error) {
    expect(problemsOf(error)?.length).toBe(3)
  }
})
