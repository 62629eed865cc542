import fc from 'fast-check'
import { test } from 'vitest'
import { signAws } from '../../src/core/aws-signature.ts'
import { awsRefusal, receivedOf } from '../support/aws-verifier.ts'

const key = { accessKey: 'AKID', secretKey: 'secret+/key', region: 'us-east-1', service: 'execute-api' }
const nowMs = Date.UTC(2026, 0, 5)

test('a service accepts what is signed, for any path, query, header and body', () => {
  const text = fc.string({
    unit: fc.constantFrom(...'aZ09-._~ +%&=?#/!\'()*;:@,$[]{}|\\^`"<>\né中😀\u0000\u00ff'),
    maxLength: 12,
  })
  fc.assert(
    fc.property(
      fc.array(text, { maxLength: 4 }),
      fc.array(fc.tuple(text, text), { maxLength: 5 }),
      fc.string({ maxLength: 20 }),
      text,
      (path, query, header, body) => {
        const url = new URL(`https://a.example/${path.map(encodeURIComponent).join('/')}`)
        for (const [name, value] of query) url.searchParams.append(name, value)
        const request = { method: 'POST', url: url.href, headers: { 'x-amz-meta': header }, body }
        const sent = signAws(request, key, nowMs)
        if (awsRefusal(receivedOf(sent), key, nowMs) !== null) return false
        return (
          JSON.stringify([...new URL(sent.url).searchParams].sort()) === JSON.stringify([...url.searchParams].sort())
        )
      },
    ),
  )
})
