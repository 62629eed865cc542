// Who sent a delivery: signatures in the forms that vendors use, two keys while one changes, tokens, times.
import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createProof, type Envelope, same } from '../../../../src/sources/webhook/proof.ts'
import { createFakeClock } from '../../../support/fake-clock.ts'
import { webhookConfig } from '../../../support/webhook-scene.ts'

const clock = createFakeClock()
const nowS = Math.floor(clock.now() / 1000)
const body = Buffer.from('{"a":1}')
const key = 'a key of thirty-two characters..'

const envelope = (headers: Record<string, string>, counts: Record<string, number> = {}): Envelope => ({
  headers,
  counts: new Map([...Object.keys(headers).map(name => [name, 1] as const), ...Object.entries(counts)]),
})
function verdict(fields: Record<string, unknown>, headers: Record<string, string>, bytes: Uint8Array = body): string {
  const proof = createProof(webhookConfig(fields), clock)
  try {
    proof.before(envelope(headers))
    proof.check(envelope(headers), bytes)
    return 'taken'
  } catch (error) {
    return (error as Error).message
  }
}
const mac = (parts: readonly (string | Uint8Array)[], algorithm = 'sha256', secret: string | Uint8Array = key) => {
  const hmac = createHmac(algorithm, secret)
  for (const part of parts) hmac.update(part)
  return hmac.digest()
}

describe('a signature', () => {
  const github = { header: 'X-Hub-Signature-256', secret: key, prefix: 'sha256=', timestamp_header: undefined }

  test('over the body alone, as GitHub signs', () => {
    const headers = { 'x-hub-signature-256': `sha256=${mac([body]).toString('hex')}` }
    expect(verdict({ signature: github }, headers)).toBe('taken')
    expect(verdict({ signature: github }, headers, Buffer.from('{"a":2}'))).toMatch(/does not belong to this body/)
  })

  test('over a version, time and body, as Slack signs', () => {
    const slack = {
      header: 'X-Slack-Signature',
      secret: key,
      prefix: 'v0=',
      timestamp_header: 'X-Slack-Request-Timestamp',
      sign: 'v0:{{ timestamp }}:{{ body }}',
    }
    const headers = {
      'x-slack-request-timestamp': `${nowS}`,
      'x-slack-signature': `v0=${mac([`v0:${nowS}:`, body]).toString('hex')}`,
    }
    expect(verdict({ signature: slack }, headers)).toBe('taken')
    expect(verdict({ signature: slack }, { ...headers, 'x-slack-request-timestamp': `${nowS + 1}` })).not.toBe('taken')
  })

  test('over id, time and body with several signatures, as Standard Webhooks has it', () => {
    const raw = Buffer.from('standard webhooks secret')
    const standard = {
      header: 'webhook-signature',
      secret: raw.toString('base64'),
      secret_encoding: 'base64',
      encoding: 'base64',
      prefix: 'v1,',
      timestamp_header: 'webhook-timestamp',
      sign: '{{ headers["webhook-id"] }}.{{ timestamp }}.{{ body }}',
    }
    const good = mac(['msg_1.', `${nowS}.`, body], 'sha256', raw).toString('base64')
    const other = mac(['x']).toString('base64')
    const headers = {
      'webhook-id': 'msg_1',
      'webhook-timestamp': `${nowS}`,
      'webhook-signature': `v1,${other} v2,what v1,${good}`,
    }
    expect(verdict({ signature: standard }, headers)).toBe('taken')
    expect(verdict({ signature: standard }, { ...headers, 'webhook-id': 'msg_2' })).not.toBe('taken')
    const { 'webhook-id': _, ...without } = headers
    expect(verdict({ signature: standard }, without)).toMatch(/lacks a header/)
  })

  test.each(['sha256', 'sha512', 'sha1'])('with %s, in Base64', algorithm => {
    const headers = { 'x-signature': mac([body], algorithm).toString('base64') }
    const signature = { ...github, header: 'X-Signature', prefix: undefined, encoding: 'base64', algorithm }
    expect(verdict({ signature }, headers)).toBe('taken')
  })

  test('of the key before is taken while both are named, and of no third', () => {
    const signature = { ...github, secret: 'the new key of the vendor 012345', previous_secret: key }
    const by = (secret: string) => ({
      'x-hub-signature-256': `sha256=${mac([body], 'sha256', secret).toString('hex')}`,
    })
    expect(verdict({ signature }, by(signature.secret))).toBe('taken')
    expect(verdict({ signature }, by(key))).toBe('taken')
    expect(verdict({ signature }, by('another'))).not.toBe('taken')
    expect(verdict({ signature: { ...signature, previous_secret: undefined } }, by(key))).not.toBe('taken')
  })
})

describe('a time', () => {
  const fields = { signature: { header: 'X-Signature', secret: key, prefix: undefined, timestamp_header: 'X-Time' } }
  const at = (time: string) =>
    verdict(fields, { 'x-time': time, 'x-signature': mac([`${time}.`, body]).toString('hex') })

  test.each([
    [`${nowS}`, 'taken'],
    [`${nowS - 300}`, 'taken'],
    [`${nowS + 300}`, 'taken'],
    [`${nowS}.25`, 'taken'],
    [`${nowS * 1000}`, 'taken'],
    [new Date(nowS * 1000).toISOString(), 'taken'],
    [`${nowS - 301}`, 'The delivery is from a time more than 5m 0s ago'],
    [`${nowS + 301}`, 'The delivery is from a time more than 5m 0s ahead'],
    ['NaN', 'The delivery has no time that can be read'],
    ['', 'The delivery has no time that can be read'],
    ['-1', 'The delivery has no time that can be read'],
    ['1e9', 'The delivery has no time that can be read'],
    ['2026-13-01T00:00:00Z', 'The delivery has no time that can be read'],
    ['yesterday', 'The delivery has no time that can be read'],
  ])('%s: %s', (time, expected) => {
    expect(at(time)).toBe(expected)
  })
})

describe('a token', () => {
  const fields = { unsigned: { bearer: key.replaceAll(' ', '-') } }
  const token = fields.unsigned.bearer

  test.each([
    [`Bearer ${token}`, 'taken'],
    [`bearer ${token}`, 'taken'],
    [`Bearer ${token}x`, 'The token is another one'],
    [`Basic ${token}`, 'The delivery has no token'],
    ['', 'The delivery has no token'],
  ])('%s: %s', (authorization, expected) => {
    expect(verdict(fields, { authorization })).toBe(expected)
  })
})

test('texts of any length are compared without throwing', () => {
  expect([same('a', 'a'), same('a', 'ab'), same('', 'x'), same(Buffer.from('a'), 'a')]).toEqual([
    true,
    false,
    false,
    true,
  ])
})
