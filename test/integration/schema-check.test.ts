// weir schema check and weir schema diff as people and CI use them: a git repository, a branch with a change, the command line.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openEmbeddedRegistry } from '../../src/adapters/registry-embedded/registry.ts'
import { runCli } from '../../src/cli/frame.ts'
import { systemClock } from '../../src/core/clock.ts'
import { baseText, changed, ratingLine } from '../support/review-scene.ts'
import { memoryTerminal } from '../support/terminal.ts'

let folder: string
const schemaFile = 'schemas/review.avsc'

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-schema-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function git(...args: string[]): string {
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_DATE: '2026-11-24T00:00:00Z',
    GIT_COMMITTER_DATE: '2026-11-24T00:00:00Z',
  }
  return execFileSync(
    'git',
    ['-c', 'user.name=t', '-c', 'user.email=t@example.com', '-c', 'init.defaultBranch=main', ...args],
    { cwd: folder, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
  )
}

function put(file: string, text: string): void {
  mkdirSync(dirname(join(folder, file)), { recursive: true })
  writeFileSync(join(folder, file), text)
}

const pipeline = `pipeline: reviews
source: { generate: { records: 1 } }
topic: { name: reviews, schema: ../${schemaFile} }
map:
  review_id: this.id
  rating: 1.0
  price: b"1"
  kind: '"TEXT"'
  taken_at: timestamp("2026-01-01T00:00:00Z")
consume:
  - group: cheap
    process: [{ filter: 'record.rating < 2.0' }]
    sink: { log: { fields: [review_id] } }
  - group: everything
    sink: { file: { path: out.ndjson } }
`

/** A repository with the schema and its pipeline on main, and a branch that is checked out. */
function repository(): void {
  put(schemaFile, baseText)
  put('pipelines/reviews.yaml', pipeline)
  git('init', '-q')
  git('add', '.')
  git('commit', '-qm', 'base')
  git('checkout', '-qb', 'change')
}

const weir = (...argv: string[]) => weirWith({}, ...argv)

async function weirWith(more: Readonly<Record<string, string>>, ...argv: string[]) {
  const env = { PATH: process.env['PATH'] ?? '', HOME: folder, GIT_CONFIG_NOSYSTEM: '1', ...more }
  const terminal = memoryTerminal({ cwd: folder, env })
  const code = await runCli(['schema', ...argv], terminal)
  return { code, out: terminal.out(), err: terminal.err() }
}

const lang = '    {"name": "lang", "type": "string", "doc": "Language."},\n'

test('a branch without a change has nothing to say', async () => {
  repository()
  const { code, out } = await weir('check')
  expect({ code, out }).toEqual({
    code: 0,
    out: 'Unchanged  reviews-value  schemas/review.avsc\n1 schema checked: 1 compatible.\n',
  })
})

test('a breaking change: exit code 1, the reason at its line, the consumers, in every form', async () => {
  repository()
  put(schemaFile, changed([ratingLine, ratingLine.replace('double', 'int') + lang]))
  const { code, out } = await weir('check')
  expect(code).toBe(1)
  expect(out).toContain('READER_FIELD_MISSING_DEFAULT_VALUE  Review.lang  schemas/review.avsc:9:5')
  expect(out).toContain('base version 1, main:schemas/review.avsc; candidate')
  expect(out).toMatch(
    /! reviews \/ cheap \(log\): reads rating\n.*! reviews \/ everything \(file\): takes the whole record/,
  )
  const json = await weir('check', '--format', 'json')
  expect(json.code).toBe(1)
  expect(JSON.parse(json.out)).toMatchObject({
    reviewVersion: 1,
    verdict: 'breaking',
    exitCode: 1,
    reviews: [{ subject: 'reviews-value', file: schemaFile }],
  })
  expect((await weir('check', '--format', 'github')).out).toMatch(
    /^::error file=schemas\/review.avsc,line=8,col=\d+,title=reviews-value%3A compatibility.TYPE_MISMATCH::/,
  )
  for (const [file, start] of [
    ['review.html', '<!doctype html>'],
    ['review.md', '## ❌'],
    ['junit.xml', '<?xml'],
    ['review.sarif', '{'],
    ['review.json', '{'],
    ['review.txt', 'Breaking'],
  ] as const) {
    const written = await weir('check', '--out', file)
    expect(written).toMatchObject({ code: 1, out: '', err: `wrote ${file}: breaking\n` })
    expect(readFileSync(join(folder, file), 'utf8').startsWith(start)).toBe(true)
  }
})

