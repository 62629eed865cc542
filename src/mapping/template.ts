// SIGNATURES ONLY for now: being filled in.
import type { Variables } from './expression.ts'
import { WeirError } from '../core/errors.ts'

export interface Template {
  readonly text: string
  /** False when there is no {{ }} in it: `render` always gives the same text. */
  readonly dynamic: boolean
  /** @throws map.failed */
  render(vars: Readonly<Record<string, unknown>>): string
}

/** Text with {{ CEL }} parts. @throws config.expression */
export function compileTemplate(text: string, vars: Variables): Template {
  throw new WeirError('internal', `not built yet ${text.length} ${Object.keys(vars).length}`)
}
