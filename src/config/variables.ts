// ${VAR}, ${VAR:-default}, ${file:/path}: resolved once, when a definition is loaded, and never twice over. `$${` is a plain `${`.
// What comes from outside is known to `redact` from here on (I9). The environment comes in as an argument.
import { realpathSync } from 'node:fs'
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path'
import { suggestion } from '../core/suggest.ts'
import { decodeText, maxDefinitionBytes, readBytes } from './text.ts'

export interface VariableSource {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Folder of the definition: relative `${file:…}` start there. */
  readonly baseDir: string
}

export interface Resolved {
  readonly text: string
  /** What came from the environment or a file; empty when all of it stands in the definition. */
  readonly outside: readonly string[]
  /** Names of the variables in it, for messages. */
  readonly names: readonly string[]
  /** True when a value that came from outside looks like a variable itself. It is not resolved again. */
  readonly nested: boolean
}

export interface VariableFailure {
  readonly message: string
  readonly hint: string
  /** True when the variable is just not set: a check without the environment may let that pass. */
  readonly unset: boolean
}

const failed = (message: string, hint: string, unset = false): VariableFailure => ({ message, hint, unset })

export const hasVariable = (text: string): boolean => text.includes('${')

/** The text with its variables replaced, or everything that is wrong with them. */
export function resolveVariables(text: string, source: VariableSource): Resolved | readonly VariableFailure[] {
  const failures: VariableFailure[] = []
  const outside: string[] = []
  const names: string[] = []
  let result = ''
  let at = 0
  while (at < text.length) {
    const next = text.indexOf('${', at)
    if (next === -1) break
    if (text[next - 1] === '$' && next - 1 >= at) {
      result += `${text.slice(at, next - 1)}\${`
      at = next + 2
      continue
    }
    result += text.slice(at, next)
    const end = text.indexOf('}', next)
    if (end === -1) return [failed('A variable is not closed.', 'Close it with }, or write $${ for a plain ${.')]
    const value = readVariable(text.slice(next + 2, end), source, names)
    if (typeof value === 'string') result += value
    else if ('outside' in value) {
      outside.push(value.outside)
      result += value.outside
    } else failures.push(value)
    at = end + 1
  }
  if (failures.length > 0) return failures
  return { text: result + text.slice(at), outside, names, nested: outside.some(hasVariable) }
}

type Value = string | { readonly outside: string } | VariableFailure

function readVariable(body: string, source: VariableSource, names: string[]): Value {
  if (body.startsWith('file:')) {
    names.push(body)
    return fileValue(body.slice('file:'.length), source.baseDir)
  }
  const match = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s.exec(body)
  if (!match)
    return failed('This is no variable.', 'Write ${NAME}, ${NAME:-default} or ${file:/path}; for a plain ${ write $${.')
  const [, name, fallback] = match as unknown as [string, string, string | undefined]
  names.push(name)
  const value = Object.hasOwn(source.env, name) ? source.env[name] : undefined
  if (value === undefined || value === '') {
    if (fallback !== undefined) return fallback
    if (value === '')
      return failed(`The variable ${name} is empty.`, `Set it, or write \${${name}:-} where empty is meant.`, true)
    const near = suggestion(
      name,
      Object.keys(source.env).filter(known => source.env[known] !== undefined),
    )
    const hint = near.startsWith('Did') ? near : `Set it in the environment, or write \${${name}:-default}.`
    return failed(`The variable ${name} is not set.`, hint, true)
  }
  return singleLine(value, `The variable ${name}`)
}

/** A line break in a value could start a new header or a new YAML line where it is used. */
function singleLine(value: string, what: string): Value {
  if (/[\r\n\0]/.test(value))
    return failed(`${what} holds a line break or NUL.`, 'A value is one line; remove what follows it.')
  return { outside: value }
}

function fileValue(path: string, baseDir: string): Value {
  const what = `The file of \${file:${path}}`
  if (path === '') return failed('A file name is missing in ${file:}.', 'Write ${file:/run/secrets/name}.')
  if (path.split(/[\\/]/).includes('..'))
    return failed(`${what} leads upwards (..).`, 'Write an absolute path, or a path below the definition.')
  const file = isAbsolute(path) ? path : resolve(baseDir, path)
  const escaped = symlinkOut(file)
  if (escaped) return failed(`${what} is a symlink out of its folder.`, 'Name the file itself.')
  const read = readBytes(file, maxDefinitionBytes)
  if ('failure' in read)
    return failed(`${what} cannot be used. ${read.failure.message}`, read.failure.hint, read.failure.missing === true)
  const decoded = decodeText(read.bytes)
  if ('failure' in decoded) return failed(`${what} is not UTF-8 text.`, 'Store the value as UTF-8 text.')
  const value = decoded.text.replace(/[\r\n]+$/, '')
  if (value === '') return failed(`${what} is empty.`, 'Write the value into it.')
  return singleLine(value, what)
}

/** Mounted secrets are symlinks inside their own folder; one that leaves it points at something else. */
function symlinkOut(file: string): boolean {
  try {
    const inside = relative(realpathSync(dirname(file)), realpathSync(file))
    return inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside)
  } catch {
    return false
  }
}
