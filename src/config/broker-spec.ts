// What `broker:` and `registry:` of weir.yaml may hold when they are not embedded. Words are Kafka's own, in the style of the pipeline files.
import { address, duration, fields, name, path, type Static, secret, Type } from '../core/spec.ts'

const tls = (description: string) =>
  Type.Union(
    [
      Type.Boolean({ description: 'true: with the authorities this machine trusts.' }),
      fields(
        {
          ca: Type.Optional(
            path({ description: 'PEM file of the authorities to trust; omitted: those this machine trusts.' }),
          ),
          cert: Type.Optional(path({ description: 'PEM file of our own certificate, for brokers that ask for one.' })),
          key: Type.Optional(path({ description: 'PEM file of its private key, without a passphrase.' })),
          server_name: Type.Optional(
            name({ description: 'Name the certificate must carry; omitted: the host of the address.' }),
          ),
          insecure: Type.Boolean({
            description: 'Accept any certificate: anyone on the way can read and change everything. For tests only.',
            default: false,
          }),
        },
        'How the other side proves who it is. Files are read at the start.',
      ),
    ],
    { description },
  )

const login = (what: string) =>
  fields(
    {
      username: name({ description: 'User name.' }),
      password: secret({ description: 'Password. One from ${file:…} is read anew at every login.' }),
    },
    what,
  )

const sasl = fields(
  {
    plain: Type.Optional(login('SASL PLAIN: name and password as they are.')),
    scram_sha_256: Type.Optional(login('SASL SCRAM-SHA-256.')),
    scram_sha_512: Type.Optional(login('SASL SCRAM-SHA-512.')),
    oauthbearer: Type.Optional(
      Type.Union(
        [
          fields(
            { token: secret({ description: 'The token; `${file:…}` is read anew at every login.' }) },
            'A token that something else renews.',
          ),
          fields(
            {
              token_url: address({
                description: 'Token endpoint; asked with the client-credentials grant.',
                examples: ['https://id.example.com/oauth2/token'],
              }),
              client_id: name({ description: 'Our client id there.', maxLength: 1000 }),
              client_secret: secret({ description: 'Our secret there. One from ${file:…} is read anew each time.' }),
              scope: Type.Optional(name({ description: 'Scope to ask for.', maxLength: 1000 })),
            },
            'A token endpoint, asked for a new token shortly before the old one expires.',
          ),
        ],
        { description: 'SASL OAUTHBEARER.' },
      ),
    ),
    insecure: Type.Boolean({
      description: 'Log in although the connection is not encrypted: who listens can log in as us (CVE-2024-56128).',
      default: false,
    }),
  },
  'How weir logs in: exactly one mechanism.',
)

const kafka = fields(
  {
    brokers: Type.Array(
      address({
        description: 'host:port; several with commas where they come from one variable.',
        examples: ['redpanda:9092'],
      }),
      {
        description: 'Brokers to begin with; they name the others. WEIR_BROKER overrides them.',
        minItems: 1,
        maxItems: 100,
      },
    ),
    driver: Type.Union([Type.Literal('kafkajs'), Type.Literal('platformatic')], {
      description: 'The client library that carries the connections; the promises are the same.',
      default: 'kafkajs',
    }),
    client_id: name({
      description: 'How brokers name weir in their logs, quotas and metrics.',
      pattern: '^[a-zA-Z0-9._-]+$',
      default: 'weir',
    }),
    tls: Type.Optional(tls('Encrypt the connections. Omitted: they are plain.')),
    sasl: Type.Optional(sasl),
    replication_factor: Type.Optional(
      Type.Integer({
        description: "Replicas of topics that weir makes. Omitted: the broker's default.",
        minimum: 1,
        maximum: 100,
      }),
    ),
    compression: Type.Union([Type.Literal('none'), Type.Literal('gzip'), Type.Literal('zstd')], {
      description: 'How batches are written; all of Kafka’s are read.',
      default: 'zstd',
    }),
    transaction_timeout: duration({
      description:
        'After this long the broker ends a transaction whose process went silent; readers wait that long behind it. At most the 15 m that brokers allow.',
      default: '30s',
      min: 1000,
      max: 900_000,
    }),
    session_timeout: duration({
      description:
        'A process that is silent this long loses its share: shorter takes over sooner, longer outlasts longer pauses. Brokers allow 6 s to 30 m.',
      default: '15s',
      min: 6000,
      max: 1_800_000,
    }),
    request_timeout: duration({
      description: 'A request without an answer for this long has failed.',
      default: '30s',
      min: 100,
      max: 600_000,
    }),
  },
  'A cluster that speaks the Kafka protocol: Redpanda, Apache Kafka.',
)

/** `broker: { kafka: … }` */
export const brokerSpec = fields({ kafka })

/** `registry: { url: … }` */
export const registrySpec = fields(
  {
    url: address({
      description: 'Address of a Confluent-compatible registry. WEIR_REGISTRY overrides it.',
      examples: ['https://registry.example.com'],
    }),
    auth: Type.Optional(
      Type.Union(
        [
          fields({ basic: login('HTTP basic authentication.') }),
          fields({ bearer: secret({ description: 'A token; `${file:…}` is read anew when it is refused.' }) }),
        ],
        { description: 'How the registry knows us.' },
      ),
    ),
    tls: Type.Optional(tls('Own authorities or an own certificate, for https.')),
    timeout: duration({ description: 'Deadline of one call.', default: '10s', min: 100, max: 600_000 }),
  },
  'A schema registry shared by all machines.',
)

/** `registry: { embedded: { serve: … } }` */
export const embeddedRegistrySpec = fields(
  {
    embedded: fields(
      {
        serve: fields(
          {
            host: name({
              description: 'Address to listen on. One that other machines reach needs a token.',
              default: '127.0.0.1',
            }),
            port: Type.Integer({ description: 'Port to listen on.', minimum: 1, maximum: 65_535, examples: [8081] }),
            token: Type.Optional(
              secret({
                description:
                  'Asked of every client, as bearer token or as password of HTTP basic authentication; `${file:…}` is read anew at every request.',
              }),
            ),
            read_token: Type.Optional(
              secret({ description: 'Another one, for clients that may look and not change.' }),
            ),
          },
          'Beside a running pipeline, the registry answers over HTTP as Confluent’s does (docs/registry.md).',
        ),
      },
      'Settings of the embedded registry.',
    ),
  },
  'The registry in the file of the embedded store, served to other programs.',
)

export type RegistryServeFields = Static<typeof embeddedRegistrySpec>['embedded']['serve']
export type KafkaFields = Static<typeof brokerSpec>['kafka']
export type RegistryFields = Static<typeof registrySpec>
export type TlsFields = NonNullable<KafkaFields['tls']>
