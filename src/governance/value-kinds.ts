// What a text looks like, as a whole: kinds of personal data. A guess, so it is told and never acted on.
import { isIP } from 'node:net'
import type { PiiKind } from './policy.ts'

/** Longer texts are none of these. */
const maxLength = 254

/** True when the whole text looks like one of the kind. */
export function looksLike(kind: PiiKind, text: string): boolean {
  const trimmed = text.trim()
  return trimmed.length <= maxLength && tests[kind](trimmed)
}

const tests: Readonly<Record<PiiKind, (text: string) => boolean>> = {
  email: text => /^[^\s@<>"',;:()]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]{2,24}$/i.test(text),
  phone: isPhone,
  name: isName,
  ip: text => isIP(text) !== 0,
  card: text => /^[3-6]\d{3}([ -]?\d{2,6}){2,4}$/.test(text) && isLuhn(text.replace(/\D/g, '')),
  iban: isIban,
}

/** `+49 170 1234567`, `(030) 123-4567`. Bare digits are ids as often, and dates have separators too. */
function isPhone(text: string): boolean {
  if (!/^\+?[\d\s()./-]{7,24}$/.test(text)) return false
  const digits = text.replace(/\D/g, '').length
  if (digits < 7 || digits > 15 || /^\d{1,4}[-./]\d{1,2}[-./]\d{1,4}$/.test(text) || isIP(text) !== 0) return false
  return text.startsWith('+') || /[(]\d+[)]/.test(text) || /^0?\d{2,4}[ -]\d{3}[ -]?\d{3,4}$/.test(text)
}

/** Two to four words of letters that begin large, as in names of people; particles may be small. */
function isName(text: string): boolean {
  const words = text.split(/\s+/)
  if (words.length < 2 || words.length > 4 || text.length > 60) return false
  const isParticle = (word: string) => /^(de|da|di|del|der|den|van|von|la|le|bin|al|el)$/.test(word)
  const large = words.filter(word => /^\p{Lu}(\p{L}+([-'’]\p{L}+)*|\.)$/u.test(word))
  return large.length >= 2 && words.every(word => large.includes(word) || isParticle(word))
}

function isLuhn(digits: string): boolean {
  if (digits.length < 13 || digits.length > 19) return false
  let sum = 0
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i])
    sum += i % 2 === 0 ? digit : digit * 2 > 9 ? digit * 2 - 9 : digit * 2
  }
  return sum % 10 === 0
}

function isIban(text: string): boolean {
  const bare = text.replaceAll(' ', '').toUpperCase()
  if (!/^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/.test(bare)) return false
  const numbers = (bare.slice(4) + bare.slice(0, 4)).replace(/[A-Z]/g, letter => String(letter.charCodeAt(0) - 55))
  return BigInt(numbers) % 97n === 1n
}
