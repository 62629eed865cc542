// The client's side of SCRAM (RFC 5802, RFC 7677): words in, words out. The password itself is never sent.
import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

const derive = promisify(pbkdf2)

/** Fewer rounds protect the password too little; more would let a broker keep this machine busy. */
const minRounds = 4096
const maxRounds = 1_000_000

export interface ScramFinal {
  readonly message: string
  /** True when the broker's last words show that it knows the password too. */
  proves(serverFinal: string): boolean
}

/** Begins an exchange. `answer` takes the broker's challenge; null: it is not a valid one. `nonce` is random but in tests. */
export function beginScram(
  mechanism: 'scram-sha-256' | 'scram-sha-512',
  username: string,
  password: string,
  nonce = randomBytes(18).toString('base64url'),
): { readonly first: string; answer(challenge: string): Promise<ScramFinal | null> } {
  const digest = mechanism === 'scram-sha-256' ? 'sha256' : 'sha512'
  const hmac = (key: Buffer, text: string) => createHmac(digest, key).update(text).digest()
  const firstBare = `n=${username.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${nonce}`

  const answer = async (challenge: string): Promise<ScramFinal | null> => {
    const { r: serverNonce = '', s: salt = '', i = '' } = attributes(challenge)
    const rounds = Number(i)
    if (!serverNonce.startsWith(nonce) || serverNonce === nonce || salt === '') return null
    if (!Number.isInteger(rounds) || rounds < minRounds || rounds > maxRounds) return null
    const length = digest === 'sha256' ? 32 : 64
    const salted = await derive(password, Buffer.from(salt, 'base64'), rounds, length, digest)
    const withoutProof = `c=${Buffer.from('n,,').toString('base64')},r=${serverNonce}`
    const words = `${firstBare},${challenge},${withoutProof}`
    const clientKey = hmac(salted, 'Client Key')
    const signature = hmac(createHash(digest).update(clientKey).digest(), words)
    const proof = clientKey.map((byte, at) => byte ^ signature[at]!)
    const expected = hmac(hmac(salted, 'Server Key'), words)
    return {
      message: `${withoutProof},p=${Buffer.from(proof).toString('base64')}`,
      proves: serverFinal => {
        const given = Buffer.from(attributes(serverFinal)['v'] ?? '', 'base64')
        return given.length === expected.length && timingSafeEqual(given, expected)
      },
    }
  }
  return { first: `n,,${firstBare}`, answer }
}

/** `r=...,s=...,i=...` by their letters. */
function attributes(text: string): Partial<Record<string, string>> {
  return Object.fromEntries(text.split(',').map(part => [part.slice(0, 1), part.slice(2)]))
}
