// weir prepare on the embedded broker: what a deployment runs before anything else.
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runCli } from '../../src/cli/frame.ts'
import { memoryTerminal } from '../support/terminal.ts'

let cwd: string
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'weir-prepare-'))
  mkdirSync(join(cwd, 'in'))
  write('one', 'review.avsc', 3)
  writeSchema('review.avsc', [{ name: 'id', type: 'string' }])
})
afterEach(() => rmSync(cwd, { recursive: true, force: true }))

const write = (pipeline: string, schema: string, partitions: number) =>
  writeFileSync(
    join(cwd, `${pipeline}.yaml`),
    `pipeline: ${pipeline}
source: { file: { paths: [in/*.ndjson], format: ndjson } }
map: { id: string(this.id) }
topic: { name: ${pipeline}_topic, schema: ${schema}, partitions: ${partitions} }
`,
  )
const writeSchema = (file: string, fields: readonly object[]) =>
  writeFileSync(join(cwd, file), JSON.stringify({ type: 'record', name: 'Review', fields }))

async function weir(...argv: string[]) {
  const terminal = memoryTerminal({ cwd })
  const code = await runCli([...argv, '--data', join(cwd, 'data')], terminal)
  return { code, out: terminal.out(), err: terminal.err() }
}
const items = (out: string) =>
  out
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line))

test('creates the topics and registers the schemas of several pipelines, and finds them there the next time', async () => {
  write('two', 'review.avsc', 1)
  const first = await weir('prepare', 'one.yaml', 'two.yaml', '--json')
  expect(first).toMatchObject({ code: 0, err: '' })
  expect(items(first.out)).toMatchObject([
    {
      pipeline: 'one',
      topics: [
        { topic: 'one_topic', partitions: 3, created: true },
        { topic: 'one_topic_dlq', partitions: 1, created: true },
      ],
      schemas: [{ subject: 'one_topic-value', version: 1 }, { version: 1 }],
    },
    { pipeline: 'two' },
  ])
  const again = await weir('prepare', 'one.yaml', '--json')
  expect(items(again.out)[0].topics.map((topic: { created: boolean }) => topic.created)).toEqual([false, false])
  expect((await weir('prepare', 'one.yaml')).out).toContain('one_topic: 3 partitions, was there')
})

test('I14: refuses a schema that breaks its subject, and leaves the one that is there', async () => {
  await weir('prepare', 'one.yaml')
  writeSchema('review.avsc', [
    { name: 'id', type: 'string' },
    { name: 'stars', type: 'int' },
  ])
  writeFileSync(
    join(cwd, 'one.yaml'),
    `pipeline: one
source: { file: { paths: [in/*.ndjson], format: ndjson } }
map: { id: string(this.id), stars: int(this.stars) }
topic: { name: one_topic, schema: review.avsc, partitions: 3 }
`,
  )
  const refused = await weir('prepare', 'one.yaml')
  expect(refused).toMatchObject({ code: 2, err: expect.stringContaining('registry.incompatible') })
  expect((await weir('topic', 'describe', 'one_topic', '--json')).out).toContain('"version":1')
})

test('refuses a topic that is there with other settings', async () => {
  await weir('prepare', 'one.yaml')
  write('one', 'review.avsc', 5)
  expect(await weir('prepare', 'one.yaml')).toMatchObject({
    code: 2,
    err: expect.stringContaining('log.topic_conflict'),
  })
})

test('I12: makes nothing when one of the definitions does not lint', async () => {
  writeFileSync(join(cwd, 'bad.yaml'), 'pipeline: bad\n')
  expect(await weir('prepare', 'one.yaml', 'bad.yaml')).toMatchObject({ code: 2, out: '' })
  expect(existsSync(join(cwd, 'data'))).toBe(false)
})
