import { expect, test } from 'vitest'
import { redact, remember } from '../../../src/core/secret.ts'

const value = `s3cr&t x+/="é'(z)`
remember(value)

const forms: readonly (readonly [string, string])[] = [
  ['as it stands', value],
  ['encoded for a part of a URL', encodeURIComponent(value)],
  ['encoded by a form, as a query is', new URLSearchParams({ q: value }).toString().slice(2)],
  ['with small hex digits', encodeURIComponent(value).replace(/%../g, hex => hex.toLowerCase())],
  ['written into a query as it is', new URL(`https://a.example/?${value}`).search.slice(1)],
  ['written into a path as it is', new URL(`https://a.example/${value}`).pathname.slice(1)],
  ['in JSON', JSON.stringify(value).slice(1, -1)],
  ['in JSON within JSON', JSON.stringify(JSON.stringify(value)).slice(3, -3)],
]

test.each(forms)('I9: a secret is hidden %s', (_, form) => {
  expect(redact(`before ${form} after`)).toBe('before *** after')
})

test.each(['', 'u:', 'us:', 'use:'])('I9: a secret is hidden in Base64 behind %j', lead => {
  const shown = redact(Buffer.from(`${lead}${value}`).toString('base64'))
  expect(shown).toContain('***')
  expect(Buffer.from(shown.replaceAll('*', ''), 'base64').toString()).not.toContain('s3cr&t')
})
