// A token that clients of a server of ours show.
import { reveal, type Secret } from '../core/secret.ts'

const minTokenLength = 8

export const tokenHint = `At least ${minTokenLength} characters, as from: openssl rand -hex 24`

/** What is wrong with a token, as in "`token` …"; null when nothing is. Headers carry no others. */
export function tokenFault(token: string | Secret): string | null {
  const text = reveal(token)
  if (text.length < minTokenLength) return `is shorter than ${minTokenLength} characters.`
  return /^[\x21-\x7e]+$/.test(text) ? null : 'has characters that no header carries, such as blanks.'
}
