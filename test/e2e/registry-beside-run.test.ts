// The embedded registry served beside a running pipeline, where weir.yaml says so: what the pipeline registers, other programs see.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { mainFile } from '../support/cli.ts'
import { eventually } from '../support/eventually.ts'
import { ask } from '../support/registry-server.ts'
import { freePort } from '../support/services/ports.ts'

const project = fileURLToPath(new URL('../..', import.meta.url))
const cwd = mkdtempSync(join(tmpdir(), 'weir-beside-'))
const token = 'canary-beside-token'
let port: number
beforeAll(async () => {
  for (const folder of ['pipelines', 'schemas']) cpSync(join(project, folder), join(cwd, folder), { recursive: true })
  port = await freePort()
  writeFileSync(
    join(cwd, 'weir.yaml'),
    `registry:\n  embedded:\n    serve: { port: ${port}, token: "\${REGISTRY_TOKEN}" }\n`,
  )
})
afterAll(() => rmSync(cwd, { recursive: true, force: true }))

interface Running {
  readonly child: ChildProcess
  readonly output: () => string
}

function run(pipeline: string): Running {
  const child = spawn(process.execPath, [mainFile, 'run', pipeline], {
    cwd,
    env: { PATH: process.env['PATH'] ?? '', HOME: cwd, REGISTRY_TOKEN: token },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout!, child.stderr!])
    stream.setEncoding('utf8').on('data', text => {
      output += text
    })
  return { child, output: () => output }
}

test('a run serves the registry; a second one of the workspace says that it does not, and runs', async () => {
  const url = `http://127.0.0.1:${port}`
  const get = (path: string) =>
    ask(url, 'GET', path, undefined, { authorization: `Bearer ${token}` }).catch(() => undefined)
  const first = run('pipelines/finefoods.yaml')
  const second: Running[] = []
  try {
    await eventually('the schema of the pipeline is there', async () => {
      const answer = await get('/subjects')
      return Array.isArray(answer?.body) && answer.body.length > 0
    })
    // Its log is written in pieces, up to 200 ms late.
    await eventually('it says so', () => first.output().includes(`The schema registry answers at ${url}`))
    const [subject] = (await get('/subjects'))!.body as string[]
    expect((await get(`/subjects/${subject}/versions/latest`))!.body).toMatchObject({ subject, version: 1 })
    expect((await ask(url, 'GET', '/subjects')).status).toBe(401)

    second.push(run('pipelines/top-reviews.yaml'))
    await eventually('the second run has started', () => second[0]!.output().includes('"pipeline_started"'))
    await eventually('it says so', () => second[0]!.output().includes('The registry is not served by this run'))
    expect(second[0]!.output()).toContain('listen.failed')
    expect(second[0]!.child.exitCode).toBeNull()
  } finally {
    for (const { child } of [first, ...second]) {
      child.kill('SIGTERM')
      await once(child, 'exit')
    }
  }
  expect(first.child.exitCode).toBe(0)
  expect(first.output() + second[0]!.output()).not.toContain(token)
  expect(await get('/subjects')).toBeUndefined()
})