test('--fix writes the edits that keep the level, and the report is of the file as it is then', async () => {
  repository()
  put(schemaFile, changed([ratingLine, ratingLine + lang]))
  const { code, out, err } = await weir('check', '--fix')
  expect(code).toBe(0)
  expect(readFileSync(join(folder, schemaFile), 'utf8')).toBe(
    changed([
      ratingLine,
      ratingLine +
        lang.replace(
          '"type": "string", "doc": "Language."',
          '"type": ["null", "string"], "doc": "Language.", "default": null',
        ),
    ]),
  )
  expect(err).toContain('fixed schemas/review.avsc: Let lang be null, with the default null.')
  expect(err).toContain('+    {"name": "lang", "type": ["null", "string"]')
  expect(out).toContain('Compatible  reviews-value')
})

test('--fix leaves a file alone that no edit can mend, and tells the steps', async () => {
  repository()
  const text = changed(['["TEXT", "VIDEO"]', '["TEXT", "VIDEO", "AUDIO"]'])
  put(schemaFile, text)
  const { code, err } = await weir('check', '--fix', '--level', 'FORWARD')
  expect(code).toBe(1)
  expect(readFileSync(join(folder, schemaFile), 'utf8')).toBe(text)
  expect(err).toMatch(/not fixed schemas\/review.avsc.*\n.*\n +1\. Register the enum as it was, with a default/)
})

test('--strict makes warnings exit code 3', async () => {
  repository()
  put(schemaFile, changed(['"scale": 2', '"scale": 3']))
  expect((await weir('check')).code).toBe(0)
  expect((await weir('check', '--strict')).code).toBe(3)
})

test('the base is where the branch began, not what main has become since', async () => {
  repository()
  put(schemaFile, changed([ratingLine, ratingLine + lang.replace('"doc"', '"default": "en", "doc"')]))
  git('commit', '-qam', 'mine')
  git('checkout', '-q', 'main')
  put(
    schemaFile,
    changed([
      '"doc": "Price paid."}',
      '"doc": "Price paid."},\n    {"name": "other", "type": "string", "default": "", "doc": "O."}',
    ]),
  )
  git('commit', '-qam', 'theirs')
  git('checkout', '-q', 'change')
  const { out } = await weir('check', '--format', 'json')
  const [review] = JSON.parse(out).reviews
  expect(review.changes.map((each: { field: string }) => each.field)).toEqual(['Review.lang'])
  expect(review.base.from).toMatch(/^main \(merge base [0-9a-f]{10}\):schemas\/review.avsc$/)
})

test('a schema that was moved is held against what it was', async () => {
  repository()
  renameSync(join(folder, schemaFile), join(folder, 'schemas/moved.avsc'))
  put('schemas/moved.avsc', changed([ratingLine, ratingLine + lang]))
  put('pipelines/reviews.yaml', pipeline.replace('review.avsc', 'moved.avsc'))
  git('add', '-A')
  const { code, out } = await weir('check')
  expect(code).toBe(1)
  expect(out).toContain('main:schemas/review.avsc')
})

test('a subject that takes another file now is held against the file that it had: by its pipeline, by the policy', async () => {
  repository()
  const next = changed([ratingLine, ratingLine + lang])
  put('schemas/review-2.avsc', next)
  put('pipelines/reviews.yaml', pipeline.replace('review.avsc', 'review-2.avsc'))
  const { code, out } = await weir('check')
  expect(code).toBe(1)
  expect(out).toContain(`main:${schemaFile}`)
  put('schemas/governance.yaml', 'subjects: { other-value: { schema: review.avsc } }\n')
  git('add', 'schemas/governance.yaml')
  git('commit', '-qm', 'policy')
  put('schemas/governance.yaml', 'subjects: { other-value: { schema: review-2.avsc } }\n')
  expect(JSON.parse((await weir('check', '--against', 'HEAD', '--json')).out).reviews).toMatchObject([
    { subject: 'other-value', verdict: 'breaking' },
    { subject: 'reviews-value', verdict: 'breaking' },
  ])
})

test('the schema of a topic that a consumer writes is checked too', async () => {
  put('schemas/cheap.avsc', baseText)
  const sink = 'sink: { topic: { topic: cheap, schema: ../schemas/cheap.avsc } }'
  put('pipelines/reviews.yaml', pipeline.replace('sink: { log: { fields: [review_id] } }', sink))
  put(schemaFile, baseText)
  git('init', '-q')
  git('add', '.')
  git('commit', '-qm', 'base')
  put('schemas/cheap.avsc', changed([ratingLine, ratingLine + lang]))
  expect(JSON.parse((await weir('check', '--json')).out).reviews).toMatchObject([
    { subject: 'cheap-value', verdict: 'breaking' },
    { subject: 'reviews-value', verdict: 'ok' },
  ])
})

