// Schema governance from end to end, with real processes: a change on a git branch is checked, planned, reported and applied while a pipeline
// runs, and a plan goes on after its process died between two registrations.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type CliOptions, runWeir } from '../support/cli.ts'
import { eventually } from '../support/eventually.ts'
import { type GovernedWorkspace, governedWorkspace, reviewFields, reviewSchema } from '../support/governed-workspace.ts'

const weirIn =
  ({ dir }: GovernedWorkspace) =>
  (command: string, options: Partial<CliOptions> = {}) =>
    runWeir(command.split(' '), { cwd: dir, deadlineMs: 60_000, ...options })

const review = (id: number, more: object = {}) =>
  `${JSON.stringify({ review_id: `R${id}`, stars: 4.5, title: 'Fine', ...more })}\n`
const language = { name: 'language', type: ['null', 'string'], default: null, doc: 'Language, as in BCP 47.' }

test('branch, check, plan, report, apply, a running pipeline goes on, history', { timeout: 120_000 }, async () => {
  using workspace = governedWorkspace()
  const weir = weirIn(workspace)
  workspace.git('init', '-q', '-b', 'main')
  workspace.git('add', '.')
  workspace.git('commit', '-q', '-m', 'Reviews')
  workspace.append('data/reviews.ndjson', review(1) + review(2))

  // Nothing is registered by a run.
  const early = await weir('run pipelines/reviews.yaml')
  expect(early.code).toBe(2)
  expect(early.err).toContain('schema.not_registered')
  expect(JSON.parse((await weir('topic list --json')).out)).toEqual([])

  expect((await weir('schema plan --out first.json')).code).toBe(0)
  expect(await weir('schema apply first.json')).toMatchObject({ code: 0 })

  const rows = () =>
    existsSync(join(workspace.dir, 'out/reviews.ndjson'))
      ? workspace.read('out/reviews.ndjson').split('\n').filter(Boolean)
      : []
  let stop = () => {}
  const running = weir('run pipelines/reviews.yaml', { started: child => void (stop = () => child.kill('SIGTERM')) })
  await eventually('the first two reviews are written', () => rows().length === 2, 30_000)

  workspace.git('checkout', '-q', '-b', 'language')
  workspace.write('schemas/reviews.avsc', reviewSchema([...reviewFields, language]))
  workspace.git('commit', '-q', '-a', '-m', 'Language of a review')
  const check = await weir('schema check --json')
  expect(check.code).toBe(0)
  const [checked] = JSON.parse(check.out).reviews
  expect(checked).toMatchObject({ subject: 'reviews-value', verdict: 'ok', level: 'BACKWARD_TRANSITIVE' })
  expect(checked.base.from).toContain('main')
  expect(checked.consumers).toMatchObject([
    { group: 'reviews-export', fields: null },
    { group: 'reviews-low', fields: ['stars', 'title'], affected: false },
  ])

  const plan = await weir('schema plan --out plan.json --report review.html')
  expect(plan.code).toBe(0)
  expect(plan.out).toContain('+ Review.language')
  expect(plan.out).toContain('1 new version. Compatible.')
  expect(workspace.read('review.html')).toContain('reviews-value')
  const applied = await weir('schema apply plan.json')
  expect(applied).toMatchObject({ code: 0 })
  expect(applied.out).toMatch(/reviews-value {2}register a version after 1: version 2, id \d+/)

  // The pipeline that runs writes with the version that it started with; its consumers go on.
  workspace.append('data/reviews.ndjson', review(3))
  await eventually('a review that came after the new version', () => rows().length === 3, 30_000)
  stop()
  expect(await running).toMatchObject({ code: 0 })

  // Started again it writes the new version, and reads both.
  workspace.append('data/reviews.ndjson', review(4, { language: 'de' }))
  const again = await weir('run pipelines/reviews.yaml --until idle --idle-for 1s')
  expect(again.code).toBe(0)
  expect(rows().map(row => JSON.parse(row))).toMatchObject([
    { review_id: 'R1' },
    { review_id: 'R2' },
    { review_id: 'R3' },
    { review_id: 'R4', language: 'de' },
  ])

  const past = JSON.parse((await weir('schema history reviews-value --json')).out)
  expect(past).toMatchObject({
    level: 'BACKWARD_TRANSITIVE',
    level_from: 'policy',
    deleted: [],
    versions: [
      { version: 1, changes: [], keeps: null },
      { version: 2, changes: [{ kind: 'field-added', field: 'Review.language' }], keeps: true },
    ],
  })
})

test('killed between two registrations, the same plan goes on where it stopped', { timeout: 120_000 }, async () => {
  using workspace = governedWorkspace(['answers', 'reviews'])
  const weir = weirIn(workspace)
  await weir('schema plan --out first.json')
  expect(await weir('schema apply first.json')).toMatchObject({ code: 0 })
  for (const name of ['answers', 'reviews'])
    workspace.write(`schemas/${name}.avsc`, reviewSchema([...reviewFields, language]))
  expect((await weir('schema plan --out plan.json')).out).toContain('2 new versions. Compatible.')

  const killed = await weir('schema apply plan.json', { env: { WEIR_FAILPOINT: 'register.after_commit:1:kill' } })
  expect(killed.signal).toBe('SIGKILL')
  const versions = async () =>
    Promise.all(
      ['answers-value', 'reviews-value'].map(
        async subject => JSON.parse((await weir(`schema history ${subject} --json`)).out).versions.length,
      ),
    )
  expect(await versions()).toEqual([2, 1])

  const resumed = await weir('schema apply plan.json --json')
  expect(JSON.parse(resumed.out).steps).toMatchObject([
    { subject: 'answers-value', outcome: 'was done' },
    { subject: 'reviews-value', outcome: 'done', version: 2 },
  ])
  expect(await versions()).toEqual([2, 2])
  const third = await weir('schema apply plan.json --json')
  expect(JSON.parse(third.out).steps).toMatchObject([{ outcome: 'was done' }, { outcome: 'was done' }])
  expect(await versions()).toEqual([2, 2])
})
