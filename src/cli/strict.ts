// What commander lets pass and weir does not: a flag given twice, and a flag that was taken for the value of the one before it.
import type { Command } from 'commander'
import { WeirError } from '../core/errors.ts'
import { printable } from './terminal.ts'

/** Makes a command and those below it refuse repeated flags and swallowed ones. Flags that gather values (`<x...>`) may repeat. */
export function beStrict(command: Command, inherited: readonly string[] = []): void {
  const known = [...inherited, ...command.options.flatMap(o => [o.long, o.short].filter(f => f !== undefined))]
  for (const option of command.options) {
    let given = 0
    command.on(`option:${option.name()}`, (value: unknown) => {
      if (++given > 1 && !option.variadic)
        throw new WeirError('usage.invalid', `${option.long ?? option.flags} is given twice`, {
          hint: 'Give it once; weir does not guess which one counts.',
        })
      if (option.required && typeof value === 'string' && known.includes(value))
        throw new WeirError(
          'usage.invalid',
          `${option.long ?? option.flags} needs a value, but ${printable(value)} follows`,
          {
            hint: `Write ${option.flags}.`,
          },
        )
    })
  }
  for (const child of command.commands) beStrict(child, known)
}
