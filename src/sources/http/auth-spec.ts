// `auth` of a request: how the source knows us.
import { fields, name, type Static, secret, Type, template } from '../../core/spec.ts'
import { choice, oneOf } from './spec-words.ts'

/** What templates of `hmac` see: the request as it is sent, and the time of the attempt. */
export const signedVars = ['method', 'path', 'query', 'body', 'timestamp', 'now'] as const
export const signatureVars = ['signature', 'timestamp', 'now'] as const
export const tokenVars = ['token'] as const

const headerName = (description: string, o: { default?: string } = {}) =>
  Type.String({ description, minLength: 1, maxLength: 200, ...o })

const oauth2 = fields(
  {
    token_url: template({ description: 'Address of the token endpoint.', vars: [] }),
    client_id: secret({ description: 'Who we are to the token endpoint.' }),
    client_secret: secret({ description: 'The secret of the client.' }),
    scope: Type.Optional(name({ description: 'What the token shall be good for.', maxLength: 2000 })),
    refresh_token: Type.Optional(
      secret({
        description:
          'A refresh token that stays the same: the token is asked for with it, not with the client credentials alone.',
      }),
    ),
    send: oneOf(['form', 'json', 'basic'], {
      description: 'Where the client credentials stand: in a form, in a JSON body, or in a basic header.',
      default: 'form',
    }),
    header: headerName('Header that carries the token.', { default: 'authorization' }),
    authorization: template({
      description: 'Value of that header.',
      vars: tokenVars,
      default: 'Bearer {{ token }}',
    }),
  },
  'OAuth2 client credentials: a token is asked for once for all splits, and renewed before it expires or when it is refused (401).',
)

const sigv4 = fields(
  {
    access_key: secret({ description: 'Id of the access key.' }),
    secret_key: secret({ description: 'The secret access key.' }),
    session_token: Type.Optional(secret({ description: 'Session token of temporary credentials.' })),
    region: name({ description: 'AWS region, such as us-east-1.', pattern: '^[A-Za-z0-9-]+$', maxLength: 64 }),
    service: name({
      description: 'Service name that is signed, such as ProductAdvertisingAPI.',
      pattern: '^[A-Za-z0-9._-]+$',
      maxLength: 64,
    }),
  },
  'AWS Signature Version 4. Signed are host, the date, and all x-amz- and content- headers.',
)

const hmac = fields(
  {
    secret: secret({ description: 'The key that both sides know.' }),
    algorithm: oneOf(['sha256', 'sha512', 'sha1'], { description: 'Hash of the signature.', default: 'sha256' }),
    encoding: oneOf(['hex', 'base64'], { description: 'How the signature is written.', default: 'hex' }),
    header: headerName('Header that carries the signature.'),
    value: template({ description: 'Value of that header.', vars: signatureVars, default: '{{ signature }}' }),
    timestamp_header: Type.Optional(headerName('Header that carries the timestamp, where the source wants it apart.')),
    sign: template({
      description:
        'What is signed, of the request as it is sent: method, path, query (without ?), body, timestamp (seconds since 1970), now (milliseconds).',
      vars: signedVars,
    }),
  },
  'A signature made of the request and a shared secret.',
)

export const authSpec = choice(
  {
    bearer: secret({ description: 'A token, sent as `authorization: Bearer …`.' }),
    basic: fields(
      { username: secret({ description: 'User name.' }), password: secret({ description: 'Password.' }) },
      'HTTP basic authentication.',
    ),
    api_key: fields(
      {
        header: Type.Optional(headerName('Header that carries the key.')),
        query: Type.Optional(
          Type.String({ description: 'Query parameter that carries the key.', minLength: 1, maxLength: 200 }),
        ),
        value: secret({ description: 'The key.' }),
      },
      'A key in a header or in the query: name exactly one.',
    ),
    oauth2,
    sigv4,
    hmac,
  },
  'How the source knows us.',
)

export type Auth = Static<typeof authSpec>
export type OAuth2Config = NonNullable<Auth['oauth2']>
export type SigV4Config = NonNullable<Auth['sigv4']>
export type HmacConfig = NonNullable<Auth['hmac']>
