// AWS Signature Version 4, with the date of each attempt.
import { signAws } from '../../core/aws-signature.ts'
import type { Clock } from '../../core/clock.ts'
import { reveal } from '../../core/secret.ts'
import type { Signer } from '../../fetch/guard.ts'
import type { SigV4Config } from './auth-spec.ts'

export function sigv4Signer(config: SigV4Config, clock: Clock): Signer {
  const { access_key, secret_key, session_token, region, service } = config
  return {
    sign: request =>
      signAws(
        request,
        {
          accessKey: reveal(access_key),
          secretKey: reveal(secret_key),
          ...(session_token === undefined ? {} : { sessionToken: reveal(session_token) }),
          region,
          service,
        },
        clock.now(),
      ),
  }
}
