// The `webhook:` part of a pipeline: one description for type, check, editor schema and reference page.
import { duration, expression, fields, name, type Static, secret, size, Type, template } from '../../core/spec.ts'

/** What expressions over a delivery see. */
export const deliveryVars = ['headers', 'query', 'body'] as const
/** What the signed text is made of, besides the bytes of the body. */
export const signedVars = ['timestamp', 'headers'] as const

const mb = 1024 * 1024
const oneOf = <T extends string>(values: readonly T[], o: { description: string; default: T }) =>
  Type.Unsafe<T>({ type: 'string', enum: values, ...o })
const headerName = (description: string) => Type.String({ description, minLength: 1, maxLength: 200 })

const contentType = Type.String({
  description: 'A type in lower case, such as application/json; a * stands for any part of it.',
  minLength: 3,
  maxLength: 200,
  pattern: '^[a-z0-9!#$&^_.+*-]+/[a-z0-9!#$&^_.+*-]+$',
})

const signature = fields(
  {
    header: headerName('Header that carries the signature; several with spaces between are tried in turn.'),
    secret: secret({ description: 'The key that the vendor signs with.' }),
    previous_secret: Type.Optional(
      secret({ description: 'The key before it: both are taken while the vendor changes to the new one.' }),
    ),
    secret_encoding: oneOf(['text', 'base64'], { description: 'How the keys are written.', default: 'text' }),
    algorithm: oneOf(['sha256', 'sha512', 'sha1'], { description: 'Hash of the HMAC.', default: 'sha256' }),
    encoding: oneOf(['hex', 'base64'], { description: 'How the signature is written.', default: 'hex' }),
    prefix: Type.Optional(
      Type.String({
        description: 'Text before the signature in its header.',
        minLength: 1,
        maxLength: 100,
        examples: ['sha256='],
      }),
    ),
    timestamp_header: Type.Optional(
      headerName('Header with the time of the delivery: seconds or milliseconds since 1970, or an ISO date.'),
    ),
    tolerance: duration({
      description: 'With `timestamp_header`: how far that time may be from now.',
      default: '5m',
      min: 1000,
      max: 3_600_000,
    }),
    sign: Type.Optional(
      template({
        description:
          'The text that is signed; {{ body }} stands for the bytes of the body and must be there once. Omitted: {{ body }}, with `timestamp_header` {{ timestamp }}.{{ body }}.',
        vars: [...signedVars, 'body'],
      }),
    ),
  },
  'How a delivery is signed: an HMAC over its bytes as they came.',
)

const unsigned = Type.Object(
  {
    bearer: Type.Optional(
      secret({ description: 'The vendor sends `authorization: Bearer …` with this token, the same each time.' }),
    ),
    path_secret: Type.Optional(
      secret({ description: 'The address given to the vendor ends in this text, after `path` and a slash.' }),
    ),
  },
  {
    additionalProperties: false,
    minProperties: 1,
    maxProperties: 1,
    description:
      'For a vendor that signs nothing: what it sends instead. Whoever learns it can send anything, so serve it over TLS only.',
  },
)

export const webhookSpec = fields({
  host: name({ description: 'Address to listen on; 0.0.0.0 for all.', maxLength: 255, default: '127.0.0.1' }),
  port: Type.Integer({ description: 'Port to listen on; 0 takes a free one.', minimum: 0, maximum: 65_535 }),
  path: Type.String({
    description: 'Path that deliveries are posted to, exactly so.',
    default: '/',
    pattern: '^/[A-Za-z0-9._~/-]*$',
    maxLength: 500,
  }),
  allowed_hosts: Type.Array(Type.String({ minLength: 1, maxLength: 255 }), {
    description:
      'Names that deliveries may call this host by. Omitted: on a loopback address only loopback names, else any name. A proxy in front passes the public name on.',
    default: [],
    maxItems: 20,
  }),
  signature: Type.Optional(signature),
  unsigned: Type.Optional(unsigned),
  id: Type.Optional(
    expression({
      description:
        'What identifies a delivery, the same when it is sent again. Omitted: a hash of its body, so that two deliveries with the same body are one.',
      vars: deliveryVars,
    }),
  ),
  remember: Type.Integer({
    description: 'Deliveries remembered, so that one that is sent again is not stored again.',
    default: 5000,
    minimum: 1000,
    maximum: 50_000,
  }),
  format: oneOf(['json', 'ndjson'], { description: 'What the body is, gzipped or not.', default: 'json' }),
  records: expression({
    description:
      'The items in a delivery: a list, or one object. ndjson: `body` is the list of lines. Header names are in lower case.',
    vars: deliveryVars,
    default: 'body',
  }),
  content_types: Type.Optional(
    Type.Array(contentType, {
      description:
        'Content types that are taken. Omitted: those of JSON, for ndjson also application/x-ndjson and its like.',
      minItems: 1,
      maxItems: 20,
    }),
  ),
  max_body: size({
    description: 'Largest body, as it is sent and after decompression.',
    default: '4mb',
    min: 1024,
    max: 64 * mb,
  }),
  max_records: Type.Integer({
    description: 'Most items in one delivery.',
    default: 10_000,
    minimum: 1,
    maximum: 1_000_000,
  }),
  max_in_flight: size({
    description: 'Bodies held while they are received and stored; what comes beyond is answered 503.',
    default: '64mb',
    min: mb,
    max: 1024 * mb,
  }),
  answer_within: duration({
    description: 'A delivery that is not stored by then is answered 503. Shorter than the vendor waits.',
    default: '10s',
    min: 100,
    max: 300_000,
  }),
  request_timeout: duration({
    description: 'Time for a whole request to arrive.',
    default: '10s',
    min: 500,
    max: 300_000,
  }),
})

export type WebhookConfig = Static<typeof webhookSpec>
export type SignatureConfig = NonNullable<WebhookConfig['signature']>
