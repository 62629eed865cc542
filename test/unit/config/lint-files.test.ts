import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { runLint } from '../../../src/config/lint-files.ts'
import { cpuMs } from '../../support/cpu-time.ts'
import { pipelineText } from '../../support/definition-text.ts'
import { fakeCatalogue } from '../../support/fake-catalogue.ts'

const schema =
  '{"type":"record","name":"R","fields":[{"name":"review_id","type":"string"},{"name":"rating","type":"double"}]}'
const root = mkdtempSync(join(tmpdir(), 'weir-lint-'))
let cwd: string
let count = 0
beforeEach(() => {
  cwd = join(root, String(count++))
  mkdirSync(cwd)
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

function write(files: Record<string, string>): void {
  for (const [name, text] of Object.entries({ 'review.avsc': schema, ...files })) {
    mkdirSync(join(cwd, name, '..'), { recursive: true })
    writeFileSync(join(cwd, name), text)
  }
}
const lint = (...paths: string[]) => runLint(paths, { catalogue: fakeCatalogue, env: {}, cwd })
const found = (...paths: string[]) =>
  lint(...paths).problems.map(p => `${p.code} ${p.file.slice(cwd.length + 1)}:${p.line}`)
const named = (name: string, topic: string, rest = '') =>
  pipelineText({ rest }).replace('pipeline: reviews', `pipeline: ${name}`).replace('name: reviews', `name: ${topic}`)

test('a folder is searched for pipelines; other YAML in it is left alone', () => {
  write({
    'a.yaml': pipelineText(),
    'docker-compose.yml': 'services: { a: {} }\n',
    'deep/er/b.yml': named('b', 'b').replace('review.avsc', '../../review.avsc'),
    'node_modules/x/c.yaml': pipelineText(),
    '.hidden/d.yaml': pipelineText(),
    'notes.txt': 'pipeline: x',
  })
  const { files, problems, text } = lint('.')
  expect(files.map(file => file.slice(cwd.length + 1))).toEqual(['a.yaml', 'deep/er/b.yml'])
  expect(problems).toEqual([])
  expect(text).toBe('2 files checked, nothing wrong.\n')
})

test('without paths, pipelines/ and weir.yaml are checked', () => {
  write({
    'pipelines/a.yaml': pipelineText().replace('review.avsc', '../review.avsc'),
    'weir.yaml': 'brokr: embedded\n',
    'other.yaml': pipelineText({ rest: 'x: 1' }),
  })
  expect(found()).toEqual(['config.unknown_field weir.yaml:1'])
})

test('a broken pipeline in a folder is found, also when it is no text', () => {
  write({ 'a.yaml': 'pipeline: [', 'b.yaml': 'pipeline: a\0' })
  writeFileSync(join(cwd, 'c.yaml'), Buffer.from([0xff, 0xfe, 0x61, 0]))
  expect(found('.')).toEqual(['config.syntax a.yaml:1', 'config.unreadable b.yaml:1', 'config.unreadable c.yaml:1'])
})

test('a path that is not there is refused, with the nearest that is', () => {
  write({ 'reviews.yaml': pipelineText() })
  expect(() => lint('review.yaml')).toThrow(
    expect.objectContaining({ code: 'usage.not_found', hint: 'Did you mean reviews.yaml?' }),
  )
  expect(() => lint('nowhere/x.yaml')).toThrow(expect.objectContaining({ code: 'usage.not_found' }))
  mkdirSync(join(cwd, 'empty'))
  expect(() => lint('empty/x.yaml')).toThrow(expect.objectContaining({ hint: 'Check the path.' }))
  expect(() => lint('empty')).toThrow(expect.objectContaining({ code: 'usage.not_found' }))
})

test.skipIf(process.getuid?.() === 0)('a file that may not be read is named', () => {
  write({ 'a.yaml': pipelineText() })
  chmodSync(join(cwd, 'a.yaml'), 0)
  expect(found('a.yaml')).toEqual(['config.unreadable a.yaml:1'])
})

test('two pipelines of one name', () => {
  write({ 'a.yaml': named('same', 'a'), 'b.yaml': named('same', 'b') })
  expect(found('.')).toEqual(['config.conflict b.yaml:1'])
  expect(found('a.yaml', 'a.yaml')).toEqual([])
})

test('one group on one topic from two files; on two topics it is fine', () => {
  const consumer = 'consume:\n  - group: g\n    sink: { log: {} }'
  write({
    'a.yaml': named('a', 't', consumer),
    'b.yaml': named('b', 't', consumer),
    'c.yaml': named('c', 'u', consumer),
  })
  expect(found('.')).toEqual(['config.conflict b.yaml:11'])
})

test('one topic with two numbers of partitions', () => {
  write({ 'a.yaml': named('a', 't'), 'b.yaml': named('b', 't').replace('map:', '  partitions: 3\nmap:') })
  expect(found('.')).toEqual(['config.conflict b.yaml:7'])
})

test('dead letters that go into the topic of another pipeline', () => {
  write({ 'a.yaml': named('a', 't', 'dead_letter: { topic: u }'), 'b.yaml': named('b', 'u') })
  expect(found('.')).toEqual(['config.conflict a.yaml:10'])
})

test('two sinks that write the same file, in one file or in two', () => {
  const sink = (group: string, path: string) => `  - group: ${group}\n    sink: { file: { path: ${path} } }`
  write({
    'a.yaml': named('a', 'a', `consume:\n${sink('g', 'out.jsonl')}\n${sink('h', './out.jsonl')}`),
    'b.yaml': named('b', 'b', `consume:\n${sink('g', 'x/../out.jsonl')}\n${sink('h', 'other.jsonl')}`),
  })
  expect(found('.')).toEqual(['config.conflict a.yaml:14', 'config.conflict b.yaml:12'])
})

test('conflicts are found also where a file has other mistakes', () => {
  write({ 'a.yaml': named('same', 'a', 'x: 1'), 'b.yaml': named('same', 'b', 'y: 1') })
  expect(found('.')).toEqual([
    'config.unknown_field a.yaml:10',
    'config.conflict b.yaml:1',
    'config.unknown_field b.yaml:10',
  ])
})

test('fifty pipelines are checked in well under a second', () => {
  const consumer = 'consume:\n  - group: g\n    process: [{ filter: record.rating <= 2.0 }]\n    sink: { log: {} }'
  write(Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`p${i}.yaml`, named(`p${i}`, `t${i}`, consumer)])))
  const startedMs = cpuMs()
  expect(found('.')).toEqual([])
  expect(cpuMs() - startedMs).toBeLessThan(800)
})

