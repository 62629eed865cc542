// A secret on the command line or in a variable: ${VAR} and ${file:/path} as in the definitions, so that it need not stand in the list of
// processes. One from a file is read anew at every use.
import type { LiveSecret } from '../config/definition.ts'
import { liveSecret } from '../config/live-secret.ts'
import { hasVariable, resolveVariables } from '../config/variables.ts'
import { WeirError } from '../core/errors.ts'
import type { CliContext } from './context.ts'

/** null when neither the flag nor the variable is there; `variable` null: there is none. @throws config.variable */
export function secretOption(
  { terminal, output }: CliContext,
  flag: { readonly name: string; readonly value: string | undefined },
  variable: string | null,
): LiveSecret | null {
  const text = flag.value ?? (variable === null ? undefined : terminal.env[variable])
  if (text === undefined) return null
  const source = { env: terminal.env, baseDir: terminal.cwd }
  const resolved = resolveVariables(text, source)
  if (!('text' in resolved))
    throw new WeirError('config.variable', resolved[0]!.message, {
      at: flag.value === undefined ? `environment variable ${variable}` : flag.name,
      hint: resolved[0]!.hint,
    })
  if (flag.value !== undefined && !hasVariable(text))
    output.warn(
      `${flag.name} holds a secret in plain text: it stands in the list of processes and in the history of the shell.`,
      `${variable === null ? 'Write' : `Set ${variable}, or write`} ${flag.name} '\${file:/path}'.`,
    )
  return liveSecret(text, resolved.text, source)
}
