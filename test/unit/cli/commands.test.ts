// What every command of the map owes its user.
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
