// The published package: built, packed, unpacked elsewhere, run from an empty folder, with no library but those in its bundle.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runWeir } from '../support/cli.ts'

const root = resolve(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'weir-pack-'))
const empty = join(folder, 'empty')
const main = join(folder, 'package', 'dist', 'main.js')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

beforeAll(() => {
  mkdirSync(empty)
  const run = (command: string, args: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: 'utf8' })
    expect(status, `${command} ${args.join(' ')}\n${stdout}${stderr}`).toBe(0)
    return stdout
  }
  run(process.execPath, ['.ci/build.ts'])
  run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder])
  const tarball = readdirSync(folder).find(name => name.endsWith('.tgz'))
  run('tar', ['-xzf', join(folder, tarball!), '-C', folder])
}, 120_000)

test('runs from an empty folder', async () => {
  expect(await runWeir(['--version'], { cwd: empty, main })).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^weir \d/),
    err: '',
  })
  expect(await runWeir(['connectors', '--json'], { cwd: empty, main })).toMatchObject({ code: 0, err: '' })
  const doctor = await runWeir(['doctor', '--json'], { cwd: empty, main })
  expect(JSON.parse(doctor.out).findings).toContainEqual(
    expect.objectContaining({ check: 'weir', message: 'runs from its build' }),
  )
  expect(readdirSync(empty).filter(name => name !== '.cache')).toEqual([])
})

test('every piece of the bundle can be loaded, with the files it reads', () => {
  const chunks = join(folder, 'package/dist/chunks')
  const program = `import { readdirSync } from 'node:fs'
    for (const name of readdirSync(${JSON.stringify(chunks)})) await import(${JSON.stringify(`${chunks}/`)} + name)`
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd: empty,
    encoding: 'utf8',
  })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
})

test('a page is read in its thread', async () => {
  writeFileSync(join(empty, 'page.html'), '<ul id="reviews"><li><b>r1</b> fine</li></ul>')
  const definition = `pipeline: pages
source: { file: { paths: [page.html], html: { require: "#reviews", item: li, fields: { id: b } } } }
map: { review_id: this.id, product_asin: this.id, rating: "5.0" }
topic: { name: pages, schema: ${JSON.stringify(join(root, 'schemas/raw-review.avsc'))} }
`
  writeFileSync(join(empty, 'pages.yaml'), definition)
  const { code, err } = await runWeir(['run', 'pages.yaml', '--until', 'end'], { cwd: empty, main })
  expect({ code, err }).toEqual({ code: 0, err: '' })
  const { out } = await runWeir(['topic', 'cat', 'pages', '--json'], { cwd: empty, main })
  expect(JSON.parse(out.split('\n')[0]!)).toMatchObject({ value: { review_id: 'r1' } })
})

test('the weir command is the shebang of the package', () => {
  const { bin } = JSON.parse(readFileSync(join(folder, 'package', 'package.json'), 'utf8'))
  expect(bin).toEqual({ weir: 'dist/main.js' })
  const { status, stdout } = spawnSync(main, ['--version'], {
    cwd: empty,
    encoding: 'utf8',
    env: { PATH: `${join(root, 'node_modules', '.bin')}${delimiter}${process.env['PATH']}` },
  })
  expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringMatching(/^weir \d/) })
})

test('brings the data its modules read, and no tests, sources or machine files', () => {
  const files = readdirSync(join(folder, 'package'), { recursive: true, encoding: 'utf8' })
  for (const needed of [
    'dist/main.js',
    'dist/THIRD-PARTY.txt',
    'dist/sources/vendors/oxylabs.yaml',
    'schemas/raw-review.avsc',
    'schemas/dead-letter.avsc',
    'package.json',
    'README.md',
    'LICENSE',
  ])
    expect(files).toContain(needed)
  expect(files.filter(f => f.startsWith('dist/') && f.endsWith('.ts'))).toEqual([])
  expect(files.filter(f => /^(src|test|bench|\.ci)\//.test(f))).toEqual([])
})

/** A Node older than weir takes, if this machine has one beside the project's own. */
const oldNode = (process.env['PATH'] ?? '')
  .split(delimiter)
  .map(entry => join(entry, 'node'))
  .filter(existsSync)
  .find(node => {
    const { stdout } = spawnSync(node, ['-p', 'process.versions.node'], { encoding: 'utf8' })
    return Number(stdout.split('.')[0]) < 24
  })

test.skipIf(!oldNode)(
  `an old Node gets a sentence, not a syntax error${oldNode ? '' : ' (skipped: no old Node here)'}`,
  () => {
    const { status, stderr } = spawnSync(oldNode!, [main, 'lint'], { cwd: empty, encoding: 'utf8' })
    expect(stderr).toMatch(/^error\[environment\.unsupported\] Node [\d.]+ is too old\n {2}hint: Install Node 24/)
    expect(status).toBe(3)
  },
)