test('a schema that is not valid is unusable, at its line', async () => {
  repository()
  put(schemaFile, baseText.replace('"type": "double"', '"type": "dubble"'))
  const { code, out } = await weir('check')
  expect(code).toBe(1)
  expect(out).toMatch(/Unusable {2}reviews-value\n {2}schema.invalid .*\n {4}schemas\/review.avsc:8:/)
  put(schemaFile, '{"type": ')
  expect((await weir('check')).out).toContain('schemas/review.avsc:1:1')
})

test('versions in files: by their number, at the transitive levels', async () => {
  put('new.avsc', changed([ratingLine, ratingLine + lang.replace('"doc"', '"default": "en", "doc"')]))
  put('old/review.10.avsc', baseText)
  put('old/review.9.avsc', changed([ratingLine, ratingLine + lang.replace('"string"', '"int"')]))
  const { code, out } = await weir(
    'check',
    'new.avsc',
    '--history',
    'old',
    '--level',
    'BACKWARD_TRANSITIVE',
    '--format',
    'json',
  )
  const [review] = JSON.parse(out).reviews
  expect(code).toBe(1)
  expect(review).toMatchObject({ subject: 'new', base: { version: 10, from: 'old/review.10.avsc' }, levelFrom: 'flag' })
  expect(review.reasons).toMatchObject([{ field: 'Review.lang', versions: [9] }, { versions: [9] }])
  expect(
    review.levels
      .filter((each: { compatible: boolean }) => each.compatible)
      .map((each: { level: string }) => each.level),
  ).toEqual(['NONE', 'BACKWARD', 'FORWARD', 'FULL'])
})

test('in CI, a branch that was not fetched is an error, not a change that looks like none', async () => {
  repository()
  put(schemaFile, changed([ratingLine, ratingLine + lang]))
  const missing = await weirWith({ GITHUB_BASE_REF: 'main' }, 'check')
  expect(missing).toMatchObject({ code: 2, err: expect.stringContaining('git knows no origin/main.') })
  git('update-ref', 'refs/remotes/origin/main', 'main')
  expect((await weirWith({ GITHUB_BASE_REF: 'main' }, 'check')).code).toBe(1)
  const sha = git('rev-parse', 'main').trim()
  expect((await weirWith({ CI_MERGE_REQUEST_DIFF_BASE_SHA: sha }, 'check')).code).toBe(1)
})

test('a repository that git does not read, or no git, is an error too', async () => {
  repository()
  expect(await weirWith({ PATH: folder }, 'check')).toMatchObject({
    code: 2,
    err: expect.stringContaining('it is not installed'),
  })
  put('.git/HEAD', 'nonsense')
  put('.git/config', '[core')
  expect(await weir('check')).toMatchObject({
    code: 2,
    err: expect.stringContaining('git does not read this repository'),
  })
})

test('a base that git has not got the text of, as in a clone without blobs, is an error too', async () => {
  repository()
  put(schemaFile, changed([ratingLine, ratingLine + lang]))
  git('commit', '-qam', 'change')
  const blob = git('rev-parse', `main:${schemaFile}`).trim()
  rmSync(join(folder, '.git/objects', blob.slice(0, 2), blob.slice(2)))
  expect(await weir('check')).toMatchObject({
    code: 2,
    err: expect.stringContaining(`git has not got ${schemaFile} as it was at `),
  })
  renameSync(join(folder, schemaFile), join(folder, 'schemas/moved.avsc'))
  git('add', '.')
  expect(await weir('check', 'schemas/moved.avsc')).toMatchObject({
    code: 2,
    err: expect.stringContaining('git cannot tell which files were moved'),
  })
})

test('a schema in a linked folder is held against what it was there', async () => {
  repository()
  renameSync(join(folder, 'schemas'), join(folder, 'shared'))
  symlinkSync('shared', join(folder, 'schemas'))
  git('add', '.')
  git('commit', '-qm', 'linked')
  put(schemaFile, changed([ratingLine, ratingLine + lang]))
  expect((await weir('check', '--against', 'HEAD')).code).toBe(1)
  expect((await weir('check')).code).toBe(1)
  expect((await weir('diff', `HEAD:${schemaFile}`, schemaFile)).code).toBe(1)
})

