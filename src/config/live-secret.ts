// Secrets that may be rotated while weir runs: a ${file:…} is read again at every use, all else stays what it was at the start.
// Each value that was ever read stays redacted (I9).
import { Secret } from '../core/secret.ts'
import type { LiveSecret } from './definition.ts'
import { resolveVariables, type VariableSource } from './variables.ts'

/**
 * The secret written as `text`, whose value now is `value`. While a file cannot be read, or is empty because it is just being replaced,
 * the value read last is given: the other side says whether it still holds.
 */
export function liveSecret(text: string, value: string | Secret, source: VariableSource): LiveSecret {
  let last = value instanceof Secret ? value : new Secret(value)
  if (!text.includes('${file:')) return () => last
  return () => {
    const resolved = resolveVariables(text, source)
    if ('text' in resolved && resolved.text !== last.reveal()) last = new Secret(resolved.text)
    return last
  }
}
