import { expect, test } from 'vitest'
import { createOutput, displayWidth, progressText, renderTable } from '../../../src/cli/output.ts'
import { plain, printable } from '../../../src/cli/terminal.ts'
import { Secret } from '../../../src/core/secret.ts'
import { memoryTerminal } from '../../support/terminal.ts'

test('a table lines up its columns, numbers to the right', () => {
  const rows = [
    { name: 'short', count: 5 },
    { name: 'a longer name', count: 12_345 },
  ]
  expect(
    renderTable(
      [
        { title: 'NAME', value: r => r.name },
        { title: 'COUNT', value: r => String(r.count), align: 'right' },
      ],
      rows,
      plain,
    ),
  ).toEqual(['NAME           COUNT', 'short              5', 'a longer name  12345'])
})

test('wide and combined characters keep the columns straight', () => {
  expect(displayWidth('日本')).toBe(4)
  expect(displayWidth('👩‍👧')).toBe(2)
  expect(displayWidth('e\u0301')).toBe(1)
})

test('cells cannot break the table or move the cursor', () => {
  const [, line] = renderTable([{ title: 'A', value: (v: string) => v }], ['a\n\u001b[2Jb\u2028c'], plain)
  expect(line).toBe('a\\u000a\\u001b[2Jb\\u2028c')
})

test('a long cell is cut with an ellipsis', () => {
  expect(renderTable([{ title: 'A', value: (v: string) => v, max: 5 }], ['123456', '12345'], plain)).toEqual([
    'A',
    '1234…',
    '12345',
  ])
})

test('long text is cut, and says how long it was', () => {
  expect(printable('x'.repeat(500), 10)).toBe('xxxxxxxxxx… (500 characters)')
})

test('one object a line, gathered until it is flushed', async () => {
  const terminal = memoryTerminal()
  const output = createOutput(terminal, { json: true, color: true })
  await output.item({ a: 1 })
  await output.item({ a: 'new\nline' })
  await output.flush()
  expect(terminal.out()).toBe('{"a":1}\n{"a":"new\\nline"}\n')
})

test('waits for a slow reader instead of gathering without end', async () => {
  const terminal = memoryTerminal()
  let drained: (() => void) | undefined
  const slow = {
    ...terminal,
    stdout: { write: () => false, once: (_event: string, listener: () => void) => void (drained = listener) },
  }
  const output = createOutput(slow, { json: true, color: false })
  let done = false
  const writing = output.item({ text: 'x'.repeat(100_000) }).then(() => {
    done = true
  })
  await Promise.resolve()
  expect(done).toBe(false)
  drained!()
  await writing
  expect(done).toBe(true)
})

test('I9: a known secret is printed as *** on every road', async () => {
  new Secret('canary-7f3a')
  const terminal = memoryTerminal()
  for (const json of [true, false]) {
    const output = createOutput(terminal, { json, color: false })
    output.line('canary-7f3a')
    output.document({ a: 'canary-7f3a' })
    await output.item(['canary-7f3a'])
    await output.flush()
    output.table([{ title: 'A', value: () => 'canary-7f3a' }], [1])
    output.warn('canary-7f3a', 'canary-7f3a')
    output.note('canary-7f3a')
  }
  expect(terminal.out() + terminal.err()).not.toContain('canary')
})

test('notes are for people: nothing with --json', () => {
  const terminal = memoryTerminal()
  createOutput(terminal, { json: true, color: false }).note('hello')
  expect(terminal.err()).toBe('')
})

test('progress is drawn on a terminal only, and cleared at the end', () => {
  const off = memoryTerminal()
  const quiet = createOutput(off, { json: false, color: false }).progress('reading')
  quiet.update(1, 2)
  quiet.end()
  expect(off.err()).toBe('')
  const on = memoryTerminal({ tty: 80 })
  const shown = createOutput(on, { json: false, color: false }).progress('reading')
  shown.update(3, 10)
  shown.end()
  expect(on.err()).toBe('\r\u001b[2Kreading [######--------------] 30% 3/10\r\u001b[2K')
  expect(progressText(7, undefined)).toBe('7')
})