test('a commit and files of a history are one or the other', async () => {
  repository()
  expect(await weir('check', '--against', 'main', '--history', 'schemas')).toMatchObject({
    code: 2,
    err: expect.stringContaining('--against and --history exclude each other'),
  })
})

test('a warning of the policy has its place', async () => {
  repository()
  put(
    'schemas/governance.yaml',
    `waivers:\n  - { rule: silent.uuid, subject: reviews-value, owner: a, reason: b, until: '2026-01-01' }\n`,
  )
  expect((await weir('check')).err).toContain('schemas/governance.yaml:2: The waiver ran out on 2026-01-01')
})

test('without a main branch, the last commit is the base, and it says so', async () => {
  repository()
  git('branch', '-q', '-D', 'main')
  put(schemaFile, changed([ratingLine, ratingLine + lang]))
  const { code, err } = await weir('check')
  expect([code, err]).toEqual([
    1,
    'There is no main branch here: compared with the last commit. Name another one with --against.\n',
  ])
})

test('without a repository and without a history there is nothing to compare with, and it says so', async () => {
  put('new.avsc', baseText)
  const { code, err, out } = await weir('check', 'new.avsc')
  expect([code, err]).toEqual([0, 'No git repository and no --history: there is nothing to compare with.\n'])
  expect(out).toContain('a new schema: nothing to be compatible with.')
})

test.each<[name: string, argv: string[], message: RegExp]>([
  ['a commit that git does not know', ['check', '--against', 'origin/gone'], /git knows no origin\/gone/],
  ['a commit that looks like a flag', ['check', '--against=--upload-pack=touch'], /no name of a commit/],
  ['a file that is not there', ['check', 'gone.avsc'], /gone\.avsc cannot be used/],
  ['a history that is not there', ['check', schemaFile, '--history', 'gone'], /There is no gone/],
  ['a form that --out does not say', ['check', '--out', 'review.pdf'], /says no form/],
  ['a level that is none', ['check', '--level', 'SIDEWAYS'], /SIDEWAYS/],
  ['a schema to diff that is nowhere', ['diff', 'gone.avsc', schemaFile], /There is no schema gone\.avsc/],
  ['a file that a commit does not have', ['diff', 'main:gone.avsc', schemaFile], /git has no main:gone\.avsc/],
])('%s: exit code 2 and what to do', async (_name, argv, message) => {
  repository()
  const { code, err } = await weir(...argv)
  expect(code).toBe(2)
  expect(err).toMatch(message)
})

test('diff of a commit and a file, and of two versions of the registry', async () => {
  repository()
  put(schemaFile, changed(['"scale": 2', '"scale": 3']))
  const files = await weir('diff', `main:${schemaFile}`, schemaFile)
  expect(files.code).toBe(0)
  expect(files.out).toContain('silent.decimal-scale  Review.price  schemas/review.avsc:10:31')
  {
    await using registry = await openEmbeddedRegistry({ dataDir: join(folder, '.weir'), clock: systemClock })
    await registry.register('reviews-value', baseText)
    await registry.register(
      'reviews-value',
      changed([ratingLine, ratingLine + lang.replace('"doc"', '"default": "en", "doc"')]),
    )
  }
  const versions = await weir('diff', 'reviews-value@1', 'reviews-value@latest', '--format', 'json')
  expect(versions.code).toBe(0)
  expect(JSON.parse(versions.out).reviews[0]).toMatchObject({
    subject: 'reviews-value',
    base: { version: 1, id: 1 },
    changes: [{ kind: 'field-added', field: 'Review.lang' }],
  })
  expect(await weir('diff', 'reviews-value@9', schemaFile)).toMatchObject({ code: 2 })
})

test('the policy: its level, its blocks, its waivers', async () => {
  repository()
  put(
    'schemas/governance.yaml',
    `subjects:\n  reviews-value: { owner: anna, level: FULL, block: ["silent.*"] }\nwaivers:\n  - { rule: silent.decimal-scale, subject: reviews-value, path: Review.price, owner: anna, reason: no data yet, until: 2026-11-24 }\n`,
  )
  put(schemaFile, changed(['"scale": 2', '"scale": 3']))
  const waived = await weir('check')
  expect(waived.code).toBe(0)
  expect(waived.out).toContain('level FULL (policy)')
  expect(waived.out).toContain('silent.decimal-scale at Review.price, until 2026-11-24, by anna: no data yet')
  put('schemas/governance.yaml', 'subjects:\n  reviews-value: { owner: anna, level: FULL, block: ["silent.*"] }\n')
  expect((await weir('check')).code).toBe(1)
})
