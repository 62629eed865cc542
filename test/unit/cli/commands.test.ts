// What every command of the map owes its user.
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { runCli } from '../../../src/cli/frame.ts'
import { commands } from '../../../src/cli/index.ts'
import { memoryTerminal } from '../../support/terminal.ts'

async function helpOf(...argv: string[]): Promise<string> {
  const terminal = memoryTerminal()
  expect(await runCli([...argv, '--help'], terminal)).toBe(0)
  return terminal.out()
}

test.each(Object.keys(commands))(
  'weir %s has help with an example that starts with its name, and --json',
  async name => {
    const help = await helpOf(name)
    expect(help).toMatch(new RegExp(`^(Example: | {2})weir ${name}`, 'm'))
    expect(help).toContain('--json')
  },
)

test('the list in the help names every command with its summary', async () => {
  const help = await helpOf()
  for (const [name, { summary }] of Object.entries(commands))
    expect(help).toMatch(new RegExp(`^ +${name} +${summary.slice(0, 20)}`, 'm'))
})

test('weir lint --explain tells the guarantee of each pipeline that can run, for people and for programs', async () => {
  const cwd = resolve(import.meta.dirname, '../../..')
  const people = memoryTerminal({ cwd })
  expect(await runCli(['lint', '--explain', 'pipelines'], people)).toBe(0)
  expect(people.out()).toContain('source http -> topic demo_reviews: exactly once\n')
  expect(people.out()).toContain(
    'from the source to low-ratings (log): at least once, limited by sink log of low-ratings\n',
  )
  expect(people.out()).toContain('low-ratings (log) reads product_asin, rating, review_title\n')
  expect(people.out()).toMatch(/shown by test\/fault\/kill\.test\.ts: I1/)
  const program = memoryTerminal({ cwd, env: { WEIR_BROKER: 'a:9092' } })
  expect(await runCli(['lint', '--explain', '--json', 'pipelines/finefoods.yaml'], program)).toBe(0)
  expect(JSON.parse(program.out())).toMatchObject({
    files: 2, // and the policy
    problems: [],
    pipelines: [
      {
        pipeline: 'finefoods',
        broker: 'kafka',
        end_to_end: [{ guarantee: 'exactly_once' }],
        reads: [{ fields: null }],
      },
    ],
  })
})
