import { expect, test } from 'vitest'
import { confirm, openContext } from '../../../src/cli/context.ts'
import { createOutput } from '../../../src/cli/output.ts'
import { type MemoryTerminalOptions, memoryTerminal } from '../../support/terminal.ts'

function contextOf(options: MemoryTerminalOptions, json = false) {
  const terminal = memoryTerminal(options)
  const output = createOutput(terminal, { json, color: false })
  return openContext({
    terminal,
    output: () => output,
    dataFlag: () => null,
    wholeProgram: () => Promise.reject(new Error('not here')),
  })
}

test.each(['y\n', 'yes\n', 'Y\n'])('%j goes on', async input => {
  await expect(confirm(contextOf({ tty: 80, input }), 'Sure?', false)).resolves.toBeUndefined()
})

test.each(['n\n', '\n', 'yess\n', '', 'no\nyes\n'])('%j changes nothing', async input => {
  await expect(confirm(contextOf({ tty: 80, input }), 'Sure?', false)).rejects.toMatchObject({ code: 'usage.refused' })
})

test('--yes asks nobody', async () => {
  await expect(confirm(contextOf({}), 'Sure?', true)).resolves.toBeUndefined()
})

test('where nobody can answer, nothing is changed and --yes is named', async () => {
  for (const context of [contextOf({ input: 'y\n' }), contextOf({ tty: 80, input: 'y\n' }, true)])
    await expect(confirm(context, 'Sure?', false)).rejects.toMatchObject({
      code: 'usage.refused',
      hint: 'Add --yes to confirm.',
    })
})
