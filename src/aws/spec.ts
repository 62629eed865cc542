// How a service of AWS is reached: the fields that its sources and sinks share, and what is wrong in them before anything is called.
import { address, fields, name, type Problem, type Static, secret, Type } from '../core/spec.ts'

export const awsFields = {
  region: name({ description: 'Region of the service, such as eu-central-1.', pattern: '^[a-z0-9-]+$', maxLength: 50 }),
  endpoint: Type.Optional(
    address({
      description:
        'Another address of the service: an endpoint in a private network, or a stand-in. Omitted: that of the region, over TLS. A certificate of your own authority is trusted through NODE_EXTRA_CA_CERTS.',
      examples: ['https://vpce-0123-abcd.sqs.eu-central-1.vpce.amazonaws.com', 'http://127.0.0.1:4566'],
    }),
  ),
  credentials: Type.Optional(
    fields(
      {
        access_key_id: secret({ description: 'The access key.' }),
        secret_access_key: secret({ description: 'Its secret.' }),
        session_token: Type.Optional(secret({ description: 'The token of temporary keys.' })),
      },
      'Keys to sign with. Omitted: where the SDK of AWS looks, in this order: environment, SSO, shared files, a process, a web identity token, then the role of the container or the machine; they are taken anew before they expire.',
    ),
  ),
}

const shared = fields(awsFields)
export type AwsConfig = Static<typeof shared>

/** Mistakes in `endpoint`. */
export function lintAws({ endpoint }: AwsConfig): readonly Problem[] {
  if (endpoint === undefined) return []
  const problem = (severity: 'error' | 'warning', message: string, hint: string): Problem => ({
    severity,
    code: severity === 'error' ? 'config.invalid' : 'config.warning',
    message,
    pointer: '/endpoint',
    hint,
  })
  const url = URL.parse(endpoint)
  if (url === null || !/^https?:$/.test(url.protocol) || url.host === '' || url.username !== '' || url.password !== '')
    return [problem('error', '`endpoint` is no address that can be called.', 'Write https://host, without a password.')]
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '')
    return [problem('error', '`endpoint` holds more than a host.', 'Write https://host or https://host:port.')]
  if (url.protocol === 'http:' && !/^(localhost|127\.[\d.]+|\[::1\])$/.test(url.hostname))
    return [problem('warning', '`endpoint` is called without TLS.', 'Write https://, unless it is a stand-in.')]
  return []
}
