import { expect, test } from 'vitest'
import { Secret } from '../../../src/core/secret.ts'
import { accessOf, type Tokens } from '../../../src/registry-server/access.ts'

const full = new Secret('full-access-token:with-colon')
const read = new Secret('read-access-token')
const tokens: Tokens = { full: () => full, read: async () => read }
const basic = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`

test.each([
  ['no header', undefined, 'none'],
  ['an empty one', '', 'none'],
  ['bearer', 'Bearer full-access-token:with-colon', 'full'],
  ['bearer in other letters', 'bearer full-access-token:with-colon', 'full'],
  ['bearer of the reader', 'Bearer read-access-token', 'read'],
  ['another bearer', 'Bearer full-access-token', 'none'],
  ['the token without scheme', 'full-access-token:with-colon', 'none'],
  ['basic with any name', basic('anyone:full-access-token:with-colon'), 'full'],
  ['basic without name', basic(':read-access-token'), 'read'],
  ['basic with the token as name', basic('read-access-token:'), 'none'],
  ['basic without colon', basic('read-access-token'), 'none'],
  ['basic that is no base64', 'Basic ***', 'none'],
  ['digest', 'Digest read-access-token', 'none'],
] as const)('%s: %s is %s', async (_, header, access) => {
  expect(await accessOf(header, tokens)).toBe(access)
})

test('without a token everyone may do everything', async () => {
  expect(await accessOf(undefined, { full: null, read: null })).toBe('full')
})

test('a rotated token counts at the next request', async () => {
  let current = new Secret('token-of-yesterday')
  const rotating: Tokens = { full: () => current, read: null }
  expect(await accessOf('Bearer token-of-yesterday', rotating)).toBe('full')
  current = new Secret('token-of-today')
  expect(await accessOf('Bearer token-of-yesterday', rotating)).toBe('none')
  expect(await accessOf('Bearer token-of-today', rotating)).toBe('full')
})
