// docs/adding-a-source.md, step by step: its files are written, its commands run, its answer served, what it shows compared.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runWeir } from '../support/cli.ts'
import { pageSteps } from '../support/page-steps.ts'
import { type VendorServer, vendorServer } from '../support/vendor-run.ts'

const project = resolve(import.meta.dirname, '../..')
const page = readFileSync(join(project, 'docs/adding-a-source.md'), 'utf8')

const steps = pageSteps(page)
const answer = steps.find(({ what }) => what === 'answer')!.text

const cwd = mkdtempSync(join(tmpdir(), 'weir-adding-'))
let server: VendorServer
beforeAll(async () => {
  cpSync(join(project, 'schemas'), join(cwd, 'schemas'), { recursive: true })
  server = await vendorServer(({ query, headers }) => {
    if (headers['x-rapidapi-key'] !== 'secret-of-the-test') return { status: 401 }
    return { body: query.get('page') === '1' ? answer : '{"status":"OK","data":{"reviews":[]}}' }
  })
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  rmSync(cwd, { recursive: true, force: true })
})

const weir = (command: string) =>
  runWeir(command.replace(/^weir /, '').split(' '), {
    cwd,
    env: { RAPIDAPI_KEY: 'secret-of-the-test', RAPIDAPI_URL: server.url },
    deadlineMs: 60_000,
  })

test('the page has its steps', () => {
  expect(steps.map(({ what }) => what.split(':')[0])).toEqual(['run', 'answer', 'file', 'run', 'prints', 'file', 'run'])
})

test('the page works as it stands, step by step', { timeout: 120_000 }, async () => {
  const outputs: string[] = []
  for (const { what, text } of steps) {
    const file = /^file: (.+)$/.exec(what)?.[1]
    if (file) writeFileSync(join(cwd, file), text)
    else if (what === 'run')
      for (const command of text.trim().split('\n')) {
        const { code, out, err } = await weir(command)
        expect({ command, code, err: err.replace(/\nNext: .*\n/, '') }).toEqual({ command, code: 0, err: '' })
        outputs.push(out)
      }
    else if (what.startsWith('prints')) {
      const [, command, right, wrong] = /^prints: (.+), with (.+) misspelt (.+)$/.exec(what)!
      const name = command!.split(' ').at(-1)!
      const good = readFileSync(join(cwd, name), 'utf8')
      expect(good).toContain(right)
      writeFileSync(
        join(cwd, name),
        good.replace(right!, () => wrong!),
      )
      const { code, out } = await weir(command!)
      expect({ code, out: out.trimEnd() }).toEqual({ code: 2, out: text.trimEnd() })
      writeFileSync(join(cwd, name), good)
    }
  }
  const summaries = outputs
    .flatMap(out => out.split('\n'))
    .filter(line => line.includes('"event":"summary"'))
    .map(line => JSON.parse(line))
  expect(summaries).toMatchObject([
    { pipeline: 'kettles', fetched: 2, appended: 2, dead: {}, unaccounted: 0 },
    { pipeline: 'kettles', appended: 0, dead: {}, unaccounted: 0 },
  ])
  expect(outputs.join('')).toContain('R1EXAMPLE0002')
  expect(outputs.join('')).not.toContain('secret-of-the-test')
})

test('what `weir connectors new` writes lints, and is not written over', { timeout: 60_000 }, async () => {
  expect(await weir('weir connectors new another_vendor')).toMatchObject({ code: 0 })
  expect((await weir('weir lint another_vendor.yaml --strict')).out).toContain('1 file checked, nothing wrong.')
  expect(await weir('weir connectors new another_vendor')).toMatchObject({
    code: 2,
    err: expect.stringContaining('there already'),
  })
  expect(await weir('weir connectors new Another-Vendor')).toMatchObject({
    code: 2,
    err: expect.stringContaining('my_vendor'),
  })
  expect(readFileSync(join(cwd, 'README.md'), 'utf8')).toContain('weir lint another_vendor.yaml')
  expect(readFileSync(join(cwd, 'cassettes/another_vendor/reviews.yaml'), 'utf8')).toContain('expect:')
})