test('on_broker_down: spool is warned about where the broker is embedded, and only there', () => {
  const spool = pipelineText({ rest: 'on_broker_down: spool' })
  write({ 'a.yaml': spool })
  expect(found('a.yaml')).toEqual([`config.warning a.yaml:${spool.trimEnd().split('\n').length}`])
  expect(lint('a.yaml').problems[0]!.message).toContain('`spool` has no effect')
  write({ 'weir.yaml': 'broker: { kafka: { brokers: ["${NOT_SET}:9092"] } }\nregistry: { url: https://r }\n' })
  expect(found('a.yaml')).toEqual(['config.variable weir.yaml:1'])
  write({ 'weir.yaml': 'broker: nonsense\n' })
  expect(found('a.yaml')).toEqual(['config.invalid weir.yaml:1'])
})

test('what is wrong in the weir.yaml that a run would use is told with any pipeline, once', () => {
  write({ 'a.yaml': pipelineText({}), 'weir.yaml': 'registry: { url: "127.0.0.1:8081" }\n' })
  expect(found('a.yaml')).toEqual(['config.invalid weir.yaml:1'])
  expect(found('a.yaml', 'weir.yaml')).toEqual(['config.invalid weir.yaml:1'])
})

test('raw pages do not go into the topic of records of another pipeline', () => {
  write({
    'a.yaml': named('a', 'shop').replace(/^source:\n/m, 'source:\n  keep_raw: topic\n'),
    'b.yaml': named('b', 'shop_raw'),
  })
  expect(lint('.').problems.map(p => p.message)).toContainEqual(
    'The raw pages would go into `shop_raw`, the topic of records of b.yaml.',
  )
})
