// SASL logins against a broker made of words. I9: whatever fails, no password and no token is in the error.
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { logIn } from '../../../../src/adapters/event-log-kafka/login.ts'
import type { SaslOptions } from '../../../../src/adapters/event-log-kafka/options.ts'
import type { Api } from '../../../../src/adapters/event-log-kafka/protocol/api.ts'
import { beginScram } from '../../../../src/adapters/event-log-kafka/scram.ts'
import { Secret } from '../../../../src/core/secret.ts'

const password = 'pencil-with-a-point'
const plain: SaslOptions = { mechanism: 'plain', username: 'user', password: () => new Secret(password) }

interface Words {
  readonly error?: number
  readonly bytes?: string
}

/** A broker that offers all mechanisms and answers each of our words by `answer`. */
function broker(answer: (words: string, turn: number) => Words, offers = 'PLAIN SCRAM-SHA-256 OAUTHBEARER') {
  const heard: string[] = []
  const ask = async <Request, Answer>(api: Api<Request, Answer>, request: Request): Promise<Answer> => {
    if (api.name === 'SaslHandshake') {
      const mechanisms = offers.split(' ')
      return { error: mechanisms.includes(String(request)) ? 0 : 33, mechanisms } as Answer
    }
    heard.push(String(request))
    const { error = 0, bytes = '' } = answer(String(request), heard.length)
    return { error, reason: `${request}`, bytes: Buffer.from(bytes), sessionLifetimeMs: 5_000 } as Answer
  }
  return { heard, login: (sasl: SaslOptions) => logIn(sasl, 'host:9092', ask) }
}

/** The broker's side of SCRAM-SHA-256. */
function scramBroker(knows: string, change: (challenge: string) => string = text => text) {
  let first = ''
  let challenge = ''
  return broker((words, turn) => {
    if (turn === 1) {
      first = words.slice(3)
      const salt = Buffer.from('salt').toString('base64')
      challenge = change(`r=${first.split('r=')[1]}server,s=${salt},i=4096`)
      return { bytes: challenge }
    }
    const [, withoutProof] = /^(.*),p=/.exec(words)!
    const salted = pbkdf2Sync(knows, 'salt', 4096, 32, 'sha256')
    const serverKey = createHmac('sha256', salted).update('Server Key').digest()
    const said = `${first},${challenge},${withoutProof}`
    return { bytes: `v=${createHmac('sha256', serverKey).update(said).digest('base64')}` }
  })
}

test('SCRAM-SHA-256 says the words of the example in RFC 7677', async () => {
  const scram = beginScram('scram-sha-256', 'user', 'pencil', 'rOprNGfwEbeRWgbNEkqO')
  expect(scram.first).toBe('n,,n=user,r=rOprNGfwEbeRWgbNEkqO')
  const final = await scram.answer(
    'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
  )
  expect(final?.message).toBe(
    'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
  )
  expect(final?.proves('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=')).toBe(true)
  expect(final?.proves('v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=')).toBe(false)
  expect(final?.proves('e=other-error')).toBe(false)
})

test('SCRAM-SHA-512 proves the password as RFC 5802 defines it', async () => {
  const scram = beginScram('scram-sha-512', 'a=b,c', 'pw', 'abc')
  expect(scram.first).toBe('n,,n=a=3Db=2Cc,r=abc')
  const final = await scram.answer('r=abcdef,s=c2FsdA==,i=4096')
  const key = createHmac('sha512', pbkdf2Sync('pw', 'salt', 4096, 64, 'sha512'))
    .update('Client Key')
    .digest()
  const words = 'n=a=3Db=2Cc,r=abc,r=abcdef,s=c2FsdA==,i=4096,c=biws,r=abcdef'
  const signature = createHmac('sha512', createHash('sha512').update(key).digest()).update(words).digest()
  expect(final?.message).toBe(
    `c=biws,r=abcdef,p=${Buffer.from(key.map((b, i) => b ^ signature[i]!)).toString('base64')}`,
  )
})

describe('a login', () => {
  test('by PLAIN gives name and password, and the lifetime of the session', async () => {
    const { heard, login } = broker(() => ({}))
    expect(await login(plain)).toBe(5_000)
    expect(heard).toEqual([`\0user\0${password}`])
  })

  test('by SCRAM ends when the broker has proved that it knows the password', async () => {
    const { heard, login } = scramBroker(password)
    expect(await login({ ...plain, mechanism: 'scram-sha-256' })).toBe(5_000)
    expect(heard.join(' ')).not.toContain(password)
  })

  test('by OAUTHBEARER gives the token', async () => {
    const { heard, login } = broker(() => ({}))
    await login({ mechanism: 'oauthbearer', token: () => new Secret('tok.en.1') })
    expect(heard).toEqual(['n,,\x01auth=Bearer tok.en.1\x01\x01'])
  })

  test('asks for the credential each time, so that a rotated one works', async () => {
    const { heard, login } = broker(() => ({}))
    let turn = 0
    const rotating: SaslOptions = { ...plain, password: async () => new Secret(`rotated-${++turn}`) }
    await login(rotating)
    await login(rotating)
    expect(heard).toEqual(['\0user\0rotated-1', '\0user\0rotated-2'])
  })
})

describe('I9: a login is refused with user and mechanism, and without the secret', () => {
  const scram: SaslOptions = { ...plain, mechanism: 'scram-sha-256' }
  const token: SaslOptions = { mechanism: 'oauthbearer', token: () => new Secret(password) }
  const invalid = '{"status":"invalid_token"}'
  test.each<[string, { login(sasl: SaslOptions): Promise<number> }, SaslOptions, RegExp]>([
    ['the mechanism is not offered', broker(() => ({}), 'GSSAPI'), plain, /user "user" by PLAIN: it does not offer/],
    ['the password is wrong', broker(() => ({ error: 58 })), plain, /refuses the login of user "user" by PLAIN$/],
    ['another error', broker(() => ({ error: 34 })), plain, /by PLAIN: error code 34/],
    ['the token is wrong', broker((_, turn) => (turn === 1 ? { bytes: invalid } : { error: 58 })), token, /token/],
    ['SCRAM, wrong password', broker((_, turn) => (turn === 1 ? { error: 58 } : {})), scram, /SCRAM-SHA-256$/],
    ['a broker that does not know the password', scramBroker('another'), scram, /cannot prove/],
    ['a nonce that is not ours', scramBroker(password, c => `r=x${c.slice(2)}`), scram, /not valid/],
    ['a nonce without a part of the broker', scramBroker(password, c => c.replace('server', '')), scram, /not valid/],
    ['too few rounds', scramBroker(password, c => c.replace('4096', '1')), scram, /not valid/],
    ['rounds for a week', scramBroker(password, c => c.replace('4096', '9999999999')), scram, /not valid/],
    ['no challenge', scramBroker(password, () => 'nonsense'), scram, /not valid/],
    ['an empty challenge', scramBroker(password, () => ''), scram, /not valid/],
  ])('%s', async (_, { login }, sasl, message) => {
    const error = await login(sasl).then(
      () => null,
      thrown => thrown,
    )
    expect(error).toMatchObject({ code: 'log.login_refused', message: expect.stringMatching(message) })
    expect(error.hint).toBeTruthy()
    expect(inspect(error, { depth: 9 })).not.toContain(password)
  })
})
