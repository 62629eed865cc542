// A signature over what a template takes of the request, with the time of each attempt.
import { createHmac } from 'node:crypto'
import type { Clock } from '../../core/clock.ts'
import { reveal } from '../../core/secret.ts'
import type { Signer } from '../../fetch/guard.ts'
import { compileTemplate } from '../../mapping/template.ts'
import { type HmacConfig, signatureVars, signedVars } from './auth-spec.ts'

/** @throws config.expression */
export function hmacSigner(config: HmacConfig, clock: Clock): Signer {
  const toSign = compileTemplate(reveal(config.sign), signedVars)
  const value = compileTemplate(reveal(config.value), signatureVars)
  const header = config.header.toLowerCase()
  const timestampHeader = config.timestamp_header?.toLowerCase()
  return {
    sign(request) {
      const { pathname, search } = new URL(request.url)
      const nowMs = clock.now()
      const time = { timestamp: BigInt(Math.floor(nowMs / 1000)), now: BigInt(nowMs) }
      const body = typeof request.body === 'string' ? request.body : Buffer.from(request.body ?? '').toString('utf8')
      const text = toSign.render({ method: request.method, path: pathname, query: search.slice(1), body, ...time })
      const signature = createHmac(config.algorithm, reveal(config.secret)).update(text).digest(config.encoding)
      return {
        ...request,
        headers: {
          ...request.headers,
          ...(timestampHeader === undefined ? {} : { [timestampHeader]: String(time.timestamp) }),
          [header]: value.render({ signature, ...time }),
        },
      }
    },
  }
}
